// SPDX-License-Identifier: GPL-2.0-only
/*
 * What smartctl -j -x prints: the addresses in a disk's self-test logs, error logs and lists
 * of pending defects. An address counts logical blocks of the whole disk.
 *
 * Of the logs only what is an unreadable sector now counts:
 *
 *	ATA self-test logs	the first failing address, where there is one
 *	ATA error logs		errors with UNC (bit 6 of the error register). The summary log
 *				has 24 bits of the address in the registers and 4 in the device
 *				register, so on a larger disk it is ambiguous
 *	ATA pending defects	all
 *	NVMe self-test log	failed tests, of this namespace
 *	NVMe error log		write fault and unrecovered read error, of this namespace: most
 *				entries are commands that the drive does not know, with an address
 *				of 0
 *	SCSI pending defects	all; elements of the array may be null
 *	SCSI background scan	unless the disk has reassigned or rewritten the block since
 *	SCSI self-tests		failed ones
 *
 * The spans of the selective self-test log say what is to be tested, not what is bad. The text
 * is a stream and its members may come in any order, so addresses are kept until its end.
 */
#include <stdio.h>

#include "escape.h"
#include "json_read.h"
#include "list_parser.h"

#define TEXT_BYTES 64
#define MAX_MESSAGES 8
#define MAX_FOUND ((size_t)1 << 22)	/* a log has 16 bits of sectors with 31 addresses each */
#define ATA_UNC 0x40
#define ATA_DEVICE_LBA 0x40
#define ATA_SUMMARY_SECTORS ((u64)1 << 28)
#define NVME_MEDIA_ERRORS 2
#define NVME_WRITE_FAULT 0x80
#define NVME_READ_ERROR 0x81

/* Bits of smartctl's exit status. */
#define EXIT_COMMAND_LINE 1
#define EXIT_OPEN 2
#define EXIT_COMMAND 4

enum table_kind {
	ATA_SELF_TEST,
	ATA_SELF_TEST_EXTENDED,
	ATA_ERROR_SUMMARY,
	ATA_ERROR_EXTENDED,
	ATA_PENDING,
	NVME_SELF_TEST,
	NVME_ERROR,
	SCSI_PENDING,
	SCSI_SCAN,
	SCSI_SELF_TEST,
	NR_TABLES,
	MESSAGE = NR_TABLES,
	NAMESPACE,
	NR_KINDS,
};

/**
 * struct table_type - a place in the text that holds elements of one kind
 * @path: of its elements, or NULL for those that find_table() knows
 * @title: for a person
 */
static const struct table_type {
	const char *path;
	const char *title;
} table_types[NR_KINDS] = {
	[ATA_SELF_TEST] = { "ata_smart_self_test_log.standard.table[]", "self-test log" },
	[ATA_SELF_TEST_EXTENDED] = { "ata_smart_self_test_log.extended.table[]",
				     "extended self-test log" },
	[ATA_ERROR_SUMMARY] = { "ata_smart_error_log.summary.table[]", "summary error log" },
	[ATA_ERROR_EXTENDED] = { "ata_smart_error_log.extended.table[]",
				 "extended error log" },
	[ATA_PENDING] = { "ata_pending_defects_log.table[]", "pending defects" },
	[NVME_SELF_TEST] = { "nvme_self_test_log.table[]", "self-test log" },
	[NVME_ERROR] = { "nvme_error_information_log.table[]", "error log" },
	[SCSI_PENDING] = { "scsi_pending_defects.table[]", "pending defects" },
	[SCSI_SCAN] = { NULL, "background scan" },
	[SCSI_SELF_TEST] = { NULL, "self-tests" },
	[MESSAGE] = { "smartctl.messages[]", "" },
	[NAMESPACE] = { "nvme_namespaces[]", "" },
};

