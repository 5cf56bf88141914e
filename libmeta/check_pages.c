// SPDX-License-Identifier: GPL-2.0-only
/*
 * Phase 2 of the check: every copy of every page in use, and the groups behind them. Decides
 * which version of a page counts and notes which copies may be rewritten; its entries go to
 * check_entries.c. Writes nothing.
 *
 * A page without a valid copy is one of
 *
 *	lost: it is below pages_used, or in a group behind it that has been used. What its
 *	  slots held cannot be guessed; an empty page takes its place, if that is allowed.
 *	never initialised: in a group behind pages_used in which no slot is taken. Growth was
 *	  cut short; it is finished.
 */
#include <inttypes.h>

#include "check_private.h"

/* How the pages of a scan are to be seen. */
struct page_walk {
	struct rmeta_checker *checker;
	bool behind;		/* pages_used: a missing page is no loss, unless ... */
	bool used;		/* ... some slot of the group is taken */
	u32 valid;		/* pages of the group with a valid copy */
};

static int add_group(struct rmeta_checker *checker)
{
	u32 group = checker->entries.nr_groups;

	checker->entries.group[group] = rmeta_zalloc(RMETA_GROUP_SLOTS *
						     sizeof(struct rmeta_entry));
	checker->pages[group] = rmeta_zalloc(RMETA_GROUP_PAGES * sizeof(struct check_page));
	if (!checker->entries.group[group] || !checker->pages[group])
		return -ENOMEM;
	checker->entries.nr_groups++;
	return rmeta_index_grow(&checker->index, group + 1);
}

/*
 * Copies of a page
 */

u8 rmeta_check_page_winners(const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES])
{
	u8 newest = rmeta_scan_mask(scan, RMETA_OK), best = 0;
	unsigned int copy, other;

	if (!scan->conflict)
		return newest;
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		u8 same = 0;

		for (other = 0; other < RMETA_COPIES; other++)
			if ((newest & BIT(copy)) && (newest & BIT(other)) &&
			    rmeta_page_same(raw[copy], raw[other]))
				same |= BIT(other);
		if (hweight8(same) > hweight8(best))
			best = same;
	}
	return best;
}

u8 rmeta_check_page_strays(const struct rmeta_checker *checker, u32 page,
			   const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES],
			   struct rmeta_page_header *header)
{
	struct rmeta_page_header one;
	unsigned int copy, best = 0;
	u8 strays = 0, same = 0;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (scan->defect[copy] != RMETA_BAD_GEOMETRY ||
		    rmeta_page_decode(raw[copy], checker->store.uuid, page, (u8)copy, &one))
			continue;
		if (!strays || one.sequence > header->sequence) {
			*header = one;
			best = copy;
		}
		strays |= BIT(copy);
	}
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if ((strays & BIT(copy)) && rmeta_page_same(raw[best], raw[copy]))
			same |= BIT(copy);
	return same;
}

static void note_sequences(struct rmeta_checker *checker, u32 page, const struct rmeta_scan *scan,
			   u8 *const raw[RMETA_COPIES])
{
	struct rmeta_page_header header;
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		u64 sequence = scan->sequence[copy];

		if (scan->defect[copy] == RMETA_BAD_GEOMETRY &&
		    !rmeta_page_decode(raw[copy], checker->store.uuid, page, (u8)copy, &header))
			sequence = header.sequence;
		checker->page_activations = max(checker->page_activations,
						(u32)(sequence >> RMETA_SEQUENCE_SHIFT));
		rmeta_check_saw_sequence(checker, sequence);
	}
}

/* One question for all copies of a page with one verdict. */
static void ask_copies(struct rmeta_checker *checker, u32 page, enum rmeta_problem_code code,
		       u8 copies, const char *detail)
{
	struct rmeta_problem problem = rmeta_check_problem(code);
	struct check_page *state = check_page_at(checker, page);

	if (!copies)
		return;
	problem.page = page;
	problem.copies = copies;
	if (!rmeta_check_raise(checker, &problem, "%s", detail))
		return;
	state->rewrite |= copies;
	state->approved++;
	/* What could not be read may come back one day, and must not win then. */
	if (code == RMETA_P_PAGE_UNREADABLE)
		state->flags |= CHECK_COMMIT;
}

