// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay - a spare as power could have left it, at every instant of what the kernel wrote to it.
 *
 *	replay LOG SPARE_SECTORS [EVERY [lose-data]]
 *
 * LOG is what dm-log-writes recorded while tests/vm/guest/remaps.c ran, with its marks. For
 * every prefix of the writes, those of the commit step that comes next may have been under
 * way: each of them is old, new or torn, in all combinations. Each such spare is loaded as the
 * kernel loads it, and is repaired by the check and then loaded. Both must show everything that
 * had been acknowledged by then, the change under way wholly or not at all, and nothing else;
 * the data that was acknowledged must be in its slots. With EVERY only every so-manyth prefix. With
 * lose-data, what was written to slots is left out, which must be noticed.
 *
 * All writes to a spare are made with FUA, and the log has them in the order of completion. Which
 * were under way together is known from the commit protocol: of five live copies of a version,
 * the first two are one step, the others another.
 */
#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "sectors.h"
#include "table.h"
#include "tap.h"

#define LOG_MAGIC 0x6a736677736872ull
#define LOG_FLUSH 1u
#define LOG_DISCARD 4u
#define LOG_MARK 8u
#define BLOCK 8u
#define BLOCKS 1024u
#define STEP_MAX 3u		/* writes of one object under way at once, and more than enough */
#define COMPLAINTS 20u

/* On disk, as the kernel's dm-log-writes.c writes it. */
struct log_super {
	u64 magic;
	u64 version;
	u64 entries;
	u32 sector_bytes;
};

struct log_entry {
	u64 sector;
	u64 sectors;
	u64 flags;
	u64 data_bytes;
};

enum state { FREE, PENDING, MAPPED };

struct block {
	enum state state;
	unsigned int tag;
};

/* A write, or a mark with text. */
struct event {
	u64 sector;
	u32 bytes;
	const u8 *data;
	char mark[32];
	unsigned int step;	/* which step of its version, counted over the log; 0: alone */
};

struct undo {
	u64 offset;
	u32 bytes;
	u8 *data;
};

static struct event *events;
static unsigned int nr_events;
static u8 *image;
static u64 spare_sectors;
static struct undo *undos;
static size_t nr_undos, max_undos;

static struct block blocks[BLOCKS];
static struct block changing;	/* what changing_block is becoming */
static int changing_block = -1;
static u64 states, bad_states, loads;
static unsigned int complaints;

/*---- the spare ----*/

static void put(u64 offset, const void *data, u32 bytes)
{
	if (nr_undos == max_undos) {
		max_undos = max_undos * 2 + 64;
		undos = realloc(undos, max_undos * sizeof(*undos));
	}
	undos[nr_undos] = (struct undo){ offset, bytes, malloc(bytes) };
	memcpy(undos[nr_undos++].data, image + offset, bytes);
	memcpy(image + offset, data, bytes);
}

static void undo_to(size_t mark)
{
	while (nr_undos > mark) {
		struct undo *undo = &undos[--nr_undos];

		memcpy(image + undo->offset, undo->data, undo->bytes);
		free(undo->data);
	}
}

static void host_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	for (; nr_ios; nr_ios--, ios++) {
		ios->error = ios->sector * 512 + ios->bytes > spare_sectors * 512 ? -EIO : 0;
		if (ios->error)
			continue;
		if (ios->op == RMETA_READ)
			memcpy(ios->data, image + ios->sector * 512, ios->bytes);
		else
			put(ios->sector * 512, ios->data, ios->bytes);
	}
}

static u64 host_now(void *host)
{
	return 1700000000;
}

static const struct rmeta_host_ops host_ops = { .submit = host_submit, .now = host_now };

/*---- the log ----*/

static void die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

/* Copies of one version have the same sequence, and for a page the same number. */
static bool same_version(const struct event *a, const struct event *b)
{
	u64 sequence_a, sequence_b;
	bool super = !memcmp(a->data, "DMREMAP4", 8);

	if (a->bytes != RMETA_BYTES || b->bytes != RMETA_BYTES || memcmp(a->data, b->data, 4))
		return false;
	memcpy(&sequence_a, a->data + (super ? 32 : 8), 8);
	memcpy(&sequence_b, b->data + (super ? 32 : 8), 8);
	return sequence_a == sequence_b && (super || !memcmp(a->data + 40, b->data + 40, 4));
}

static bool is_metadata(const struct event *event)
{
	return event->bytes == RMETA_BYTES &&
	       (!memcmp(event->data, "DMREMAP4", 8) || !memcmp(event->data, "DMRP", 4) ||
		!memcmp(event->data, "PRMD", 4));
}

