/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What remap-dump found on a spare, for the formats it can be shown in. Knows where the
 * entries come from; a format knows how they look.
 */
#ifndef TOOLS_DUMP_H
#define TOOLS_DUMP_H

#include "spare.h"
#include "verdicts.h"

struct dump_file;

/**
 * struct dump - a spare, ready to be shown
 * @dev: open for reading; not with @file
 * @file: a dump that stands for the spare, or NULL
 * @spare: its table, if it could be loaded
 * @ready: there is something to show
 * @store: for reading pages
 * @sb: superblock that counts
 * @verdicts: what the copies are; of all pages if @every_copy, else of those not five times ok
 * @every_copy: set by the caller before examining
 * @damaged_pages: pages that are not five times ok
 * @nr_pages: pages in use
 * @counts: sums over all entries
 * @broken_entries: entries that break the format and are left out
 * @lost_pages: pages without a valid copy, whose entries are not known
 * @losers: slots whose claim a load would retire, ascending; only where there was no load
 * @nr_losers: how many
 */
struct dump {
	struct device dev;
	struct dump_file *file;
	struct spare_load spare;
	bool ready;
	struct rmeta_store store;
	struct rmeta_superblock sb;
	struct verdicts verdicts;
	bool every_copy;
	u32 damaged_pages;
	u32 nr_pages;
	struct rmeta_counts counts;
	u64 broken_entries;
	u32 lost_pages;
	slot_t *losers;
	size_t nr_losers;
};

/**
 * dump_examine() - fill in everything that is known of a spare
 * @dump: @dump->dev is open, and @dump->store.host is its host; to be freed with dump_exit()
 *
 * Says what is damaged. @dump->ready tells if there is anything to show.
 *
 * Return: exit status to go on with: STATUS_DONE, STATUS_LOOK, STATUS_DAMAGED, STATUS_FAILED.
 */
int dump_examine(struct dump *dump);

/**
 * dump_take_file() - let a dump that was read stand for the spare
 * @dump: out; to be freed with dump_exit()
 * @file: stays the caller's, and alive
 */
void dump_take_file(struct dump *dump, struct dump_file *file);

/* Free all but the device. */
void dump_exit(struct dump *dump);

/**
 * dump_is_all_known() - are there no entries but those that are shown?
 *
 * Return: false when a page without a valid copy may have held some, or when the table could
 * not be loaded.
 */
bool dump_is_all_known(const struct dump *dump);

/**
 * dump_settle_claims() - find the losers among claims, where there was no load
 * @dump: its pages were looked at; @dump->losers and @dump->counts are put right
 *
 * Return: 0 or a negative errno.
 */
int dump_settle_claims(struct dump *dump);

/* Would a load retire this slot, because another one's claim is newer? */
bool dump_is_loser(const struct dump *dump, slot_t slot);

typedef void (*dump_entry_fn)(void *ctx, slot_t slot, const struct rmeta_entry *entry);

/**
 * dump_entries() - call @fn for every entry that is not free, in slot order
 *
 * From the loaded table: what the target would see. When it could not be loaded, what the
 * best copy of each page holds.
 *
 * Return: 0 or a negative errno.
 */
int dump_entries(struct dump *dump, dump_entry_fn fn, void *ctx);

/**
 * struct dump_place - an entry that concerns main: a mapped or lost block
 * @where: block and mask, as in struct rmeta_entry
 * @slot: that stands in for it
 * @state: RMETA_MAPPED or RMETA_LOST
 * @reason: enum rmeta_reason
 */
struct dump_place {
	u64 where;
	slot_t slot;
	u8 state;
	u8 reason;
};

#define DUMP_DAYS (0xffffffffU / 86400 + 1)	/* that an entry's time can name */

/**
 * struct dump_survey - all entries, sorted for people and for lists
 * @places: mapped and lost blocks, by block
 * @nr_places: how many
 * @day: entries per day since 1970 and reason
 * @retired_slots: in ascending order
 * @nr_retired: how many
 */
struct dump_survey {
	struct dump_place *places;
	u32 nr_places;
	u32 (*day)[RMETA_NR_REASONS];
	slot_t *retired_slots;
	u32 nr_retired;
};

/**
 * dump_survey() - collect all entries
 * @survey: out; to be freed with dump_survey_free(), also after an error
 * @dump: the spare
 *
 * Return: 0 or a negative errno.
 */
int dump_survey(struct dump_survey *survey, struct dump *dump);

/* Free what dump_survey() got. */
void dump_survey_free(struct dump_survey *survey);

/**
 * struct dump_region - neighbouring blocks of main that differ only in where they are
 * @first: index of the first place
 * @next: index after the last place
 * @start_sector: of main
 * @end_sector: of main, after the last; never behind the end of main
 * @masked_sectors: how many of them are pending or lost
 */
struct dump_region {
	u32 first;
	u32 next;
	u64 start_sector;
	u64 end_sector;
	u64 masked_sectors;
};

/* The region that starts at place @first. */
struct dump_region dump_region(const struct dump_survey *survey,
			       const struct rmeta_superblock *sb, u32 first);

/* Who has a sector of main. */
enum dump_owner {
	DUMP_MAIN,	/* main, as ever */
	DUMP_SLOT,	/* the slot */
	DUMP_PENDING,	/* main, if it can be read */
	DUMP_LOST,	/* nobody */
	DUMP_NR_OWNERS
};

