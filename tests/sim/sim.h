/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The crash simulator: the metadata engine on a fake disk whose power can be cut at any
 * step and whose copies can fail. What its parts share.
 *
 *	disk.c		what is on the spare and on main; tearing; cheap copies of it
 *	expect.c	what a load may show, and whether it did
 *	instant.c	what must hold of copies without a load
 *	session.c	one life of the engine: power on, load, some operations, power off;
 *			it is the engine's host, and collects every state a cut could leave
 *	power.c		the course of a session
 *	ops.c		the operations: plays the kernel, and obeys the host's rules
 *	explore.c	sessions after sessions: which failures, which cuts, which are new
 *	scenarios.c	the tables of what is explored, and of the rules to be switched off
 *	crash_sim.c	options and output
 *
 * A *state* is everything that survives a cut of power: the disks, and beside them what
 * the world has been promised or shown so far. A *step* is one call of the engine's
 * submit(), or one write of data. All is deterministic: the same decisions give the same
 * state.
 */
#ifndef SIM_H
#define SIM_H

#include "table.h"

#define SIM_BLOCKS 5		/* blocks of main that a workload may touch */
#define SIM_BLOCK_SECTORS 8	/* sectors of a block, at most */
#define SIM_SLOTS 16		/* slots that one history may touch */
#define SIM_ALTERNATIVES 4	/* values that are possible at one time, at most */
#define SIM_LEVELS 5		/* sessions of one history, at most */
#define SIM_OUTCOMES 16		/* of one write: old, new, torn at 7 places from either end */

/*
 * Disk
 */

/**
 * struct sim_cell - 4 KiB of the spare: a superblock or a page. Never changed once made.
 * @refs: disks, outcomes and so on that point here
 * @hash: of the contents
 * @sector_hash: of each sector
 * @judged: the next fields are filled in
 * @defect: what rmeta_*_decode() says
 * @life: if whole: first byte of the uuid, which counts formats
 * @sequence: if whole
 * @payload: if whole: hash of what does not depend on the copy's number and the sequence
 * @pages_used: of a superblock
 * @nr_entries: of a page: entries that are not free, or more than fit
 * @slot: of a page: their slots
 * @entry: of a page: those entries
 * @data: the bytes
 */
struct sim_cell {
	u32 refs;
	u64 hash;
	u64 sector_hash[RMETA_SECTORS];
	bool judged;
	enum rmeta_defect defect;
	u8 life;
	u64 sequence;
	u64 payload;
	u32 pages_used;
	u32 nr_entries;
	slot_t slot[SIM_SLOTS];
	struct rmeta_entry entry[SIM_SLOTS];
	u8 data[RMETA_BYTES];
};

/* What a sector of data holds: who wrote it. 0: nobody. */
typedef u16 sim_tag;

struct sim_slot_data {
	slot_t slot;
	sim_tag tag[SIM_BLOCK_SECTORS];
};

/**
 * struct sim_disk - contents of the spare and of the blocks of main that matter
 * @hash: of @cell, kept up to date
 * @main: tags of main
 * @main_bad: per block, sectors that main cannot read
 * @slots: data of the slots ever written, in the order of their first write
 * @cell: superblock copies, then the pages of zone 0, of zone 1, ...; NULL: zeroes
 */
struct sim_disk {
	u64 hash;
	sim_tag main[SIM_BLOCKS][SIM_BLOCK_SECTORS];
	u8 main_bad[SIM_BLOCKS];
	struct sim_slot_data slots[SIM_SLOTS];
	struct sim_cell *cell[];
};

/**
 * struct sim_layout - the spare and main that a scenario plays on
 * @name: for traces
 * @spare_sectors: length of the spare
 * @block_shift: log2 of sectors per block
 * @batch: struct rmeta_load.batch
 * @full_scan: outcomes of one step that are tried exhaustively, at most
 */
struct sim_layout {
	const char *name;
	u64 spare_sectors;
	u8 block_shift;
	unsigned int batch;
	unsigned int full_scan;
};

/* The layout in use; all disks of one process are of one layout at a time. */
extern const struct sim_layout *sim_layout;
extern struct rmeta_geometry sim_geo;
extern block_t sim_block[SIM_BLOCKS];
extern u8 sim_full[SIM_BLOCKS];		/* mask of the sectors each block has */

u64 sim_hash(const void *data, size_t bytes, u64 seed);
u64 sim_mix(u64 a, u64 b);

