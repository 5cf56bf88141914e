// SPDX-License-Identifier: GPL-2.0-only
/*
 * The status line of the target, by one table of its fields.
 */
#include <stddef.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "status_line.h"
#include "units.h"

#define WORD_BYTES 64		/* that any field of ours fits into, with its NUL */
#define FIELDS_LEAST 28		/* of the first version */

enum field_kind {
	FIELD_LAYOUT,
	FIELD_NUMBER,	/* u64 */
	FIELD_PAIR,	/* two u64 that follow each other, with a slash between them */
	FIELD_DEVICE,	/* dev_t */
	FIELD_UUID,
	FIELD_WORD,	/* int: index into words[] */
	FIELD_FLAG,	/* bool: which of two words */
};

static const char *const mode_words[] = {
	[STATUS_MODE_INACTIVE] = "inactive", [STATUS_MODE_OK] = "ok",
	[STATUS_MODE_DEGRADED] = "degraded", [STATUS_MODE_FULL] = "full",
	[STATUS_MODE_BREAKER] = "breaker", [STATUS_MODE_FAILED] = "failed", NULL
};
static const char *const check_words[] = { "-", "needs_check", NULL };
static const char *const access_words[] = { "rw", "ro", NULL };
static const char *const salvage_words[] = { "-", "running", "stopped", NULL };
static const char *const scan_words[] = { "off", "on", "idle", NULL };
static const char *const scrub_words[] = { "off", "on", NULL };

struct field {
	enum field_kind kind;
	size_t offset;
	const char *const *words;
};

#define AT(member) offsetof(struct status_line, member)
#define NUMBER(member) { FIELD_NUMBER, AT(member), NULL }
#define PAIR(member) { FIELD_PAIR, AT(member), NULL }

static const struct field fields[] = {
	{ FIELD_LAYOUT, 0, NULL },
	{ FIELD_WORD, AT(mode), mode_words },
	PAIR(used),
	NUMBER(pending), NUMBER(lost), NUMBER(retired), NUMBER(live_copies), NUMBER(health),
	{ FIELD_DEVICE, AT(main), NULL },
	{ FIELD_DEVICE, AT(spare), NULL },
	{ FIELD_UUID, 0, NULL },
	NUMBER(block_sectors), NUMBER(read_errors), NUMBER(write_errors), NUMBER(spare_errors),
	NUMBER(remapped_reads), NUMBER(remapped_writes), NUMBER(reads), NUMBER(writes),
	NUMBER(buckets), NUMBER(resizes), NUMBER(breaker_left), NUMBER(parked),
	NUMBER(last_error),
	PAIR(scan_position),
	NUMBER(scan_errors),
	{ FIELD_FLAG, AT(needs_check), check_words },
	{ FIELD_FLAG, AT(read_only), access_words },
	{ FIELD_WORD, AT(salvage), salvage_words },
	PAIR(salvage_tried),
	NUMBER(salvage_recovered),
	{ FIELD_WORD, AT(scan), scan_words },
	NUMBER(scan_passes), NUMBER(scan_share),
	{ FIELD_FLAG, AT(scrub), scrub_words },
	PAIR(scrub_page),
	NUMBER(scrub_bad), NUMBER(scrub_repaired), NUMBER(recent_errors), NUMBER(fenced),
};

static bool parse_number(const char *word, u64 *number)
{
	if (strcmp(word, "-"))
		return !units_parse_number(word, number);
	*number = STATUS_UNKNOWN;
	return true;
}

/* "2/14805", "-/-", or "-" for both. */
static bool parse_pair(char *word, u64 *numbers)
{
	char *slash = strchr(word, '/');

	if (!slash) {
		numbers[0] = numbers[1] = STATUS_UNKNOWN;
		return !strcmp(word, "-");
	}
	*slash = 0;
	return parse_number(word, &numbers[0]) && parse_number(slash + 1, &numbers[1]);
}

static bool parse_device(char *word, dev_t *device)
{
	char *colon = strchr(word, ':');
	u64 major, minor;

	if (!colon)
		return false;
	*colon = 0;
	if (units_parse_number(word, &major) || units_parse_number(colon + 1, &minor) ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return false;
	*device = makedev((unsigned int)major, (unsigned int)minor);
	return true;
}

static bool parse_uuid(const char *word, struct status_line *status)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int nr = 0;
	const char *digit;

	if (!strcmp(word, "-"))
		return true;
	for (; *word; word++) {
		if (*word == '-')
			continue;
		digit = strchr(digits, *word);
		if (!digit || nr == 2 * sizeof(status->uuid))
			return false;
		status->uuid[nr / 2] = (u8)(status->uuid[nr / 2] << 4 | (digit - digits));
		nr++;
	}
	status->has_uuid = true;
	return nr == 2 * sizeof(status->uuid);
}

static bool parse_word(const char *word, const char *const *words, int *index)
{
	for (*index = 0; words[*index]; ++*index)
		if (!strcmp(words[*index], word))
			return true;
	return false;
}

static bool parse_field(const struct field *field, char *word, struct status_line *status)
{
	void *at = (char *)status + field->offset;
	int index;

	switch (field->kind) {
	case FIELD_LAYOUT:
		return true;
	case FIELD_NUMBER:
		return parse_number(word, at);
	case FIELD_PAIR:
		return parse_pair(word, at);
	case FIELD_DEVICE:
		return parse_device(word, at);
	case FIELD_UUID:
		return parse_uuid(word, status);
	case FIELD_WORD:
		return parse_word(word, field->words, at);
	case FIELD_FLAG:
		if (!parse_word(word, field->words, &index))
			return false;
		*(bool *)at = index;
		return true;
	}
	return false;
}

/* What a line of an earlier version does not have. */
static void forget(const struct field *field, struct status_line *status)
{
	u64 *at = (u64 *)(void *)((char *)status + field->offset);

	if (field->kind == FIELD_NUMBER || field->kind == FIELD_PAIR)
		at[0] = STATUS_UNKNOWN;
	if (field->kind == FIELD_PAIR)
		at[1] = STATUS_UNKNOWN;
}

/* The next word of @text into @word. Return: what follows it; NULL when it is not one of ours. */
static const char *next_word(const char *text, char *word)
{
	size_t bytes;

	text += strspn(text, " \n");
	bytes = strcspn(text, " \n");
	if (!bytes || bytes >= WORD_BYTES)
		return NULL;
	memcpy(word, text, bytes);
	word[bytes] = 0;
	return text + bytes;
}

int status_line_parse(struct status_line *status, const char *text)
{
	char word[WORD_BYTES];
	const char *rest;
	unsigned int i;
	u64 layout;

	memset(status, 0, sizeof(*status));
	rest = next_word(text, word);
	if (!rest || units_parse_number(word, &layout))
		return -EBADMSG;
	if (layout != STATUS_LAYOUT)
		return -EPROTONOSUPPORT;
	for (i = 1; i < ARRAY_SIZE(fields); i++) {
		text = rest;
		rest = next_word(text, word);
		if (!rest)
			break;
		if (!parse_field(&fields[i], word, status))
			return -EBADMSG;
	}
	if (i < FIELDS_LEAST || (!rest && text[strspn(text, " \n")]))
		return -EBADMSG;
	for (; i < ARRAY_SIZE(fields); i++)
		forget(&fields[i], status);
	return 0;
}

const char *status_line_explain(int error)
{
	return error == -EPROTONOSUPPORT ?
	       "its status has a layout that these tools do not know; use those that came with the module" :
	       "its status is not understood";
}

const char *status_mode_name(enum status_mode mode)
{
	return mode_words[mode];
}
