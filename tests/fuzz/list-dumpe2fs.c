// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: what dumpe2fs prints. */
#include "fuzz_list.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	fuzz_list(&list_dumpe2fs, data, bytes, false);
	return 0;
}
