// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which machine this is: the machine-id that a spare gets when it is activated (docs/format.md,
 * host_id). A kernel has none; the tools write theirs to the parameter before they make a device,
 * so that it is on the spare also after a crash. Until somebody has, spares get none.
 */
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "remap.h"

#define ID_DIGITS (2 * REMAP_MACHINE_ID_BYTES)

static DEFINE_SPINLOCK(id_lock);
static u8 machine_id[REMAP_MACHINE_ID_BYTES];

/* 32 hexadecimal digits, or nothing: forget it. Activations that are under way keep what they had. */
static int set_id(const char *text, const struct kernel_param *param)
{
	size_t length = strcspn(text, "\n");
	u8 id[REMAP_MACHINE_ID_BYTES] = { 0 };

	if (length && (length != ID_DIGITS || hex2bin(id, text, sizeof(id))))
		return -EINVAL;
	spin_lock(&id_lock);
	memcpy(machine_id, id, sizeof(id));
	spin_unlock(&id_lock);
	return 0;
}

static int get_id(char *text, const struct kernel_param *param)
{
	u8 id[REMAP_MACHINE_ID_BYTES];

	if (!remap_machine_id(id))
		return sprintf(text, "\n");
	return sprintf(text, "%*phN\n", REMAP_MACHINE_ID_BYTES, id);
}

static const struct kernel_param_ops id_ops = {
	.set = set_id,
	.get = get_id,
};

module_param_cb(host_id, &id_ops, NULL, 0600);
MODULE_PARM_DESC(host_id, "machine-id of this machine, for spares that are activated: 32 hexadecimal digits");

/**
 * remap_machine_id() - the machine-id of this machine
 * @id: out: REMAP_MACHINE_ID_BYTES; zero when it is not known
 *
 * Return: true when it is known.
 * Context: any but interrupts.
 */
bool remap_machine_id(u8 *id)
{
	spin_lock(&id_lock);
	memcpy(id, machine_id, sizeof(machine_id));
	spin_unlock(&id_lock);
	return memchr_inv(id, 0, sizeof(machine_id));
}
