#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The index at scale: a guest maps DM_REMAP_SCALE blocks (default: a slice) and takes half and more
# out again, then remap-check looks at the spare on this host, and must find what the guest left.
# `make check-scale` does a million, on both kernels.

set -u
cd "$(dirname "$0")/../.." || exit
BUILD=$(realpath -m "${BUILD:-build}")
export BUILD
count=${DM_REMAP_SCALE:-8000}
read -ra kernels <<<"${DM_REMAP_SCALE_KERNELS:-6.1}"
point=0 failed=0

. tests/vm/common.sh
need_kernels "${kernels[@]}"

# STATUS NAME, with what to show on standard input
ok()
{
	point=$((point + 1))
	if [ "$1" = 0 ]; then
		echo "ok $point - $2"
	else
		echo "not ok $point - $2"
		failed=1
	fi
	sed 's/^/# /'
}

for kernel in "${kernels[@]}"; do
	dir=$BUILD/vm/scale-$kernel
	rm -rf "$dir"
	mkdir -p "$dir"
	tests/vm/run -k "$kernel" ${DM_REMAP_TIMEOUT:+-t "$DM_REMAP_TIMEOUT"} -d "$dir" \
		-e COUNT="$count" tests/vm/scale/scale.sh >"$dir/guest.tap" 2>&1
	status=$?
	ok $status "$kernel: a guest with $count remaps" \
		< <(if [ $status = 0 ]; then grep '^#' "$dir/guest.tap"; else grep -v '^ok' "$dir/guest.tap"; fi | sed 's/^# //')
	left=$(sed -n 's/^# left=//p' "$dir/guest.tap")
	"$BUILD/remap-check" -n "$dir/disk1" >"$dir/check.out" 2>&1
	ok $? "$kernel: remap-check finds the spare clean" < <(tail -n 5 "$dir/check.out")
	used=$("$BUILD/remap-dump" -F json "$dir/disk1" 2>>"$dir/check.out" |
		python3 -c 'import json, sys; print(sum(e["state"] == "mapped" for e in json.load(sys.stdin)["entries"]))' 2>>"$dir/check.out")
	[ -n "$left" ] && [ "$used" = "$left" ]
	ok $? "$kernel: and finds the ${left:-?} remaps that were left (${used:-?})" </dev/null
	rm -rf "$dir"/disk*
done
echo "1..$point"
exit $failed
