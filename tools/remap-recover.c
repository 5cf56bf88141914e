// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-recover: what the mapped device would give, without the kernel module: for a dead server and
 * two disks on somebody's desk. Main and spare are only read.
 */
#include "clone_map.h"
#include "dump_file.h"
#include "escape.h"
#include "options.h"
#include "progress.h"
#include "recover.h"
#include "rescue_map.h"
#include "units.h"

#define FILL_TEXT "dm-remap: nobody has sector %s of main\n"
#define CHECKPOINT_BYTES (1ULL << 30)

struct recover_options {
	struct common_options common;
	const char *main;
	const char *spare;
	const char *dump;
	const char *main_map;
	const char *spare_map;
	const char *output;
	const char *verify;
	bool files;
	bool force;
	bool retry;
	bool accept_incomplete;
	const char *fill;
	const char *map;
	u64 checkpoint_bytes;
	u64 offset_bytes;
};

#define FIELD(member) offsetof(struct recover_options, member)

static const struct option_row rows[] = {
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main), .argument = "MAIN",
	  .help = "main; only read" },
	{ .name = "spare", .kind = OPTION_DEVICE, .field = FIELD(spare), .argument = "SPARE",
	  .help = "its spare; only read" },
	{ .name = "dump", .kind = OPTION_FILE, .field = FIELD(dump), .argument = "FILE",
	  .help = "JSON of remap-dump, where the spare is gone with what its slots held" },
	{ .name = "main-map", .kind = OPTION_FILE, .field = FIELD(main_map), .argument = "FILE",
	  .help = "MAIN is a copy by ddrescue, and this its mapfile: what it lacks is not zeroes" },
	{ .name = "spare-map", .kind = OPTION_FILE, .field = FIELD(spare_map), .argument = "FILE",
	  .help = "likewise of SPARE" },
	{ .letter = 'o', .name = "output", .kind = OPTION_DEVICE, .field = FIELD(output),
	  .argument = "TARGET", .help = "write main with the remapped blocks laid over" },
	{ .name = "verify", .kind = OPTION_DEVICE, .field = FIELD(verify), .argument = "IMAGE",
	  .help = "compare IMAGE with that" },
	{ .name = "files", .kind = OPTION_FLAG, .field = FIELD(files),
	  .help = "name the files (ext2, ext3, ext4) that own what nobody has" },
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(force),
	  .help = "TARGET may be a block device, and is overwritten" },
	{ .name = "fill", .kind = OPTION_TEXT, .field = FIELD(fill), .argument = "TEXT",
	  .help = "for sectors that nobody has; %s is the sector's number; \"zero\" for zeroes" },
	{ .letter = 'm', .name = "mapfile", .kind = OPTION_FILE, .field = FIELD(map),
	  .argument = "FILE", .help = "the mapfile of -o (default: TARGET.map)" },
	{ .name = "retry", .kind = OPTION_FLAG, .field = FIELD(retry),
	  .help = "try again what an earlier run could not read" },
	{ .name = "checkpoint", .kind = OPTION_SIZE, .field = FIELD(checkpoint_bytes),
	  .argument = "SIZE", .min = 1U << 20,
	  .help = "copied between two versions of the mapfile (default 1G)" },
	{ .name = "offset", .kind = OPTION_SIZE, .field = FIELD(offset_bytes), .argument = "SIZE",
	  .help = "--files: where on main the filesystem begins" },
	{ .name = "accept-incomplete", .kind = OPTION_FLAG, .field = FIELD(accept_incomplete),
	  .help = "go on where entries of the spare may be missing" },
};

