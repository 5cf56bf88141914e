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

#include "escape.h"
#include "list_smart.h"

#define MAX_FOUND ((size_t)1 << 22)	/* a log has 16 bits of sectors with 31 addresses each */
#define ATA_UNC 0x40
#define ATA_DEVICE_LBA 0x40
#define NVME_MEDIA_ERRORS 2
#define NVME_WRITE_FAULT 0x80
#define NVME_READ_ERROR 0x81

const struct smart_table smart_tables[NR_KINDS] = {
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

/* Where the members are that matter. */
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
		if (smart_tables[kind].path && json_at(reader, smart_tables[kind].path))
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
			 (u32)strtoul(json_key_at(reader, 1) + strlen("result_"), NULL, 10) :
			 smart->kind == SCSI_SELF_TEST ?
			 (u32)strtoul(json_key_at(reader, 0) + strlen("scsi_self_test_"), NULL, 10) :
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
	.end = smart_end,
	.free = free_state,
};
