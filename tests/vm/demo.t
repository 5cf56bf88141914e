#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make demo, the first that somebody new sees, with fewer sectors that die: it ends well, each of its steps is shown,
# and what it says is what its tools and guests said.
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=$(realpath -m "${BUILD:-$here/../../build}")
export BUILD DEMO_ROUNDS=2 DEMO_TIMEOUT=900
point=0 failed=0

reason=$("$here/prepare" 6.1 2>&1 >/dev/null)
case $? in
0) ;;
3) [ -n "${DM_REMAP_NEED_VM:-}" ] || { echo "1..0 # SKIP ${reason##*$'\n'}"; exit 0; }
	echo "Bail out! ${reason##*$'\n'}"; exit 1 ;;
*) echo "Bail out! ${reason##*$'\n'}"; exit 1 ;;
esac

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# ok STATUS NAME
ok()
{
	point=$((point + 1))
	[ "$1" = 0 ] && echo "ok $point - $2" && return
	echo "not ok $point - $2"
	failed=1
}
shows() { grep -Eq -e "$1" "$log"; ok $? "it shows: $1"; }

"$here/demo" >"$log" 2>&1 </dev/null
ok $? "it ends well"
for words in "^== 1\\. .*a disk that starts to fail" "80 sectors under the files cannot be written any more" \
	"umount, e2fsck: clean\\. [1-9][0-9]* writes failed on the disk; the filesystem saw none of them" \
	"^\\$ remap-import --from" "imported [1-9]" "^\\$ remap-check --repair" \
	"Every entry that was there before the accident is there after the repair\\." \
	"every sector of every file is what was last written" "^== Done\\. The disks and reports are in "; do
	shows "$words"
done
[ $failed = 0 ] || sed 's/^/# | /' "$log"
echo "1..$point"
exit $failed
