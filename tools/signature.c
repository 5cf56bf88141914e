// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signatures and identities, from libblkid and sysfs.
 *
 * A probe that fails to read is not a clean bill: it counts as a signature that could not
 * be excluded.
 */
#include <blkid/blkid.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "escape.h"
#include "report.h"
#include "signature.h"
#include "sysfs.h"
#include "units.h"

static blkid_probe new_probe(const struct device *dev)
{
	blkid_probe probe = blkid_new_probe();

	if (!probe)
		report_out_of_memory();
	if (blkid_probe_set_device(probe, dev->host.fd, 0, 0)) {
		blkid_free_probe(probe);
		return NULL;
	}
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
					  BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_set_partitions_flags(probe, BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT);
	return probe;
}

/* Where the signature just found is, or -1. */
static long long magic_offset(blkid_probe probe)
{
	const char *text;

	if (blkid_probe_lookup_value(probe, "SBMAGIC_OFFSET", &text, NULL) &&
	    blkid_probe_lookup_value(probe, "PTMAGIC_OFFSET", &text, NULL))
		return -1;
	return strtoll(text, NULL, 10);
}

/* Is this byte of a spare in a slot? */
static bool is_slot_data(const struct rmeta_geometry *geo, u64 byte)
{
	u64 table_sectors = (u64)geo->table_pages * RMETA_SECTORS;
	u64 slot_sectors = (u64)geo->zone_slots << geo->block_shift;
	u64 sector = byte / 512;

	if (sector < RMETA_ZONE_START ||
	    sector >= RMETA_ZONE_START + RMETA_COPIES * geo->zone_sectors)
		return false;
	sector = (sector - RMETA_ZONE_START) % geo->zone_sectors;
	return sector >= table_sectors && sector - table_sectors < slot_sectors;
}

static char *describe(blkid_probe probe)
{
	const char *type = "unknown", *usage = "", *noun = "signature";
	char *escaped, *text;

	if (!blkid_probe_lookup_value(probe, "TYPE", &type, NULL)) {
		blkid_probe_lookup_value(probe, "USAGE", &usage, NULL);
		if (!strcmp(usage, "filesystem"))
			noun = "filesystem";
		else if (!strcmp(usage, "raid"))
			noun = "volume or RAID member";
		else if (!strcmp(usage, "crypto"))
			noun = "encrypted volume";
	} else if (!blkid_probe_lookup_value(probe, "PTTYPE", &type, NULL)) {
		noun = "partition table";
	}
	escaped = escape_text(type, strlen(type));
	if (asprintf(&text, "%s %s", escaped, noun) < 0)
		report_out_of_memory();
	free(escaped);
	return text;
}

char *signature_find(const struct device *dev, const struct rmeta_geometry *geo)
{
	blkid_probe probe = new_probe(dev);
	char *text = NULL;
	long long byte;
	int r;

	if (!probe)
		return strdup("something that libblkid cannot look at");
	while (!text && !(r = blkid_do_probe(probe))) {
		byte = magic_offset(probe);
		if (!geo || byte < 0 || !is_slot_data(geo, (u64)byte))
			text = describe(probe);
	}
	if (!text && r < 0)
		text = strdup("something that libblkid cannot look at");
	blkid_free_probe(probe);
	return text;
}

char *signature_type(const struct device *dev)
{
	blkid_probe probe = new_probe(dev);
	char *copy = NULL;
	const char *type;

	if (!probe)
		return NULL;
	while (!copy && !blkid_do_probe(probe)) {
		if (blkid_probe_lookup_value(probe, "TYPE", &type, NULL))
			type = blkid_probe_has_value(probe, "PTTYPE") ? "" : NULL;
		if (!type)
			continue;
		copy = strdup(type);
		if (!copy)
			report_out_of_memory();
	}
	blkid_free_probe(probe);
	return copy;
}

/* Zeroes at @byte, through the engine's I/O: an undo must learn of it. */
static int erase(struct device *dev, u64 byte, u64 bytes)
{
	u64 first = byte / 512, end = DIV_ROUND_UP(byte + bytes, 512);
	struct rmeta_io io = {
		.op = RMETA_READ,
		.sector = first,
		.bytes = (u32)(end - first) * 512,
		.data = report_alloc((end - first) * 512),
	};

	rmeta_file_ops.submit(&dev->host, &io, 1);
	if (!io.error) {
		memset((u8 *)io.data + byte % 512, 0, bytes);
		io.op = RMETA_WRITE;
		rmeta_file_ops.submit(&dev->host, &io, 1);
	}
	free(io.data);
	return io.error;
}

/* Erase the magic of the signature just found, and have libblkid forget it. */
static int wipe_one(struct device *dev, blkid_probe probe)
{
	long long byte = magic_offset(probe);
	size_t bytes;
	int r;

	if (byte < 0 || (blkid_probe_lookup_value(probe, "SBMAGIC", NULL, &bytes) &&
			 blkid_probe_lookup_value(probe, "PTMAGIC", NULL, &bytes)))
		return -EINVAL;
	r = erase(dev, (u64)byte, bytes);
	return r ? r : blkid_do_wipe(probe, 1);
}

int signature_wipe(struct device *dev)
{
	blkid_probe probe = new_probe(dev);
	int r = 0;

	if (!probe) {
		report_error("%s: libblkid cannot look at it; nothing was changed", dev->shown);
		return -EIO;
	}
	while (!r && !blkid_do_probe(probe))
		r = wipe_one(dev, probe);
	blkid_free_probe(probe);
	if (!r)
		return 0;
	report_error("%s: the old signature could not be erased", dev->shown);
	return -EIO;
}

/*
 * Of a SCSI disk that has no WWID, as many virtual ones: vendor, model, and the serial number from
 * page 0x80 of its vital product data, four bytes of head and text. Serial numbers alone are not
 * unique.
 */