/* Number the steps: the first two copies of a version, and the others. */
static void find_steps(void)
{
	unsigned int i, j, seen, step = 0;

	for (i = 0; i < nr_events; i++) {
		if (!events[i].data || !is_metadata(&events[i]))
			continue;
		for (j = i, seen = 0; j-- > 0 && i - j < 600 && seen < RMETA_COPIES;)
			seen += events[j].data && same_version(&events[i], &events[j]);
		/* the first of a step begins a number, the others of it take that over */
		if (seen == 0 || seen == 2) {
			events[i].step = ++step;
			continue;
		}
		for (j = i; j-- > 0;)
			if (events[j].data && same_version(&events[i], &events[j]))
				break;
		events[i].step = events[j].step;
	}
}

static void read_log(const char *path)
{
	int fd = open(path, O_RDONLY);
	const struct log_super *super;
	const u8 *log, *at, *end;
	struct stat st;
	u64 i;

	if (fd < 0 || fstat(fd, &st))
		die("cannot open the log");
	log = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (log == MAP_FAILED)
		die("cannot map the log");
	super = (const void *)log;
	if (le64toh(super->magic) != LOG_MAGIC || le32toh(super->sector_bytes) != 512)
		die("not a log of dm-log-writes with sectors of 512 bytes");
	events = calloc(le64toh(super->entries), sizeof(*events));
	at = log + 512;
	end = log + st.st_size;
	for (i = 0; i < le64toh(super->entries) && at + 512 <= end; i++, at += 512) {
		const struct log_entry *entry = (const void *)at;
		u64 flags = le64toh(entry->flags), bytes = le64toh(entry->sectors) * 512;
		struct event *event = &events[nr_events];

		if (flags & LOG_MARK) {
			snprintf(event->mark, sizeof(event->mark), "%s", (const char *)(entry + 1));
			nr_events++;
		} else if (!(flags & LOG_DISCARD) && bytes) {
			event->sector = le64toh(entry->sector);
			event->bytes = (u32)bytes;
			event->data = at + 512;
			at += bytes;
			nr_events++;
		}
	}
	find_steps();
}

/*---- what must be there ----*/

static void take_mark(const char *mark)
{
	unsigned int number, tag = 0;
	char state;

	/* the log's own, at its end */
	if (!strncmp(mark, "dm-log-writes", 13))
		return;
	if (!strcmp(mark, "e")) {
		if (changing_block < 0)
			die("an end without a beginning in the log");
		blocks[changing_block] = changing;
		changing_block = -1;
		return;
	}
	if (sscanf(mark, "b:%u:%c:%u", &number, &state, &tag) < 2 || number >= BLOCKS)
		die("a mark that is not understood in the log");
	changing_block = (int)number;
	changing.state = state == 'f' ? FREE : state == 'p' ? PENDING : MAPPED;
	changing.tag = tag;
}

static bool is_sector(const u8 *data, u64 sector, const struct block *block)
{
	u64 words[SECTOR_WORDS];

	if (block->state != MAPPED)
		return false;
	memset(words, 0, sizeof(words));
	if (block->tag)
		sectors_fill((uint64_t *)words, sector, 1, block->tag);
	return !memcmp(data, words, 512);
}

/* What the table shows of a block: one of the states that may be there? */
static const char *judge(const struct rmeta_table *table, unsigned int number)
{
	const struct block *was = &blocks[number];
	const struct block *will = (int)number == changing_block ? &changing : was;
	slot_t slot = rmeta_index_lookup(&table->index, number);
	const struct rmeta_entry *entry;
	unsigned int i;
	u16 mask;

	if (slot == RMETA_NO_SLOT)
		return was->state == FREE || will->state == FREE ? NULL : "is not mapped";
	entry = rmeta_table_entry(table, slot);
	mask = rmeta_where_mask(entry->where);
	if (entry->state != RMETA_MAPPED || (mask && mask != 0xff))
		return "is neither wholly pending nor wholly in its slot";
	if (mask)
		return was->state == PENDING || will->state == PENDING ? NULL : "is pending";
	for (i = 0; i < BLOCK; i++) {
		u64 at = (rmeta_slot_sector(&table->store.geo, slot) + i) * 512;
		u64 sector = (u64)number * BLOCK + i;

		if (!is_sector(image + at, sector, was) && !is_sector(image + at, sector, will))
			return "holds data that is neither old nor new";
	}
	return NULL;
}

static void complain(unsigned int prefix, const char *how, const char *what, int number)
{
	if (complaints++ < COMPLAINTS)
		note("prefix %u, %s: %s %d", prefix, how, what, number);
}

static bool load_and_judge(unsigned int prefix, const char *how)
{
	struct rmeta_load load = {
		.device_sectors = spare_sectors, .batch = 16, .hash_seed = 1, .host_name = "replay",
	};
	struct rmeta_table table;
	unsigned int number;
	const char *wrong;
	bool good = true;
	int r;

	loads++;
	memset(&table, 0, sizeof(table));
	r = rmeta_table_load(&table, &host_ops, NULL, &load);
	if (r) {
		complain(prefix, how, load.problem ? load.problem : "does not load", r);
		return false;
	}
	for (number = 0; number < BLOCKS && good; number++) {
		wrong = judge(&table, number);
		if (wrong) {
			complain(prefix, how, wrong, (int)number);
			good = false;
		}
	}
	if (table.needs_check) {
		complain(prefix, how, "needs a check", 0);
		good = false;
	}
	rmeta_table_exit(&table);
	return good;
}

