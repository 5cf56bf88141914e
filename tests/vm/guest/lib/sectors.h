/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sectors that say where they belong: what is in them follows from an address and a tag, so
 * that whoever knows both can check them. Addresses and counts are in sectors of 512 bytes.
 */
#ifndef SECTORS_H
#define SECTORS_H

#include <stdint.h>

#define SECTOR_SIZE 512u
#define SECTOR_WORDS (SECTOR_SIZE / 8)

/**
 * sectors_fill() - make data
 * @words: out
 * @address: of the first sector
 * @sectors: how many
 * @tag: which version
 */
void sectors_fill(uint64_t *words, uint64_t address, uint64_t sectors, uint64_t tag);

/**
 * sectors_wrong() - compare data with what sectors_fill() makes
 * @words: the data
 * @address: of the first sector
 * @sectors: how many
 * @tag: which version
 *
 * Return: index of the first sector that differs, or -1.
 */
int64_t sectors_wrong(const uint64_t *words, uint64_t address, uint64_t sectors, uint64_t tag);

#endif