void sim_use_layout(const struct sim_layout *layout);
unsigned int sim_cells(void);
int sim_cell_at(u64 sector, unsigned int *copy);
unsigned int sim_cell_of(u32 object, unsigned int copy);
unsigned int sim_unit_of(u32 object, unsigned int copy);
unsigned int sim_unit_at(unsigned int index);
u8 sim_copies_in(u32 units, u32 object);
unsigned int sim_failed_copies(u32 units);

struct sim_cell *sim_cell_new(const void *data);
struct sim_cell *sim_cell_get(struct sim_cell *cell);
void sim_cell_put(struct sim_cell *cell);
u64 sim_cell_hash(const struct sim_cell *cell);
const struct sim_cell *sim_cell_judge(struct sim_cell *cell, unsigned int index);
unsigned int sim_cell_outcomes(struct sim_cell *old, const void *data, struct sim_cell **outcome);

void sim_disk_init(struct sim_disk *disk);
void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from);
void sim_disk_drop(struct sim_disk *disk);
size_t sim_disk_bytes(void);
u64 sim_disk_swap_hash(const struct sim_disk *disk, unsigned int index, u64 cell_hash);
void sim_disk_set(struct sim_disk *disk, unsigned int index, struct sim_cell *cell);
sim_tag *sim_disk_slot(struct sim_disk *disk, slot_t slot);
sim_tag sim_disk_slot_tag(const struct sim_disk *disk, slot_t slot, unsigned int sector);
u64 sim_disk_data_hash(const struct sim_disk *disk);

/*
 * Expectation
 */

enum sim_invariant {
	SIM_FINE,
	SIM_LOADS,		/* it loads */
	SIM_ACKNOWLEDGED,	/* every acknowledged change is there, others wholly or not */
	SIM_REGRESS,		/* what a load has shown stays */
	SIM_CLAIMS,		/* no block claimed twice, index and entries agree */
	SIM_DATA,		/* no sector reads as bytes nobody wrote there */
	SIM_READABLE,		/* what was readable still is */
	SIM_MASK,		/* a cleared bit stays cleared */
	SIM_COPIES,		/* as many whole copies as promised */
	SIM_LIVE,		/* a copy called live holds the current contents */
	SIM_SEQUENCE,		/* no two copies with equal sequences and different contents */
	SIM_STATUS,		/* counts, in use, needs check, pages in use */
	SIM_TWICE,		/* loading twice gives the same */
	SIM_READ_ONLY,		/* a read-only load writes nothing and shows what is allowed */
	SIM_FORMAT,		/* a format cut short can be repeated; nothing old comes back */
	SIM_HOST,		/* the engine asked its host for something absurd */
	SIM_NR_INVARIANTS
};

extern const char *const sim_invariant_name[SIM_NR_INVARIANTS];

/* What a slot's entry may turn out to be. @shown: a load has shown it. */
struct sim_slot_expect {
	slot_t slot;
	u8 nr;
	bool shown;
	struct rmeta_entry entry[SIM_ALTERNATIVES];
};

/* What a sector of the composite may read as. @error: it may fail. */
struct sim_sector_expect {
	u8 nr;
	bool error;
	sim_tag tag[SIM_ALTERNATIVES];
};

enum sim_maybe {
	SIM_NO = 1,
	SIM_YES = 2,
};

/**
 * struct sim_expect - what the world was promised or shown
 * @slot: entries; slots that are not here are free
 * @sector: what the blocks read as
 * @mapped: per block, enum sim_maybe
 * @in_use: enum sim_maybe
 * @formatting: a format is under way: it may be the old spare, the new one, or no spare
 * @life: of the spare that is there: the first byte of its uuid
 * @lives: formats begun so far
 * @loaded: a load of this life was completed
 * @wiped: superblocks were destroyed: what they alone knew is gone
 * @doubtful: more than one copy has failed at some time: a check may be due
 * @pages_used: least and most
 * @read_errors: lifetime counter: old and new value
 * @version: last version of data written
 * @session: number of this session, also the time
 */
struct sim_expect {
	struct sim_slot_expect slot[SIM_SLOTS];
	struct sim_sector_expect sector[SIM_BLOCKS][SIM_BLOCK_SECTORS];
	u8 mapped[SIM_BLOCKS];
	u8 in_use;
	bool formatting;
	u8 life;
	u8 lives;
	bool loaded;
	bool wiped;
	bool doubtful;
	u32 pages_used[2];
	u64 read_errors[2];
	u16 version;
	u16 session;
};

