# SPDX-License-Identifier: GPL-2.0-only
# The table of each tool against what is made of it.

TESTS += tests/options/completions.t
tests-built: completions