/* Members of an element that matter, all kinds together. */
enum field {
	LBA,
	LBA_TEXT,	/* the same as a string, exact above 2^53 */
	ERROR,
	DEVICE,
	PASSED,
	NSID,
	STATUS_VALUE,
	STATUS_TYPE,
	STATUS_CODE,
	RESULT,
	SENSE_KEY,
	REASSIGN,
	NAMESPACE_ID,
	NR_FIELDS,
};

static const struct field_name {
	const char *key;
	const char *inner;	/* key within that, or "" */
	enum field field;
} field_names[] = {
	{ "lba", "", LBA },
	{ "lba_s", "", LBA_TEXT },
	{ "lba", "value", LBA },
	{ "lba", "value_s", LBA_TEXT },
	{ "lba_first_failure", "value", LBA },
	{ "lba_first_failure", "value_s", LBA_TEXT },
	{ "completion_registers", "lba", LBA },
	{ "completion_registers", "lba_s", LBA_TEXT },
	{ "completion_registers", "error", ERROR },
	{ "completion_registers", "device", DEVICE },
	{ "status", "passed", PASSED },
	{ "nsid", "", NSID },
	{ "status_field", "value", STATUS_VALUE },
	{ "status_field", "status_code_type", STATUS_TYPE },
	{ "status_field", "status_code", STATUS_CODE },
	{ "self_test_result", "value", RESULT },
	{ "result", "value", RESULT },
	{ "sense_key", "value", SENSE_KEY },
	{ "reassign_status", "value", REASSIGN },
	{ "id", "", NAMESPACE_ID },
};

/**
 * struct found - an address
 * @lba: in logical blocks
 * @nsid: namespace it is of, or 0 for any
 * @index: number of its element
 * @kind: enum table_kind
 */
struct found {
	u64 lba;
	u32 nsid;
	u32 index;
	u8 kind;
};

/**
 * struct smart - what the text has said so far
 * @reader: of the text
 * @kind: of the element at hand, or NR_KINDS outside of any
 * @level: depth that the element at hand is at
 * @have: mask of the members of @value that it has
 * @value: by enum field
 * @text: its string, for a message
 * @odd: it has an address that is no number
 * @is_smartctl: there is a member "smartctl"
 * @logs: logs that are there, with addresses or without
 * @other_tool: name of the tool whose text this is instead
 * @json_version: major version of the text's format
 * @version: of smartctl, major and minor
 * @exit_status: of smartctl
 * @block_bytes: a logical block, 0 if not said
 * @capacity_blocks: of the disk, 0 if not said
 * @nsid: namespace that the text is about, 0 if not said
 * @pending: number of pending defects that the disk has, by its own count
 * @wwn: naa, oui and id of it, with a mask of what is there behind them
 * @protocol: "ATA", "NVMe", "SCSI"
 * @device: its name where smartctl ran
 * @model: of the disk
 * @seen: by kind, elements
 * @listed: by kind, those with an address that counts
 * @messages: what smartctl said was wrong
 */
struct smart {
	struct json_reader *reader;
	unsigned int kind;
	unsigned int level;
	u32 have;
	u64 value[NR_FIELDS];
	char text[TEXT_BYTES * 2];
	bool odd;
	bool is_smartctl;
	unsigned int logs;
	char other_tool[TEXT_BYTES];
	u64 json_version;
	u64 version[2];
	u64 exit_status;
	u64 block_bytes;
	u64 capacity_blocks;
	u64 nsid;
	u64 pending;
	u64 wwn[4];
	char protocol[TEXT_BYTES];
	char device[TEXT_BYTES];
	char model[TEXT_BYTES];
	u64 seen[NR_KINDS];
	u64 listed[NR_KINDS];
	char *messages[MAX_MESSAGES];
	unsigned int nr_messages;
	struct found *found;
	size_t nr_found;
	size_t room;
};

static bool has(const struct smart *smart, enum field field)
{
	return smart->have & BIT(field);
}

static void copy_text(char *to, size_t bytes, const struct json_value *value)
{
	size_t length = min(value->bytes, bytes - 1);

	if (value->type != JSON_STRING)
		return;
	memcpy(to, value->text, length);
	to[length] = 0;
}