static const char *first_defect(const struct rmeta_scan *scan, u8 copies)
{
	unsigned int copy = 0;

	while (copy < RMETA_COPIES - 1 && !(copies & BIT(copy)))
		copy++;
	return rmeta_defect_text(scan->defect[copy]);
}

/* Of the copies of other spares, those of the one that has most. */
static u8 most_foreign(const struct rmeta_scan *scan, u32 page, u8 *const raw[RMETA_COPIES])
{
	struct rmeta_page_header one, two;
	u8 foreign = rmeta_scan_mask(scan, RMETA_FOREIGN), best = 0, same;
	unsigned int copy, other;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (!(foreign & BIT(copy)) ||
		    rmeta_page_decode(raw[copy], NULL, page, (u8)copy, &one))
			continue;
		same = 0;
		for (other = 0; other < RMETA_COPIES; other++)
			if ((foreign & BIT(other)) &&
			    !rmeta_page_decode(raw[other], NULL, page, (u8)other, &two) &&
			    !memcmp(one.uuid, two.uuid, sizeof(one.uuid)))
				same |= BIT(other);
		if (hweight8(same) > hweight8(best))
			best = same;
	}
	return best;
}

/*
 * A page of which another spare has more copies than the one that the superblocks name:
 * perhaps the superblocks are the intruders. Then no no may be followed by a write.
 */
static void ask_foreign(struct rmeta_checker *checker, u32 page, const struct rmeta_scan *scan,
			u8 *const raw[RMETA_COPIES])
{
	u8 ours = rmeta_scan_mask(scan, RMETA_OK) | rmeta_scan_mask(scan, RMETA_STALE);
	u8 foreign = rmeta_scan_mask(scan, RMETA_FOREIGN), most = most_foreign(scan, page, raw);

	if (hweight8(most) <= hweight8(ours)) {
		ask_copies(checker, page, RMETA_P_PAGE_FOREIGN, foreign, "");
		return;
	}
	ask_copies(checker, page, RMETA_P_PAGE_RIVAL, foreign,
		   "the superblocks may have been written over; copy the spare before saying yes");
	if (foreign & ~check_page_at(checker, page)->rewrite)
		checker->frozen = true;
}

static void ask_verdicts(struct rmeta_checker *checker, u32 page, const struct rmeta_scan *scan,
			 u8 *const raw[RMETA_COPIES])
{
	u8 corrupt = rmeta_scan_mask(scan, RMETA_CORRUPT);

	ask_copies(checker, page, RMETA_P_PAGE_UNREADABLE, rmeta_scan_mask(scan, RMETA_UNREADABLE),
		   "");
	ask_copies(checker, page, RMETA_P_PAGE_CORRUPT, corrupt, first_defect(scan, corrupt));
	ask_foreign(checker, page, scan, raw);
	ask_copies(checker, page, RMETA_P_PAGE_STALE, rmeta_scan_mask(scan, RMETA_STALE), "");
}

/* Entries that differ between two versions of a page, as a list of slots. */
static unsigned int count_differences(const u8 *raw, const u8 *other, unsigned int *first)
{
	struct rmeta_entry one, two;
	unsigned int nr, different = 0;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		rmeta_page_entry(raw, nr, &one);
		rmeta_page_entry(other, nr, &two);
		if (memcmp(&one, &two, sizeof(one)) && !different++)
			*first = nr;
	}
	return different;
}

/* Is this a claim of a block of main that is the only one of its kind so far? */
static bool is_new_claim(const struct rmeta_checker *checker, unsigned int nr,
			 u8 *const raw[RMETA_COPIES], u8 known, unsigned int copy, block_t *block)
{
	const struct rmeta_superblock *sb = &checker->check->sb;
	struct rmeta_entry entry, other;
	unsigned int i;

	rmeta_page_entry(raw[copy], nr, &entry);
	if ((entry.state != RMETA_MAPPED && entry.state != RMETA_LOST) ||
	    rmeta_entry_valid(&entry, sb->main_sectors, sb->block_shift))
		return false;
	*block = rmeta_where_block(entry.where);
	for (i = 0; i < RMETA_COPIES; i++) {
		if (!(known & BIT(i)))
			continue;
		rmeta_page_entry(raw[i], nr, &other);
		if (!memcmp(&entry, &other, sizeof(entry)))
			return false;
	}
	return true;
}

