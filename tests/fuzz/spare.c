// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: the engine on a damaged spare with few table pages. */
#include "fuzz_spare.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	fuzz_spare(data, bytes, false);
	return 0;
}