/*
 * Elements
 */

static unsigned int find_table(const struct json_reader *reader)
{
	unsigned int kind;

	for (kind = 0; kind < NR_KINDS; kind++)
		if (table_types[kind].path && json_at(reader, table_types[kind].path))
			return kind;
	if (json_depth(reader) == 2 && !strcmp(json_key_at(reader, 0), "scsi_background_scan") &&
	    !strncmp(json_key_at(reader, 1), "result_", 7))
		return SCSI_SCAN;
	if (json_depth(reader) == 1 && !strncmp(json_key_at(reader, 0), "scsi_self_test_", 15))
		return SCSI_SELF_TEST;
	return NR_KINDS;
}

static bool is_log(const char *key)
{
	static const char *const logs[] = {
		"ata_smart_self_test_log", "ata_smart_error_log", "ata_pending_defects_log",
		"nvme_self_test_log", "nvme_error_information_log", "scsi_pending_defects",
		"scsi_background_scan", "scsi_self_test_",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(logs); i++)
		if (!strncmp(key, logs[i], strlen(logs[i])))
			return true;
	return false;
}

static int on_start(void *ctx, const struct json_reader *reader)
{
	struct list *list = ctx;
	struct smart *smart = list->state;

	if (json_depth(reader) == 1 && !strcmp(json_key_at(reader, 0), "smartctl"))
		smart->is_smartctl = true;
	if (json_depth(reader) == 1 && is_log(json_key_at(reader, 0)))
		smart->logs++;
	if (smart->kind != NR_KINDS)
		return 0;
	smart->kind = find_table(reader);
	smart->level = json_depth(reader);
	smart->have = 0;
	smart->odd = false;
	smart->text[0] = 0;
	return 0;
}

static void take_field(struct smart *smart, const struct json_reader *reader,
		       const struct json_value *value)
{
	const char *key = json_key_at(reader, smart->level);
	const char *inner = json_key_at(reader, smart->level + 1);
	const struct field_name *name;
	bool is_number = true;
	u64 number = value->boolean;

	if (json_depth(reader) > smart->level + 2 || value->type == JSON_NULL)
		return;
	if (smart->kind == MESSAGE && !strcmp(key, "string"))
		copy_text(smart->text, sizeof(smart->text), value);
	if (value->type != JSON_BOOL)
		is_number = json_value_number(value, &number);
	for (name = field_names; name < field_names + ARRAY_SIZE(field_names); name++) {
		if (strcmp(key, name->key) || strcmp(inner, name->inner))
			continue;
		if (!is_number) {
			smart->odd |= name->field == LBA || name->field == LBA_TEXT;
			continue;
		}
		smart->value[name->field] = number;
		smart->have |= BIT(name->field);
	}
}

/* Does an element with an address name a sector that cannot be read now? */
static bool is_bad_now(struct smart *smart)
{
	u64 *value = smart->value;
	u64 type, code;

	switch (smart->kind) {
	case ATA_SELF_TEST:
	case ATA_SELF_TEST_EXTENDED:
		return !(has(smart, PASSED) && value[PASSED]);
	case ATA_ERROR_SUMMARY:
		if (!has(smart, ERROR) || !(value[ERROR] & ATA_UNC))
			return false;
		/* Without the bit it is a cylinder, a head and a sector. */
		if (has(smart, DEVICE) && !(value[DEVICE] & ATA_DEVICE_LBA))
			return false;
		if (has(smart, DEVICE))
			value[LBA] |= (value[DEVICE] & 15) << 24;
		return true;
	case ATA_ERROR_EXTENDED:
		return has(smart, ERROR) && (value[ERROR] & ATA_UNC);
	case NVME_SELF_TEST:	/* 5 to 7 are failures, the others aborted or good */
		return !has(smart, RESULT) || (value[RESULT] >= 5 && value[RESULT] <= 7);
	case NVME_ERROR:
		if (!has(smart, STATUS_VALUE) && !has(smart, STATUS_CODE))
			return false;
		type = has(smart, STATUS_TYPE) ? value[STATUS_TYPE] : value[STATUS_VALUE] >> 8 & 7;
		code = has(smart, STATUS_CODE) ? value[STATUS_CODE] : value[STATUS_VALUE] & 0xff;
		return type == NVME_MEDIA_ERRORS &&
		       (code == NVME_WRITE_FAULT || code == NVME_READ_ERROR);
	case SCSI_SCAN:
		if (has(smart, REASSIGN))	/* 2, 5, 6, 7: reassigned or rewritten */
			return value[REASSIGN] != 2 &&
			       (value[REASSIGN] < 5 || value[REASSIGN] > 7);
		return !has(smart, SENSE_KEY) || value[SENSE_KEY] != 1;
	case SCSI_SELF_TEST:	/* 3 to 7 are failures */
		return !has(smart, RESULT) || (value[RESULT] >= 3 && value[RESULT] <= 7);
	default:
		return true;
	}
}