void sim_expect_init(struct sim_expect *expect);
void sim_expect_blank(struct sim_expect *expect, const struct sim_disk *disk);
void sim_expect_sector_may(struct sim_expect *expect, unsigned int b, u8 mask, u16 version);
void sim_expect_sector_is(struct sim_expect *expect, unsigned int b, u8 mask, u16 version);
void sim_expect_sector_may_fail(struct sim_expect *expect, unsigned int b, u8 mask);
void sim_expect_sector_lost(struct sim_expect *expect, unsigned int b, u8 mask);
void sim_expect_slot_may(struct sim_expect *expect, slot_t slot, const struct rmeta_entry *entry);
void sim_expect_slot_is(struct sim_expect *expect, slot_t slot, const struct rmeta_entry *entry);
bool sim_slot_allows(const struct sim_expect *expect, slot_t slot,
		     const struct rmeta_entry *seen);
sim_tag sim_tag_of(unsigned int b, unsigned int sector, u16 version);

enum sim_invariant sim_check_shown(const struct sim_expect *expect, const struct sim_disk *disk,
				   const struct rmeta_table *table, char *why, size_t bytes);
void sim_expect_shown(struct sim_expect *expect, const struct sim_disk *disk,
		      const struct rmeta_table *table);
unsigned int sim_whole_copies(const struct sim_expect *expect, const struct sim_disk *disk,
			      u32 object, u32 dead);
bool sim_sequences_clash(const struct sim_disk *disk, u32 object);
enum sim_invariant sim_check_live(const struct sim_disk *disk, const struct rmeta_table *table,
				  char *why, size_t bytes);

/*
 * State, session
 */

/*
 * What fails is counted in units. Copy k of everything, superblock and zone, has units
 * 5 * k .. 5 * k + 4: the superblock, page 0, page 1, the other pages of the first group, the
 * pages of further groups.
 */
#define SIM_UNITS 5
#define SIM_WHOLE 0x1fU			/* superblock and zone of copy 0 */
#define SIM_UNIT_MASK(units, copy) ((u32)(units) << (SIM_UNITS * (copy)))

/**
 * struct sim_health - which units fail
 * @dead: mask of units that read and write nothing now
 * @deaf: mask of units that cannot be read in this session, but written
 * @budget: failures that may still begin
 * @promise: whole copies that there are at least, of every object, in what can be read
 */
struct sim_health {
	u32 dead;
	u32 deaf;
	u8 budget;
	u8 promise;
	u16 reserved;			/* 0: health is hashed */
};

/* Everything that outlives a cut. Allocated with sim_state_bytes(). */
struct sim_state {
	struct sim_health health;
	struct sim_expect expect;
	struct sim_disk disk;		/* last: its end is open */
};

enum sim_fail_kind {
	SIM_FAIL_NONE,
	SIM_FAIL_HIDDEN,	/* from power on: reads and writes fail, it keeps what it held */
	SIM_FAIL_DEAF,		/* from power on: reads fail, writes succeed */
	SIM_FAIL_FROM,		/* from a step on: reads and writes fail */
	SIM_FAIL_WRITE,		/* the writes of one step fail */
	SIM_FAIL_REVIVE,	/* at power on: the copies that failed are back */
	SIM_NR_FAILS
};

/**
 * struct sim_fail - the failure that befalls one session
 * @kind: what
 * @outcome: what the first failing write leaves: 0 old, 1 torn, 2 new
 * @step: when
 * @units: mask of the units that fail
 */
struct sim_fail {
	u8 kind;
	u8 outcome;
	u16 step;
	u32 units;
};

enum sim_op_kind {
	SIM_OP_WRITE,		/* main is fine, or the block is mapped */
	SIM_OP_WRITE_BAD,	/* a write that main refuses: claim */
	SIM_OP_READ_BAD,	/* a read that main refuses: claim with pending bits */
	SIM_OP_IMPORT,		/* claim, all pending */
	SIM_OP_IMPORT_MANY,	/* several blocks in several pages by one change */
	SIM_OP_SALVAGE,		/* pending bits cleared with what main gives */
	SIM_OP_MOVE,		/* to another slot; some sectors cannot be read */
	SIM_OP_UNMAP,		/* back to main */
	SIM_OP_BAD_SLOT,	/* a claim whose first slot turns out to be bad */
	SIM_OP_REPLACE,		/* unmapped and at once claimed anew */
	SIM_OP_GROW,
	SIM_OP_RELEASE,
	SIM_OP_RESTART,		/* released, loaded again */
	SIM_OP_RELOAD,		/* loaded again, without a release */
	SIM_OP_DIE,		/* copies (mask) fail, all at once */
	SIM_OP_HEAL,		/* all copies that failed work again, with what they held */
	SIM_OP_SCRUB,		/* all copies are read, and bad ones brought back */
	/* These are only done at the beginning of a script, before the load. */
	SIM_OP_REVIVE,		/* the copies that had failed before are back */
	SIM_OP_FORMAT,		/* a new life */
	SIM_OP_WIPE,		/* superblocks (mask) are overwritten with zeroes */
	SIM_OP_HIDE,		/* units (mask, as in SIM_WHOLE) of all copies fail */
	SIM_OP_CHECK,		/* remap-check, which may repair what loses nothing */
	SIM_NR_OPS
};

