/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * remap-check --main: is this the main that a spare stands in for, and is it as dm-remap left
 * it? Reads only, repairs nothing.
 */
#ifndef TOOLS_CHECK_MAIN_H
#define TOOLS_CHECK_MAIN_H

#include "check.h"
#include "device.h"
#include "json.h"
#include "signature.h"

enum main_answer {
	MAIN_UNKNOWN,		/* nothing is on record, or it cannot be read */
	MAIN_SAME,
	MAIN_DIFFERS,
};

/**
 * struct main_check - what was found out; all zero but for @path before main_check_open()
 * @path: of main; set by the caller
 * @dev: main
 * @identity: of @dev
 * @length: is it as long as the spare says?
 * @same: is it the same disk, and the same place on it?
 * @print: does it hold what it held when it was released?
 * @stale_blocks: blocks of which the slot may be older than main
 * @mismatches: questions with MAIN_DIFFERS
 */
struct main_check {
	const char *path;
	struct device dev;
	struct identity identity;
	enum main_answer length;
	enum main_answer same;
	enum main_answer print;
	u32 stale_blocks;
	unsigned int mismatches;
};

/**
 * main_check_open() - open main
 * @main: out
 * @path: of main
 * @spare: open spare, which must be another device
 *
 * Return: exit status.
 */
int main_check_open(struct main_check *main, const char *path, const struct device *spare);

/**
 * main_check_compare() - compare main with what a spare says, and print it
 * @main: open
 * @check: a check that found a superblock
 */
void main_check_compare(struct main_check *main, const struct rmeta_check *check);

/* The member "main" of the JSON object. */
void main_check_json(const struct main_check *main, struct json *json);

void main_check_close(struct main_check *main);

#endif
