// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of smartctl's JSON: is it that, did smartctl succeed, what did it see, and which
 * addresses are to be taken. See list_smart.c.
 */
#include <stdio.h>

#include "escape.h"
#include "list_smart.h"

#define ATA_SUMMARY_SECTORS ((u64)1 << 28)

/* Bits of smartctl's exit status. */
#define EXIT_COMMAND_LINE 1
#define EXIT_OPEN 2
#define EXIT_COMMAND 4

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
				 smart_tables[kind].title, (unsigned long long)smart->listed[kind],
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
	const char *path = smart_tables[found->kind].path;

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

int smart_end(struct list *list)
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
