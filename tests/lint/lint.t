#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The checkers that take seconds. All of them: make lint.
exec "$(dirname "$0")/run" sparse cppcheck
