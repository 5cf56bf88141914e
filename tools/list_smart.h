/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What list_smart.c collects from smartctl's JSON, for smart_end() to judge.
 */
#ifndef TOOLS_LIST_SMART_H
#define TOOLS_LIST_SMART_H

#include "json_read.h"
#include "list_parser.h"

#define TEXT_BYTES 64
#define MAX_MESSAGES 8

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
 * struct smart_table - a place in the text that holds elements of one kind
 * @path: of its elements, or NULL for those whose number is in a key
 * @title: for a person
 */
struct smart_table {
	const char *path;
	const char *title;
};

extern const struct smart_table smart_tables[NR_KINDS];

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

/**
 * smart_end() - the text is complete: what it is, whether it is any good, and its addresses
 * @list: of type smart
 *
 * Return: 0, or a negative errno as of struct list_parser.
 */
int smart_end(struct list *list);

#endif
