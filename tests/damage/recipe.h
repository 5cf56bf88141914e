/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recipes: a damaged spare as a few lines of text, one case of the damage corpus. What a
 * recipe can say is in tests/damage/README.md. Field offsets are those of docs/format.md,
 * written down here a second time on purpose: a mistake in format.c is then noticed.
 */
#ifndef DAMAGE_RECIPE_H
#define DAMAGE_RECIPE_H

#include "spare.h"

/**
 * recipe_make() - make the spare that a recipe describes
 * @path: file
 * @spare: out: the spare, its disk damaged; to be freed with spare_free() after success
 * @error: out: what is wrong with the recipe, when it is
 * @bytes: room in @error
 *
 * Return: true, or false with @error set.
 */
bool recipe_make(const char *path, struct spare *spare, char *error, size_t bytes);

#endif
