#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every patch that takes a protection out still applies to the sources, and names its races.

here=$(cd "$(dirname "$0")" && pwd)
number=0
for name in $("$here/hazards/build" --list); do
	number=$((number + 1))
	if out=$("$here/hazards/build" --check "$name" 2>&1); then
		echo "ok $number - $name applies"
	else
		echo "not ok $number - $name applies"
		echo "$out" | sed 's/^/# /'
	fi
	number=$((number + 1))
	if [ -n "$("$here/hazards/build" --races "$name")" ]; then
		echo "ok $number - $name says which races are lost without it"
	else
		echo "not ok $number - $name says which races are lost without it"
	fi
done
echo "1..$number"
