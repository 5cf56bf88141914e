// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is explored: tables only. Blocks are numbered as in sim_use_layout(): 4 is the last
 * one of main, which is short.
 */
#include "sim.h"

/* 3 pages, 750 slots of 4 KiB: the smallest spare there is. */
static const struct sim_layout small = {
	.name = "small",
	.spare_sectors = RMETA_MIN_SPARE_SECTORS,
	.block_shift = 3,
	.batch = 4,
	.full_scan = 1024,
};

/* 66 pages of 512-byte slots: the smallest spare of more than one group. */
static const struct sim_layout two_groups = {
	.name = "two groups",
	.spare_sectors = 29400,
	.block_shift = 0,
	.batch = 64,
	.full_scan = 256,
};

/* 132 pages: three groups. */
static const struct sim_layout three_groups = {
	.name = "three groups",
	.spare_sectors = 48720,
	.block_shift = 0,
	.batch = 16,
	.full_scan = 256,
};

#define OP(k, b, m, p) { .kind = SIM_OP_##k, .block = (b), .mask = (m), .place = SIM_##p }
#define OPS(array) .ops = (array), .nr_ops = ARRAY_SIZE(array)

/* One remap of each kind: data in a slot, pending sectors, lost sectors. */
#define FURNISHED {								\
	.nr = 4,								\
	.op = {									\
		OP(WRITE_BAD, 0, 0xff, DEEP),					\
		OP(READ_BAD, 1, 0x18, ANYWHERE),				\
		OP(WRITE_BAD, 2, 0x3c, PAGE1),					\
		OP(MOVE, 2, 0x24, PAGE2),					\
	},									\
}

static const struct sim_op all_ops[] = {
	OP(WRITE_BAD, 3, 0x0f, DEEP),
	OP(READ_BAD, 3, 0x42, PAGE1),
	OP(IMPORT, 4, 0, ANYWHERE),
	OP(IMPORT_MANY, 0, 0, ANYWHERE),
	OP(WRITE, 0, 0x81, ANYWHERE),
	OP(WRITE, 1, 0x10, ANYWHERE),
	OP(WRITE, 2, 0x24, ANYWHERE),
	OP(WRITE, 3, 0x06, ANYWHERE),
	OP(SALVAGE, 4, 0, ANYWHERE),
	OP(MOVE, 0, 0, DEEP),
	OP(MOVE, 0, 0x0c, PAGE1),
	OP(MOVE, 1, 0x41, DEEP),
	OP(UNMAP, 0, 0, ANYWHERE),
	OP(UNMAP, 1, 0, ANYWHERE),
	OP(BAD_SLOT, 4, 0x7, PAGE1),
	OP(REPLACE, 0, 0xff, PAGE2),
	OP(RESTART, 0, 0, ANYWHERE),
	OP(RELEASE, 0, 0, ANYWHERE),
};

#define ALL_FAILS (BIT(SIM_FAIL_HIDDEN) | BIT(SIM_FAIL_DEAF) | BIT(SIM_FAIL_FROM) |	\
		   BIT(SIM_FAIL_WRITE) | BIT(SIM_FAIL_REVIVE))

static const struct sim_op claim_ops[] = {
	OP(WRITE_BAD, 3, 0x0f, DEEP),
	OP(IMPORT, 4, 0, DEEP),
};

static const struct sim_op import_op[] = { OP(IMPORT, 3, 0, DEEP) };
static const struct sim_op import_last_op[] = { OP(IMPORT, 4, 0, DEEP) };
static const struct sim_op import_page2_op[] = { OP(IMPORT, 4, 0, PAGE2) };
static const struct sim_op move_op[] = { OP(MOVE, 0, 0, PAGE1) };
static const struct sim_op unmap_op[] = { OP(UNMAP, 0, 0, ANYWHERE) };
static const struct sim_op restart_op[] = { OP(RESTART, 0, 0, ANYWHERE) };

static const struct sim_op clear_ops[] = {
	OP(WRITE, 1, 0x08, ANYWHERE),
	OP(WRITE, 1, 0x10, ANYWHERE),
};

/* Between scrubs, so that what they leave is changed, cut and loaded. */
static const struct sim_op scrub_ops[] = {
	OP(SCRUB, 0, 0, ANYWHERE),
	OP(WRITE_BAD, 3, 0x0f, DEEP),
	OP(WRITE, 1, 0x08, ANYWHERE),
	OP(UNMAP, 0, 0, ANYWHERE),
};

