// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recipes of damaged spares. See recipe.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "recipe.h"

#define MAX_WORDS 16

/* A field of a superblock, a page or an entry: docs/format.md. */
struct field {
	const char *name;
	u16 offset;
	u8 bytes;
};

static const struct field super_fields[] = {
	{ "version", 12, 4 },
	{ "uuid", 16, 16 },
	{ "sequence", 32, 8 },
	{ "block_shift", 41, 1 },
	{ "state", 42, 2 },
	{ "activations", 44, 4 },
	{ "main_sectors", 48, 8 },
	{ "spare_sectors", 56, 8 },
	{ "zone_start", 64, 8 },
	{ "zone_sectors", 72, 8 },
	{ "zone_slots", 80, 4 },
	{ "table_pages", 84, 4 },
	{ "pages_used", 88, 4 },
	{ "feature_compat", 96, 8 },
	{ "feature_ro_compat", 104, 8 },
	{ "feature_incompat", 112, 8 },
	{ "read_errors", 136, 8 },
	{ "label", 240, 16 },
	{ NULL, 0, 0 }
};

static const struct field page_fields[] = {
	{ "sequence", 8, 8 },
	{ "uuid", 16, 16 },
	{ "main_sectors", 32, 8 },
	{ "number", 40, 4 },
	{ "version", 44, 1 },
	{ "block_shift", 45, 1 },
	{ NULL, 0, 0 }
};

static const struct field entry_fields[] = {
	{ "block", 0, 6 },
	{ "mask", 6, 2 },
	{ "time", 8, 4 },
	{ "state", 12, 1 },
	{ "reason", 13, 1 },
	{ "generation", 14, 1 },
	{ "reserved", 15, 1 },
	{ NULL, 0, 0 }
};

#define ENTRIES_OFFSET 48
#define ENTRY_BYTES 16

/* One line of a recipe: a verb and its arguments, name=value each. */
struct line {
	const char *verb;
	const char *name[MAX_WORDS];
	const char *value[MAX_WORDS];
	unsigned int nr;
};

static bool parse_line(char *text, struct line *line)
{
	char *save = NULL, *word, *equals;

	line->nr = 0;
	line->verb = strtok_r(text, " \t\n", &save);
	if (!line->verb)
		return true;
	while ((word = strtok_r(NULL, " \t\n", &save))) {
		equals = strchr(word, '=');
		if (!equals || line->nr == MAX_WORDS)
			return false;
		*equals = '\0';
		line->name[line->nr] = word;
		line->value[line->nr++] = equals + 1;
	}
	return true;
}

static const char *argument(const struct line *line, const char *name, const char *otherwise)
{
	unsigned int nr;

	for (nr = 0; nr < line->nr; nr++)
		if (!strcmp(line->name[nr], name))
			return line->value[nr];
	return otherwise;
}

