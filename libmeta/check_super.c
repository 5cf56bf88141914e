// SPDX-License-Identifier: GPL-2.0-only
/*
 * Phase 1 of the check: which superblock counts, and does it agree with its pages? Owns the
 * choice among the five copies. What to do when none is valid is in check_rebuild.c.
 *
 * The cases, W being the spare whose valid copies have the highest sequence, O another one
 * with valid copies:
 *
 *	only W				W counts; what differs is stale, or a conflict
 *	neither has pages here		W counts: nothing hangs on it
 *	only W has pages		W counts
 *	only O has, page 0 among them	O counts: a format over O invalidates its page 0 first
 *	only O has, without page 0,	a format of W over O that was cut short; finished when
 *	  and W never had any		  allowed, since O is beheaded and W is what was wanted
 *	both have, one of them all	that one counts
 *	anything else			undecided; reported, nothing is written
 */
#include <inttypes.h>
#include <stdio.h>

#include "check_private.h"

/* What was read from the five places, decoded as far as it goes. */
struct super_copies {
	struct rmeta_superblock sb[RMETA_COPIES];
	struct rmeta_geometry geo[RMETA_COPIES];
	u8 whole;			/* mask: valid, of whichever spare */
};

static bool same_spare(const struct super_copies *copies, unsigned int copy, unsigned int other)
{
	return !memcmp(copies->sb[copy].uuid, copies->sb[other].uuid,
		       sizeof(copies->sb[copy].uuid));
}

/* Whole copies of the spare that @copy is of. */
static u8 copies_of(const struct super_copies *copies, unsigned int copy)
{
	unsigned int other;
	u8 mask = 0;

	for (other = 0; other < RMETA_COPIES; other++)
		if ((copies->whole & BIT(other)) && same_spare(copies, copy, other))
			mask |= BIT(other);
	return mask;
}

/* Of @mask the copy with the highest sequence, the lowest of several. */
static unsigned int newest_of(const struct super_copies *copies, u8 mask)
{
	unsigned int copy, newest = RMETA_COPIES;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if ((mask & BIT(copy)) && (newest == RMETA_COPIES ||
					   copies->sb[copy].sequence > copies->sb[newest].sequence))
			newest = copy;
	return newest;
}

/* Copies of the same spare and with the same sequence as @copy, which is the newest. */
static u8 newest_copies(const struct super_copies *copies, unsigned int copy)
{
	u8 mask = copies_of(copies, copy);
	unsigned int other;

	for (other = 0; other < RMETA_COPIES; other++)
		if (copies->sb[other].sequence != copies->sb[copy].sequence)
			mask &= ~BIT(other);
	return mask;
}

static void decode_copies(struct rmeta_checker *checker, const struct rmeta_scan *scan,
			  struct super_copies *copies)
{
	unsigned int copy;

	memset(copies, 0, sizeof(*copies));
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		struct rmeta_superblock *sb = &copies->sb[copy];

		if (scan->verdict[copy] == RMETA_UNREADABLE)
			continue;
		rmeta_superblock_decode(checker->sb_read[copy], (u8)copy, sb);
		rmeta_check_saw_sequence(checker, sb->sequence);
		if (sb->activations <= RMETA_MAX_ACTIVATIONS)
			checker->top_activations = max(checker->top_activations, sb->activations);
		if (scan->verdict[copy] == RMETA_CORRUPT)
			continue;
		copies->whole |= BIT(copy);
		rmeta_geometry_check(sb, checker->check->device_sectors, &copies->geo[copy]);
	}
	/* An activation of which a hidden copy alone knows was cut off in its first step. */
	checker->hidden = hweight8(rmeta_scan_mask(scan, RMETA_UNREADABLE));
}

/*
 * What pages say
 */

/* What a superblock's pages say for it. */
struct evidence {
	u32 valid;		/* pages with a valid copy */
	u32 missing;		/* pages below pages_used without one */
	bool first;		/* page 0 has one */
};

struct evidence_walk {
	struct evidence *evidence;
	u32 pages_used;
};

static int see_page(void *ctx, u32 page, const struct rmeta_scan *scan,
		    u8 *const raw[RMETA_COPIES])
{
	struct evidence_walk *walk = ctx;

	if (scan->winner >= 0) {
		walk->evidence->valid++;
		walk->evidence->first |= !page;
	} else if (page < walk->pages_used) {
		walk->evidence->missing++;
	}
	return 0;
}

