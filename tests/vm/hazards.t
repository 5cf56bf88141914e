#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The protections of the target, taken out one at a time: without it, the race that it is for
# must be lost, or the test of that race proves nothing.
#
# DM_REMAP_HAZARDS: which (names; default: all); DM_REMAP_ROUNDS: of each race
# (default 10); DM_REMAP_KERNELS (default 6.1).

here=$(cd "$(dirname "$0")" && pwd)
hazards=${DM_REMAP_HAZARDS:-}
all=
[ -n "$hazards" ] || {
	hazards=$("$here/hazards/build" --list)
	all=yes
}
kernels=${DM_REMAP_KERNELS:-6.1}

. "$here/common.sh"
# shellcheck disable=SC2086
need_kernels $kernels

words= carry=
for name in $hazards; do
	races=$("$here/hazards/build" --races "$name")
	words+=${words:+,}$name:${races// /:}
	carry+=${carry:+,}$name
done
for kernel in $kernels; do
	# shellcheck disable=SC2086
	if ! "$here/hazards/build" "$(cat "$("$here/prepare" --dir "$kernel")/kver")" $hazards; then
		echo "Bail out! a module without a protection does not build"
		exit 1
	fi
done
exec "$here/run" -k "$kernels" -c "$carry" -e "HAZARDS=$words" -e "ROUNDS=${DM_REMAP_ROUNDS:-10}" \
	-e "ALL=$all" ${DM_REMAP_TIMEOUT:+-t "$DM_REMAP_TIMEOUT"} "$here/hazards/guest.sh"
