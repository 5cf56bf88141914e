// SPDX-License-Identifier: GPL-2.0-only
/*
 * The members of a dump's JSON. See dump_members.h.
 */
#include "dump_members.h"
#include "escape.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum member_kind {
	MEMBER_U8,
	MEMBER_U32,
	MEMBER_U64,
	MEMBER_TEXT,		/* a field of its @max bytes and a NUL, escaped in the dump */
	MEMBER_UUID,		/* or null */
	MEMBER_HOST_ID,		/* or null */
	MEMBER_BLOCK_SECTORS,	/* of which the superblock keeps the logarithm */
	MEMBER_STATE,		/* a list of names */
	MEMBER_PRINT,		/* a list of two numbers */
};

struct member {
	const char *name;
	enum member_kind kind;
	size_t offset;
	u64 max;
	bool optional;
};

#define SB(kind, member, max) { #member, kind, offsetof(struct rmeta_superblock, member), max, false }

static const struct member sb_members[] = {
	SB(MEMBER_UUID, uuid, 0),
	SB(MEMBER_TEXT, label, 32),
	SB(MEMBER_U64, sequence, UINT64_MAX),
	SB(MEMBER_U32, activations, RMETA_MAX_ACTIVATIONS),
	{ "block_sectors", MEMBER_BLOCK_SECTORS, 0, 1U << RMETA_MAX_BLOCK_SHIFT, false },
	SB(MEMBER_U64, main_sectors, UINT64_MAX),
	SB(MEMBER_U64, spare_sectors, UINT64_MAX),
	SB(MEMBER_U64, zone_start, UINT64_MAX),
	SB(MEMBER_U64, zone_sectors, UINT64_MAX),
	SB(MEMBER_U32, zone_slots, UINT32_MAX),
	SB(MEMBER_U32, table_pages, UINT32_MAX),
	SB(MEMBER_U32, pages_used, UINT32_MAX),
	{ "state", MEMBER_STATE, 0, 0, true },
	SB(MEMBER_U64, created, UINT64_MAX),
	SB(MEMBER_U64, activated, UINT64_MAX),
	SB(MEMBER_UUID, main_partuuid, 0),
	SB(MEMBER_TEXT, main_id, 64),
	SB(MEMBER_U64, main_start, UINT64_MAX),
	SB(MEMBER_HOST_ID, host_id, 0),
	SB(MEMBER_TEXT, host_name, 64),
	SB(MEMBER_U64, read_errors, UINT64_MAX),
	SB(MEMBER_U64, write_errors, UINT64_MAX),
	{ "main_print", MEMBER_PRINT, 0, UINT32_MAX, true },
	{ "feature_compat", MEMBER_U64, offsetof(struct rmeta_superblock, feature_compat),
	  UINT64_MAX, true },
	{ "feature_ro_compat", MEMBER_U64, offsetof(struct rmeta_superblock, feature_ro_compat),
	  UINT64_MAX, true },
};

#define RAW(member) { #member, MEMBER_U64, offsetof(struct dump_raw_entry, member), UINT64_MAX, false }

/* In the order of DUMP_RAW_*, which is that of a line. */
static const struct member raw_members[] = {
	RAW(slot), RAW(block), RAW(main_sector), RAW(spare_sector), RAW(sectors), RAW(mask),
	{ "state", MEMBER_U8, offsetof(struct dump_raw_entry, state), 0, false },
	{ "reason", MEMBER_U8, offsetof(struct dump_raw_entry, reason), 0, false },
	RAW(time), RAW(generation),
};

#define SUM(member) { #member, MEMBER_U64, offsetof(struct dump_summary, member), UINT64_MAX, false }

static const struct member summary_members[] = {
	SUM(slots), SUM(mapped), SUM(retired), SUM(free), SUM(pending_sectors), SUM(lost_sectors),
};

/* Return: the number of a member, or @nr when there is none of that name. */
static unsigned int find_member(const struct member *members, unsigned int nr, const char *key)
{
	unsigned int i;

	for (i = 0; i < nr && strcmp(members[i].name, key); i++)
		;
	return i;
}

static const char *first_missing(const struct member *members, unsigned int nr, unsigned int seen)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!members[i].optional && !(seen & 1U << i))
			return members[i].name;
	return NULL;
}

