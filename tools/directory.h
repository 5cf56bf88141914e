/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of files: what makes them durable is their directory.
 */
#ifndef TOOLS_DIRECTORY_H
#define TOOLS_DIRECTORY_H

/**
 * directory_open() - open the directory that a file is in
 * @path: of the file, which need not be there
 *
 * Return: a descriptor, or a negative errno.
 */
int directory_open(const char *path);

/**
 * directory_sync() - make the name of a file durable, after it was made, renamed or removed
 * @path: of the file
 *
 * Some network filesystems know no flush of a directory: nothing better is to be had there.
 *
 * Return: 0, or a negative errno.
 */
int directory_sync(const char *path);

#endif