/* Look at the pages that @sb claims, and at the first group in any case. */
static int find_evidence(struct rmeta_checker *checker, const struct rmeta_superblock *sb,
			 const struct rmeta_geometry *geo, struct evidence *evidence)
{
	struct evidence_walk walk = { .evidence = evidence, .pages_used = sb->pages_used };
	u32 nr_pages = max(sb->pages_used, min(geo->table_pages, (u32)RMETA_GROUP_PAGES));

	memset(evidence, 0, sizeof(*evidence));
	checker->store.geo = *geo;
	memcpy(checker->store.uuid, sb->uuid, sizeof(checker->store.uuid));
	return rmeta_scan_pages(&checker->store, 0, nr_pages, see_page, &walk);
}

#define BINDINGS 8	/* different ones that are told apart; that many are absurd already */

struct binding_walk {
	const u8 *uuid;
	struct check_binding seen[BINDINGS];
	unsigned int nr;
};

static int see_binding(void *ctx, u32 page, const struct rmeta_scan *scan,
		       u8 *const raw[RMETA_COPIES])
{
	struct binding_walk *walk = ctx;
	struct rmeta_page_header header;
	unsigned int copy, nr;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (scan->verdict[copy] == RMETA_UNREADABLE ||
		    rmeta_page_decode(raw[copy], walk->uuid, page, (u8)copy, &header) != RMETA_GOOD)
			continue;
		for (nr = 0; nr < walk->nr; nr++)
			if (walk->seen[nr].main_sectors == header.main_sectors &&
			    walk->seen[nr].block_shift == header.block_shift)
				break;
		if (nr == BINDINGS)
			continue;
		walk->seen[nr].main_sectors = header.main_sectors;
		walk->seen[nr].block_shift = header.block_shift;
		walk->seen[nr].votes++;
		walk->nr = max(walk->nr, nr + 1);
	}
	return 0;
}

int rmeta_check_binding(struct rmeta_checker *checker, const struct rmeta_geometry *geo,
			const u8 *uuid, struct check_binding *binding)
{
	struct binding_walk walk = { .uuid = uuid };
	unsigned int nr, most = 0;
	u32 votes = 0;
	int r;

	/* What the caller believes comes first, so that it wins a draw. */
	walk.seen[0].main_sectors = geo->main_sectors;
	walk.seen[0].block_shift = geo->block_shift;
	walk.nr = 1;
	checker->store.geo = *geo;
	if (uuid)
		memcpy(checker->store.uuid, uuid, sizeof(checker->store.uuid));
	r = rmeta_scan_pages(&checker->store, 0, min(geo->table_pages, (u32)RMETA_GROUP_PAGES),
			     see_binding, &walk);
	if (r)
		return r;
	for (nr = 0; nr < walk.nr; nr++) {
		votes += walk.seen[nr].votes;
		if (walk.seen[nr].votes > walk.seen[most].votes)
			most = nr;
	}
	*binding = walk.seen[most];
	binding->others = votes - binding->votes;
	return 0;
}

/*
 * Several spares
 */

/* What is to be said of copies of several spares as a whole. */
enum spares_question {
	SPARES_SETTLED,		/* each copy has its own question */
	SPARES_UNDECIDED,
	SPARES_HALF_FORMAT,
};

/* A verdict on copies of several spares. */
struct super_choice {
	unsigned int copy;	/* the one that counts */
	u8 rivals;		/* copies of others that could pass for it */
	enum spares_question question;
	u32 old_pages;		/* SPARES_HALF_FORMAT: that the older spare still has */
};

/* The newest copy of each spare that has valid ones, in @newest. Return: how many spares. */
static unsigned int list_spares(const struct super_copies *copies,
				unsigned int newest[RMETA_COPIES])
{
	unsigned int nr = 0;
	u8 left = copies->whole;

	while (left) {
		newest[nr] = newest_of(copies, left);
		left &= ~copies_of(copies, newest[nr++]);
	}
	return nr;
}

static void leave_undecided(struct rmeta_checker *checker, const struct super_copies *copies,
			    const struct super_choice *choice)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_UNDECIDED);

	problem.copies = copies->whole;
	rmeta_check_raise(checker, &problem,
			  "the check goes on with the newest, copy %u; write over the superblocks that do not belong here, or restore a dump",
			  choice->copy);
	checker->frozen = true;
}

static void ask_half_format(struct rmeta_checker *checker, const struct super_copies *copies,
			    const struct super_choice *choice)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_HALF_FORMAT);
	u8 others = copies->whole & ~copies_of(copies, choice->copy);

	problem.copies = others;
	if (rmeta_check_raise(checker, &problem,
			      "page 0 of the older spare has been invalidated already; %" PRIu32 " of its other pages are left",
			      choice->old_pages)) {
		checker->sb_first |= others;
		checker->sb_approved++;
	} else {
		checker->frozen = true;
	}
}