static const char *put_number(void *to, const struct member *member, const struct json_value *value)
{
	u64 number;

	if (!json_value_number(value, &number))
		return "is no number from 0 to 2^64 - 1";
	if (number > member->max)
		return "is too large";
	if (member->kind == MEMBER_U32)
		*(u32 *)to = (u32)number;
	else
		*(u64 *)to = number;
	return NULL;
}

/* @nr bytes in hexadecimal, with or without a UUID's dashes. */
static const char *put_hex(u8 *to, const struct json_value *value, bool dashes)
{
	unsigned int nr = 0, digit;
	size_t i;

	memset(to, 0, 16);
	if (value->type == JSON_NULL)
		return NULL;
	if (value->type != JSON_STRING || value->bytes != (dashes ? 36 : 32))
		return dashes ? "is no UUID" : "is no machine-id";
	for (i = 0; i < value->bytes; i++) {
		char c = value->text[i];

		if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
			if (c != '-')
				return "is no UUID";
			continue;
		}
		if (c >= '0' && c <= '9')
			digit = (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned int)(c - 'a') + 10;
		else
			return dashes ? "is no UUID" : "is no machine-id";
		to[nr / 2] = (u8)(to[nr / 2] << 4 | digit);
		nr++;
	}
	return NULL;
}

static const char *put_state(struct rmeta_superblock *sb, const struct json_value *value)
{
	if (json_value_is(value, "in_use"))
		sb->state |= RMETA_IN_USE;
	else if (json_value_is(value, "needs_check"))
		sb->state |= RMETA_NEEDS_CHECK;
	else if (json_value_is(value, "main_print_valid"))
		sb->state |= RMETA_PRINT_VALID;
	else
		return "has an unknown element";
	return NULL;
}

static const char *put_print(struct rmeta_superblock *sb, struct dump_summary *summary,
			     const struct json_value *value, u64 nr)
{
	u64 number;

	if (nr > 1 || !json_value_number(value, &number) || number > UINT32_MAX)
		return "is not a list of two numbers below 2^32";
	sb->main_print[nr] = (u32)number;
	summary->has_print = nr == 1;
	return NULL;
}

static const char *put_block_sectors(struct rmeta_superblock *sb, const struct json_value *value)
{
	u64 number;

	if (!json_value_number(value, &number) || !number || number & (number - 1) ||
	    number > 1U << RMETA_MAX_BLOCK_SHIFT)
		return "is none of 1, 2, 4, 8, 16";
	sb->block_shift = (u8)__builtin_ctzll(number);
	return NULL;
}

const char *dump_sb_member(struct rmeta_superblock *sb, struct dump_summary *summary,
			   const char *key, const struct json_value *element,
			   const struct json_value *value, u64 nr)
{
	unsigned int at = find_member(sb_members, COUNT_OF(sb_members), key);
	const struct member *member = &sb_members[at];
	bool is_list;
	char *to;

	if (at == COUNT_OF(sb_members))
		return NULL;
	is_list = member->kind == MEMBER_STATE || member->kind == MEMBER_PRINT;
	if (is_list != (element != NULL))
		return is_list ? "is no list" : "is a list or an object";
	if (!is_list && summary->sb_seen & 1U << at)
		return "comes a second time";
	summary->sb_seen |= 1U << at;
	to = (char *)sb + member->offset;
	switch (member->kind) {
	case MEMBER_STATE:
		return put_state(sb, value);
	case MEMBER_PRINT:
		return put_print(sb, summary, value, nr);
	case MEMBER_BLOCK_SECTORS:
		return put_block_sectors(sb, value);
	case MEMBER_UUID:
		return put_hex((u8 *)to, value, true);
	case MEMBER_HOST_ID:
		return put_hex((u8 *)to, value, false);
	case MEMBER_TEXT:
		if (value->type != JSON_STRING)
			return "is no text";
		memset(to, 0, member->max + 1);
		return escape_undo(value->text, value->bytes, to, member->max) ? NULL :
		       "is too long, or escaped in another way than remap-dump does";
	default:
		return put_number(to, member, value);
	}
}

const char *dump_sb_missing(const struct dump_summary *summary)
{
	return first_missing(sb_members, COUNT_OF(sb_members), summary->sb_seen);
}

const char *dump_summary_member(struct dump_summary *summary, const char *key,
				const struct json_value *value)
{
	unsigned int at = find_member(summary_members, COUNT_OF(summary_members), key);

	if (at == COUNT_OF(summary_members))
		return NULL;
	summary->seen |= 1U << at;
	return put_number((char *)summary + summary_members[at].offset, &summary_members[at], value);
}

