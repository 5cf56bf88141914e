/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What table.c, change.c, load.c and scrub.c share, and nobody else sees.
 */
#ifndef RMETA_TABLE_PRIVATE_H
#define RMETA_TABLE_PRIVATE_H

#include "table.h"

/* Add (@sign 1) an entry to the counts, or take it out (-1). */
void rmeta_table_account(struct rmeta_table *table, const struct rmeta_entry *entry, int sign);

/* Entries of @page that are slots: RMETA_PAGE_ENTRIES but for the last pages. */
u32 rmeta_table_page_slots(const struct rmeta_table *table, u32 page);

/* Get all memory that depends on the geometry. On error rmeta_table_exit() frees it. */
int rmeta_table_alloc(struct rmeta_table *table, unsigned int batch);

/* Make room in memory for one more group of pages: entries and links. */
int rmeta_table_add_group(struct rmeta_table *table);

/*
 * Write all copies of empty pages, those for which @wanted is true (NULL: all). Sets their
 * page_live. -EIO when a page got fewer than two copies.
 */
int rmeta_table_init_pages(struct rmeta_table *table, u32 first_page, u32 nr_pages,
			   bool (*wanted)(struct rmeta_table *table, u32 page));

/*
 * Link all entries that were read and retire the losers of duplicate claims. -EUCLEAN, with
 * @load->problem set, when two claims have equal generations.
 */
int rmeta_table_load_claims(struct rmeta_table *table, struct rmeta_load *load);

/* A slot became free; its entry is all zero. */
void rmeta_table_slot_freed(struct rmeta_table *table, slot_t slot);

/* A page may have a free slot again that the search has gone past. */
void rmeta_table_search_from(struct rmeta_table *table, u32 page);

#endif