static void ask_spares(struct rmeta_checker *checker, const struct super_copies *copies,
		       const struct super_choice *choice)
{
	if (choice->question == SPARES_UNDECIDED)
		leave_undecided(checker, copies, choice);
	if (choice->question == SPARES_HALF_FORMAT)
		ask_half_format(checker, copies, choice);
}

/* The header comment of this file lists the cases. */
static int choose_spare(struct rmeta_checker *checker, const struct super_copies *copies,
			struct super_choice *choice)
{
	struct evidence evidence[RMETA_COPIES];
	unsigned int newest[RMETA_COPIES] = { 0 }, nr = list_spares(copies, newest), i;
	unsigned int with_pages = 0, complete = 0, some = 0, all = 0;
	int r;

	choice->copy = newest[0];
	for (i = 0; i < nr; i++) {
		r = find_evidence(checker, &copies->sb[newest[i]], &copies->geo[newest[i]],
				  &evidence[i]);
		if (r)
			return r;
		if (!evidence[i].valid)
			continue;
		with_pages++;
		some = i;
		if (evidence[i].first && !evidence[i].missing) {
			complete++;
			all = i;
		}
	}
	if (!with_pages || (with_pages == 1 && !some))
		return 0;
	if (with_pages == 1 && !evidence[some].first) {
		choice->question = copies->sb[newest[0]].pages_used ? SPARES_UNDECIDED :
								      SPARES_HALF_FORMAT;
		choice->old_pages = evidence[some].valid;
		return 0;
	}
	if (with_pages > 1 && complete != 1) {
		choice->question = SPARES_UNDECIDED;
		return 0;
	}
	choice->copy = newest[with_pages == 1 ? some : all];
	for (i = 0; i < nr; i++)
		if (newest[i] != choice->copy &&
		    (evidence[i].valid || copies->sb[newest[i]].sequence >
		     copies->sb[choice->copy].sequence))
			choice->rivals |= copies_of(copies, newest[i]);
	return 0;
}

/* Verdicts are about the spare that counts, which need not be the one with the highest sequence. */
static void judge_again(struct rmeta_scan *scan, const struct super_copies *copies,
			const struct super_choice *choice)
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (!(copies->whole & BIT(copy)))
			continue;
		scan->verdict[copy] = !same_spare(copies, choice->copy, copy) ? RMETA_FOREIGN :
				      copies->sb[copy].sequence <
				      copies->sb[choice->copy].sequence ? RMETA_STALE : RMETA_OK;
		scan->defect[copy] = scan->verdict[copy] == RMETA_FOREIGN ? RMETA_BAD_UUID :
									    RMETA_GOOD;
	}
}

/*
 * One spare
 */

static u8 copies_same(const struct rmeta_checker *checker, unsigned int copy, u8 among)
{
	unsigned int other;
	u8 mask = 0;

	for (other = 0; other < RMETA_COPIES; other++)
		if ((among & BIT(other)) && rmeta_superblock_same(checker->sb_read[copy],
								  checker->sb_read[other]))
			mask |= BIT(other);
	return mask;
}

/*
 * Copies of one spare with one sequence differ: prefer what agrees with the pages, then what
 * most copies say, then the lowest copy. @newest: mask of these copies.
 */
static int settle_conflict(struct rmeta_checker *checker, const struct super_copies *copies,
			   struct super_choice *choice, u8 newest)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_CONFLICT);
	unsigned int copy, best_score = 0;
	struct check_binding binding;
	u8 same;
	int r;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		const struct rmeta_geometry *geo = &copies->geo[copy];
		unsigned int score;

		if (!(newest & BIT(copy)))
			continue;
		r = rmeta_check_binding(checker, geo, copies->sb[copy].uuid, &binding);
		if (r)
			return r;
		score = hweight8(copies_same(checker, copy, newest));
		if (binding.votes && binding.main_sectors == geo->main_sectors &&
		    binding.block_shift == geo->block_shift)
			score += RMETA_COPIES;
		if (score > best_score) {
			best_score = score;
			choice->copy = copy;
		}
	}
	same = copies_same(checker, choice->copy, newest);
	problem.copies = newest & ~same;
	if (rmeta_check_raise(checker, &problem, "sequence %#" PRIx64 "; copy %u would be kept",
			      copies->sb[choice->copy].sequence, choice->copy)) {
		checker->sb_then |= problem.copies;
		checker->sb_commit = true;
		checker->sb_approved++;
	} else {
		checker->frozen = true;
	}
	return 0;
}

