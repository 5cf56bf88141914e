#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A slice of every fuzzer: FUZZ_SECONDS each, and every input that failed once. A minute each is
# `make check-fuzz`.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v "${FUZZ_CC:-clang-14}" >/dev/null; then
	echo "1..0 # SKIP no ${FUZZ_CC:-clang-14} to build the fuzzers with"
	exit 0
fi
exec tests/fuzz/run -t "${FUZZ_SECONDS:-7}" -j "${FUZZ_JOBS:-2}"
