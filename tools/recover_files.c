// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which files own the sectors that nobody has: ext2, ext3 and ext4, read by libext2fs through the
 * composite, so that what is in slots counts and not what main had before.
 *
 * Pending sectors are tried; of slots and of main itself only what the filesystem's own metadata
 * need is read, and what turns out to be unreadable there is missing, too.
 */
#include "composite_fs.h"
#include "escape.h"
#include "progress.h"
#include "recover.h"
#include "report.h"
#include "units.h"

#define NO_LOGICAL (-1)

enum owner {
	OWNER_FREE,		/* a free block */
	OWNER_DATA,		/* of a file */
	OWNER_INDIRECT,		/* where the blocks of a file are */
	OWNER_DIRECTORY,
	OWNER_JOURNAL,
	OWNER_INODES,		/* a table of inodes */
	OWNER_STATIC,		/* superblock, group descriptors, bitmaps */
	OWNER_UNKNOWN,		/* in use, or nobody can tell */
	OWNER_OUTSIDE,		/* of main, but not of the filesystem */
	NR_OWNERS
};

static const char *const owner_names[NR_OWNERS] = {
	"free", "data", "indirect", "directory", "journal", "inodes", "metadata", "unknown",
	"outside",
};

/**
 * struct hit - one block of the filesystem with missing sectors
 * @block: its number
 * @inode: owner, 0 if none
 * @owner: what it is
 * @logical: block of the file, or NO_LOGICAL
 * @why: of its first missing sector
 */
struct hit {
	blk64_t block;
	ext2_ino_t inode;
	enum owner owner;
	int64_t logical;
	enum composite_why why;
};

/* A file or directory among the owners. */
struct named {
	ext2_ino_t inode;
	char *path;
};

/**
 * struct scan - the search for owners
 * @view: the filesystem
 * @missing: sectors that nobody has
 * @hits: blocks with such sectors, by number
 * @nr_hits: how many
 * @outside_sectors: missing ones that are not of the filesystem
 * @named: owners, by inode
 * @nr_named: how many
 * @unnamed: of them have no path yet
 * @inode: being looked at
 * @owner: what its blocks are
 * @directory: being read for names
 */
struct scan {
	struct composite_fs view;
	struct missing missing;
	struct hit *hits;
	size_t nr_hits;
	u64 outside_sectors;
	struct named *named;
	size_t nr_named;
	size_t unnamed;
	ext2_ino_t inode;
	enum owner owner;
	ext2_ino_t directory;
};

/*
 * What nobody has
 */

/* Lost, claimed twice, in slots that are gone: known. Pending: tried. */
static void find_missing(struct scan *scan)
{
	const struct composite *composite = scan->view.composite;
	const struct dump_survey *survey = &composite->survey;
	u8 shift = composite->dump.sb.block_shift, *data = report_alloc(512U << shift);
	u64 sector;
	u32 nr;

	progress_begin("trying pending sectors", survey->nr_places);
	for (nr = 0; nr < survey->nr_places; nr++) {
		const struct dump_place *place = &survey->places[nr];
		block_t block = rmeta_where_block(place->where);
		bool again = nr && block == rmeta_where_block(place[-1].where);
		bool contested = nr + 1 < survey->nr_places &&
				 block == rmeta_where_block(place[1].where);

		progress_update(nr);
		if (again || (!rmeta_where_mask(place->where) && !composite->dump.file &&
			      !contested))
			continue;
		sector = block << shift;
		composite_read(composite, sector, min((u64)1 << shift,
						      composite->main_sectors - sector),
			       data, missing_add, &scan->missing);
	}
	progress_end();
	free(data);
}

/* Blocks of the filesystem that these sectors are in. */
static void find_blocks(struct scan *scan)
{
	u64 block_sectors = scan->view.fs->blocksize / 512, end, block;
	u64 blocks = ext2fs_blocks_count(scan->view.fs->super);
	size_t i, room = 0;

	for (i = 0; i < scan->missing.nr; i++) {
		const struct missing_range *range = &scan->missing.range[i];
		u64 first = range->sector;

		end = range->sector + range->sectors;
		if (first < scan->view.offset_sectors) {
			scan->outside_sectors += min(end, scan->view.offset_sectors) - first;
			first = scan->view.offset_sectors;
		}
		if (end > scan->view.offset_sectors + blocks * block_sectors) {
			u64 inside = max(first, scan->view.offset_sectors + blocks * block_sectors);

			scan->outside_sectors += end > inside ? end - inside : 0;
			end = min(end, inside);
		}
		for (block = (first - scan->view.offset_sectors) / block_sectors; first < end; block++) {
			first = scan->view.offset_sectors + (block + 1) * block_sectors;
			if (scan->nr_hits && scan->hits[scan->nr_hits - 1].block == block)
				continue;
			scan->hits = report_grow(scan->hits, scan->nr_hits, &room,
						 sizeof(*scan->hits));
			scan->hits[scan->nr_hits++] = (struct hit){
				.block = block,
				.owner = OWNER_UNKNOWN,
				.logical = NO_LOGICAL,
				.why = range->why,
			};
		}
	}
}

