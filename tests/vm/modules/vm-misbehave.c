// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm-misbehave - does, once and while it is being loaded, the one bad thing named by its
 * parameter. It exists to prove that the rig of the VM tests sees each of them.
 */

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>

static char *how = "";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "warn, oops, bug, stuck or taint");

static int __init misbehave_init(void)
{
	if (!strcmp(how, "warn")) {
		WARN(1, "vm-misbehave: asked to warn\n");
	} else if (!strcmp(how, "oops")) {
		int *volatile nowhere = NULL;

		*nowhere = 1;
	} else if (!strcmp(how, "bug")) {
		BUG();
	} else if (!strcmp(how, "stuck")) {
		for (;;) {
			__set_current_state(TASK_UNINTERRUPTIBLE);
			schedule();
		}
	} else if (!strcmp(how, "taint")) {
		add_taint(TAINT_WARN, LOCKDEP_STILL_OK);
	} else {
		return -EINVAL;
	}
	return 0;
}

static void __exit misbehave_exit(void)
{
}

module_init(misbehave_init);
module_exit(misbehave_exit);
MODULE_DESCRIPTION("Misbehaves on request, to prove that tests would see it");
MODULE_LICENSE("GPL");