/*
 * Whoever wants a rival or another version kept doubts the choice: then nothing else may be
 * written, either.
 */
static void ask_copy(struct rmeta_checker *checker, enum rmeta_problem_code code,
		     unsigned int copy, const char *detail, u8 *approved)
{
	struct rmeta_problem problem = rmeta_check_problem(code);

	problem.copies = BIT(copy);
	if (rmeta_check_raise(checker, &problem, "%s", detail)) {
		*approved |= BIT(copy);
		checker->sb_approved++;
	} else if (code == RMETA_P_SB_RIVAL || code == RMETA_P_SB_VERSION) {
		checker->frozen = true;
	}
}

static const char *uuid_text(const u8 *uuid, char text[40])
{
	snprintf(text, 40,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 uuid[0], uuid[1], uuid[2], uuid[3], uuid[4], uuid[5], uuid[6], uuid[7], uuid[8],
		 uuid[9], uuid[10], uuid[11], uuid[12], uuid[13], uuid[14], uuid[15]);
	return text;
}

/* Ask about each copy that is not the one that counts, nor a loser of a conflict. */
static void ask_copies(struct rmeta_checker *checker, const struct rmeta_scan *scan,
		       const struct super_copies *copies, const struct super_choice *choice)
{
	u8 ours = copies_of(copies, choice->copy);
	unsigned int copy;
	char uuid[40];

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		const char *defect = rmeta_defect_text(scan->defect[copy]);

		if (scan->verdict[copy] == RMETA_UNREADABLE)
			ask_copy(checker, RMETA_P_SB_UNREADABLE, copy, "", &checker->sb_first);
		else if (scan->defect[copy] == RMETA_BAD_VERSION)
			ask_copy(checker, RMETA_P_SB_VERSION, copy, "", &checker->sb_first);
		else if (scan->verdict[copy] == RMETA_CORRUPT)
			ask_copy(checker, RMETA_P_SB_CORRUPT, copy, defect, &checker->sb_first);
		else if ((ours & BIT(copy)) &&
			 copies->sb[copy].sequence < copies->sb[choice->copy].sequence)
			ask_copy(checker, RMETA_P_SB_STALE, copy, "", &checker->sb_then);
		else if (!(ours & BIT(copy)) && choice->question == SPARES_SETTLED)
			ask_copy(checker, choice->rivals & BIT(copy) ? RMETA_P_SB_RIVAL :
				 RMETA_P_SB_FOREIGN, copy, uuid_text(copies->sb[copy].uuid, uuid),
				 &checker->sb_first);
	}
}

void rmeta_check_use_superblock(struct rmeta_checker *checker, const struct rmeta_superblock *sb,
				const u8 *raw, const struct rmeta_geometry *geo)
{
	struct rmeta_check *check = checker->check;

	check->sb = *sb;
	check->geo = *geo;
	check->have_sb = true;
	check->was_in_use = sb->state & RMETA_IN_USE;
	checker->store.geo = *geo;
	memcpy(checker->store.uuid, sb->uuid, sizeof(checker->store.uuid));
	if (raw)
		memcpy(checker->sb_image, raw, RMETA_BYTES);
	checker->known_pages = sb->pages_used;
	checker->nr_pages = sb->pages_used;
}

/*
 * What the superblock says
 */

/* Pages and superblock disagree on main: five copies against up to 320 say who is wrong. */
static int ask_binding(struct rmeta_checker *checker)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_BINDING);
	struct rmeta_check *check = checker->check;
	struct rmeta_superblock sb = check->sb;
	struct check_binding binding;
	struct rmeta_geometry geo;
	int r;

	r = rmeta_check_binding(checker, &check->geo, check->sb.uuid, &binding);
	if (r || !binding.votes)
		return r;
	if ((binding.main_sectors == sb.main_sectors && binding.block_shift == sb.block_shift) ||
	    rmeta_geometry_init(&geo, sb.spare_sectors, binding.main_sectors, binding.block_shift))
		return 0;
	if (rmeta_check_raise(checker, &problem,
			      "superblock: %" PRIu64 " sectors of main in blocks of %u; %" PRIu32 " copies of pages: %" PRIu64 " in blocks of %u",
			      sb.main_sectors, 1U << sb.block_shift, binding.votes,
			      binding.main_sectors, 1U << binding.block_shift)) {
		checker->sb_commit = true;
		checker->sb_approved++;
	} else {
		checker->frozen = true;
	}
	/* Also when it may not be written: by any other length the pages make no sense. */
	sb.main_sectors = binding.main_sectors;
	sb.block_shift = binding.block_shift;
	sb.zone_slots = geo.zone_slots;
	sb.table_pages = geo.table_pages;
	if (sb.pages_used >= geo.table_pages)
		sb.pages_used = geo.table_pages;
	else
		sb.pages_used -= sb.pages_used % RMETA_GROUP_PAGES;
	rmeta_check_use_superblock(checker, &sb, NULL, &geo);
	return 0;
}

