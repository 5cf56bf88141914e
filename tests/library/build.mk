# SPDX-License-Identifier: GPL-2.0-only
# The library as other programs meet it: installed, found by pkg-config, linked.

TESTS += tests/library/install.t
tests-built: library
