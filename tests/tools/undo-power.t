#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The promise of -z: end a tool at any write or flush, by a signal or with the power, and what
# the device held can be had back byte for byte. The same for the undo itself.
. "$(dirname "$0")/lib.sh"

# power AT HOW SEED COMMAND...: run it until then
power() {
	local at=$1 how=$2 seed=$3
	shift 3
	{
		POWER_AT=$at POWER_HOW=$how POWER_SEED=$seed LD_PRELOAD=$BUILD/tests/power.so \
			"$@" >out.txt 2>err.txt </dev/null
	} 2>/dev/null
}

# at_any NAME HOW IMAGE COMMAND...: COMMAND has -z u, and works on d.img. Sets ended and bad.
at_any() {
	local name=$1 how=$2 image=$3 at rc
	shift 3
	ended=0 bad=
	for ((at = 1; at < 1000; at++)); do
		rm -f u
		cp --sparse=always "$image" d.img
		power "$at" "$how" "$at" "$@"
		rc=$?
		[ $rc -eq 137 ] || break
		ended=$((ended + 1))
		[ ! -e u ] || remap-check -q --apply-undo u d.img >/dev/null 2>>apply.txt
		cmp -s "$image" d.img || bad="$bad $at"
	done
	# It came to its end: the file is complete, and gives everything back.
	[ $rc -eq 0 ] || [ $rc -eq 1 ] || bad="$bad end:$rc"
	remap-check -q --apply-undo u d.img || bad="$bad apply:$?"
	cmp -s "$image" d.img || bad="$bad end"
}
holds() {
	at_any "$@"
	is "$bad" "" "$1, ended at each of $ended calls: $2"
	[ "$ended" -ge 20 ] || fail "$1: only $ended calls were seen"
}

# Something of everything for the repair: copies, a page that is gone, two claims.
new_spare good.img 8M -L good
remap-import -q -b 4096 good.img < <(seq 50 359)
start=$(remap-dump --json good.img | json-get superblock.zone_start)
size=$(remap-dump --json good.img | json-get superblock.zone_sectors)
cp good.img damaged.img
smash damaged.img 0 2048 8192 $((start + 2 * size)) $(for c in 0 1 2 3 4; do
	echo $((start + c * size + 8)); done)
cp good.img gone.img
smash gone.img 0 1024 2048 4096 8192
truncate -s 8M blank.img
new_spare empty.img
seq 900 910 >list

for how in kill torn cut; do
	holds "check -y" $how damaged.img remap-check -y -z u d.img
	holds "import" $how good.img remap-import -q -b 4096 --from list -z u d.img
done
holds "check -y without superblocks" cut gone.img remap-check -y -z u d.img
holds "format of an empty spare" cut empty.img remap-format -q --main-size 1G -z u d.img
if command -v mkfs.ext4 >/dev/null; then
	truncate -s 8M fs.img
	mkfs.ext4 -q fs.img
	for how in torn cut; do
		holds "format over ext4" $how fs.img remap-format -q -f --main-size 1G -z u d.img
	done
else
	skip "format over ext4" "no mkfs.ext4"
fi

# A restore, onto the spare that was dumped and onto another one, with what slots hold.
python3 - good.img full.img <<'PY'
import shutil, struct, sys, zlib
shutil.copy(sys.argv[1], sys.argv[2])
with open(sys.argv[2], "r+b") as spare:
    spare.seek(64)
    start, size = struct.unpack("<QQ", spare.read(16))
    for copy in range(5):
        at = (start + copy * size) * 512
        spare.seek(at)
        page = bytearray(spare.read(4096))
        for nr in range(6):
            where = struct.unpack_from("<Q", page, 48 + 16 * nr)[0]
            struct.pack_into("<Q", page, 48 + 16 * nr, where & (1 << 48) - 1)
        page[4:8] = bytes(4)
        struct.pack_into("<I", page, 4, zlib.crc32(page))
        spare.seek(at)
        spare.write(page)
PY
remap-dump -q -F json -o dump.json full.img
cp full.img tableless.img
smash tableless.img 0 1024 $(for c in 0 1 2 3 4; do echo $((start + c * size)); done)
for how in kill cut; do
	holds "restore" $how tableless.img remap-restore -q -i dump.json -z u d.img
	holds "restore onto another spare" $how blank.img \
		remap-restore -q -i dump.json --data-from full.img -z u d.img
done

# A file that says it is durable when it is not: these tests would notice.
export POWER_LIE=/u
at_any "check -y" cut damaged.img remap-check -y -z u d.img
unset POWER_LIE
[ -n "$bad" ] && pass "an undo file that is not flushed is noticed (at$bad)" ||
	fail "an undo file that is not flushed is noticed"

# The undo itself, ended at any call, then done again; with an undo of its own, the other way too.
cp good.img after.img
rm -f u
remap-import -q -b 4096 -z u after.img < <(seq 2000 2299)
for how in kill torn cut; do
	ended=0 bad='' mixed=''
	for ((at = 1; at < 1000; at++)); do
		rm -f u2
		cp --sparse=always after.img d.img
		power "$at" "$how" "$at" remap-check -q --apply-undo u -z u2 d.img
		[ $? -eq 137 ] || break
		ended=$((ended + 1))
		cp --sparse=always d.img e.img
		# Nobody may take a mixture for a spare: it is one of the two, or none.
		if remap-dump --json e.img >dump.json 2>&1; then
			case $(json-get summary.mapped <dump.json) in
			310 | 610) ;;
			*) mixed="$mixed $at";;
			esac
		fi
		remap-check -q --apply-undo u d.img >/dev/null 2>>apply.txt
		cmp -s good.img d.img || bad="$bad $at"
		[ ! -e u2 ] || remap-check -q --apply-undo u2 e.img >/dev/null 2>>apply.txt
		cmp -s after.img e.img || bad="$bad back:$at"
	done
	is "$bad" "" "the undo, ended at each of $ended calls: $how"
	is "$mixed" "" "and a mixture is never taken for a spare"
	[ "$ended" -ge 10 ] || fail "the undo: only $ended calls were seen"
done
finish