static u64 number(const struct line *line, const char *name, u64 otherwise)
{
	const char *text = argument(line, name, NULL);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* "all", or digits. */
static u8 copies_of(const struct line *line)
{
	const char *text = argument(line, "copies", "all");
	u8 mask = 0;

	if (!strcmp(text, "all"))
		return RMETA_ALL_COPIES;
	for (; *text >= '0' && *text < '0' + RMETA_COPIES; text++)
		mask |= (u8)BIT(*text - '0');
	return *text ? 0 : mask;
}

/* What a line is about: objects first..last of kind superblock or page, or one entry. */
struct target {
	const struct field *fields;
	u32 first;
	u32 last;
	u32 base;		/* offset of the fields in the object */
	u8 copies;
};

static bool find_target(const struct spare *spare, const struct line *line, struct target *target)
{
	const char *what = argument(line, "what", ""), *page = argument(line, "page", "0");

	target->copies = copies_of(line);
	target->base = 0;
	if (!strcmp(what, "sb")) {
		target->fields = super_fields;
		target->first = target->last = SPARE_SUPER;
	} else if (!strcmp(what, "page")) {
		target->fields = page_fields;
		target->first = !strcmp(page, "all") ? 0 : (u32)strtoul(page, NULL, 0);
		target->last = !strcmp(page, "all") ? spare->nr_pages - 1 : target->first;
		if (strchr(page, '-'))
			target->last = (u32)strtoul(strchr(page, '-') + 1, NULL, 0);
	} else if (!strcmp(what, "entry")) {
		u32 slot = (u32)number(line, "slot", 0);

		target->fields = entry_fields;
		target->first = target->last = slot / RMETA_PAGE_ENTRIES;
		target->base = ENTRIES_OFFSET + slot % RMETA_PAGE_ENTRIES * ENTRY_BYTES;
	} else {
		return false;
	}
	return target->copies && (target->first == SPARE_SUPER ||
				  target->last < spare->geo.table_pages);
}

static u8 *bytes_of(struct spare *spare, u32 object, unsigned int copy)
{
	return disk_at(&spare->disk, spare_sector(spare, object, copy));
}

static void renew_checksum(u8 *raw, u32 object, unsigned int copy)
{
	if (object == SPARE_SUPER)
		rmeta_superblock_set_copy(raw, (u8)copy);
	else
		rmeta_page_set_copy(raw, (u8)copy);
}

static const struct field *find_field(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

/* A number, little-endian; with a sign it is added to what is there; long fields are filled. */
static void set_field(u8 *raw, const struct field *field, const char *text)
{
	u64 value = 0, old = 0;
	unsigned int byte;

	for (byte = 0; byte < field->bytes && byte < 8; byte++)
		old |= (u64)raw[byte] << 8 * byte;
	if (*text == '+' || *text == '-')
		value = old + (u64)strtoll(text, NULL, 0);
	else
		value = strtoull(text, NULL, 0);
	for (byte = 0; byte < field->bytes; byte++)
		raw[byte] = (u8)(field->bytes > 8 ? value : value >> 8 * byte);
}

static bool is_address(const char *name)
{
	static const char *const names[] = { "what", "page", "slot", "copies", "kind" };
	unsigned int nr;

	for (nr = 0; nr < ARRAY_SIZE(names); nr++)
		if (!strcmp(names[nr], name))
			return true;
	return false;
}

static bool do_set(struct spare *spare, const struct line *line)
{
	struct target target;
	const struct field *field;
	unsigned int copy, nr;
	u32 object;

	if (!find_target(spare, line, &target))
		return false;
	for (object = target.first;; object++) {
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			u8 *raw = bytes_of(spare, object, copy);

			if (!(target.copies & BIT(copy)))
				continue;
			for (nr = 0; nr < line->nr; nr++) {
				if (is_address(line->name[nr]))
					continue;
				field = find_field(target.fields, line->name[nr]);
				if (!field)
					return false;
				set_field(raw + target.base + field->offset, field,
					  line->value[nr]);
			}
			renew_checksum(raw, object, copy);
		}
		if (object == target.last)
			return true;
	}
}

static bool do_damage(struct spare *spare, const struct line *line)
{
	static const char *const kinds[NR_DAMAGES] = {
		[DAMAGE_ZERO] = "zero",
		[DAMAGE_NOISE] = "noise",
		[DAMAGE_FLIP] = "flip",
		[DAMAGE_TORN] = "torn",
		[DAMAGE_OLD] = "old",
		[DAMAGE_UNREADABLE] = "unreadable",
	};
	const char *kind = argument(line, "kind", "");
	struct target target;
	unsigned int copy, nr = 0;
	u64 random = 5;
	u32 object;

	while (nr < NR_DAMAGES && strcmp(kind, kinds[nr]))
		nr++;
	if (!find_target(spare, line, &target) ||
	    (nr == NR_DAMAGES && strcmp(kind, "unwritable") && strcmp(kind, "original")))
		return false;
	for (object = target.first;; object++) {
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			if (!(target.copies & BIT(copy)))
				continue;
			if (nr < NR_DAMAGES)
				spare_damage(spare, &spare->disk, object, copy, (enum damage)nr,
					     &random);
			else if (*kind == 'u')
				disk_break_writes(&spare->disk, spare_sector(spare, object, copy));
			else
				spare_image(spare, object, copy, SPARE_NEW,
					    bytes_of(spare, object, copy));
		}
		if (object == target.last)
			return true;
	}
}

/* The bytes of one copy in the place of another. */
static bool do_misplace(struct spare *spare, const struct line *line)
{
	unsigned int from = (unsigned int)number(line, "from", 0);
	struct target target;
	unsigned int copy;

	if (!find_target(spare, line, &target) || from >= RMETA_COPIES)
		return false;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if ((target.copies & BIT(copy)) && copy != from)
			memcpy(bytes_of(spare, target.first, copy),
			       bytes_of(spare, target.first, from), RMETA_BYTES);
	return true;
}