static void ask_field(struct rmeta_checker *checker, enum rmeta_problem_code code, u64 value,
		      bool *approved)
{
	struct rmeta_problem problem = rmeta_check_problem(code);

	if (!rmeta_check_raise(checker, &problem, "%#" PRIx64, value))
		return;
	*approved = true;
	checker->sb_commit = true;
	checker->sb_approved++;
}

static void ask_fields(struct rmeta_checker *checker)
{
	struct rmeta_superblock *sb = &checker->check->sb;
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_ACTIVATIONS);
	u64 sequence_activations = sb->sequence >> RMETA_SEQUENCE_SHIFT;
	bool clear = false;

	if (sb->state & ~RMETA_SB_STATES)
		ask_field(checker, RMETA_P_SB_STATE, sb->state & ~RMETA_SB_STATES, &clear);
	if (clear)
		sb->state &= RMETA_SB_STATES;
	if (sb->activations != sequence_activations &&
	    rmeta_check_raise(checker, &problem,
			      "%" PRIu32 " activations, sequence of activation %" PRIu64,
			      sb->activations, sequence_activations)) {
		checker->sb_commit = true;
		checker->sb_approved++;
	}
	if (sb->state & RMETA_NEEDS_CHECK) {
		problem = rmeta_check_problem(RMETA_P_SB_NEEDS_CHECK);
		checker->check_asked = rmeta_check_raise(checker, &problem, "%s", "");
		checker->sb_commit |= checker->check_asked;
		checker->sb_approved += checker->check_asked;
	}
}

bool rmeta_check_features(struct rmeta_checker *checker, const struct rmeta_superblock *sb)
{
	struct rmeta_problem problem;

	if (sb->feature_incompat) {
		problem = rmeta_check_problem(RMETA_P_SB_FEATURE_INCOMPAT);
		rmeta_check_raise(checker, &problem, "%#" PRIx64 "; use the version that made it",
				  sb->feature_incompat);
		return true;
	}
	if (sb->feature_ro_compat) {
		problem = rmeta_check_problem(RMETA_P_SB_FEATURE_RO);
		rmeta_check_raise(checker, &problem, "%#" PRIx64 "; nothing will be repaired",
				  sb->feature_ro_compat);
		checker->frozen = true;
	}
	return false;
}

int rmeta_check_superblocks(struct rmeta_checker *checker)
{
	struct rmeta_check *check = checker->check;
	struct super_choice choice = { 0 };
	struct super_copies copies;
	struct rmeta_scan scan;
	u8 newest;
	int r = 0;

	rmeta_scan_superblocks(&checker->store, check->device_sectors, &scan, checker->sb_read);
	decode_copies(checker, &scan, &copies);
	choice.copy = (unsigned int)max(scan.winner, 0);
	if (rmeta_scan_mask(&scan, RMETA_FOREIGN)) {
		r = choose_spare(checker, &copies, &choice);
		judge_again(&scan, &copies, &choice);
	}
	if (r)
		return r;
	if (check->ops->superblocks)
		check->ops->superblocks(check->ctx, &scan);
	if (scan.winner < 0)
		return rmeta_check_rebuild(checker, &scan);
	ask_spares(checker, &copies, &choice);
	newest = newest_copies(&copies, choice.copy);
	if (copies_same(checker, choice.copy, newest) != newest)
		r = settle_conflict(checker, &copies, &choice, newest);
	if (r)
		return r;
	if (rmeta_check_features(checker, &copies.sb[choice.copy])) {
		rmeta_check_use_superblock(checker, &copies.sb[choice.copy], NULL,
					   &copies.geo[choice.copy]);
		return 1;
	}
	checker->sb_live = copies_same(checker, choice.copy, newest);
	rmeta_check_use_superblock(checker, &copies.sb[choice.copy], checker->sb_read[choice.copy],
				   &copies.geo[choice.copy]);
	ask_copies(checker, &scan, &copies, &choice);
	if (hweight8(checker->sb_live | checker->sb_first | checker->sb_then) < 2)
		checker->frozen = true;
	r = ask_binding(checker);
	if (r)
		return r;
	ask_fields(checker);
	return 0;
}
