#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Records what the kernel writes to a spare and replays it: see replay.c.
#
# DM_REMAP_EVERY: every so-manyth prefix (default 4); DM_REMAP_KERNELS (default 6.1);
# DM_REMAP_SEED.

here=$(cd "$(dirname "$0")" && pwd)
vm=$here/../vm
BUILD=${BUILD:-$here/../../build}
kernels=${DM_REMAP_KERNELS:-6.1}
SPARE_SECTORS=16384	# as in record.sh

. "$vm/common.sh"
# shellcheck disable=SC2086
need_kernels $kernels

disks=$(mktemp -d)
trap 'rm -rf "$disks"' EXIT
number=0
point() { number=$((number + 1)); echo "$1 $number - $2"; }
for kernel in $kernels; do
	rm -f "$disks/disk0"
	if "$vm/run" -k "$kernel" ${DM_REMAP_TIMEOUT:+-t "$DM_REMAP_TIMEOUT"} -d "$disks" \
			-e "SEED=${DM_REMAP_SEED:-1}" "$here/record.sh" >"$disks/record" 2>&1; then
		point ok "$kernel: recorded"
	else
		point "not ok" "$kernel: recorded"
		sed 's/^/# /' "$disks/record"
		continue
	fi
	"$BUILD/tests/replay" "$disks/disk0" $SPARE_SECTORS "${DM_REMAP_EVERY:-4}" >"$disks/replayed"
	status=$?
	sed -n 's/^#/#/p' "$disks/replayed"
	while read -r line; do
		point "${line%% [0-9]*}" "$kernel: ${line#* - }"
	done < <(grep -E '^(not )?ok ' "$disks/replayed")
	if [ $status = 0 ]; then
		point ok "$kernel: replayed"
	else
		point "not ok" "$kernel: replayed"
	fi
	if "$BUILD/tests/replay" "$disks/disk0" $SPARE_SECTORS 100 lose-data >/dev/null; then
		point ok "$kernel: that data is missing is noticed"
	else
		point "not ok" "$kernel: that data is missing is noticed"
	fi
done
echo "1..$number"