/* Where a claim shall go. */
enum sim_place {
	SIM_ANYWHERE,		/* first free: page 0, its first sector */
	SIM_DEEP,		/* page 0, another sector than the header's */
	SIM_PAGE1,		/* other pages */
	SIM_PAGE2,
	SIM_LAST_GROUP,		/* a page of the last group in use */
};

struct sim_op {
	enum sim_op_kind kind;
	u8 block;
	u8 mask;
	enum sim_place place;
};

#define SIM_SCRIPT_OPS 8

/* What a session does after its load. */
struct sim_script {
	u8 nr;
	struct sim_op op[SIM_SCRIPT_OPS];
};

/* How a step of a session ended when power was cut in it. */
struct sim_cut {
	u32 step;
	u32 outcome;
};

/* A state that a cut can leave, and how. */
struct sim_crash {
	struct sim_cut cut;
	struct sim_state *state;
};

/**
 * struct sim_session - one life of the engine
 * @state: the world; changes as the session goes
 * @script: what it does
 * @fail: what befalls it
 * @wanted: called for each state that a cut could leave, with its hash: collect it?
 * @ctx: its first argument
 * @only: collect only this one (replay), or NULL
 * @crashes: out: states collected
 * @nr_crashes: out
 * @max_crashes: allocated
 * @read_steps: out: per unit, a bit for each of the first 64 steps that read it
 * @write_steps: out: likewise, that write it
 * @violation: out: first invariant broken
 * @why: out: text
 * @verbose: say what happens
 * @broken_cut: out: of a violation that only a cut shows
 * @look: a read-only load first
 * @table: private: the engine's
 * @loaded: private: @table is valid
 * @step: private: number of the present step
 * @collect_from: private: first step whose outcomes are new
 * @collecting: private: cuts are wanted
 * @read_only: private: nothing may be written now
 * @promise: private: whole copies that there were at power on
 * @before_wipe: private: the same, before superblocks were destroyed
 * @known_dead: private: units that were dead before
 * @failed: private: units whose last write before this operation failed
 * @failing: private: units whose last write failed
 * @fenced: private: blocks whose state is unknown until the next load
 * @finished: private: released; no operation may follow
 * @ended: private: something went wrong; nothing more is to be done or looked at
 */
struct sim_session {
	struct sim_state *state;
	const struct sim_script *script;
	struct sim_fail fail;
	bool (*wanted)(void *ctx, u64 hash, const struct sim_cut *cut);
	void *ctx;
	const struct sim_cut *only;
	struct sim_crash *crashes;
	u32 nr_crashes;
	u32 max_crashes;
	u64 read_steps[SIM_UNITS * RMETA_COPIES];
	u64 write_steps[SIM_UNITS * RMETA_COPIES];
	enum sim_invariant violation;
	char why[200];
	struct sim_cut broken_cut;
	bool look;
	bool verbose;

	struct rmeta_table table;
	bool loaded;
	u32 step;
	u32 collect_from;
	bool collecting;
	bool read_only;
	u8 promise;
	u8 before_wipe;
	u32 known_dead;
	u32 failed;
	u32 failing;
	u8 fenced;
	bool finished;
	bool ended;
};

/* Invariants that are not to be reported, as a mask; for catching a rule by another. */
extern u32 sim_ignored;

size_t sim_state_bytes(void);
struct sim_state *sim_state_new(void);
struct sim_state *sim_state_clone(const struct sim_state *state);
void sim_state_free(struct sim_state *state);
u64 sim_state_hash(const struct sim_state *state);