static int keep_address(struct list *list, const struct json_reader *reader)
{
	struct smart *smart = list->state;
	struct found *found;
	size_t room;

	if (smart->nr_found == MAX_FOUND)
		return list_fail(list, "more than %zu addresses", MAX_FOUND);
	if (smart->nr_found == smart->room) {
		room = max(smart->room * 2, (size_t)64);
		found = realloc(smart->found, room * sizeof(*found));
		if (!found)
			return -ENOMEM;
		smart->found = found;
		smart->room = room;
	}
	smart->listed[smart->kind]++;
	smart->found[smart->nr_found++] = (struct found){
		.lba = smart->value[LBA],
		.nsid = has(smart, NSID) ? (u32)min(smart->value[NSID], (u64)UINT32_MAX) : 0,
		.index = smart->kind == SCSI_SCAN ?
			 (u32)atol(json_key_at(reader, 1) + strlen("result_")) :
			 smart->kind == SCSI_SELF_TEST ?
			 (u32)atol(json_key_at(reader, 0) + strlen("scsi_self_test_")) :
			 (u32)json_index_at(reader, smart->level - 1),
		.kind = (u8)smart->kind,
	};
	return 0;
}

static void reject_odd(struct list *list, const struct json_reader *reader)
{
	char path[160];

	list->lines++;
	json_path(reader, path, sizeof(path));
	list_reject(list, path, strlen(path), "has an address that is not a number");
}

static int on_end(void *ctx, const struct json_reader *reader)
{
	struct list *list = ctx;
	struct smart *smart = list->state;
	int r = 0;

	if (smart->kind == NR_KINDS || json_depth(reader) != smart->level)
		return 0;
	smart->seen[smart->kind]++;
	if (smart->kind == MESSAGE) {
		if (smart->text[0] && smart->nr_messages < MAX_MESSAGES)
			smart->messages[smart->nr_messages++] =
				escape_text(smart->text, strlen(smart->text));
	} else if (smart->kind == NAMESPACE) {
		if (has(smart, NAMESPACE_ID) && !smart->nsid)
			smart->nsid = smart->value[NAMESPACE_ID];
	} else if (smart->odd && !has(smart, LBA_TEXT)) {
		reject_odd(list, reader);
	} else if (has(smart, LBA) || has(smart, LBA_TEXT)) {
		if (has(smart, LBA_TEXT))
			smart->value[LBA] = smart->value[LBA_TEXT];
		if (is_bad_now(smart))
			r = keep_address(list, reader);
	}
	smart->kind = NR_KINDS;
	return r;
}