static bool always_fix(void *ctx, const struct rmeta_problem *problem)
{
	if (!(rmeta_problem_types[problem->code].flags & RMETA_PREEN))
		++*(unsigned int *)ctx;
	return problem->repairable;
}

/* The check repairs what power left behind without asking, and then agrees with the load. */
static bool check_and_judge(unsigned int prefix, const char *how)
{
	static const struct rmeta_check_ops ops = { .fix = always_fix };
	unsigned int serious = 0;
	struct rmeta_check check = {
		.device_sectors = spare_sectors, .writable = true, .ops = &ops, .ctx = &serious,
	};
	int r = rmeta_check_run(&host_ops, NULL, &check);

	if (r || serious || check.fixed != check.found) {
		complain(prefix, how, "the check finds more than power leaves behind", (int)serious);
		return false;
	}
	return load_and_judge(prefix, how);
}

static void try_state(unsigned int prefix, const char *how)
{
	size_t mark = nr_undos;
	bool good;

	states++;
	good = load_and_judge(prefix, how);
	undo_to(mark);
	if (good)
		good = check_and_judge(prefix, how);
	undo_to(mark);
	bad_states += !good;
}

/*---- states ----*/

/* A write that was under way: sectors [0, upto) of it are new, or, if turned, the others. */
static void put_torn(const struct event *event, unsigned int upto, bool turned)
{
	u32 from = turned ? upto * 512 : 0, to = turned ? event->bytes : upto * 512;

	if (to > from)
		put(event->sector * 512 + from, event->data + from, to - from);
}

/* The writes from @first on that may be under way together with it. */
static unsigned int under_way(unsigned int first)
{
	unsigned int nr = 1;

	while (first + nr < nr_events && nr < STEP_MAX && events[first].step &&
	       events[first + nr].data && events[first + nr].step == events[first].step)
		nr++;
	return nr;
}

static void try_combinations(unsigned int prefix)
{
	unsigned int nr = under_way(prefix), all = 1, i, c, rest, upto;
	char how[16];
	size_t mark = nr_undos;

	for (i = 0; i < nr; i++)
		all *= 3;
	/* 0 is none of them, which the caller has */
	for (c = 1; c < all; c++) {
		for (i = 0, rest = c; i < nr; i++, rest /= 3) {
			const struct event *event = &events[prefix + i];
			unsigned int sectors = event->bytes / 512;

			how[i] = "-+~"[rest % 3];
			if (rest % 3 == 1)
				put_torn(event, sectors, false);
			else if (rest % 3 == 2 && sectors > 1)
				put_torn(event, 1 + (prefix + c + i) % (sectors - 1), (prefix + c) & 1);
		}
		how[nr] = 0;
		try_state(prefix, how);
		undo_to(mark);
	}
	/* the first alone, torn everywhere */
	for (upto = 1; upto < events[prefix].bytes / 512; upto++) {
		put_torn(&events[prefix], upto, false);
		try_state(prefix, "front");
		undo_to(mark);
		put_torn(&events[prefix], upto, true);
		try_state(prefix, "back");
		undo_to(mark);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, writes = 0, changes = 0, every;
	bool formatted = false, lose_data = argc > 4 && !strcmp(argv[4], "lose-data");

	if (argc < 3)
		die("usage: replay LOG SPARE_SECTORS [EVERY [lose-data]]");
	spare_sectors = strtoull(argv[2], NULL, 10);
	every = argc > 3 ? (unsigned int)atoi(argv[3]) : 1;
	image = calloc(spare_sectors, 512);
	read_log(argv[1]);
	for (i = 0; i < nr_events; i++) {
		if (!events[i].data) {
			/* the first mark says that the format is over */
			formatted = true;
			changes += events[i].mark[0] == 'b';
			take_mark(events[i].mark);
			continue;
		}
		if (lose_data && !is_metadata(&events[i]))
			continue;
		if (formatted && writes++ % every == 0) {
			try_state(i, "prefix");
			try_combinations(i);
		}
		put_torn(&events[i], events[i].bytes / 512, false);
		nr_undos = 0;
	}
	note("%u changes, %u writes, %llu states, %llu loads", changes, writes,
	     (unsigned long long)states, (unsigned long long)loads);
	if (lose_data) {
		ok(bad_states, "that there is no data is noticed");
		return done();
	}
	ok(changes >= 200, "200 changes are in the log");
	ok(states >= 5000, "at least 5,000 states");
	is(bad_states, 0, "each shows all that was acknowledged, and the check agrees");
	return done();
}
