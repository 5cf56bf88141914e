// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: lists of which nobody says what they are. */
#include "fuzz_list.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	fuzz_list(NULL, data, bytes, false);
	return 0;
}
