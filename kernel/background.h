/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Background jobs of a core; see background.c. A new kind of job is a line in the enum, its
 * step in background.c's table, and what it remembers in its own part of struct remap_core.
 */
#ifndef REMAP_BACKGROUND_H
#define REMAP_BACKGROUND_H

#include <linux/workqueue.h>

#include "work.h"

#define REMAP_JOB_DONE (-1L)

struct remap_core;

enum remap_job_id {
	REMAP_JOB_SALVAGE,
	REMAP_JOB_SCAN,
	REMAP_NR_JOBS
};

/**
 * struct remap_job - work in the background
 * @work: runs the steps
 * @ctx: for its I/O, with the core
 * @step: does a little, e.g. one block. Returns jiffies until the next step, or
 *	REMAP_JOB_DONE. One that could go on for long asks remap_job_stopping() now and then.
 * @running: started and neither stopped nor done; under core->job_lock
 * @kicked: somebody wants another step, begun after that; under core->job_lock
 */
struct remap_job {
	struct delayed_work work;
	struct remap_ctx ctx;
	long (*step)(struct remap_job *job);
	bool running;
	bool kicked;
};

void remap_job_start(struct remap_job *job, void (*prepare)(struct remap_job *job));
bool remap_job_kick(struct remap_job *job);
void remap_job_stop(struct remap_job *job);
bool remap_job_stopping(const struct remap_job *job);
void remap_jobs_pause(struct remap_core *core);
void remap_jobs_resume(struct remap_core *core);
void remap_jobs_forget(struct remap_core *core);
int remap_jobs_init(struct remap_core *core);
void remap_jobs_exit(struct remap_core *core);

#endif
