// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last step of a load (rule 7e): every mapped or lost entry is put into the index, and of
 * two that claim one block, left by a move that was cut short, the older is retired.
 */
#include "table_private.h"

#define LOSER_BATCH 16	/* losers retired together */

/*
 * Not linked any more, and still to be retired: to the table it looks like a slot promised to
 * a claim. There are no others in this state during a load.
 */
static void set_loser(struct rmeta_table *table, struct rmeta_load *load, slot_t slot)
{
	struct rmeta_entry *entry = rmeta_table_entry(table, slot);

	rmeta_table_account(table, entry, -1);
	entry->state = RMETA_RESERVED;
	rmeta_table_account(table, entry, 1);
	load->retired_losers++;
}

static void retire_in_memory(struct rmeta_table *table, const struct rmeta_change *change)
{
	struct rmeta_entry *entry = rmeta_table_entry(table, change->slot);

	rmeta_table_account(table, entry, -1);
	*entry = change->entry;
	rmeta_table_account(table, entry, 1);
}

/*
 * A loser whose page takes no change stays on disk. It loses every load as long as the winner
 * is there.
 */
static int retire_losers(struct rmeta_table *table, struct rmeta_change *losers, unsigned int nr)
{
	bool on_disk = !table->read_only && RMETA_RULE(RETIRE_LOSER);
	unsigned int i;

	if (on_disk)
		rmeta_table_apply(table, losers, nr);
	for (i = 0; i < nr; i++) {
		int error = losers[i].error;

		if (on_disk && !error)
			continue;
		if (error && error != -EROFS && error != -EIO)
			return error;
		retire_in_memory(table, &losers[i]);
		if (error)
			table->unretired = table->needs_check = true;
	}
	return 0;
}

static int find_losers(struct rmeta_table *table, u64 slots)
{
	struct rmeta_change losers[LOSER_BATCH];
	unsigned int nr = 0;
	slot_t slot;
	int r;

	for (slot = 0; slot < slots; slot++) {
		struct rmeta_entry *entry = rmeta_table_entry(table, slot);

		if (entry->state != RMETA_RESERVED)
			continue;
		rmeta_change_retire(table, &losers[nr++], slot,
				    rmeta_where_block(entry->where));
		if (nr < LOSER_BATCH)
			continue;
		r = retire_losers(table, losers, nr);
		if (r)
			return r;
		nr = 0;
	}
	return nr ? retire_losers(table, losers, nr) : 0;
}

static int claim(struct rmeta_table *table, struct rmeta_load *load, slot_t slot)
{
	struct rmeta_entry *entry = rmeta_table_entry(table, slot), *other;
	slot_t rival = rmeta_index_lookup(&table->index, rmeta_where_block(entry->where));
	int newer;

	if (rival == RMETA_NO_SLOT) {
		rmeta_index_insert(&table->index, slot);
		return 0;
	}
	other = rmeta_table_entry(table, rival);
	newer = (s8)(entry->generation - other->generation);
	if (!newer || newer == -128)
		goto undecided;
	if (newer < 0) {
		set_loser(table, load, slot);
		return 0;
	}
	rmeta_index_remove(&table->index, rival);
	rmeta_index_insert(&table->index, slot);
	set_loser(table, load, rival);
	return 0;
undecided:
	load->problem = "two slots claim one block with equal rights; run remap-check";
	load->problem_page = slot / RMETA_PAGE_ENTRIES;
	return -EUCLEAN;
}

int rmeta_table_load_claims(struct rmeta_table *table, struct rmeta_load *load)
{
	u64 slots = min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&table->store.geo));
	slot_t slot;
	int r;

	/* Without the memory for it the index resizes itself as it fills. */
	rmeta_index_presize(&table->index, (u64)table->counts.mapped + table->counts.lost);
	for (slot = 0; slot < slots; slot++) {
		u8 state = rmeta_table_entry(table, slot)->state;

		if (!(slot % RMETA_GROUP_SLOTS))
			rmeta_cond_resched();
		if (state != RMETA_MAPPED && state != RMETA_LOST)
			continue;
		r = claim(table, load, slot);
		if (r)
			return r;
	}
	return load->retired_losers ? find_losers(table, slots) : 0;
}
