// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: /etc/remaptab. Names and spares that are accepted are unlike each other, and a line
 * written for one of them reads the same.
 */
#include "dm_table.h"
#include "fuzz_disk.h"
#include "fuzz_file.h"
#include "remaptab.h"
#include "report.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static void check_line(const struct remaptab_entry *entry)
{
	static struct fuzz_file file;
	struct remaptab again;
	char *line = remaptab_line(entry->name, &entry->main, entry->spare_uuid, "");

	fuzz_file_fill(&file, line, strlen(line));
	free(line);
	FUZZ_CHECK(!remaptab_read(&again, file.path) && again.nr == 1 && !again.wrong,
		   "its line is refused");
	FUZZ_CHECK(!strcmp(again.entry->name, entry->name) && again.entry->kind == entry->kind &&
		   !memcmp(&again.entry->main, &entry->main, sizeof(entry->main)) &&
		   !memcmp(again.entry->spare_uuid, entry->spare_uuid, 16), "another line");
	remaptab_free(&again);
}

static void check_entry(const struct remaptab *tab, const struct remaptab_entry *entry)
{
	static const u8 zero[16];
	const struct table_options *options = &entry->options;
	unsigned int words = 0;
	const char *text;

	FUZZ_CHECK(!dm_table_name_problem(entry->name), "a name that device mapper refuses");
	FUZZ_CHECK(remaptab_by_name(tab, entry->name) == entry &&
		   remaptab_by_spare(tab, entry->spare_uuid) == entry, "a line that is there twice");
	FUZZ_CHECK(!entry->path == (entry->kind != REMAPTAB_PATH_GIVEN), "a path, or none");
	for (text = options->features; *text; text++)
		words += *text != ' ' && (text == options->features || text[-1] == ' ');
	FUZZ_CHECK(words == options->nr_features, "%u words of %u", words, options->nr_features);
	/* No partition has this uuid, and no line is written for a path. */
	if (entry->kind != REMAPTAB_PATH_GIVEN &&
	    (entry->kind != REMAPTAB_PARTUUID || memcmp(entry->main.partuuid, zero, sizeof(zero))))
		check_line(entry);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static struct fuzz_file file;
	struct remaptab tab;
	size_t i;

	if (!file.open)
		report_init("fuzz");
	fuzz_file_fill(&file, data, bytes);
	FUZZ_CHECK(!remaptab_read(&tab, file.path), "it cannot be read");
	for (i = 0; i < tab.nr; i++)
		check_entry(&tab, &tab.entry[i]);
	remaptab_free(&tab);
	report_finish(0);
	return 0;
}