static const struct sim_op scrub_op[] = { OP(SCRUB, 0, 0, ANYWHERE) };

static const struct sim_op grow_op[] = { OP(GROW, 0, 0, ANYWHERE) };

static const struct sim_op grow_by_two_op[] = { OP(GROW, 0, 1, ANYWHERE) };

static const struct sim_op grow_ops[] = {
	OP(GROW, 0, 0, ANYWHERE),
	OP(IMPORT, 1, 0, LAST_GROUP),
	OP(WRITE_BAD, 0, 1, LAST_GROUP),
	OP(RELEASE, 0, 0, ANYWHERE),
};

static const struct sim_op claim_last_ops[] = {
	OP(IMPORT, 2, 0, LAST_GROUP),
	OP(WRITE_BAD, 3, 1, ANYWHERE),
	OP(GROW, 0, 0, ANYWHERE),
};

#define SUPER_UNIT 0x01U
#define ZONE_UNITS 0x1eU
#define PAGE2_UNIT 0x08U
#define LATER_GROUPS_UNIT 0x10U

static const u32 all_shapes[] = { SIM_WHOLE, SUPER_UNIT, ZONE_UNITS, PAGE2_UNIT, 0 };
static const u32 zone_shape[] = { ZONE_UNITS, 0 };
static const u32 page2_shape[] = { PAGE2_UNIT, 0 };

#define COPIES(a, b, c, d, e) ((a) | (b) << 1 | (c) << 2 | (d) << 3 | (e) << 4)