/*
 * The claims that only these copies of a page make: those that a repair gives up, or the
 * hints of copies of which the checksum is wrong.
 */
static void say_claims(struct rmeta_checker *checker, enum rmeta_problem_code code, u32 page,
		       u8 *const raw[RMETA_COPIES], u8 kept, u8 copies, bool certain)
{
	unsigned int nr, copy;
	block_t block;
	slot_t slot;
	u8 known;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		slot = page * RMETA_PAGE_ENTRIES + nr;
		for (copy = 0, known = kept; copy < RMETA_COPIES; copy++) {
			if (!(copies & BIT(copy)))
				continue;
			if (is_new_claim(checker, nr, raw, known, copy, &block))
				rmeta_check_lost(checker, code, slot, slot, block, certain);
			known |= BIT(copy);
		}
	}
}

static void ask_conflict(struct rmeta_checker *checker, u32 page, const struct rmeta_scan *scan,
			 u8 *const raw[RMETA_COPIES], u8 winners)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_PAGE_CONFLICT);
	struct check_page *state = check_page_at(checker, page);
	unsigned int kept = (unsigned int)__builtin_ctz(winners), other, first = 0, different;

	problem.page = page;
	problem.copies = rmeta_scan_mask(scan, RMETA_OK) & ~winners;
	other = (unsigned int)__builtin_ctz(problem.copies);
	different = count_differences(raw[kept], raw[other], &first);
	if (different)
		problem.slot = page * RMETA_PAGE_ENTRIES + first;
	if (rmeta_check_raise(checker, &problem,
			      "%u of %u entries differ between copies %u and %u; copy %u would be kept",
			      different, RMETA_PAGE_ENTRIES, kept, other, kept)) {
		state->rewrite |= problem.copies;
		state->flags |= CHECK_COMMIT;
		state->approved++;
	} else {
		state->flags |= CHECK_FROZEN;
	}
	say_claims(checker, problem.code, page, raw, winners, problem.copies, true);
}

static void ask_binding(struct rmeta_checker *checker, u32 page,
			const struct rmeta_page_header *header, u8 strays)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_PAGE_BINDING);
	struct check_page *state = check_page_at(checker, page);

	problem.page = page;
	problem.copies = strays;
	if (rmeta_check_raise(checker, &problem,
			      "page: %" PRIu64 " sectors of main in blocks of %u; superblock: %" PRIu64 " in blocks of %u",
			      header->main_sectors, 1U << (header->block_shift & 31),
			      checker->check->sb.main_sectors,
			      1U << checker->check->sb.block_shift)) {
		state->rewrite |= RMETA_ALL_COPIES & ~strays;
		state->flags |= CHECK_COMMIT;
		state->approved++;
	} else {
		state->flags |= CHECK_FROZEN;
	}
}

/* Copies that are whole but for the checksum: what is in them may be right. */
static u8 torn_copies(const struct rmeta_scan *scan)
{
	unsigned int copy;
	u8 torn = 0;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan->defect[copy] == RMETA_BAD_CRC)
			torn |= BIT(copy);
	return torn;
}

static void ask_lost(struct page_walk *walk, u32 page, const struct rmeta_scan *scan,
		     u8 *const raw[RMETA_COPIES])
{
	struct rmeta_checker *checker = walk->checker;
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_PAGE_LOST);
	struct check_page *state = check_page_at(checker, page);
	u32 slots = rmeta_slots(&checker->check->geo), first_slot = page * RMETA_PAGE_ENTRIES;

	if (walk->behind && !walk->used) {
		state->flags |= CHECK_INIT;
		return;
	}
	ask_foreign(checker, page, scan, raw);
	problem.page = page;
	problem.slot = first_slot;
	problem.other = min(slots - first_slot, (u32)RMETA_PAGE_ENTRIES) + first_slot - 1;
	if (rmeta_check_raise(checker, &problem,
			      "any block of main that was in these %" PRIu32 " slots, so up to %" PRIu32 " blocks, would be read from main again, where its data is old; which ones is not known",
			      problem.other - first_slot + 1, problem.other - first_slot + 1)) {
		state->flags |= CHECK_INIT;
		state->approved++;
	} else {
		/* Without a page to rewrite them from, copies of another spare stay, too. */
		state->rewrite = 0;
		state->approved = 0;
		state->flags |= CHECK_FROZEN;
	}
	say_claims(checker, problem.code, page, raw, 0, torn_copies(scan), false);
}