void sim_session_run(struct sim_session *session);
void sim_session_free(struct sim_session *session);
int sim_session_load(struct sim_session *session);
void sim_session_unload(struct sim_session *session);
void sim_session_format(struct sim_session *session);
bool sim_op_is_early(const struct sim_op *op);
void sim_op_early(struct sim_session *session, const struct sim_op *op);
void sim_session_settle(struct sim_session *session);
void sim_session_offer_data(struct sim_session *session, u32 outcome);
bool sim_session_broken(struct sim_session *session, enum sim_invariant invariant,
			const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sim_session_say(const struct sim_session *session, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void sim_write_slot(struct sim_session *session, slot_t slot, u8 mask, const sim_tag *tags);
void sim_write_main(struct sim_session *session, unsigned int b, u8 mask, const sim_tag *tags);
extern const struct rmeta_host_ops sim_host_ops;

/*
 * Exploring
 */

/**
 * struct sim_level - what is done with each state in one session of a history
 * @first: done before any of them
 * @ops: operations to make scripts of
 * @nr_ops: how many
 * @depth: operations in a script; all sequences are tried, cuts make the shorter ones
 * @script_every: one script in so many, chosen by the hash of the state; 0: all
 * @fails: mask of enum sim_fail_kind that may befall it, beside none
 * @shapes: array of masks of units of copy 0 that may fail together, ended by 0; NULL: SIM_WHOLE
 * @fail_every: one failure in so many, likewise
 * @cut_every: one state in so many of those that a cut can leave goes on to the next level
 */
struct sim_level {
	struct sim_script first;
	const struct sim_op *ops;
	u8 nr_ops;
	u8 depth;
	u32 script_every;
	u32 fails;
	const u32 *shapes;
	u32 fail_every;
	u32 cut_every;
};

/**
 * struct sim_scenario - a set of histories
 * @name: for traces
 * @about: what it is for
 * @layout: the spare
 * @setup: what is done before, undisturbed, after the format; not even that if @blank
 * @blank: begin with a blank spare
 * @dead: units that died for good before the first session
 * @budget: copies that may fail
 * @whole: so small that it is never thinned
 * @levels: sessions
 * @nr_levels: how many; in the last one, nothing is cut
 */
struct sim_scenario {
	const char *name;
	const char *about;
	const struct sim_layout *layout;
	struct sim_script setup;
	bool blank;
	u32 dead;
	u8 budget;
	bool whole;
	struct sim_level levels[SIM_LEVELS];
	u8 nr_levels;
};

/* One decision of a history; a history is one for each session. */
struct sim_decision {
	u32 script;
	struct sim_fail fail;
	struct sim_cut cut;
};

/* Figures of one scenario. */
struct sim_figures {
	u64 runs;		/* sessions */
	u64 states;		/* distinct states found first here */
	u64 failing;		/* of these, with a copy that has failed */
	u64 by_level[SIM_LEVELS];	/* of @states, left by a cut in that session */
	u64 violations;
	double seconds;		/* of CPU */
};

/* The first violation that was found. */
struct sim_finding {
	enum sim_invariant invariant;
	u32 scenario;
	u64 after_states;
	char trace[300];
	char why[200];
};

/**
 * struct sim_exploration - one run of the explorer
 * @scenarios: what to explore
 * @nr_scenarios: how many, at most SIM_MAX_SCENARIOS
 * @set_bits: log2 of the number of states that can be told apart, twice
 * @thin: of the states that a cut in the first session leaves, one in so many, and of its
 *	failures one in an eighth of that; 0: all
 * @workers: processes
 * @stop_at: violations after which to stop
 * @figures: out: per scenario
 * @finding: out: the first violation
 */
#define SIM_MAX_SCENARIOS 40
struct sim_exploration {
	const struct sim_scenario *scenarios;
	unsigned int nr_scenarios;
	unsigned int set_bits;
	unsigned int thin;
	unsigned int workers;
	u64 stop_at;
	struct sim_figures figures[SIM_MAX_SCENARIOS];
	struct sim_finding finding;
};

void sim_explore(struct sim_exploration *exploration);
extern const char *sim_only_scenario;	/* its name, or NULL: all */
int sim_replay(const struct sim_scenario *scenarios, unsigned int nr, const char *trace);

extern const struct sim_scenario sim_scenarios[];
extern const unsigned int sim_nr_scenarios;

/**
 * struct sim_mutation - a rule that is switched off, and where that must be seen
 * @rule: which
 * @name: its name
 * @what: what the rule is
 * @scenario: name of the one to explore
 */
struct sim_mutation {
	enum rmeta_rule rule;
	const char *name;
	const char *what;
	const char *scenario;
};

extern const struct sim_mutation sim_mutations[];
extern const unsigned int sim_nr_mutations;

void sim_op_run(struct sim_session *session, const struct sim_op *op);
void sim_op_name(const struct sim_op *op, char *text, size_t bytes);

#endif