static int on_value(void *ctx, const struct json_reader *reader, const struct json_value *value)
{
	struct list *list = ctx;
	struct smart *smart = list->state;
	static const struct {
		const char *path;
		size_t offset;
	} numbers[] = {
		{ "json_format_version[]", offsetof(struct smart, json_version) },
		{ "smartctl.exit_status", offsetof(struct smart, exit_status) },
		{ "logical_block_size", offsetof(struct smart, block_bytes) },
		{ "user_capacity.blocks", offsetof(struct smart, capacity_blocks) },
		{ "user_capacity.blocks_s", offsetof(struct smart, capacity_blocks) },
		{ "ata_pending_defects_log.count", offsetof(struct smart, pending) },
		{ "scsi_pending_defects.count", offsetof(struct smart, pending) },
		{ "wwn.naa", offsetof(struct smart, wwn[0]) },
		{ "wwn.oui", offsetof(struct smart, wwn[1]) },
		{ "wwn.id", offsetof(struct smart, wwn[2]) },
	};
	unsigned int i;
	u64 number;

	if (smart->kind != NR_KINDS) {
		take_field(smart, reader, value);
		return 0;
	}
	if (json_depth(reader) > 3)
		return 0;
	if (json_at(reader, "tool"))
		copy_text(smart->other_tool, sizeof(smart->other_tool), value);
	if (json_at(reader, "device.protocol"))
		copy_text(smart->protocol, sizeof(smart->protocol), value);
	if (json_at(reader, "device.name"))
		copy_text(smart->device, sizeof(smart->device), value);
	if (json_at(reader, "model_name") || json_at(reader, "scsi_model_name"))
		copy_text(smart->model, sizeof(smart->model), value);
	if (json_at(reader, "serial_number"))
		copy_text(list->source.serial, sizeof(list->source.serial), value);
	if (!json_value_number(value, &number))
		return 0;
	if (json_at(reader, "smartctl.version[]") && json_index_at(reader, 2) < 2)
		smart->version[json_index_at(reader, 2)] = number;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!json_at(reader, numbers[i].path) ||
		    (!i && json_index_at(reader, 1)))
			continue;
		*(u64 *)((char *)smart + numbers[i].offset) = number;
		if (!strncmp(numbers[i].path, "wwn.", 4))
			smart->wwn[3]++;
	}
	return 0;
}

static const struct json_events events = {
	.value = on_value,
	.start = on_start,
	.end = on_end,
};

static int begin(struct list *list)
{
	struct smart *smart = list->state;

	smart->kind = NR_KINDS;
	smart->reader = json_reader_new(&events, list);
	return smart->reader ? 0 : -ENOMEM;
}

static int parse_chunk(struct list *list, const char *text, size_t bytes)
{
	struct smart *smart = list->state;
	int r = json_reader_feed(smart->reader, text, bytes);

	if (r != -EBADMSG || list->failure)
		return r;
	if (bytes >= 9 && !memcmp(text, "smartctl ", 9))
		return list_fail(list, "this is text of smartctl, not JSON: it needs -j, and version 7.0 or newer");
	return list_fail(list, "this is not valid JSON: %s", json_reader_error(smart->reader));
}

/*
 * The end of the text: what is it, and is it any good?
 */

/* smartctl's own words for what went wrong, or what its exit status means. */
static const char *first_message(const struct smart *smart)
{
	if (smart->nr_messages)
		return smart->messages[0];
	return smart->exit_status & EXIT_COMMAND_LINE ? "its command line did not parse" :
							"the device could not be opened";
}

static int check_origin(struct list *list)
{
	const struct smart *smart = list->state;
	char *escaped;

	if (!smart->is_smartctl && smart->other_tool[0]) {
		escaped = escape_text(smart->other_tool, strlen(smart->other_tool));
		list_fail(list, "this is JSON of %s, not of smartctl", escaped);
		free(escaped);
		return -EBADMSG;
	}
	if (!smart->is_smartctl)
		return list_fail(list, "this is JSON, but not of smartctl -j");
	if (smart->json_version != 1)
		return list_fail(list, "version %llu of smartctl's JSON is not known, only 1 is",
				 (unsigned long long)smart->json_version);
	if (smart->exit_status & (EXIT_COMMAND_LINE | EXIT_OPEN))
		return list_fail(list, "smartctl failed (exit status %llu): %s",
				 (unsigned long long)smart->exit_status, first_message(smart));
	return 0;
}