const struct sim_scenario sim_scenarios[] = {
	{
		.name = "calm",
		.about = "every pair of operations, every cut, nothing fails",
		.layout = &small,
		.setup = FURNISHED,
		.levels = {
			{ OPS(all_ops), .depth = 2 },
			{ OPS(all_ops), .depth = 1, .script_every = 18, .cut_every = 2 },
			{ .depth = 0 },
		},
		.nr_levels = 3,
	},
	{
		.name = "fail-first",
		.about = "a copy fails in the first of three sessions; it stays so, or comes back",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ OPS(all_ops), .depth = 1, .fails = ALL_FAILS, .fail_every = 2 },
			{ OPS(all_ops), .depth = 1, .script_every = 18,
			  .fails = BIT(SIM_FAIL_REVIVE), .cut_every = 4 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "fail-second",
		.about = "a copy fails in the second of three sessions; it stays so, or comes back",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ OPS(all_ops), .depth = 1 },
			{ OPS(all_ops), .depth = 1, .script_every = 18, .fails = ALL_FAILS,
			  .fail_every = 24 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "fail-third",
		.about = "a copy fails in the third of four sessions; it stays so, or comes back",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ OPS(all_ops), .depth = 1, .cut_every = 4 },
			{ OPS(all_ops), .depth = 1, .script_every = 18, .cut_every = 4 },
			{ .depth = 0, .shapes = all_shapes, .fails = ALL_FAILS, .fail_every = 48, .cut_every = 2 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 4,
	},
	{
		.name = "hidden",
		.about = "a copy is hidden in the second session, which changes something",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ OPS(import_op), .depth = 1 },
			{ OPS(import_last_op), .depth = 1, .shapes = all_shapes,
			  .fails = BIT(SIM_FAIL_HIDDEN) | BIT(SIM_FAIL_DEAF) },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "losers",
		.about = "a move is cut, then the block is unmapped",
		.layout = &small,
		.setup = FURNISHED,
		.whole = true,
		.levels = {
			{ OPS(move_op), .depth = 1 },
			{ OPS(unmap_op), .depth = 1 },
			{ .depth = 0 },
		},
		.nr_levels = 3,
	},
	{
		.name = "rewritten",
		.about = "losers are rewritten, cut, and a copy is hidden",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.whole = true,
		.levels = {
			{ OPS(import_op), .depth = 1 },
			{ .depth = 0 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_HIDDEN) },
		},
		.nr_levels = 3,
	},
	{
		.name = "one-write",
		.about = "one write fails, and its page is written again",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.whole = true,
		.levels = {
			{ OPS(claim_ops), .depth = 2, .fails = BIT(SIM_FAIL_WRITE) },
			{ .depth = 0 },
		},
		.nr_levels = 2,
	},
	{
		.name = "dead-known",
		.about = "a copy is dead, two changes, a cut, and another copy is hidden",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.whole = true,
		.levels = {
			{ .first = { 1, { OP(DIE, 0, COPIES(1, 0, 0, 0, 0), ANYWHERE) } },
			  OPS(claim_ops), .depth = 2 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_HIDDEN) },
		},
		.nr_levels = 2,
	},
	{
		.name = "then-another",
		.about = "a copy dies, and after a cut another one is hidden",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 2,
		.levels = {
			{ OPS(claim_ops), .depth = 2, .fails = BIT(SIM_FAIL_FROM) },
			{ .depth = 0, .fails = BIT(SIM_FAIL_HIDDEN), .cut_every = 4 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "one-left",
		.about = "all copies but one die, and come back in the next session",
		.layout = &small,
		.setup = { .nr = 1, .op = { OP(READ_BAD, 1, 0x18, DEEP) } },
		.whole = true,
		.levels = {
			{ .first = { 1, { OP(DIE, 0, COPIES(0, 1, 1, 1, 1), ANYWHERE) } },
			  OPS(clear_ops), .depth = 2 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 2,
	},
	{
		.name = "two-left",
		.about = "three copies are dead for good",
		.layout = &small,
		.setup = FURNISHED,
		.dead = SIM_UNIT_MASK(SIM_WHOLE, 0) | SIM_UNIT_MASK(SIM_WHOLE, 2) |
			SIM_UNIT_MASK(SIM_WHOLE, 3),
		.whole = true,
		.levels = {
			{ OPS(all_ops), .depth = 1 },
			{ OPS(all_ops), .depth = 1, .script_every = 18 },
			{ .depth = 0 },
		},
		.nr_levels = 3,
	},
	{
		.name = "three-left",
		.about = "two copies are dead for good, a third fails",
		.layout = &small,
		.setup = FURNISHED,
		.dead = SIM_UNIT_MASK(SIM_WHOLE, 1) | SIM_UNIT_MASK(SIM_WHOLE, 4),
		.budget = 1,
		.levels = {
			{ OPS(all_ops), .depth = 1, .fails = ALL_FAILS, .fail_every = 8 },
			{ OPS(all_ops), .depth = 1, .script_every = 18, .fails = ALL_FAILS,
			  .fail_every = 16 },
			{ .depth = 0 },
		},
		.nr_levels = 3,
	},
	{
		.name = "scrubbed",
		.about = "copies die, come back, and are scrubbed, cut; then a copy is hidden",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ .first = { 3, { OP(DIE, 0, COPIES(1, 0, 0, 1, 0), ANYWHERE),
					  OP(IMPORT, 4, 0, DEEP),
					  OP(HEAL, 0, 0, ANYWHERE) } },
			  OPS(scrub_ops), .depth = 2, .cut_every = 2 },
			{ OPS(scrub_op), .depth = 1, .shapes = all_shapes,
			  .fails = BIT(SIM_FAIL_HIDDEN) | BIT(SIM_FAIL_DEAF), .fail_every = 8 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "scrub-fails",
		.about = "a copy fails before a scrub or in it, comes back or not, and is scrubbed again",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ OPS(scrub_ops), .depth = 2, .fails = ALL_FAILS, .fail_every = 16,
			  .cut_every = 8 },
			{ .first = { 1, { OP(HEAL, 0, 0, ANYWHERE) } },
			  OPS(scrub_ops), .depth = 1, .cut_every = 4 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "scrub-dead-page",
		.about = "all copies but one die in a change, come back, and are scrubbed",
		.layout = &small,
		.setup = { .nr = 1, .op = { OP(READ_BAD, 1, 0x18, DEEP) } },
		.whole = true,
		.levels = {
			{ .first = { 4, { OP(DIE, 0, COPIES(0, 1, 1, 1, 1), ANYWHERE),
					  OP(WRITE, 1, 0x08, ANYWHERE),
					  OP(HEAL, 0, 0, ANYWHERE),
					  OP(SCRUB, 0, 0, ANYWHERE) } },
			  OPS(claim_ops), .depth = 1 },
			{ .depth = 0 },
		},
		.nr_levels = 2,
	},
	{
		.name = "recommitted",
		.about = "a zone is hidden in a load that is cut, then one copy of a page",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 2,
		.levels = {
			{ .depth = 0, .fails = BIT(SIM_FAIL_HIDDEN), .shapes = zone_shape },
			{ .first = { 1, { OP(REVIVE, 0, 0, ANYWHERE) } },
			  OPS(import_page2_op), .depth = 1, .fails = BIT(SIM_FAIL_HIDDEN),
			  .shapes = page2_shape },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "old-super",
		.about = "the only superblocks left are those of an earlier activation",
		.layout = &small,
		.setup = {
			.nr = 6,
			.op = {
				OP(IMPORT, 1, 0, PAGE1),
				OP(DIE, 0, COPIES(0, 0, 0, 1, 1), ANYWHERE),
				OP(RELOAD, 0, 0, ANYWHERE),
				OP(WRITE_BAD, 0, 0xff, DEEP),
				OP(WRITE, 1, 0x0f, ANYWHERE),
				OP(IMPORT, 2, 0, DEEP),
			},
		},
		.budget = 1,
		.whole = true,
		.levels = {
			{ .first = { 2, { OP(REVIVE, 0, 0, ANYWHERE),
					  OP(WIPE, 0, COPIES(1, 1, 1, 0, 0), ANYWHERE) } },
			  OPS(import_op), .depth = 1, .fails = BIT(SIM_FAIL_HIDDEN),
			  .shapes = zone_shape },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 2,
	},
	{
		.name = "format",
		.about = "a new life over an old one, cut, and formatted again if need be",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ .first = { 1, { OP(FORMAT, 0, 0, ANYWHERE) } },
			  OPS(claim_ops), .depth = 1, .fails = ALL_FAILS },
			{ OPS(claim_ops), .depth = 1, .fails = ALL_FAILS, .fail_every = 16,
			  .cut_every = 4 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "format-blank",
		.about = "the first format and the first load",
		.layout = &small,
		.blank = true,
		.budget = 1,
		.levels = {
			{ OPS(claim_ops), .depth = 1, .fails = ALL_FAILS },
			{ OPS(claim_ops), .depth = 1, .fails = ALL_FAILS, .fail_every = 16 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "format-wiped",
		.about = "all superblocks are destroyed after a format, and rebuilt from pages",
		.layout = &small,
		.setup = FURNISHED,
		.levels = {
			{ .first = { 1, { OP(FORMAT, 0, 0, ANYWHERE) } },
			  OPS(claim_ops), .depth = 1 },
			{ .first = { 2, { OP(WIPE, 0, COPIES(1, 1, 1, 1, 1), ANYWHERE),
					  OP(CHECK, 0, 0, ANYWHERE) } },
			  .depth = 0 },
			{ .first = { 1, { OP(CHECK, 0, 0, ANYWHERE) } }, .depth = 0 },
		},
		.nr_levels = 3,
	},
	{
		.name = "checked",
		.about = "remap-check before the load, cut in its repairs, a copy hidden",
		.layout = &small,
		.setup = FURNISHED,
		.budget = 1,
		.levels = {
			{ OPS(all_ops), .depth = 1, .fails = ALL_FAILS, .fail_every = 64 },
			{ .first = { 1, { OP(CHECK, 0, 0, ANYWHERE) } }, .depth = 0,
			  .fails = ALL_FAILS, .fail_every = 128 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "grow",
		.about = "growth by a group, cut, and claims in it",
		.layout = &two_groups,
		.budget = 1,
		.levels = {
			{ OPS(grow_ops), .depth = 2, .fails = ALL_FAILS, .fail_every = 64,
			  .cut_every = 4 },
			{ OPS(claim_last_ops), .depth = 1, .script_every = 3, .cut_every = 24 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "grow-cut",
		.about = "growth by a group, cut",
		.layout = &two_groups,
		.whole = true,
		.levels = {
			{ OPS(grow_op), .depth = 1 },
			{ .depth = 0 },
		},
		.nr_levels = 2,
	},
	{
		.name = "grow-twice",
		.about = "growth by two groups, the superblock hidden in between",
		.layout = &three_groups,
		.budget = 1,
		.levels = {
			{ .first = { 1, { OP(GROW, 0, 0, ANYWHERE) } }, OPS(grow_ops), .depth = 1,
			  .cut_every = 8 },
			{ OPS(claim_last_ops), .depth = 1, .script_every = 3, .cut_every = 64,
			  .fails = ALL_FAILS, .fail_every = 256 },
			{ .depth = 0, .fails = BIT(SIM_FAIL_REVIVE) },
		},
		.nr_levels = 3,
	},
	{
		.name = "grow-by-two",
		.about = "growth by two groups with one commit, cut",
		.layout = &three_groups,
		.budget = 1,
		.levels = {
			{ OPS(grow_by_two_op), .depth = 1 },
			{ OPS(claim_last_ops), .depth = 1, .script_every = 3, .cut_every = 64 },
			{ .depth = 0 },
		},
		.nr_levels = 3,
	},
	{
		.name = "grow-old-super",
		.about = "the only superblocks left are those of before the growth",
		.layout = &two_groups,
		.setup = {
			.nr = 4,
			.op = {
				OP(DIE, 0, COPIES(0, 0, 0, 1, 1), ANYWHERE),
				OP(RELOAD, 0, 0, ANYWHERE),
				OP(GROW, 0, 0, ANYWHERE),
				OP(WRITE_BAD, 0, 1, LAST_GROUP),
			},
		},
		.whole = true,
		.levels = {
			{ .first = { 2, { OP(REVIVE, 0, 0, ANYWHERE),
					  OP(WIPE, 0, COPIES(1, 1, 1, 0, 0), ANYWHERE) } },
			  OPS(claim_last_ops), .depth = 1 },
			{ .depth = 0 },
		},
		.nr_levels = 2,
	},
	{
		.name = "grow-pages-gone",
		.about = "no copy of the pages of a new group can be read any more",
		.layout = &two_groups,
		.setup = {
			.nr = 2,
			.op = {
				OP(GROW, 0, 0, ANYWHERE),
				OP(WRITE_BAD, 0, 1, LAST_GROUP),
			},
		},
		.whole = true,
		.levels = {
			{ .first = { 1, { OP(HIDE, 0, LATER_GROUPS_UNIT, ANYWHERE) } },
			  OPS(restart_op), .depth = 1 },
		},
		.nr_levels = 1,
	},
};

const unsigned int sim_nr_scenarios = ARRAY_SIZE(sim_scenarios);

#define RULE(rule, what, scenario) { RMETA_RULE_##rule, #rule, what, scenario }

const struct sim_mutation sim_mutations[] = {
	RULE(SEQUENCE_UNIQUE, "a failed write uses its number up", "one-write"),
	RULE(ACTIVATION_PAGES, "activations counts pages too", "old-super"),
	RULE(ACTIVATION_HIDDEN, "activations counts unreadable superblocks", "hidden"),
	RULE(ACTIVATION_FIRST, "activation durable before anything else", "recommitted"),
	RULE(STEPS, "never all copies at once", "calm"),
	RULE(ALL_LIVE, "acknowledged only when in all live copies", "calm"),
	RULE(FAILED_NOT_LIVE, "a failed write takes its copy out", "one-left"),
	RULE(TWO_LIVE, "fewer than two live copies: no change", "one-left"),
	RULE(DATA_FIRST, "slot data durable before its page", "calm"),
	RULE(MASK_ORDER, "bit cleared after its data is durable", "calm"),
	RULE(MOVE_ORDER, "new claim durable before the old retires", "calm"),
	RULE(MOVE_LOST, "unreadable sectors of a slot become lost", "calm"),
	RULE(GROW_PAGES_FIRST, "pages initialised before pages_used", "grow-cut"),
	RULE(GROW_SUPER_FIRST, "pages_used durable before the pages are used", "grow-pages-gone"),
	RULE(REWRITE_SUPER, "losers among superblocks rewritten", "calm"),
	RULE(REWRITE_PAGES, "losers among pages rewritten", "hidden"),
	RULE(REWRITE_TWO, "at most two copies at a time", "rewritten"),
	RULE(RECOMMIT, "winner again under this activation", "hidden"),
	RULE(PROBE_GROWTH, "look behind pages_used", "grow-old-super"),
	RULE(RETIRE_LOSER, "losers of claims retired on disk", "losers"),
	RULE(FORMAT_INVALIDATE, "page 0 of every zone invalidated", "format-wiped"),
	RULE(FREE_FIRST, "freed durably before claimed anew", "calm"),
};

const unsigned int sim_nr_mutations = ARRAY_SIZE(sim_mutations);