/* Slot @slot gets the entry of slot @from, in all copies. */
static bool do_claim(struct spare *spare, const struct line *line)
{
	u32 slot = (u32)number(line, "slot", 0), from = (u32)number(line, "from", 0);
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		u8 *to = bytes_of(spare, slot / RMETA_PAGE_ENTRIES, copy);

		memcpy(to + ENTRIES_OFFSET + slot % RMETA_PAGE_ENTRIES * ENTRY_BYTES,
		       bytes_of(spare, from / RMETA_PAGE_ENTRIES, copy) + ENTRIES_OFFSET +
		       from % RMETA_PAGE_ENTRIES * ENTRY_BYTES, ENTRY_BYTES);
		renew_checksum(to, slot / RMETA_PAGE_ENTRIES, copy);
	}
	return true;
}

/* Format the disk anew; power goes at a step, if one is named. */
static bool do_format(struct spare *spare, const struct line *line)
{
	struct rmeta_format_params params = {
		.spare_sectors = spare->geo.spare_sectors,
		.main_sectors = spare->geo.main_sectors,
		.block_shift = spare->geo.block_shift,
		.now = 1790000000,
		.label = "newer",
	};

	memset(params.uuid, 0xee, sizeof(params.uuid));
	spare->disk.steps = 0;
	spare->disk.fatal_step = number(line, "cut", 0);
	spare->disk.random = number(line, "luck", 1);
	rmeta_format(&disk_ops, &spare->disk, &params);
	disk_revive(&spare->disk);
	return true;
}

static bool do_device(struct spare *spare, const struct line *line)
{
	spare->disk.sectors = number(line, "sectors", spare->disk.sectors);
	return spare->disk.sectors <= spare->disk.max_blocks * RMETA_SECTORS;
}

static bool do_wipe(struct spare *spare, const struct line *line)
{
	u64 sector;

	for (sector = 0; sector < spare->disk.max_blocks * RMETA_SECTORS; sector += RMETA_SECTORS)
		memset(disk_at(&spare->disk, sector), (int)number(line, "byte", 0), RMETA_BYTES);
	return true;
}

static bool do_line(struct spare *spare, const struct line *line)
{
	static const struct {
		const char *verb;
		bool (*run)(struct spare *spare, const struct line *line);
	} verbs[] = {
		{ "set", do_set },
		{ "damage", do_damage },
		{ "misplace", do_misplace },
		{ "claim", do_claim },
		{ "format", do_format },
		{ "device", do_device },
		{ "wipe", do_wipe },
	};
	unsigned int nr;

	for (nr = 0; nr < ARRAY_SIZE(verbs); nr++)
		if (!strcmp(verbs[nr].verb, line->verb))
			return verbs[nr].run(spare, line);
	return false;
}

static void make_spare(struct spare *spare, const struct line *line)
{
	struct spare_params params = {
		.spare_sectors = number(line, "sectors", 16384),
		.main_sectors = number(line, "main", 2000003),
		.room_sectors = number(line, "room", 0),
		.block_shift = (u8)number(line, "shift", 3),
		.groups = (u32)number(line, "groups", 1),
		.fill = (u32)number(line, "fill", 300),
		.seed = number(line, "seed", 1),
	};

	spare_make(spare, &params);
}

bool recipe_make(const char *path, struct spare *spare, char *error, size_t bytes)
{
	FILE *file = fopen(path, "r");
	bool good = true, made = false;
	unsigned int line_nr = 0;
	struct line line;
	char text[512], copy[512];

	if (!file) {
		snprintf(error, bytes, "%s: %s", path, strerror(errno));
		return false;
	}
	while (good && fgets(text, sizeof(text), file)) {
		line_nr++;
		if (*text == '#' || *text == '\n')
			continue;
		strcpy(copy, text);
		good = parse_line(copy, &line);
		if (good && !strcmp(line.verb, "spare") && !made) {
			make_spare(spare, &line);
			made = true;
		} else if (good) {
			good = made && do_line(spare, &line);
		}
	}
	fclose(file);
	if (good && made)
		return true;
	snprintf(error, bytes, "%s:%u: cannot be followed", path, line_nr);
	if (made)
		spare_free(spare);
	return false;
}
