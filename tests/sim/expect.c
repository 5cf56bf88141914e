// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a load may show, and whether it did.
 *
 * The expectation is kept beside the disks and is exact: a change that was acknowledged is
 * certain, one under way is possible, and what a completed load has shown is certain from
 * then on. It is kept twice, so that neither hides a fault of the other: as entries of
 * slots, which is what the engine stores, and as what a reader of the composite device gets
 * from each sector, which is what it is for.
 *
 * Does not know what was written in which order.
 */
#include <stdio.h>

#include "sim.h"

const char *const sim_invariant_name[SIM_NR_INVARIANTS] = {
	[SIM_FINE] = "fine",
	[SIM_LOADS] = "loads",
	[SIM_ACKNOWLEDGED] = "acknowledged",
	[SIM_REGRESS] = "regress",
	[SIM_CLAIMS] = "claims",
	[SIM_DATA] = "data",
	[SIM_READABLE] = "readable",
	[SIM_MASK] = "mask",
	[SIM_COPIES] = "copies",
	[SIM_LIVE] = "live",
	[SIM_SEQUENCE] = "sequence",
	[SIM_STATUS] = "status",
	[SIM_TWICE] = "twice",
	[SIM_READ_ONLY] = "read-only",
	[SIM_FORMAT] = "format",
	[SIM_HOST] = "host",
};

/**
 * sim_tag_of() - the tag of one write of one sector
 * @b: which of the blocks
 * @sector: of the block
 * @version: of the write, 1..1023
 *
 * Return: the tag, never 0.
 */
sim_tag sim_tag_of(unsigned int b, unsigned int sector, u16 version)
{
	return (sim_tag)(b << 13 | sector << 10 | version);
}

/**
 * sim_expect_init() - nothing was ever formatted
 * @expect: out
 */
void sim_expect_init(struct sim_expect *expect)
{
	memset(expect, 0, sizeof(*expect));
	expect->version = 1;
}

/**
 * sim_expect_blank() - a new life: no remaps, main is what is read
 * @expect: versions, session and sequences are kept
 * @disk: its main is what the composite is now
 */
void sim_expect_blank(struct sim_expect *expect, const struct sim_disk *disk)
{
	unsigned int b, i;

	memset(expect->slot, 0, sizeof(expect->slot));
	memset(expect->sector, 0, sizeof(expect->sector));
	for (i = 0; i < SIM_SLOTS; i++)
		expect->slot[i].slot = RMETA_NO_SLOT;
	for (b = 0; b < SIM_BLOCKS; b++) {
		expect->mapped[b] = SIM_NO;
		for (i = 0; i < SIM_BLOCK_SECTORS; i++) {
			expect->sector[b][i].nr = 1;
			expect->sector[b][i].tag[0] = disk->main[b][i];
			expect->sector[b][i].error = disk->main_bad[b] & BIT(i);
		}
	}
	expect->in_use = SIM_NO;
	expect->pages_used[0] = expect->pages_used[1] = 0;
	expect->read_errors[0] = expect->read_errors[1] = 0;
	expect->life = expect->lives;
	expect->formatting = false;
	expect->loaded = false;
	expect->wiped = false;
}

/*
 * Sectors
 */

/**
 * sim_expect_sector_may() - a write of sectors has begun
 * @expect: the expectation
 * @b: which block
 * @mask: its sectors
 * @version: of the write
 */
void sim_expect_sector_may(struct sim_expect *expect, unsigned int b, u8 mask, u16 version)
{
	unsigned int i;

	for (i = 0; i < SIM_BLOCK_SECTORS; i++) {
		struct sim_sector_expect *sector = &expect->sector[b][i];

		if (!(mask & BIT(i)))
			continue;
		if (sector->nr == SIM_ALTERNATIVES) {
			fprintf(stderr, "too many alternatives of a sector\n");
			abort();
		}
		sector->tag[sector->nr++] = sim_tag_of(b, i, version);
	}
}

/**
 * sim_expect_sector_is() - a write of sectors was acknowledged
 * @expect: the expectation
 * @b: which block
 * @mask: its sectors
 * @version: of the write
 */
void sim_expect_sector_is(struct sim_expect *expect, unsigned int b, u8 mask, u16 version)
{
	unsigned int i;

	for (i = 0; i < SIM_BLOCK_SECTORS; i++) {
		if (!(mask & BIT(i)))
			continue;
		memset(&expect->sector[b][i], 0, sizeof(expect->sector[b][i]));
		expect->sector[b][i].nr = 1;
		expect->sector[b][i].tag[0] = sim_tag_of(b, i, version);
	}
}

/**
 * sim_expect_sector_may_fail() - from now on reads of sectors may fail
 * @expect: the expectation
 * @b: which block
 * @mask: its sectors
 */
