// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-dump's JSON. Its members are fixed in docs/tools.md; programs rely on them.
 */
#include "dump.h"
#include "units.h"

/* All zero is "none", which JSON says as null. */
static void put_uuid(struct json *json, const char *key, const u8 *uuid)
{
	static const u8 none[16];
	char text[40];

	json_key_text(json, key, memcmp(uuid, none, 16) ? units_uuid(uuid, text) : NULL);
}

/* A machine-id, as in /etc/machine-id. */
static void put_host_id(struct json *json, const u8 *id)
{
	static const u8 none[16];
	char text[33];
	unsigned int i;

	for (i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	json_key_text(json, "host_id", memcmp(id, none, 16) ? text : NULL);
}

static void put_state(struct json *json, u16 state)
{
	json_key(json, "state");
	json_array(json);
	if (state & RMETA_IN_USE)
		json_text(json, "in_use");
	if (state & RMETA_NEEDS_CHECK)
		json_text(json, "needs_check");
	if (state & RMETA_PRINT_VALID)
		json_text(json, "main_print_valid");
	json_array_end(json);
}

static void put_superblock(struct json *json, const struct rmeta_superblock *sb)
{
	json_key(json, "superblock");
	json_map(json);
	put_uuid(json, "uuid", sb->uuid);
	json_key_text(json, "label", sb->label);
	json_key_big(json, "sequence", sb->sequence);
	json_key_number(json, "activations", sb->activations);
	json_key_number(json, "block_sectors", 1U << sb->block_shift);
	json_key_number(json, "main_sectors", sb->main_sectors);
	json_key_number(json, "spare_sectors", sb->spare_sectors);
	json_key_number(json, "zone_start", sb->zone_start);
	json_key_number(json, "zone_sectors", sb->zone_sectors);
	json_key_number(json, "zone_slots", sb->zone_slots);
	json_key_number(json, "table_pages", sb->table_pages);
	json_key_number(json, "pages_used", sb->pages_used);
	put_state(json, sb->state);
	json_key_number(json, "created", sb->created);
	json_key_number(json, "activated", sb->activated);
	put_uuid(json, "main_partuuid", sb->main_partuuid);
	json_key_text(json, "main_id", sb->main_id);
	json_key_number(json, "main_start", sb->main_start);
	put_host_id(json, sb->host_id);
	json_key_text(json, "host_name", sb->host_name);
	json_key_number(json, "read_errors", sb->read_errors);
	json_key_number(json, "write_errors", sb->write_errors);
	json_key(json, "main_print");
	json_array(json);
	json_number(json, sb->main_print[0]);
	json_number(json, sb->main_print[1]);
	json_array_end(json);
	json_key_big(json, "feature_compat", sb->feature_compat);
	json_key_big(json, "feature_ro_compat", sb->feature_ro_compat);
	json_map_end(json);
	json_line(json);
}

/**
 * struct entry_writer - what put_entry() needs
 * @json: where to
 * @dump: what it is about
 * @any: an entry was written
 */
struct entry_writer {
	struct json *json;
	const struct dump *dump;
	bool any;
};

static char *put_member(char *at, const char *name, u64 number)
{
	return dump_put_number(dump_put_text(at, name), number);
}

char *dump_entry_json(char *at, const struct dump *dump, slot_t slot,
		      const struct rmeta_entry *entry)
{
	block_t block = rmeta_where_block(entry->where);
	u8 shift = dump->sb.block_shift;

	at = put_member(at, "{\"slot\":", slot);
	at = put_member(at, ",\"block\":", block);
	at = put_member(at, ",\"main_sector\":", block << shift);
	at = put_member(at, ",\"spare_sector\":", rmeta_slot_sector(&dump->store.geo, slot));
	at = put_member(at, ",\"sectors\":",
			hweight16(rmeta_block_mask(block, dump->sb.main_sectors, shift)));
	at = put_member(at, ",\"mask\":", rmeta_where_mask(entry->where));
	at = dump_put_text(at, ",\"state\":\"");
	at = dump_put_text(at, rmeta_state_name(entry->state));
	at = dump_put_text(at, "\",\"reason\":\"");
	at = dump_put_text(at, rmeta_reason_name(entry->reason));
	at = put_member(at, "\",\"time\":", entry->time);
	at = put_member(at, ",\"generation\":", entry->generation);
	*at++ = '}';
	return at;
}

static void put_entry(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct entry_writer *writer = ctx;
	char line[DUMP_ENTRY_BYTES + 2], *at = line;

	if (writer->any)
		*at++ = ',';
	*at++ = '\n';
	at = dump_entry_json(at, writer->dump, slot, entry);
	json_raw(writer->json, line, (size_t)(at - line));
	writer->any = true;
}

int dump_json(struct dump *dump, struct json *json)
{
	struct entry_writer writer = { json, dump, false };
	const struct rmeta_counts *counts = &dump->counts;
	u32 slots = rmeta_slots(&dump->store.geo);
	int r;

	put_superblock(json, &dump->sb);
	verdicts_json(&dump->verdicts, json);
	json_key(json, "entries");
	json_array(json);
	r = dump_entries(dump, put_entry, &writer);
	json_array_end(json);
	json_line(json);
	json_key(json, "summary");
	json_map(json);
	json_key_number(json, "slots", slots);
	json_key_number(json, "mapped", counts->mapped);
	json_key_number(json, "pending_sectors", counts->pending_sectors);
	json_key_number(json, "lost_sectors", counts->lost_sectors);
	json_key_number(json, "retired", counts->retired);
	json_key_number(json, "free", slots - counts->mapped - counts->lost - counts->retired);
	json_map_end(json);
	return r;
}
