# SPDX-License-Identifier: GPL-2.0-only
# The pages for users, whose commands are run. Those that need device mapper: tests/vm/t/docs.sh.

TESTS += tests/docs/pages.t tests/docs/commands.t