static const struct tool tool = {
	.name = "remap-recover",
	.summary = "Read main with its remapped blocks laid over, without the kernel module.",
	.usage = "--main MAIN (--spare SPARE|--dump FILE) (-o TARGET|--verify IMAGE|--files)",
	.details = "Sectors that nobody has are filled with a text and stand in a mapfile of "
		   "ddrescue beside the\nimage. The same command goes on after an interruption.",
	.example = "remap-recover --main /dev/sdb --spare /dev/sdc1 -o whole.img",
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static bool is_no_mapfile(const char *path)
{
	const char *dot = strrchr(path, '.');

	return !strcmp(path, "-") || (dot && !strcmp(dot, ".gz"));
}

/* Return: -1, or the exit status. */
static int check_options(const struct recover_options *options)
{
	int modes = !!options->output + !!options->verify + options->files;

	if (!options->main)
		return options_misused(&tool, "--main MAIN is needed");
	if (!options->spare == !options->dump)
		return options_misused(&tool, "one of --spare SPARE and --dump FILE is needed");
	if (options->spare_map && !options->spare)
		return options_misused(&tool, "--spare-map goes with --spare only");
	if (modes != 1)
		return options_misused(&tool, "one of -o TARGET, --verify IMAGE and --files is needed");
	if (!options->output && (options->force || options->map || options->retry ||
				 options->checkpoint_bytes || options->fill))
		return options_misused(&tool, "--force, --mapfile, --retry, --checkpoint and --fill go with -o only");
	if (options->map && is_no_mapfile(options->map))
		return options_misused(&tool, "--mapfile: a mapfile is read again to go on; it cannot go into a pipe or be compressed");
	if (options->offset_bytes && !options->files)
		return options_misused(&tool, "--offset goes with --files only");
	if (options->offset_bytes % 512)
		return options_misused(&tool, "--offset: %llu bytes is not a whole number of 512-byte sectors",
				       (unsigned long long)options->offset_bytes);
	if (options->output && !strcmp(options->output, "-"))
		return options_misused(&tool, "-o: an image has holes and can be gone on with; it cannot go into a pipe");
	return -1;
}

/*
 * What is copied, as the mapfile remembers it. With the sequence: going on from a spare that was
 * used or repaired in between would give an image of two moments.
 */
static void name_job(const struct composite *composite, const struct recover_options *options,
		     char *job)
{
	const struct rmeta_superblock *sb = &composite->dump.sb;
	char uuid[40];

	snprintf(job, RESCUE_MAP_JOB_BYTES, "%s %s, sequence %llu, main of %llu sectors%s%s",
		 composite->dump.file ? "dump of spare" : "spare", units_uuid(sb->uuid, uuid),
		 (unsigned long long)sb->sequence,
		 (unsigned long long)sb->main_sectors,
		 options->main_map ? ", by its mapfile" : "",
		 options->spare_map ? ", spare by its mapfile" : "");
}

/* The command as it goes on later, escaped; to be freed. */
static char *show_command(const struct recover_options *options)
{
	const char *const parts[][2] = {
		{ "--main", options->main }, { "--spare", options->spare },
		{ "--dump", options->dump }, { "--main-map", options->main_map },
		{ "--spare-map", options->spare_map }, { "-o", options->output },
	};
	char *command = report_format("remap-recover"), *longer, *shown;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!parts[i][1])
			continue;
		shown = escape_text(parts[i][1], strlen(parts[i][1]));
		longer = report_format("%s %s %s", command, parts[i][0], shown);
		free(shown);
		free(command);
		command = longer;
	}
	return command;
}

static int work(const struct composite *composite, const struct recover_options *options)
{
	char job[RESCUE_MAP_JOB_BYTES], *command;
	struct recover_copy copy = {
		.target = options->output,
		.map_path = options->map,
		.fill = options->fill ? options->fill : FILL_TEXT,
		.force = options->force,
		.retry = options->retry,
		.checkpoint_bytes = options->checkpoint_bytes ? options->checkpoint_bytes :
								CHECKPOINT_BYTES,
		.job = job,
	};
	int status;

	if (options->files)
		return recover_files(composite, options->offset_bytes);
	if (options->verify)
		return recover_verify(composite, options->verify);
	name_job(composite, options, job);
	command = show_command(options);
	copy.command = command;
	status = recover_copy(composite, &copy);
	free(command);
	return status;
}

/* Open main and find out what is on the spare. Return: exit status to go on with. */
static int open_all(struct composite *composite, const struct recover_options *options,
		    struct dump_file *file)
{
	struct dump *dump = &composite->dump;
	int status;

	if (device_open(&composite->main, options->main, DEVICE_READ, "main"))
		return STATUS_FAILED;
	device_warn_used(&composite->main);
	if (options->dump) {
		status = dump_file_read(file, options->dump);
		if (!status)
			dump_take_file(dump, file);
		return status;
	}
	if (device_is_at(&composite->main, options->spare)) {
		report_error("%s is named both as main and as spare", composite->main.shown);
		return STATUS_FAILED;
	}
	if (device_open(&dump->dev, options->spare, DEVICE_READ, "spare"))
		return STATUS_FAILED;
	device_warn_used(&dump->dev);
	dump->store.host = &dump->dev.host;
	return dump_examine(dump);
}

static int run(struct composite *composite, const struct recover_options *options,
	       struct dump_file *file)
{
	int status = open_all(composite, options, file), r;

	if (!composite->dump.ready || status == STATUS_FAILED)
		return status;
	r = composite_prepare(composite, options->accept_incomplete);
	if (!r && options->main_map)
		r = clone_map_take(&composite->main, &composite->main_absent, options->main_map,
				   composite->main_sectors, "main");
	if (!r && options->spare_map)
		r = clone_map_take(&composite->dump.dev, &composite->spare_absent,
				   options->spare_map, composite->dump.sb.spare_sectors,
				   "the spare");
	if (r)
		return r;
	/* Damaged copies were reported; what counts now is what could be read. */
	return work(composite, options);
}

int main(int argc, char **argv)
{
	struct recover_options options = { .files = false };
	struct composite composite = { .dump.store.ops = &rmeta_file_ops };
	struct dump_file file = { .shown = NULL };
	int status;

	status = options_parse(&tool, &options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&options);
	if (status >= 0)
		return status;
	status = run(&composite, &options, &file);
	progress_end();
	composite_exit(&composite);
	dump_file_free(&file);
	device_close(&composite.dump.dev);
	device_close(&composite.main);
	return report_finish(status);
}