void sim_expect_sector_may_fail(struct sim_expect *expect, unsigned int b, u8 mask)
{
	unsigned int i;

	for (i = 0; i < SIM_BLOCK_SECTORS; i++)
		if (mask & BIT(i))
			expect->sector[b][i].error = true;
}

/**
 * sim_expect_sector_lost() - nobody has these sectors any more
 * @expect: the expectation
 * @b: which block
 * @mask: its sectors
 */
void sim_expect_sector_lost(struct sim_expect *expect, unsigned int b, u8 mask)
{
	unsigned int i;

	for (i = 0; i < SIM_BLOCK_SECTORS; i++) {
		if (!(mask & BIT(i)))
			continue;
		memset(&expect->sector[b][i], 0, sizeof(expect->sector[b][i]));
		expect->sector[b][i].error = true;
	}
}

/*
 * Slots
 */

static bool same_entry(const struct rmeta_entry *seen, const struct rmeta_entry *entry)
{
	if (seen->state != entry->state)
		return false;
	switch (entry->state) {
	case RMETA_FREE:
		return true;
	case RMETA_RETIRED:
		return rmeta_where_block(seen->where) == rmeta_where_block(entry->where);
	default:
		return seen->where == entry->where && seen->generation == entry->generation &&
		       seen->reason == entry->reason;
	}
}

static struct sim_slot_expect *slot_expect(struct sim_expect *expect, slot_t slot)
{
	struct sim_slot_expect *room = NULL;
	unsigned int i;

	for (i = 0; i < SIM_SLOTS; i++) {
		if (expect->slot[i].slot == slot)
			return &expect->slot[i];
		if (expect->slot[i].slot == RMETA_NO_SLOT && !room)
			room = &expect->slot[i];
	}
	if (!room) {
		fprintf(stderr, "a history touches more than %d slots\n", SIM_SLOTS);
		abort();
	}
	memset(room, 0, sizeof(*room));
	room->slot = slot;
	room->nr = 1;
	return room;
}

/* What is compared, without times: equal promises have equal bytes. */
static struct rmeta_entry plain(const struct rmeta_entry *entry)
{
	struct rmeta_entry copy = *entry;

	copy.time = 0;
	if (copy.state == RMETA_RETIRED) {
		copy.reason = 0;
		copy.generation = 0;
	}
	return copy;
}

/**
 * sim_expect_slot_may() - a change of an entry has begun
 * @expect: the expectation
 * @slot: whose
 * @entry: what it may become
 */
void sim_expect_slot_may(struct sim_expect *expect, slot_t slot, const struct rmeta_entry *entry)
{
	struct sim_slot_expect *s = slot_expect(expect, slot);
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (same_entry(entry, &s->entry[i]))
			return;
	if (s->nr == SIM_ALTERNATIVES) {
		fprintf(stderr, "too many alternatives of a slot\n");
		abort();
	}
	s->entry[s->nr++] = plain(entry);
}

/**
 * sim_expect_slot_is() - a change of an entry was acknowledged
 * @expect: the expectation
 * @slot: whose
 * @entry: what it has become
 */
void sim_expect_slot_is(struct sim_expect *expect, slot_t slot, const struct rmeta_entry *entry)
{
	struct sim_slot_expect *s = slot_expect(expect, slot);

	memset(s, 0, sizeof(*s));
	s->slot = slot;
	s->nr = 1;
	s->entry[0] = plain(entry);
}

static const struct sim_slot_expect *find_slot(const struct sim_expect *expect, slot_t slot)
{
	unsigned int i;

	for (i = 0; i < SIM_SLOTS; i++)
		if (expect->slot[i].slot == slot)
			return &expect->slot[i];
	return NULL;
}

/**
 * sim_slot_allows() - may a slot show this entry?
 * @expect: what is allowed
 * @slot: which
 * @seen: what it shows
 *
 * Return: whether.
 */
bool sim_slot_allows(const struct sim_expect *expect, slot_t slot,
		     const struct rmeta_entry *seen)
{
	const struct sim_slot_expect *s = find_slot(expect, slot);
	unsigned int i;

	if (!s)
		return seen->state == RMETA_FREE;
	for (i = 0; i < s->nr; i++)
		if (same_entry(seen, &s->entry[i]))
			return true;
	return false;
}

/*
 * Checks
 */

#define BROKEN(invariant, ...) (snprintf(why, bytes, __VA_ARGS__), (invariant))

static u64 table_slots(const struct rmeta_table *table)
{
	return min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
		   (u64)rmeta_slots(&table->store.geo));
}