static void take_entries(struct rmeta_checker *checker, u32 page, const u8 *raw)
{
	struct rmeta_entry *entries = check_page_entries(checker, page);
	unsigned int nr;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++)
		rmeta_page_entry(raw, nr, &entries[nr]);
	rmeta_check_entries(checker, page);
}

static int check_one_page(void *ctx, u32 page, const struct rmeta_scan *scan,
			  u8 *const raw[RMETA_COPIES])
{
	struct page_walk *walk = ctx;
	struct rmeta_checker *checker = walk->checker;
	struct rmeta_check *check = checker->check;
	struct rmeta_page_header header;
	u8 winners;

	if (check->ops->progress)
		check->ops->progress(check->ctx, page, checker->nr_pages);
	if (check->ops->page && (check->all_pages ||
				 rmeta_scan_mask(scan, RMETA_OK) != RMETA_ALL_COPIES ||
				 scan->conflict))
		check->ops->page(check->ctx, page, scan);
	note_sequences(checker, page, scan, raw);
	if (scan->winner >= 0) {
		winners = rmeta_check_page_winners(scan, raw);
		if (scan->conflict)
			ask_conflict(checker, page, scan, raw, winners);
		ask_verdicts(checker, page, scan, raw);
	} else {
		winners = rmeta_check_page_strays(checker, page, scan, raw, &header);
		if (!winners) {
			ask_lost(walk, page, scan, raw);
			return 0;
		}
		ask_binding(checker, page, &header, winners);
	}
	check_page_at(checker, page)->sequence = scan->winner >= 0 ?
		scan->sequence[__builtin_ctz(winners)] : header.sequence;
	take_entries(checker, page, raw[__builtin_ctz(winners)]);
	return 0;
}

/*
 * Groups behind pages_used
 */

static int look_at_page(void *ctx, u32 page, const struct rmeta_scan *scan,
			u8 *const raw[RMETA_COPIES])
{
	struct page_walk *walk = ctx;
	struct rmeta_page_header header;
	struct rmeta_entry entry;
	unsigned int nr, from;
	u8 strays;

	if (scan->winner >= 0) {
		from = (unsigned int)scan->winner;
	} else {
		strays = rmeta_check_page_strays(walk->checker, page, scan, raw, &header);
		if (!strays)
			return 0;
		from = (unsigned int)__builtin_ctz(strays);
	}
	walk->valid++;
	for (nr = 0; nr < RMETA_PAGE_ENTRIES && !walk->used; nr++) {
		rmeta_page_entry(raw[from], nr, &entry);
		walk->used = entry.state != RMETA_FREE;
	}
	return 0;
}

/* Return: true when the pages from the first unknown one on are to be taken in. */
static bool ask_behind(struct rmeta_checker *checker, const struct page_walk *walk, u32 nr)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_PAGES_BEHIND);

	if (!rmeta_check_raise(checker, &problem,
			       "pages %" PRIu32 " to %" PRIu32 ": %" PRIu32 " with a valid copy, slots %s",
			       checker->nr_pages, checker->nr_pages + nr - 1, walk->valid,
			       walk->used ? "taken" : "all free"))
		return false;
	checker->sb_commit = true;
	checker->sb_approved++;
	return true;
}

/*
 * With a superblock made of the pages nobody knows how many there are: all of the table is
 * read, since a group that is gone may lie before one that is there. Groups up to the last one
 * with a valid page were in use.
 */