static int find_unit(struct list *list)
{
	const struct smart *smart = list->state;

	if (!smart->block_bytes && !list->unit_bytes) {
		list->unit_bytes = 512;
		list_say(list, LIST_WARNING,
			 "the list does not say the logical block size of the disk; 512 bytes is taken (-b to change)");
	}
	if (!smart->block_bytes)
		return 0;
	if (smart->block_bytes % 512 || smart->block_bytes > 65536)
		return list_fail(list, "a logical block size of %llu bytes is not supported",
				 (unsigned long long)smart->block_bytes);
	if (list->unit_bytes && list->unit_bytes != smart->block_bytes)
		return list_fail(list, "the logical block size of the disk is %llu bytes, so -b cannot be %u",
				 (unsigned long long)smart->block_bytes, list->unit_bytes);
	list->unit_bytes = (u32)smart->block_bytes;
	return 0;
}

static void say_status(struct list *list)
{
	static const char *const meanings[] = {
		[3] = "the disk says that it is failing",
		[4] = "attributes are below their threshold",
		[5] = "attributes have been below their threshold",
		[6] = "the error log has entries",
		[7] = "a self-test has failed",
	};
	const struct smart *smart = list->state;
	unsigned int bit;

	if (smart->exit_status & EXIT_COMMAND)
		list_say(list, LIST_WARNING,
			 "smartctl could not read all logs (bit 2 of its exit status), so the list may be incomplete%s%s",
			 smart->nr_messages ? ": " : "",
			 smart->nr_messages ? smart->messages[0] : "");
	for (bit = 3; bit < 8; bit++)
		if (smart->exit_status >> bit & 1)
			list_say(list, LIST_NOTE, "smartctl: %s (bit %u of its exit status)",
				 meanings[bit], bit);
}

static void say_logs(struct list *list)
{
	const struct smart *smart = list->state;
	unsigned int kind;

	if (!smart->logs) {
		list_say(list, LIST_WARNING, "there is no log with addresses in it: %s",
			 !strcmp(smart->protocol, "NVMe") &&
			 (smart->version[0] < 7 || (smart->version[0] == 7 && smart->version[1] < 4)) ?
			 "smartctl prints those of NVMe as JSON since version 7.4" :
			 "smartctl -j -x prints all that the disk has");
		return;
	}
	for (kind = 0; kind < NR_TABLES; kind++)
		if (smart->seen[kind])
			list_say(list, LIST_NOTE, "%s: %llu of %llu entries name an unreadable sector",
				 table_types[kind].title, (unsigned long long)smart->listed[kind],
				 (unsigned long long)smart->seen[kind]);
	if (smart->pending > smart->seen[ATA_PENDING] + smart->seen[SCSI_PENDING])
		list_say(list, LIST_WARNING,
			 "the disk counts %llu pending defects, but only %llu are listed (smartctl -l defects,65535 lists more)",
			 (unsigned long long)smart->pending,
			 (unsigned long long)(smart->seen[ATA_PENDING] + smart->seen[SCSI_PENDING]));
}

/* "/dev/nvme0n2" is namespace 2. */
static u64 nsid_of_name(const char *name)
{
	const char *n = strrchr(name, 'n');
	u64 nsid;

	if (!n || n == name || n[-1] < '0' || n[-1] > '9')
		return 0;
	nsid = strtoull(n + 1, NULL, 10);
	return nsid;
}

/* Where an address stands in the text. */
static const char *place_of(const struct found *found, char *text, size_t bytes)
{
	const char *path = table_types[found->kind].path;

	if (path)
		snprintf(text, bytes, "%.*s[%u]: LBA %llu", (int)strlen(path) - 2, path,
			 found->index, (unsigned long long)found->lba);
	else
		snprintf(text, bytes, "%s%u: LBA %llu", found->kind == SCSI_SCAN ?
			 "scsi_background_scan.result_" : "scsi_self_test_", found->index,
			 (unsigned long long)found->lba);
	return text;
}