/* Which invariant it breaks that @slot shows @seen. */
static enum sim_invariant which_entry(const struct sim_expect *expect, slot_t slot,
				      const struct rmeta_entry *seen)
{
	const struct sim_slot_expect *s = find_slot(expect, slot);
	const struct rmeta_entry *last;

	if (!s)
		return SIM_REGRESS;	/* every load so far has shown it free */
	last = &s->entry[s->nr - 1];
	if ((seen->state == RMETA_MAPPED || seen->state == RMETA_LOST) &&
	    rmeta_where_block(seen->where) == rmeta_where_block(last->where) &&
	    seen->generation == last->generation &&
	    rmeta_where_mask(seen->where) & ~rmeta_where_mask(last->where))
		return SIM_MASK;
	return s->shown ? SIM_REGRESS : SIM_ACKNOWLEDGED;
}

static enum sim_invariant check_entries(const struct sim_expect *expect,
					const struct rmeta_table *table, char *why, size_t bytes)
{
	struct rmeta_counts counts = { 0 };
	u64 slots = table_slots(table);
	const struct rmeta_entry *entry;
	unsigned int i;
	slot_t slot;

	for (slot = 0; slot < slots; slot++) {
		entry = rmeta_table_entry(table, slot);
		if (entry->state == RMETA_FREE)
			continue;
		if (!sim_slot_allows(expect, slot, entry))
			return BROKEN(which_entry(expect, slot, entry),
				      "slot %u shows state %u, where %#llx, generation %u", slot,
				      entry->state, (unsigned long long)entry->where,
				      entry->generation);
		if (entry->state == RMETA_RETIRED) {
			counts.retired++;
			continue;
		}
		if (entry->state == RMETA_MAPPED) {
			counts.mapped++;
			counts.pending_sectors += hweight16(rmeta_where_mask(entry->where));
		} else {
			counts.lost++;
			counts.lost_sectors += hweight16(rmeta_where_mask(entry->where));
		}
		if (rmeta_index_lookup(&table->index, rmeta_where_block(entry->where)) != slot)
			return BROKEN(SIM_CLAIMS, "slot %u claims block %llu and is not found", slot,
				      (unsigned long long)rmeta_where_block(entry->where));
	}
	for (i = 0; i < SIM_SLOTS; i++) {
		static const struct rmeta_entry none;

		slot = expect->slot[i].slot;
		if (slot == RMETA_NO_SLOT)
			continue;
		entry = slot < slots ? rmeta_table_entry(table, slot) : &none;
		if (!sim_slot_allows(expect, slot, entry))
			return BROKEN(which_entry(expect, slot, entry), "slot %u shows state %u", slot,
				      entry->state);
	}
	if (memcmp(&counts, &table->counts, sizeof(counts)))
		return BROKEN(SIM_STATUS, "counts of the table are not those of its entries");
	if (table->index.count != (u64)counts.mapped + counts.lost)
		return BROKEN(SIM_CLAIMS, "index links %llu slots, %u are mapped or lost",
			      (unsigned long long)table->index.count, counts.mapped + counts.lost);
	return SIM_FINE;
}

enum seen {
	SEEN_SLOT,
	SEEN_MAIN,
	SEEN_PENDING_ERROR,
	SEEN_LOST,
};

/* What a reader of the composite gets from one sector. */
static enum seen read_sector(const struct sim_disk *disk, const struct rmeta_table *table,
			     unsigned int b, unsigned int i, sim_tag *tag)
{
	slot_t slot = rmeta_index_lookup(&table->index, sim_block[b]);
	const struct rmeta_entry *entry = NULL;

	if (slot != RMETA_NO_SLOT) {
		entry = rmeta_table_entry(table, slot);
		if (!(rmeta_where_mask(entry->where) & BIT(i))) {
			*tag = sim_disk_slot_tag(disk, slot, i);
			return SEEN_SLOT;
		}
		if (entry->state == RMETA_LOST)
			return SEEN_LOST;
	}
	if (disk->main_bad[b] & BIT(i))
		return SEEN_PENDING_ERROR;
	*tag = disk->main[b][i];
	return SEEN_MAIN;
}