static int check_unknown(struct rmeta_checker *checker)
{
	u32 table_pages = min(checker->check->geo.table_pages, checker->device_pages);
	u32 page, nr, end = checker->nr_pages;
	struct page_walk last = { .checker = checker, .behind = true };
	int r = 0;

	for (page = end; page < table_pages && !r; page += nr) {
		struct page_walk walk = { .checker = checker, .behind = true };

		nr = min(table_pages - page, (u32)RMETA_GROUP_PAGES);
		if (checker->check->ops->progress)
			checker->check->ops->progress(checker->check->ctx, page, table_pages);
		r = rmeta_scan_pages(&checker->store, page, nr, look_at_page, &walk);
		if (walk.valid) {
			end = page + nr;
			last = walk;
		}
	}
	for (page = checker->nr_pages; page < end && !r; page += nr) {
		struct page_walk walk = { .checker = checker };

		nr = min(end - page, (u32)RMETA_GROUP_PAGES);
		checker->nr_pages += nr;
		r = add_group(checker);
		if (!r)
			r = rmeta_scan_pages(&checker->store, page, nr, check_one_page,
					     page + nr == end ? &last : &walk);
	}
	return r;
}

static int check_behind(struct rmeta_checker *checker)
{
	u32 table_pages = checker->check->geo.table_pages, nr;
	int r;

	while (checker->nr_pages < table_pages) {
		struct page_walk walk = { .checker = checker, .behind = true };
		u32 first_page = checker->nr_pages;

		nr = min(table_pages - first_page, (u32)RMETA_GROUP_PAGES);
		r = rmeta_scan_pages(&checker->store, first_page, nr, look_at_page, &walk);
		if (r || !walk.valid)
			return r;
		r = add_group(checker);
		if (r)
			return r;
		/* Left alone when the answer was no; taken in when there could be no other. */
		if (!ask_behind(checker, &walk, nr) && checker->check->writable &&
		    !checker->frozen)
			return 0;
		checker->nr_pages += nr;
		r = rmeta_scan_pages(&checker->store, first_page, nr, check_one_page, &walk);
		if (r)
			return r;
	}
	return 0;
}

static int get_memory(struct rmeta_checker *checker)
{
	u32 groups = DIV_ROUND_UP(checker->check->geo.table_pages, RMETA_GROUP_PAGES);

	checker->entries.max_groups = groups;
	checker->entries.group = rmeta_zalloc(groups * sizeof(*checker->entries.group));
	checker->pages = rmeta_zalloc(groups * sizeof(*checker->pages));
	if (!checker->entries.group || !checker->pages)
		return -ENOMEM;
	return rmeta_index_init(&checker->index, &checker->entries,
				checker->store.ops->now(checker->store.host) *
				0x9e3779b97f4a7c15ULL, NULL, NULL);
}

/* Sequences that are used up: raised as soon as it is known, since then no yes can help. */
static void report_exhausted(struct rmeta_checker *checker)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_EXHAUSTED);

	if (checker->exhausted ||
	    checker->top_activations + checker->hidden < RMETA_MAX_ACTIVATIONS)
		return;
	checker->exhausted = true;
	rmeta_check_raise(checker, &problem,
			  "activation %" PRIu32 " was seen; dump, format and restore the spare",
			  checker->top_activations);
	checker->frozen = true;
}

static void ask_activations(struct rmeta_checker *checker)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_BEHIND);

	report_exhausted(checker);
	if (checker->sb_rebuilt || checker->page_activations <= checker->check->sb.activations)
		return;
	if (rmeta_check_raise(checker, &problem,
			      "superblock %" PRIu32 ", pages %" PRIu32 ": every newer superblock is gone",
			      checker->check->sb.activations, checker->page_activations)) {
		checker->sb_commit = true;
		checker->sb_approved++;
	}
}

int rmeta_check_pages(struct rmeta_checker *checker)
{
	struct page_walk walk = { .checker = checker };
	u32 page, nr;
	int r;

	report_exhausted(checker);
	r = get_memory(checker);
	for (page = 0; page < checker->known_pages && !r; page += nr) {
		nr = min(checker->known_pages - page, (u32)RMETA_GROUP_PAGES);
		r = add_group(checker);
		if (!r)
			r = rmeta_scan_pages(&checker->store, page, nr, check_one_page, &walk);
	}
	if (!r)
		r = checker->sb_rebuilt ? check_unknown(checker) : check_behind(checker);
	if (r)
		return r;
	if (checker->check->ops->progress)
		checker->check->ops->progress(checker->check->ctx, checker->nr_pages,
					      checker->nr_pages);
	ask_activations(checker);
	return 0;
}