/* The first hit of block @block or behind it. */
static size_t hit_from(const struct scan *scan, blk64_t block)
{
	size_t low = 0, high = scan->nr_hits, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (scan->hits[mid].block < block)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void own(struct scan *scan, blk64_t block, u64 count, enum owner owner, ext2_ino_t inode)
{
	size_t nr;

	for (nr = hit_from(scan, block); nr < scan->nr_hits && scan->hits[nr].block < block + count;
	     nr++) {
		scan->hits[nr].owner = owner;
		scan->hits[nr].inode = inode;
	}
}

/*
 * Owners
 */

static void own_static(struct scan *scan)
{
	ext2_filsys fs = scan->view.fs;
	dgrp_t group;

	for (group = 0; group < fs->group_desc_count; group++) {
		blk64_t super, old_desc, new_desc;
		blk_t used;

		ext2fs_super_and_bgd_loc2(fs, group, &super, &old_desc, &new_desc, &used);
		if (super || !group)
			own(scan, super, 1, OWNER_STATIC, 0);
		if (old_desc)
			own(scan, old_desc, fs->desc_blocks, OWNER_STATIC, 0);
		if (new_desc)
			own(scan, new_desc, 1, OWNER_STATIC, 0);
		own(scan, ext2fs_block_bitmap_loc(fs, group), 1, OWNER_STATIC, 0);
		own(scan, ext2fs_inode_bitmap_loc(fs, group), 1, OWNER_STATIC, 0);
		own(scan, ext2fs_inode_table_loc(fs, group), fs->inode_blocks_per_group,
		    OWNER_INODES, 0);
	}
}

static int take_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t logical, blk64_t reference,
		      int offset, void *ctx)
{
	struct scan *scan = ctx;
	size_t nr = hit_from(scan, *block);

	if (nr == scan->nr_hits || scan->hits[nr].block != *block)
		return 0;
	scan->hits[nr].inode = scan->inode;
	scan->hits[nr].owner = logical < 0 && scan->owner != OWNER_JOURNAL ? OWNER_INDIRECT :
									     scan->owner;
	scan->hits[nr].logical = logical < 0 ? NO_LOGICAL : logical;
	return 0;
}

static void take_inode(struct scan *scan, ext2_ino_t inode, struct ext2_inode *data)
{
	blk64_t attributes = ext2fs_file_acl_block(scan->view.fs, data);

	scan->inode = inode;
	scan->owner = LINUX_S_ISDIR(data->i_mode) ? OWNER_DIRECTORY :
		      inode == scan->view.fs->super->s_journal_inum ? OWNER_JOURNAL : OWNER_DATA;
	if (attributes)
		own(scan, attributes, 1, OWNER_INDIRECT, inode);
	if (!ext2fs_inode_has_valid_blocks2(scan->view.fs, data))
		return;
	/* A tree that cannot be read hides what is below. */
	if (ext2fs_block_iterate3(scan->view.fs, inode, BLOCK_FLAG_READ_ONLY, NULL, take_block, scan))
		scan->view.gaps = true;
}

static void own_inodes(struct scan *scan)
{
	struct ext2_inode inode;
	ext2_inode_scan inodes;
	ext2_ino_t number;
	errcode_t error;

	if (ext2fs_open_inode_scan(scan->view.fs, 0, &inodes)) {
		scan->view.gaps = true;
		return;
	}
	ext2fs_inode_scan_flags(inodes, EXT2_SF_SKIP_MISSING_ITABLE, 0);
	progress_begin("looking at inodes", scan->view.fs->super->s_inodes_count);
	do {
		error = ext2fs_get_next_inode(inodes, &number, &inode);
		if (error) {
			scan->view.gaps = true;
			if (error != EXT2_ET_BAD_BLOCK_IN_INODE_TABLE &&
			    error != EXT2_ET_INODE_CSUM_INVALID &&
			    error != EXT2_ET_INODE_IS_GARBAGE)
				break;
			continue;
		}
		progress_update(number);
		if (number && inode.i_links_count)
			take_inode(scan, number, &inode);
		else if (number == scan->view.fs->super->s_journal_inum && number)
			take_inode(scan, number, &inode);
	} while (number || error);
	progress_end();
	ext2fs_close_inode_scan(inodes);
}

