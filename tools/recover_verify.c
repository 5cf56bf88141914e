// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparing a composite with an image or a device. See recover.h.
 */
#include "progress.h"
#include "recover.h"
#include "report.h"
#include "salvage.h"

#define CHUNK_SECTORS 512

struct comparer {
	struct missing missing;
	struct ranges differ;
	u8 *want;
	u8 *have;
	u64 chunk_sector;
	u64 unreadable;
};

/* What nobody has is made equal, so that it is not compared. */
static void forget_missing(void *ctx, u64 sector, u64 sectors, enum composite_why why)
{
	struct comparer *comparer = ctx;
	size_t at = (sector - comparer->chunk_sector) * 512;

	missing_add(&comparer->missing, sector, sectors, why);
	memcpy(comparer->want + at, comparer->have + at, sectors * 512);
}

static void note_unreadable(void *ctx, u64 sector, u64 sectors)
{
	struct comparer *comparer = ctx;

	comparer->unreadable += sectors;
	if (ranges_add(&comparer->differ, sector, sector + sectors))
		report_out_of_memory();
}

static void compare_chunk(struct comparer *comparer, u64 sectors)
{
	u64 i;

	if (!memcmp(comparer->want, comparer->have, sectors * 512))
		return;
	for (i = 0; i < sectors; i++)
		if (memcmp(comparer->want + i * 512, comparer->have + i * 512, 512) &&
		    ranges_add(&comparer->differ, comparer->chunk_sector + i,
			       comparer->chunk_sector + i + 1))
			report_out_of_memory();
}

static void compare_all(const struct composite *composite, const struct device *image,
			struct comparer *comparer)
{
	u64 sector, sectors;

	progress_begin("comparing", composite->main_sectors);
	for (sector = 0; sector < composite->main_sectors; sector += sectors) {
		sectors = min((u64)CHUNK_SECTORS, composite->main_sectors - sector);
		comparer->chunk_sector = sector;
		salvage_read(image, sector, sectors, comparer->have, note_unreadable, comparer);
		composite_read(composite, sector, sectors, comparer->want, forget_missing, comparer);
		compare_chunk(comparer, sectors);
		progress_update(sector);
	}
	progress_end();
	if (ranges_finish(&comparer->differ))
		report_out_of_memory();
}

static void show_differences(const struct comparer *comparer, const char *name)
{
	const struct ranges *differ = &comparer->differ;
	size_t i, shown = report_is_verbose() ? differ->nr :
			  min(differ->nr, (size_t)RECOVER_RANGES_SHOWN);
	struct json *json = report_json();

	report_out("different   %llu sectors of %s\n",
		   (unsigned long long)ranges_blocks(differ), name);
	if (comparer->unreadable)
		report_out("            %llu of them cannot be read there\n",
			   (unsigned long long)comparer->unreadable);
	for (i = 0; i < shown; i++)
		report_out("              %llu to %llu\n", (unsigned long long)differ->range[i].first,
			   (unsigned long long)differ->range[i].end - 1);
	if (shown < differ->nr)
		report_out("              and %zu more ranges (-v lists them)\n",
			   differ->nr - shown);
	missing_show(&comparer->missing);
	if (!json)
		return;
	json_key_number(json, "different_sectors", ranges_blocks(differ));
	json_key_number(json, "unreadable_sectors", comparer->unreadable);
	json_key(json, "different");
	json_array(json);
	for (i = 0; i < differ->nr; i++) {
		json_map(json);
		json_key_number(json, "sector", differ->range[i].first);
		json_key_number(json, "sectors", differ->range[i].end - differ->range[i].first);
		json_map_end(json);
	}
	json_array_end(json);
	missing_json(&comparer->missing);
}

int recover_verify(const struct composite *composite, const char *path)
{
	struct comparer comparer = { .chunk_sector = 0 };
	struct device image;
	int status = STATUS_FAILED;

	if (device_open(&image, path, DEVICE_READ, "image"))
		return STATUS_FAILED;
	status = recover_refuse_source(composite, path, image.shown);
	if (!status && image.sectors < composite->main_sectors) {
		report_error("%s has %llu sectors, and main %llu: it is not all of it", image.shown,
			     (unsigned long long)image.sectors,
			     (unsigned long long)composite->main_sectors);
		status = STATUS_FAILED;
	}
	if (!status) {
		comparer.want = report_alloc(CHUNK_SECTORS * 512);
		comparer.have = report_alloc(CHUNK_SECTORS * 512);
		compare_all(composite, &image, &comparer);
		show_differences(&comparer, image.shown);
		status = comparer.differ.nr || comparer.missing.nr ? STATUS_LOOK : STATUS_DONE;
	}
	free(comparer.want);
	free(comparer.have);
	ranges_free(&comparer.differ);
	missing_free(&comparer.missing);
	device_close(&image);
	return status;
}
