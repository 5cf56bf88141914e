/* SPDX-License-Identifier: GPL-2.0-only */
/* The table line. */
#ifndef REMAP_PARAMS_H
#define REMAP_PARAMS_H

#include <linux/types.h>

enum remap_feature_id {
	REMAP_F_FORMAT,
	REMAP_F_BLOCK_SIZE,
	REMAP_F_READ_POLICY,
	REMAP_F_NO_AUTO_REMAP,
	REMAP_F_BREAKER,
	REMAP_F_RETRY_BUDGET,
	REMAP_F_SCAN_INTERVAL,
	REMAP_F_FORCE_MAIN,
	REMAP_NR_FEATURES
};

/**
 * struct remap_features - the optional part of a table line
 * @given: features as they were given, in that order, to be printed back
 * @nr_given: how many
 * @block_sectors: block size for formatting, in sectors
 * @read_remap: read_policy remap
 * @no_auto_remap: remap by message only
 * @force_main: accept a main whose identity differs
 * @format: format a blank spare, asked for or implied by the name of the target
 * @breaker_slots: most slots taken within @breaker_seconds
 * @breaker_seconds: see @breaker_slots
 * @retry_budget: seconds that one bio may spend in retries on main
 * @scan_interval: seconds between the beginnings of health scans; 0: none
 */
struct remap_features {
	u8 given[REMAP_NR_FEATURES];
	unsigned int nr_given;
	unsigned int block_sectors;
	bool read_remap;
	bool no_auto_remap;
	bool force_main;
	bool format;
	u32 breaker_slots;
	u32 breaker_seconds;
	u32 retry_budget;
	u32 scan_interval;
};

struct remap_target;

int remap_parse(struct remap_features *features, unsigned int argc, char **argv, char **error);
int remap_set_feature(struct remap_target *t, unsigned int argc, char **argv, char **error);
void remap_print_features(const struct remap_features *features, char *result,
			  unsigned int maxlen, unsigned int *at);

#endif