/* What nobody claimed is free if the bitmap says so. */
static void own_free(struct scan *scan)
{
	size_t nr;

	if (ext2fs_read_block_bitmap(scan->view.fs)) {
		scan->view.gaps = true;
		return;
	}
	for (nr = 0; nr < scan->nr_hits; nr++)
		if (scan->hits[nr].owner == OWNER_UNKNOWN &&
		    scan->hits[nr].block >= scan->view.fs->super->s_first_data_block &&
		    !ext2fs_test_block_bitmap2(scan->view.fs->block_map, scan->hits[nr].block))
			scan->hits[nr].owner = OWNER_FREE;
}

/*
 * Names
 */

static int by_inode(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static struct named *find_named(const struct scan *scan, ext2_ino_t inode)
{
	const struct named key = { .inode = inode };

	return bsearch(&key, scan->named, scan->nr_named, sizeof(key), by_inode);
}

static void collect_owners(struct scan *scan)
{
	size_t nr, out = 0, room = 0;

	for (nr = 0; nr < scan->nr_hits; nr++) {
		if (!scan->hits[nr].inode)
			continue;
		scan->named = report_grow(scan->named, scan->nr_named, &room, sizeof(*scan->named));
		scan->named[scan->nr_named++] = (struct named){ .inode = scan->hits[nr].inode };
	}
	if (!scan->nr_named)
		return;
	qsort(scan->named, scan->nr_named, sizeof(*scan->named), by_inode);
	for (nr = 1; nr < scan->nr_named; nr++)
		if (scan->named[nr].inode != scan->named[out].inode)
			scan->named[++out] = scan->named[nr];
	scan->nr_named = scan->unnamed = out + 1;
}

static int take_name(ext2_ino_t directory, int entry, struct ext2_dir_entry *dirent, int offset,
		     int blocksize, char *buffer, void *ctx)
{
	struct scan *scan = ctx;
	struct named *named = find_named(scan, dirent->inode);
	size_t bytes = (size_t)ext2fs_dirent_name_len(dirent);
	char *parent, *escaped;

	if (!named || named->path || entry == DIRENT_DOT_FILE || entry == DIRENT_DOT_DOT_FILE)
		return 0;
	if (ext2fs_get_pathname(scan->view.fs, scan->directory, 0, &parent))
		parent = NULL;
	escaped = escape_text(dirent->name, bytes);
	if (asprintf(&named->path, "%s%s%s", parent ? parent : "...", parent && !parent[1] ? "" : "/",
		     escaped) < 0)
		report_out_of_memory();
	free(escaped);
	ext2fs_free_mem(&parent);
	return --scan->unnamed ? 0 : DIRENT_ABORT;
}

static const char *fixed_name(const struct scan *scan, ext2_ino_t inode)
{
	if (inode == EXT2_ROOT_INO)
		return "/";
	if (inode == scan->view.fs->super->s_journal_inum)
		return "(journal)";
	if (inode == EXT2_RESIZE_INO)
		return "(resize inode)";
	return inode < EXT2_FIRST_INODE(scan->view.fs->super) ? "(reserved inode)" : NULL;
}

static void find_names(struct scan *scan)
{
	struct ext2_inode inode;
	ext2_inode_scan inodes;
	ext2_ino_t number = 0;
	size_t nr;

	for (nr = 0; nr < scan->nr_named; nr++) {
		const char *fixed = fixed_name(scan, scan->named[nr].inode);

		if (fixed) {
			scan->named[nr].path = strdup(fixed);
			scan->unnamed--;
		}
	}
	if (!scan->unnamed || ext2fs_open_inode_scan(scan->view.fs, 0, &inodes))
		return;
	progress_begin("looking for names", scan->view.fs->super->s_inodes_count);
	while (scan->unnamed) {
		errcode_t error = ext2fs_get_next_inode(inodes, &number, &inode);

		if (!error && !number)
			break;
		if (error && error != EXT2_ET_BAD_BLOCK_IN_INODE_TABLE &&
		    error != EXT2_ET_INODE_CSUM_INVALID && error != EXT2_ET_INODE_IS_GARBAGE)
			break;
		progress_update(number);
		if (error || !LINUX_S_ISDIR(inode.i_mode) || !inode.i_links_count)
			continue;
		scan->directory = number;
		if (ext2fs_dir_iterate2(scan->view.fs, number, 0, NULL, take_name, scan))
			scan->view.gaps = true;
	}
	progress_end();
	ext2fs_close_inode_scan(inodes);
}

/*
 * Telling
 */

static int by_owner(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->logical != y->logical)
		return x->logical < y->logical ? -1 : 1;
	return x->block < y->block ? -1 : x->block > y->block;
}

/* Hits that follow each other on the disk, and in the file if it is one. Return: their end. */
static size_t run_end(const struct scan *scan, size_t nr)
{
	const struct hit *hits = scan->hits;
	size_t end = nr + 1;

	while (end < scan->nr_hits && hits[end].inode == hits[nr].inode &&
	       hits[end].owner == hits[nr].owner && hits[end].why == hits[nr].why &&
	       hits[end].block == hits[end - 1].block + 1 &&
	       (hits[nr].logical == NO_LOGICAL ||
		hits[end].logical == hits[end - 1].logical + 1))
		end++;
	return end;
}

