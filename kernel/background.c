// SPDX-License-Identifier: GPL-2.0-only
/*
 * Background work: jobs that are started and stopped by message, go on in small steps, and
 * rest while the device is suspended. What a job does is in its step; here is only when.
 *
 *	stopped --start--> running --stop, or done--> stopped
 *	running --presuspend--> paused --resume--> running
 *	any, when the metadata is loaded anew --> stopped
 *
 * A step runs in a process of its own, under memalloc_noio, and never while the device is
 * suspended: presuspend waits for it. So it may use the core like a context does.
 */
#include <linux/sched/mm.h>

#include "remap.h"

static void do_step(struct work_struct *work)
{
	struct remap_job *job = container_of(to_delayed_work(work), struct remap_job, work);
	struct remap_core *core = job->ctx.core;
	unsigned int noio = memalloc_noio_save();
	long delay = REMAP_JOB_DONE;

	/* Whoever kicks it from here on has another step. */
	spin_lock(&core->job_lock);
	job->kicked = false;
	spin_unlock(&core->job_lock);
	if (!READ_ONCE(core->failed))
		delay = job->step(job);
	spin_lock(&core->job_lock);
	if (delay != REMAP_JOB_DONE) {
		if (job->running && !core->jobs_paused)
			queue_delayed_work(core->data_wq, &job->work, delay);
	} else if (!job->kicked) {
		WRITE_ONCE(job->running, false);
	}
	spin_unlock(&core->job_lock);
	memalloc_noio_restore(noio);
}

/**
 * remap_job_start() - begin, if it is not running
 * @job: of a live core
 * @prepare: called before the first step, if it was not running; may be NULL
 *
 * Context: process; sleeps. @prepare is for one caller at a time to see to.
 */
void remap_job_start(struct remap_job *job, void (*prepare)(struct remap_job *job))
{
	struct remap_core *core = job->ctx.core;

	if (READ_ONCE(job->running))
		return;
	/* The last step may not be quite over. */
	cancel_delayed_work_sync(&job->work);
	if (prepare)
		prepare(job);
	spin_lock(&core->job_lock);
	WRITE_ONCE(job->running, true);
	if (!core->jobs_paused)
		queue_delayed_work(core->data_wq, &job->work, 0);
	spin_unlock(&core->job_lock);
}

/**
 * remap_job_kick() - do not wait any longer for the next step
 * @job: the job; nothing is done if it is not running
 *
 * Return: whether it is running; there is another step then, begun after this.
 * Context: process; does not sleep.
 */
bool remap_job_kick(struct remap_job *job)
{
	struct remap_core *core = job->ctx.core;
	bool running;

	spin_lock(&core->job_lock);
	running = job->running;
	job->kicked = running;
	if (running && !core->jobs_paused)
		mod_delayed_work(core->data_wq, &job->work, 0);
	spin_unlock(&core->job_lock);
	return running;
}

/**
 * remap_job_stop() - stop it, if it is running
 * @job: the job
 *
 * Context: process; sleeps until its present step is over.
 */
void remap_job_stop(struct remap_job *job)
{
	struct remap_core *core = job->ctx.core;

	spin_lock(&core->job_lock);
	WRITE_ONCE(job->running, false);
	spin_unlock(&core->job_lock);
	cancel_delayed_work_sync(&job->work);
}

/**
 * remap_job_stopping() - should a step that could go on return?
 * @job: the job
 *
 * Context: any.
 */
bool remap_job_stopping(const struct remap_job *job)
{
	const struct remap_core *core = job->ctx.core;

	return !READ_ONCE(job->running) || READ_ONCE(core->jobs_paused) ||
	       READ_ONCE(core->failed);
}

/**
 * remap_jobs_pause() - let all jobs of a core rest
 * @core: the core
 *
 * Context: process; sleeps until their present steps are over.
 */
void remap_jobs_pause(struct remap_core *core)
{
	unsigned int i;

	spin_lock(&core->job_lock);
	WRITE_ONCE(core->jobs_paused, true);
	spin_unlock(&core->job_lock);
	for (i = 0; i < REMAP_NR_JOBS; i++)
		cancel_delayed_work_sync(&core->jobs[i].work);
}

/**
 * remap_jobs_resume() - let the jobs of a core go on that were running
 * @core: live
 *
 * Context: process.
 */
void remap_jobs_resume(struct remap_core *core)
{
	unsigned int i;

	spin_lock(&core->job_lock);
	WRITE_ONCE(core->jobs_paused, false);
	for (i = 0; i < REMAP_NR_JOBS; i++)
		if (core->jobs[i].running)
			queue_delayed_work(core->data_wq, &core->jobs[i].work, 0);
	spin_unlock(&core->job_lock);
}

/**
 * remap_jobs_forget() - stop all jobs of a core
 * @core: whose; it has no bios under way
 *
 * Context: process; sleeps.
 */
void remap_jobs_forget(struct remap_core *core)
{
	unsigned int i;

	for (i = 0; i < REMAP_NR_JOBS; i++)
		remap_job_stop(&core->jobs[i]);
}

/**
 * remap_jobs_init() - make the jobs of a core
 * @core: zeroed but for what the caller has set
 *
 * They are paused until the first resume.
 *
 * Return: 0 or -ENOMEM; remap_jobs_exit() is due in either case.
 * Context: sleeps.
 */
int remap_jobs_init(struct remap_core *core)
{
	static long (*const steps[REMAP_NR_JOBS])(struct remap_job *job) = {
		[REMAP_JOB_SALVAGE] = remap_salvage_step,
		[REMAP_JOB_SCAN] = remap_scan_step,
	};
	unsigned int i;
	int r = 0;

	spin_lock_init(&core->job_lock);
	core->jobs_paused = true;
	for (i = 0; i < REMAP_NR_JOBS; i++) {
		struct remap_job *job = &core->jobs[i];

		INIT_DELAYED_WORK(&job->work, do_step);
		job->step = steps[i];
		r |= remap_ctx_init(core, &job->ctx);
	}
	return r ? -ENOMEM : 0;
}

/**
 * remap_jobs_exit() - free the jobs of a core
 * @core: not live
 *
 * Context: sleeps.
 */
void remap_jobs_exit(struct remap_core *core)
{
	unsigned int i;

	remap_jobs_forget(core);
	for (i = 0; i < REMAP_NR_JOBS; i++)
		remap_ctx_exit(&core->jobs[i].ctx);
}
