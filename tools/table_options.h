/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of a device as /etc/remaptab and -o have them, and the words of the table line that they
 * stand for: "no_auto_remap,breaker=100:60" is "no_auto_remap breaker 100 60".
 */
#ifndef TOOLS_TABLE_OPTIONS_H
#define TOOLS_TABLE_OPTIONS_H

#include "host.h"

/**
 * struct table_options - options, parsed
 * @features: words for the table, with blanks between them; ""
 * @nr_features: how many words
 * @read_only: readonly is among them
 * @no_auto: noauto is among them: not brought up by scan --assemble
 */
struct table_options {
	char features[200];
	unsigned int nr_features;
	bool read_only;
	bool no_auto;
};

/**
 * table_options_parse() - parse
 * @options: out
 * @text: comma-separated; "defaults" stands for none
 *
 * Return: NULL, or what is wrong, to free(): it follows the place that it is said of.
 */
char *table_options_parse(struct table_options *options, const char *text);

/**
 * table_options_text() - the way back: what -o takes, from words of a table
 * @features: words that table_options_parse() made, or that a table has of these options
 *
 * Return: the text, to free(); "" for no words.
 */
char *table_options_text(const char *features);

#endif