static bool get_scsi_id(const char *sysfs, char *id, size_t bytes)
{
	char path[PATH_MAX], page[4 + 255 + 1] = "", vendor[40] = "", model[40] = "";
	char *serial = page + 4;
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/device/vpd_pg80", sysfs);
	file = fopen(path, "re");
	if (!file)
		return false;
	length = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	page[length] = 0;
	for (length = strlen(serial); length && serial[length - 1] == ' ';)
		serial[--length] = 0;
	serial += strspn(serial, " ");
	if (!*serial)
		return false;
	sysfs_read(sysfs, "device/vendor", vendor, sizeof(vendor));
	sysfs_read(sysfs, "device/model", model, sizeof(model));
	snprintf(id, bytes, "%s %s %s", vendor, model, serial);
	return true;
}

/* WWID or serial of the disk whose directory in sysfs this is. */
static void get_disk_id(const char *sysfs, char *id, size_t bytes)
{
	static const char *const names[] = { "wwid", "device/wwid", "serial", "device/serial" };
	char value[512];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!sysfs_read(sysfs, names[i], value, sizeof(value)))
			continue;
		snprintf(id, bytes, "%.*s", (int)bytes - 1, value);
		return;
	}
	if (!get_scsi_id(sysfs, id, bytes))
		*id = 0;
}

/* PARTUUID of a partition, from the partition table of its disk. */
static void get_partuuid(dev_t partition, dev_t disk, u8 uuid[16])
{
	char *path = blkid_devno_to_devname(disk);
	blkid_probe probe = path ? blkid_new_probe_from_filename(path) : NULL;
	blkid_partlist list = probe ? blkid_probe_get_partitions(probe) : NULL;
	blkid_partition part = list ? blkid_partlist_devno_to_partition(list, partition) : NULL;
	const char *text = part ? blkid_partition_get_uuid(part) : NULL;

	if (!text || !units_parse_uuid(text, uuid))
		memset(uuid, 0, 16);
	if (probe)
		blkid_free_probe(probe);
	free(path);
}

/* The disk that a block device is, or is a partition of. */
static dev_t disk_of(const struct device *dev)
{
	dev_t disk = 0;

	if (blkid_devno_to_wholedisk(dev->stat.st_rdev, NULL, 0, &disk))
		return dev->stat.st_rdev;
	return disk;
}

bool identity_same_disk(const struct device *a, const struct device *b)
{
	return a->is_block && b->is_block && disk_of(a) == disk_of(b);
}

void identity_get(const struct device *dev, struct identity *identity)
{
	char sysfs[64], disk_sysfs[64], value[64];
	dev_t disk;

	*identity = (struct identity){ .id = "" };
	if (!dev->is_block)
		return;
	snprintf(sysfs, sizeof(sysfs), "/sys/dev/block/%u:%u", major(dev->stat.st_rdev),
		 minor(dev->stat.st_rdev));
	disk = disk_of(dev);
	snprintf(disk_sysfs, sizeof(disk_sysfs), "/sys/dev/block/%u:%u", major(disk), minor(disk));
	get_disk_id(disk_sysfs, identity->id, sizeof(identity->id));
	if (disk == dev->stat.st_rdev)
		return;
	if (sysfs_read(sysfs, "start", value, sizeof(value)))
		identity->start_sectors = strtoull(value, NULL, 10);
	get_partuuid(dev->stat.st_rdev, disk, identity->partuuid);
}

static bool is_set(const u8 uuid[16])
{
	static const u8 zero[16];

	return memcmp(uuid, zero, 16);
}

bool identity_fits(u64 sectors, enum identity_verdict verdict, const struct rmeta_superblock *sb)
{
	return sectors == sb->main_sectors ||
	       (sectors > sb->main_sectors && verdict == IDENTITY_SAME);
}

bool identity_on_record(const struct rmeta_superblock *sb)
{
	return *sb->main_id || is_set(sb->main_partuuid);
}

enum identity_verdict identity_compare(const struct identity *identity,
				       const struct rmeta_superblock *sb)
{
	bool same_disk = *sb->main_id && *identity->id;

	if (same_disk && strcmp(sb->main_id, identity->id))
		return IDENTITY_OTHER_DISK;
	if (same_disk && sb->main_start != identity->start_sectors)
		return IDENTITY_OTHER_START;
	if (!is_set(sb->main_partuuid) || !is_set(identity->partuuid))
		return same_disk ? IDENTITY_SAME : IDENTITY_UNKNOWN;
	return memcmp(sb->main_partuuid, identity->partuuid, 16) ? IDENTITY_OTHER_PARTITION :
	       IDENTITY_SAME;
}

char *identity_difference(const struct identity *identity, const struct rmeta_superblock *sb,
			  enum identity_verdict verdict)
{
	char *there = escape_text(sb->main_id, strlen(sb->main_id));
	char *here = escape_text(identity->id, strlen(identity->id));
	char uuid[40], other[40], *text;
	int bytes;

	if (verdict == IDENTITY_OTHER_DISK)
		bytes = asprintf(&text, "the disk is \"%s\", but the spare is for \"%s\"", here,
				 there);
	else if (verdict == IDENTITY_OTHER_START)
		bytes = asprintf(&text, "starts at sector %llu of the disk, but the spare is for the one at %llu",
				 (unsigned long long)identity->start_sectors,
				 (unsigned long long)sb->main_start);
	else
		bytes = asprintf(&text, "partition %s, but the spare is for %s",
				 units_uuid(identity->partuuid, uuid),
				 units_uuid(sb->main_partuuid, other));
	if (bytes < 0)
		report_out_of_memory();
	free(there);
	free(here);
	return text;
}
