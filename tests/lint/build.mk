# SPDX-License-Identifier: GPL-2.0-only
# Static checkers.

.PHONY: lint
TESTS += tests/lint/lint.t

lint: setup
	@tests/lint/run