static enum sim_invariant check_sectors(const struct sim_expect *expect,
					const struct sim_disk *disk,
					const struct rmeta_table *table, char *why, size_t bytes)
{
	unsigned int b, i, k;
	sim_tag tag = 0;

	for (b = 0; b < SIM_BLOCKS; b++) {
		slot_t slot = rmeta_index_lookup(&table->index, sim_block[b]);

		if (!(expect->mapped[b] & (slot == RMETA_NO_SLOT ? SIM_NO : SIM_YES)))
			return BROKEN(SIM_ACKNOWLEDGED, "block %llu is %smapped",
				      (unsigned long long)sim_block[b],
				      slot == RMETA_NO_SLOT ? "not " : "");
		for (i = 0; i < SIM_BLOCK_SECTORS; i++) {
			const struct sim_sector_expect *sector = &expect->sector[b][i];
			enum seen seen;

			if (!(sim_full[b] & BIT(i)))
				continue;
			seen = read_sector(disk, table, b, i, &tag);
			if (seen == SEEN_LOST || seen == SEEN_PENDING_ERROR) {
				if (sector->error)
					continue;
				return BROKEN(SIM_READABLE, "sector %u of block %llu is not readable",
					      i, (unsigned long long)sim_block[b]);
			}
			for (k = 0; k < sector->nr && sector->tag[k] != tag; k++)
				;
			if (k == sector->nr)
				return BROKEN(SIM_DATA,
					      "sector %u of block %llu reads as block %u sector %u version %u",
					      i, (unsigned long long)sim_block[b], tag >> 13,
					      tag >> 10 & 7, tag & 1023);
		}
	}
	return SIM_FINE;
}

/**
 * sim_check_shown() - is what a completed load shows allowed?
 * @expect: what is allowed
 * @disk: the disks, to read data from
 * @table: loaded
 * @why: out: text
 * @bytes: room in @why
 *
 * Return: SIM_FINE or the invariant that is broken.
 */
enum sim_invariant sim_check_shown(const struct sim_expect *expect, const struct sim_disk *disk,
				   const struct rmeta_table *table, char *why, size_t bytes)
{
	enum sim_invariant broken;
	u32 pages_used = table->sb.pages_used;

	broken = check_entries(expect, table, why, bytes);
	if (!broken)
		broken = check_sectors(expect, disk, table, why, bytes);
	if (broken)
		return broken;
	if (pages_used < expect->pages_used[0] || pages_used > expect->pages_used[1])
		return BROKEN(SIM_STATUS, "%u pages are in use, not %u..%u", pages_used,
			      expect->pages_used[0], expect->pages_used[1]);
	if (!expect->wiped && table->sb.read_errors != expect->read_errors[0] &&
	    table->sb.read_errors != expect->read_errors[1])
		return BROKEN(SIM_STATUS, "a lifetime counter shows %llu",
			      (unsigned long long)table->sb.read_errors);
	return SIM_FINE;
}

static void sector_shown(struct sim_sector_expect *sector, enum seen seen, sim_tag tag,
			 sim_tag on_main)
{
	bool error = seen == SEEN_LOST || seen == SEEN_PENDING_ERROR ||
		     (seen == SEEN_MAIN && sector->error);

	memset(sector, 0, sizeof(*sector));
	sector->error = error;
	if (seen == SEEN_LOST)
		return;
	sector->nr = 1;
	sector->tag[0] = seen == SEEN_PENDING_ERROR ? on_main : tag;
}

/**
 * sim_expect_shown() - what a completed load shows is certain from now on
 * @expect: the expectation
 * @disk: the disks
 * @table: loaded; sim_check_shown() found nothing
 */
void sim_expect_shown(struct sim_expect *expect, const struct sim_disk *disk,
		      const struct rmeta_table *table)
{
	unsigned int b, i;
	sim_tag tag = 0;

	for (i = 0; i < SIM_SLOTS; i++) {
		struct sim_slot_expect *s = &expect->slot[i];
		slot_t slot = s->slot;
		const struct rmeta_entry *entry;

		if (slot == RMETA_NO_SLOT)
			continue;
		entry = slot < table_slots(table) ? rmeta_table_entry(table, slot) : NULL;
		memset(s, 0, sizeof(*s));
		s->slot = RMETA_NO_SLOT;
		if (!entry || entry->state == RMETA_FREE)
			continue;
		s->slot = slot;
		s->nr = 1;
		s->shown = true;
		s->entry[0] = plain(entry);
	}
	for (b = 0; b < SIM_BLOCKS; b++) {
		slot_t slot = rmeta_index_lookup(&table->index, sim_block[b]);

		expect->mapped[b] = slot == RMETA_NO_SLOT ? SIM_NO : SIM_YES;
		for (i = 0; i < SIM_BLOCK_SECTORS; i++) {
			enum seen seen;

			if (!(sim_full[b] & BIT(i)))
				continue;
			seen = read_sector(disk, table, b, i, &tag);
			sector_shown(&expect->sector[b][i], seen, tag, disk->main[b][i]);
		}
	}
	expect->in_use = SIM_YES;
	expect->pages_used[0] = expect->pages_used[1] = table->sb.pages_used;
	expect->read_errors[0] = expect->read_errors[1] = table->sb.read_errors;
	expect->loaded = true;
	expect->wiped = false;
}
