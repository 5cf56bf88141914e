// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a spare (rule 8). See table.h.
 *
 * The superblocks are erased, then page 0 of every zone, then the new superblocks are written;
 * each step is durable before the next. What a cut or a failed write can leave:
 *
 *	some old superblocks		the old spare, whole; a load repairs its superblocks
 *	no superblock, old page 0	the old spare can be rebuilt, or it is formatted again
 *	no superblock, no page 0	nothing; it is formatted again
 *	some new superblocks		the new spare, empty; a load writes the others
 *
 * Superblocks of two spares are never there together: were one of them hidden while the
 * other spare is used, its return would make it a matter of opinion which one counts.
 */
#include "create_private.h"
#include "table.h"

static void copy_text(char *field, size_t bytes, const char *text)
{
	memset(field, 0, bytes);
	if (text)
		memcpy(field, text, strnlen(text, bytes - 1));
}

/* The highest activation that anything on the device says it has seen. */
static u32 highest_activation(struct rmeta_store *store, u8 *const raw[RMETA_COPIES])
{
	struct rmeta_io ios[RMETA_COPIES];
	struct rmeta_superblock sb;
	struct rmeta_page_header header;
	unsigned int copy, kind;
	u32 highest = 0;

	for (kind = 0; kind < 2; kind++) {
		for (copy = 0; copy < RMETA_COPIES; copy++)
			ios[copy] = (struct rmeta_io){
				.op = RMETA_READ,
				.sector = kind ? rmeta_page_sector(&store->geo, copy, 0) :
						 rmeta_superblock_sector(copy),
				.bytes = RMETA_BYTES,
				.data = raw[copy],
			};
		store->ops->submit(store->host, ios, RMETA_COPIES);
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			u64 sequence = 0;

			if (ios[copy].error)
				continue;
			if (kind && rmeta_page_decode(raw[copy], NULL, 0, (u8)copy, &header) ==
			    RMETA_GOOD)
				sequence = header.sequence;
			if (!kind && rmeta_superblock_decode(raw[copy], (u8)copy, &sb) ==
			    RMETA_GOOD)
				sequence = sb.sequence;
			highest = max(highest, (u32)(sequence >> RMETA_SEQUENCE_SHIFT));
		}
	}
	return highest;
}

static u64 superblock_at(const struct rmeta_store *store, unsigned int copy)
{
	return rmeta_superblock_sector(copy);
}

static u64 first_page_at(const struct rmeta_store *store, unsigned int copy)
{
	return rmeta_page_sector(&store->geo, copy, 0);
}

/* Overwrite all copies of what is at @sector_of. */
static int zero(struct rmeta_store *store,
		u64 (*sector_of)(const struct rmeta_store *store, unsigned int copy), u8 *zeroes)
{
	struct rmeta_io ios[RMETA_COPIES];
	unsigned int copy;

	memset(zeroes, 0, RMETA_BYTES);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		ios[copy] = (struct rmeta_io){
			.op = RMETA_WRITE,
			.sector = sector_of(store, copy),
			.bytes = RMETA_BYTES,
			.data = zeroes,
		};
	store->ops->submit(store->host, ios, RMETA_COPIES);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (ios[copy].error)
			return -EIO;
	return 0;
}

void rmeta_create_activation(struct rmeta_store *store)
{
	u32 highest = highest_activation(store, store->buffers);

	if (highest >= RMETA_MAX_ACTIVATIONS)
		highest = 0;	/* no number is left above; what has the last one is erased */
	store->activations = highest + 1;
	store->counter = 0;
}

int rmeta_create_erase(struct rmeta_store *store)
{
	int r = zero(store, superblock_at, store->buffers[0]);

	if (!r && RMETA_RULE(FORMAT_INVALIDATE))
		r = zero(store, first_page_at, store->buffers[0]);
	return r;
}

int rmeta_create_describe(struct rmeta_store *store, struct rmeta_superblock *sb)
{
	sb->block_shift = store->geo.block_shift;
	sb->activations = store->activations;
	sb->main_sectors = store->geo.main_sectors;
	sb->spare_sectors = store->geo.spare_sectors;
	sb->zone_start = RMETA_ZONE_START;
	sb->zone_sectors = store->geo.zone_sectors;
	sb->zone_slots = store->geo.zone_slots;
	sb->table_pages = store->geo.table_pages;
	return rmeta_next_sequence(store, &sb->sequence);
}

int rmeta_create_super(struct rmeta_store *store, struct rmeta_superblock *sb)
{
	struct rmeta_object object = { .number = RMETA_OBJECT_SUPERBLOCK };
	int r;

	r = rmeta_create_describe(store, sb);
	if (r)
		return r;
	object.image = rmeta_zalloc(RMETA_BYTES);
	if (!object.image)
		return -ENOMEM;
	rmeta_superblock_encode(object.image, sb);
	rmeta_initialise(store, &object, 1);
	rmeta_free(object.image);
	return object.live == RMETA_ALL_COPIES ? 0 : -EIO;
}

/* The superblock of an empty spare. */
static int write_superblocks(struct rmeta_store *store, const struct rmeta_format_params *params)
{
	struct rmeta_superblock sb = {
		.created = params->now,
		.main_start = params->main_start,
	};

	memcpy(sb.uuid, params->uuid, sizeof(sb.uuid));
	if (params->main_partuuid)
		memcpy(sb.main_partuuid, params->main_partuuid, sizeof(sb.main_partuuid));
	copy_text(sb.main_id, sizeof(sb.main_id), params->main_id);
	copy_text(sb.label, sizeof(sb.label), params->label);
	return rmeta_create_super(store, &sb);
}

int rmeta_format(const struct rmeta_host_ops *ops, void *host,
		 const struct rmeta_format_params *params)
{
	struct rmeta_store store = { .ops = ops, .host = host };
	int r;

	r = rmeta_geometry_init(&store.geo, params->spare_sectors, params->main_sectors,
				params->block_shift);
	if (r)
		return r;
	r = rmeta_store_init(&store, 1);
	if (r)
		return r;
	rmeta_create_activation(&store);
	r = rmeta_create_erase(&store);
	if (!r)
		r = write_superblocks(&store, params);
	rmeta_store_exit(&store);
	return r;
}
