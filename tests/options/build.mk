# SPDX-License-Identifier: GPL-2.0-only
# One table for each tool: --help, the manual and the completions agree with it.

TESTS += tests/options/agree.t tests/options/completions.t tests/options/target.t
tests-built: completions
