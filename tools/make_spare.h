/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making a device or an image file a spare, in steps: what is checked before anything is written,
 * what is shown, and the writing, which is the engine's. For whichever tool makes one.
 */
#ifndef TOOLS_MAKE_SPARE_H
#define TOOLS_MAKE_SPARE_H

#include "json.h"
#include "signature.h"
#include "spare.h"

#define MAKE_SPARE_BLOCK_BYTES 4096	/* unless something else is asked for */

/**
 * struct make_spare_options - what is asked for
 * @main: path of main, or NULL
 * @main_size_bytes: its length, where @main is NULL
 * @spare: path of what becomes the spare
 * @block_bytes: remap unit
 * @label: or NULL
 * @force: overwrite the signatures of others
 * @large_spare: it may be larger than main
 */
struct make_spare_options {
	const char *main;
	u64 main_size_bytes;
	const char *spare;
	u64 block_bytes;
	const char *label;
	bool force;
	bool large_spare;
};

/**
 * struct make_spare - a spare that is being made; all zero but for @options before the first step
 * @options: what is asked for
 * @main: open if @options.main was given
 * @spare: open
 * @identity: of main
 * @params: for the engine
 * @geo: layout that it will have
 */
struct make_spare {
	struct make_spare_options options;
	struct device main;
	struct device spare;
	struct identity identity;
	struct rmeta_format_params params;
	struct rmeta_geometry geo;
};

/**
 * make_spare_check_options() - what can be said of the options alone
 * @options: options
 *
 * Return: NULL, or what is wrong with them, to free().
 */
char *make_spare_check_options(const struct make_spare_options *options);

/**
 * make_spare_prepare() - open the devices, decide whether they may and can be used, lay out
 * @make: with @options filled in
 *
 * Nothing is written. main is only read, and may be in use.
 *
 * Return: an exit status, with everything said; make_spare_close() is due in any case.
 */
int make_spare_prepare(struct make_spare *make);

/* Print what it will be: spare, main, label, uuid, sizes. */
void make_spare_show(const struct make_spare *make);

/* The same, as members of the JSON object. */
void make_spare_json(const struct make_spare *make, struct json *json);

/**
 * make_spare_write() - write it
 * @make: prepared
 *
 * Return: an exit status, with an error reported.
 */
int make_spare_write(struct make_spare *make);

/* Close the devices. */
void make_spare_close(struct make_spare *make);

#endif