static int add_addresses(struct list *list)
{
	struct smart *smart = list->state;
	bool summary_is_short = smart->capacity_blocks > ATA_SUMMARY_SECTORS;
	u64 ambiguous = 0, of_others = 0;
	char text[160];
	size_t i;
	int r;

	if (!smart->nsid)
		smart->nsid = nsid_of_name(smart->device);
	for (i = 0; i < smart->nr_found; i++) {
		const struct found *found = &smart->found[i];

		list->lines++;
		if (found->nsid && found->nsid != smart->nsid) {
			of_others++;
			list->silent++;
			continue;
		}
		if (found->kind == ATA_ERROR_SUMMARY && summary_is_short) {
			ambiguous++;
			/* The extended log has the same errors with the whole address. */
			if (smart->seen[ATA_ERROR_EXTENDED]) {
				list->silent++;
				continue;
			}
		}
		place_of(found, text, sizeof(text));
		r = list_add(list, found->lba, 1, text, strlen(text));
		if (r)
			return r;
	}
	if (of_others)
		list_say(list, LIST_WARNING, "%llu addresses are of other namespaces than %llu",
			 (unsigned long long)of_others, (unsigned long long)smart->nsid);
	if (ambiguous && smart->seen[ATA_ERROR_EXTENDED])
		list_say(list, LIST_NOTE,
			 "the summary error log was left out: it has 28 bits of an address, and the extended log has them all");
	else if (ambiguous)
		list_say(list, LIST_WARNING,
			 "addresses in the summary error log have 28 bits and the disk is larger: %llu of them may be another sector's",
			 (unsigned long long)ambiguous);
	return 0;
}

static void say_disk(struct list *list)
{
	struct smart *smart = list->state;
	char *model = escape_text(smart->model, strlen(smart->model));
	char *serial = escape_text(list->source.serial, strlen(list->source.serial));
	char *protocol = escape_text(smart->protocol, strlen(smart->protocol));

	if (smart->wwn[3] >= 3)
		snprintf(list->source.wwid, sizeof(list->source.wwid), "naa.%llx%06llx%09llx",
			 (unsigned long long)smart->wwn[0], (unsigned long long)smart->wwn[1],
			 (unsigned long long)smart->wwn[2]);
	list_say(list, LIST_NOTE, "smartctl %llu.%llu, %s disk %s, serial number %s",
		 (unsigned long long)smart->version[0], (unsigned long long)smart->version[1],
		 protocol[0] ? protocol : "unknown", model[0] ? model : "of an unknown model",
		 serial[0] ? serial : "unknown");
	free(protocol);
	free(model);
	free(serial);
}

static int end(struct list *list)
{
	struct smart *smart = list->state;
	int r;

	r = json_reader_end(smart->reader);
	if (r)
		return list_fail(list, "this is not valid JSON: %s",
				 json_reader_error(smart->reader));
	r = check_origin(list);
	if (!r)
		r = find_unit(list);
	if (r)
		return r;
	say_disk(list);
	say_status(list);
	say_logs(list);
	return add_addresses(list);
}

static void free_state(struct list *list)
{
	struct smart *smart = list->state;
	unsigned int i;

	json_reader_free(smart->reader);
	for (i = 0; i < smart->nr_messages; i++)
		free(smart->messages[i]);
	free(smart->found);
}

/* Its text, too, to say what is missing. */
static bool recognise(const char *line, size_t bytes)
{
	struct scan scan = scan_line(line, bytes);

	return *line == '{' || (scan_word(&scan, "smartctl ") && scan_find(&scan, "["));
}

const struct list_parser list_smart = {
	.name = "smart",
	.title = "what smartctl -j prints of a disk",
	.reason = RMETA_REASON_SMART,
	.of_disk = true,
	.state_bytes = sizeof(struct smart),
	.recognise = recognise,
	.begin = begin,
	.chunk = parse_chunk,
	.end = end,
	.free = free_state,
};