static void show_run(const struct scan *scan, size_t nr, size_t end, struct json *json)
{
	const struct hit *hit = &scan->hits[nr];
	const struct named *named = hit->inode ? find_named(scan, hit->inode) : NULL;
	u64 bytes = (u64)(end - nr) * scan->view.fs->blocksize;
	u64 offset = hit->logical == NO_LOGICAL ? 0 : (u64)hit->logical * scan->view.fs->blocksize;
	const char *path = named && named->path ? named->path : NULL;

	if (hit->logical != NO_LOGICAL)
		report_out("%10u  %-9s %-8s bytes %llu to %llu  %s\n", hit->inode,
			   owner_names[hit->owner], composite_why_name(hit->why),
			   (unsigned long long)offset, (unsigned long long)(offset + bytes - 1),
			   path ? path : "(no name found)");
	else
		report_out("%10u  %-9s %-8s blocks %llu to %llu  %s\n", hit->inode,
			   owner_names[hit->owner], composite_why_name(hit->why),
			   (unsigned long long)hit->block,
			   (unsigned long long)scan->hits[end - 1].block,
			   path ? path : hit->inode ? "(no name found)" : "");
	if (!json)
		return;
	json_map(json);
	json_key_number(json, "inode", hit->inode);
	json_key(json, "path");
	if (path)
		json_plain(json, path);
	else
		json_null(json);
	json_key_text(json, "owner", owner_names[hit->owner]);
	json_key_text(json, "why", composite_why_name(hit->why));
	json_key_number(json, "block", hit->block);
	if (hit->logical != NO_LOGICAL)
		json_key_number(json, "offset", offset);
	json_key_number(json, "bytes", bytes);
	json_map_end(json);
}

static void show_all(struct scan *scan)
{
	struct json *json = report_json();
	size_t nr, end;

	if (scan->nr_hits)
		qsort(scan->hits, scan->nr_hits, sizeof(*scan->hits), by_owner);
	missing_show(&scan->missing);
	report_out("owners      %zu files and directories; blocks of %u bytes\n", scan->nr_named,
		   scan->view.fs->blocksize);
	if (scan->nr_hits)
		report_out("     inode  what      why\n");
	if (json) {
		json_key_number(json, "block_bytes", scan->view.fs->blocksize);
		json_key(json, "owners");
		json_array(json);
	}
	for (nr = 0; nr < scan->nr_hits; nr = end) {
		end = run_end(scan, nr);
		show_run(scan, nr, end, json);
	}
	if (json) {
		json_array_end(json);
		json_key_number(json, "outside_sectors", scan->outside_sectors);
		json_key_bool(json, "complete", !scan->view.gaps);
		missing_json(&scan->missing);
	}
	if (scan->outside_sectors)
		report_out("%llu of the sectors are not of this filesystem\n",
			   (unsigned long long)scan->outside_sectors);
	if (scan->view.gaps)
		report_warn("parts of the filesystem's own metadata cannot be read: owners may be missing, and unknown blocks may be theirs");
}

int recover_files(const struct composite *composite, u64 offset_bytes)
{
	struct scan scan = {
		.view = { .composite = composite, .offset_sectors = offset_bytes / 512 },
	};
	int status = STATUS_LOOK;
	errcode_t error;
	size_t i;

	if (scan.view.offset_sectors >= composite->main_sectors) {
		report_error("--offset: main has %llu bytes", (unsigned long long)
			     composite->main_sectors * 512);
		return STATUS_FAILED;
	}
	add_error_table(&et_ext2_error_table);
	error = composite_fs_open(&scan.view);
	if (error) {
		report_error("no ext2, ext3 or ext4 filesystem on %s at byte %llu: %s",
			     composite->main.shown, (unsigned long long)offset_bytes,
			     error_message(error));
		return STATUS_FAILED;
	}
	find_missing(&scan);
	find_blocks(&scan);
	if (scan.nr_hits) {
		scan.view.lenient = LENIENT_ZEROES;
		own_inodes(&scan);
		own_static(&scan);
		scan.view.lenient = LENIENT_NOT;
		own_free(&scan);
		collect_owners(&scan);
		scan.view.lenient = LENIENT_DIRECTORIES;
		find_names(&scan);
	}
	show_all(&scan);
	if (!scan.missing.nr)
		status = STATUS_DONE;
	ext2fs_free(scan.view.fs);
	for (i = 0; i < scan.nr_named; i++)
		free(scan.named[i].path);
	free(scan.named);
	free(scan.hits);
	missing_free(&scan.missing);
	remove_error_table(&et_ext2_error_table);
	return status;
}