const char *dump_summary_differs(const struct dump_summary *summary,
				 const struct rmeta_counts *counts, u32 slots)
{
	const char *missing = first_missing(summary_members, COUNT_OF(summary_members),
					    summary->seen);

	if (missing)
		return missing;
	if (summary->slots != slots)
		return "slots";
	if (summary->mapped != counts->mapped)
		return "mapped";
	if (summary->retired != counts->retired)
		return "retired";
	if (summary->pending_sectors != counts->pending_sectors)
		return "pending_sectors";
	if (summary->lost_sectors != counts->lost_sectors)
		return "lost_sectors";
	if (summary->free != slots - counts->mapped - counts->lost - counts->retired)
		return "free";
	return NULL;
}

/* Text of a dump may have a NUL byte in it, where strncmp() would stop. */
static bool is_name(const char *name, const char *text, size_t bytes)
{
	return strlen(name) == bytes && !memcmp(name, text, bytes);
}

static u8 find_state(const char *text, size_t bytes)
{
	u8 nr;

	for (nr = 0; nr < RMETA_NR_STATES; nr++)
		if (is_name(rmeta_state_name(nr), text, bytes))
			break;
	return nr;
}

static u8 find_reason(const char *text, size_t bytes)
{
	u8 nr;

	for (nr = 0; nr < RMETA_NR_REASONS; nr++)
		if (is_name(rmeta_reason_name(nr), text, bytes))
			break;
	return nr;
}

const char *dump_raw_member(struct dump_raw_entry *raw, const char *key,
			    const struct json_value *value)
{
	unsigned int at = find_member(raw_members, COUNT_OF(raw_members), key);

	if (at == COUNT_OF(raw_members))
		return NULL;
	if (raw->seen & 1U << at)
		return "comes a second time";
	raw->seen |= (u16)(1U << at);
	if (raw_members[at].kind != MEMBER_U8)
		return put_number((char *)raw + raw_members[at].offset, &raw_members[at], value);
	if (value->type != JSON_STRING)
		return "is no text";
	if (1U << at == DUMP_RAW_STATE)
		raw->state = find_state(value->text, value->bytes);
	else
		raw->reason = find_reason(value->text, value->bytes);
	return NULL;
}

const char *dump_raw_missing(const struct dump_raw_entry *raw)
{
	unsigned int missing = DUMP_RAW_NEEDED & ~(unsigned int)raw->seen;

	return raw_members[__builtin_ctz(missing)].name;
}

/*
 * A line as remap-dump writes it. Every comparison ends at the newline at the latest; what is
 * compared may reach a few bytes behind it.
 */

/* Digits of a JSON number, at most 19 of them. Return: what follows, or NULL. */
static const char *scan_number(const char *at, u64 *number)
{
	const char *start = at;
	u64 sum = 0;

	while ((unsigned int)(*at - '0') <= 9) {
		sum = sum * 10 + (unsigned int)(*at - '0');
		at++;
	}
	*number = sum;
	return at == start || at - start > 19 || (*start == '0' && at - start > 1) ? NULL : at;
}

#define LITERAL(text) (memcmp(at, text, sizeof(text) - 1) ? NULL : at + sizeof(text) - 1)
#define NUMBER(text, member)				\
	do {						\
		at = LITERAL(text);			\
		if (at)					\
			at = scan_number(at, &(member));	\
		if (!at)				\
			return false;			\
	} while (0)
#define NAME(text, member, find)			\
	do {						\
		at = LITERAL(text);			\
		if (!at)				\
			return false;			\
		length = strcspn(at, "\"\\\n");		\
		member = find(at, length);		\
		at += length;				\
	} while (0)

bool dump_raw_line(struct dump_raw_entry *raw, const char *line)
{
	const char *at = line;
	size_t length;

	NUMBER("{\"slot\":", raw->slot);
	NUMBER(",\"block\":", raw->block);
	NUMBER(",\"main_sector\":", raw->main_sector);
	NUMBER(",\"spare_sector\":", raw->spare_sector);
	NUMBER(",\"sectors\":", raw->sectors);
	NUMBER(",\"mask\":", raw->mask);
	NAME(",\"state\":\"", raw->state, find_state);
	NAME("\",\"reason\":\"", raw->reason, find_reason);
	NUMBER("\",\"time\":", raw->time);
	NUMBER(",\"generation\":", raw->generation);
	raw->seen = DUMP_RAW_ALL;
	return !memcmp(at, "},\n", 3);
}
