// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verdicts of copies, kept and shown. Does not judge; that is the engine's.
 */
#include "verdicts.h"

void verdicts_add_page(struct verdicts *verdicts, u32 page, const struct rmeta_scan *scan)
{
	struct verdict_page *added;
	unsigned int copy;

	verdicts->pages = report_grow(verdicts->pages, verdicts->nr_pages, &verdicts->room,
				      sizeof(*verdicts->pages));
	added = &verdicts->pages[verdicts->nr_pages++];
	added->page = page;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		added->verdict[copy] = (u8)scan->verdict[copy];
}

void verdicts_free(struct verdicts *verdicts)
{
	free(verdicts->pages);
	*verdicts = (struct verdicts){ .pages = NULL };
}

void verdicts_json(const struct verdicts *verdicts, struct json *json)
{
	unsigned int copy;
	size_t i;

	json_key(json, "copies");
	json_map(json);
	json_key(json, "superblock");
	json_array(json);
	for (copy = 0; copy < RMETA_COPIES && verdicts->judged; copy++) {
		json_map(json);
		json_key_number(json, "copy", copy);
		json_key_number(json, "sector", rmeta_superblock_sector(copy));
		json_key_text(json, "verdict",
			      rmeta_verdict_name(verdicts->superblocks.verdict[copy]));
		json_map_end(json);
	}
	json_array_end(json);
	json_key(json, "pages");
	json_array(json);
	for (i = 0; i < verdicts->nr_pages; i++) {
		json_map(json);
		json_key_number(json, "page", verdicts->pages[i].page);
		json_key(json, "verdicts");
		json_array(json);
		for (copy = 0; copy < RMETA_COPIES; copy++)
			json_text(json, rmeta_verdict_name(verdicts->pages[i].verdict[copy]));
		json_array_end(json);
		json_map_end(json);
	}
	json_array_end(json);
	json_map_end(json);
	json_line(json);
}

void verdict_print(FILE *stream, unsigned int verdict, int width)
{
	const char *paint = report_paint(stream, verdict == RMETA_OK ? COLOR_GOOD :
					 verdict == RMETA_STALE ? COLOR_WARN : COLOR_BAD);

	fprintf(stream, "%s%-*s%s", paint, width, rmeta_verdict_name(verdict),
		*paint ? report_paint(stream, COLOR_NONE) : "");
}