/**
 * struct dump_piece - neighbouring sectors of main that one has
 * @start_sector: of main
 * @sectors: length
 * @owner: who has them
 * @spare_sector: DUMP_SLOT: where on the spare
 */
struct dump_piece {
	u64 start_sector;
	u64 sectors;
	enum dump_owner owner;
	u64 spare_sector;
};

typedef void (*dump_piece_fn)(void *ctx, const struct dump_piece *piece);

/**
 * dump_pieces() - cut all of main into pieces by who has them
 * @dump: a spare; if its table is not loaded, a block may have several claims, of which any
 *	counts
 * @survey: its entries
 * @as: what each owner counts as: pieces whose owners count as the same are merged, those
 *	that count as DUMP_SLOT only where they follow each other on the spare, too
 * @fn: called for each piece, in order, without gap or overlap, from 0 to the end of main
 * @ctx: its first argument
 */
void dump_pieces(const struct dump *dump, const struct dump_survey *survey,
		 const enum dump_owner as[DUMP_NR_OWNERS], dump_piece_fn fn, void *ctx);

/**
 * dump_put_number() - write a number in decimal
 * @at: where to; up to 20 bytes are written, without NUL
 * @number: the number
 *
 * For lines of which there are millions, where fprintf() is most of the time.
 *
 * Return: after the last digit.
 */
static inline char *dump_put_number(char *at, u64 number)
{
	char digits[20];
	size_t nr = 0;

	do {
		digits[20 - ++nr] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(at, digits + 20 - nr, nr);
	return at + nr;
}

/* Likewise for @text; room for it is the caller's business. */
static inline char *dump_put_text(char *at, const char *text)
{
	size_t bytes = strlen(text);

	memcpy(at, text, bytes);
	return at + bytes;
}

/* The members of an entry in JSON, as text: at most DUMP_ENTRY_BYTES. Return: its end. */
#define DUMP_ENTRY_BYTES 400
char *dump_entry_json(char *at, const struct dump *dump, slot_t slot,
		      const struct rmeta_entry *entry);

/**
 * dump_json() - superblock, copies, entries and summary into the report's JSON object
 *
 * Return: 0 or a negative errno.
 */
int dump_json(struct dump *dump, struct json *json);

/**
 * dump_text() - a report for a person
 *
 * Return: 0 or a negative errno.
 */
int dump_text(struct dump *dump, FILE *stream);

/* The table of verdicts in a text report; at most @most pages. */
void dump_text_copies(const struct dump *dump, FILE *stream, size_t most);

/**
 * dump_html() - a report for a person, as one HTML file that needs nothing else
 *
 * Return: 0 or a negative errno.
 */
int dump_html(struct dump *dump, FILE *stream);

/**
 * dump_csv() - a line for each entry, in slot order, after one with the names
 *
 * Return: 0 or a negative errno.
 */
int dump_csv(struct dump *dump, FILE *stream);

/**
 * dump_badblocks() - the bad blocks of main as badblocks(8) lists them
 * @dump: the spare
 * @stream: where to
 * @unit_bytes: what the numbers count, a multiple of 512
 *
 * In ascending order, each once. A unit that is bad in part is listed.
 *
 * Return: 0 or a negative errno.
 */
int dump_badblocks(struct dump *dump, FILE *stream, u32 unit_bytes);

/**
 * dump_mapfile() - what can be had of main, as a mapfile of GNU ddrescue
 * @dump: a spare whose table is loaded
 * @stream: where to
 *
 * Return: 0 or a negative errno.
 */
int dump_mapfile(struct dump *dump, FILE *stream);

/**
 * dump_dmtable() - a device-mapper table that serves the same data without this project
 * @dump: a spare whose table is loaded
 * @stream: where to
 * @main_name: main, as the table names it
 * @spare_name: the spare, as the table names it
 *
 * Return: 0 or a negative errno.
 */
int dump_dmtable(struct dump *dump, FILE *stream, const char *main_name,
		 const char *spare_name);

/**
 * struct dump_object - the superblock or one table page, with its copies as they are read
 * @number: page number, or RMETA_OBJECT_SUPERBLOCK
 * @scan: what the copies are
 * @raw: what was read of each
 * @buffer: private
 */
struct dump_object {
	u32 number;
	struct rmeta_scan scan;
	u8 *raw[RMETA_COPIES];
	u8 *buffer;
};

/**
 * dump_object_read() - read the copies of an object
 * @object: out; @object->number is set by the caller; to be freed with dump_object_free()
 * @dump: the spare
 *
 * Return: 0 or a negative errno.
 */
int dump_object_read(struct dump_object *object, struct dump *dump);

/* Free what dump_object_read() got. */
void dump_object_free(struct dump_object *object);

/* What a page's copies say about themselves, and the entries of the one that counts. */
void dump_page_text(struct dump *dump, const struct dump_object *object, FILE *stream);
void dump_page_json(struct dump *dump, const struct dump_object *object, struct json *json);

/**
 * dump_raw() - bytes of the copy that counts, or of all copies
 * @dump: the spare
 * @object: what to show; has a copy that counts unless @every_copy
 * @stream: where to
 * @binary: the bytes alone, five times 4 KiB if @every_copy; otherwise as a hex dump with a
 *	heading for each copy
 *
 * A copy that cannot be read is 4 KiB of zeroes, or a heading that says so.
 *
 * Return: number of copies that cannot be read.
 */
unsigned int dump_raw(const struct dump *dump, const struct dump_object *object, FILE *stream,
		      bool binary);

#endif
