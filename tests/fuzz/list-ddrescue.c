// SPDX-License-Identifier: GPL-2.0-only
/* Fuzz target: mapfiles of ddrescue. */
#include "fuzz_list.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	fuzz_list(&list_ddrescue, data, bytes, true);
	return 0;
}
