#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -z and --apply-undo: what is kept, what is given back, and what is refused. undo-power.t has
# what survives an end at any instant.
. "$(dirname "$0")/lib.sh"

new_spare good.img 8M -L good
remap-import -q -b 4096 good.img < <(seq 50 359)
uuid=$(remap-dump --json good.img | json-get superblock.uuid)
cp good.img damaged.img
smash damaged.img 1024 8192
# broken: d.img damaged, and repaired under u
broken() { rm -f u; cp damaged.img d.img; remap-check -q -y -z u d.img 2>/dev/null; }

# There and back.
cp damaged.img d.img
run remap-check -y -z u d.img
exits 1 "check -y -z"
like "$err" "to undo this: remap-check --apply-undo u d.img" "says how to undo it"
cp d.img after.img
before=$(sum d.img)
run remap-check --apply-undo u -n d.img
exits 0 "--apply-undo -n"
like "$out" "dry run: [0-9]+ of [0-9]+ sectors in 5 blocks would be put back" "says what it would do"
is "$(sum d.img)" "$before" "and does nothing"
run remap-check --apply-undo u --json -z v d.img
exits 0 "--apply-undo -z"
is "$(sum d.img)" "$(sum damaged.img)" "everything is as it was"
is "$(json tool undo.tool undo.complete undo.blocks undo.sectors_changed undo.applied undo.spare_uuid)" \
	"remap-check
remap-check
true
5
0
true
$uuid" "--json"
run remap-check --apply-undo u d.img
exits 0 "applied twice"
like "$out" "d.img holds already what it held before" "there is nothing to do"
run remap-check --apply-undo v d.img
exits 0 "the undo of the undo"
is "$(sum d.img)" "$(sum after.img)" "and the repair is back"
run remap-check -n d.img
exits 0 "and it is a clean spare"

# Nothing had to be written: there is a file all the same, and nothing to undo.
# nothing_to_undo COMMAND...: it succeeds without a change
nothing_to_undo() {
	local before
	before=$(sum d.img)
	rm -f u
	run "$@" -z u d.img
	exits 0 "$1 ${2:-} with nothing to do"
	unlike "$err" "to undo this" "says not how to undo it"
	run remap-check --apply-undo u d.img
	exits 0 "and --apply-undo then"
	like "$out" "nothing was changed on d.img, and there is nothing to undo" "says so"
	is "$(sum d.img)" "$before" "and does nothing"
}
cp good.img d.img
seq 50 359 >list
remap-dump -q --json good.img >good.json
nothing_to_undo remap-check -y
nothing_to_undo remap-check -p
nothing_to_undo remap-import -b 4096 --from list
nothing_to_undo remap-restore -i good.json
run remap-check --apply-undo u --json -z v2 d.img
is "$rc $(json undo.complete undo.blocks undo.applied | tr "\n" " ")" "0 true 0 false " "--json"
run remap-check --apply-undo v2 d.img
exits 0 "the undo of an undo that had nothing to do"
run remap-check --apply-undo u -n d.img
exits 0 "--apply-undo -n"
new_spare other.img 8M
refused 8 "other.img holds spare .*is about spare $uuid" "another spare" other.img \
	remap-check --apply-undo u other.img

# Nothing may be written: no file is left, so that the same name can be taken again.
rm -f u
cp good.img d.img
smash d.img 0 1024 2048 4096 8192
run remap-check -p -z u d.img
exits 4 "-p does not write superblocks"
[ ! -e u ] && pass "and no undo file" || fail "and no undo file"
cp good.img d.img
run remap-import -n -b 4096 --from list -z u d.img
[ ! -e u ] && pass "import -n: no undo file" || fail "import -n: no undo file"
run remap-restore -n -i good.json -z u d.img
[ ! -e u ] && pass "restore -n: no undo file" || fail "restore -n: no undo file"
run remap-check -n -z u d.img
[ ! -e u ] && pass "-n: no undo file" || fail "-n: no undo file"
run remap-format -n --main-size 1G -z u blank.img
[ ! -e u ] && pass "format -n: no undo file" || fail "format -n: no undo file"

# Undo files that cannot be.
cp damaged.img d.img
touch u
for tool in "remap-check -y" "remap-format --main-size 1G" "remap-import -b 4096 --from list"; do
	seq 3 >list
	refused 8 "undo file u is there already; it is not overwritten" "$tool: u is there" d.img \
		$tool -z u d.img
done
is "$(stat -c %s u)" 0 "and it is left alone"
ln -s nowhere link
refused 8 "is there already" "-z: a link to nothing" d.img remap-check -y -z link d.img
refused 8 "undo file d.img is the device itself" "-z: the spare" d.img remap-check -y -z d.img d.img
ln -s d.img link2
refused 8 "is the device itself" "-z: a link to the spare" d.img remap-check -y -z link2 d.img
refused 8 "No such file" "-z: in no directory" d.img remap-check -y -z none/u d.img
refused 8 "is there already" "-z: a directory" d.img remap-check -y -z . d.img
refused 16 "needs a value that is not empty" "-z: empty" d.img remap-check -y -z "" d.img
chmod 500 . 2>/dev/null
if [ "$(id -u)" -ne 0 ]; then
	rm -f x
	refused 8 "cannot be made" "-z: no permission" d.img remap-check -y -z x d.img
fi
chmod 700 .

# The undo file cannot grow: nothing is written that it does not have.
for nr in 1 2 3 6; do
	cp damaged.img d.img
	rm -f u
	POWER_FULL=$nr POWER_FULL_PATH=/u LD_PRELOAD=$BUILD/tests/power.so run remap-check -y -z u d.img
	[ $((rc & 8)) -ne 0 ] && pass "no space at write $nr (exit $rc)" || fail "no space at write $nr (exit $rc)"
	like "$err" "undo file u cannot be written: No space.*nothing more is written" "is said"
	[ ! -e u ] || run remap-check --apply-undo u d.img
	is "$(sum d.img)" "$(sum damaged.img)" "and what was written is undone"
done

# The same where the last write that succeeds is only half of one.
for nr in 1 2; do
	cp damaged.img d.img
	rm -f u
	POWER_SHORT=1 POWER_FULL=$nr POWER_FULL_PATH=/u LD_PRELOAD=$BUILD/tests/power.so \
		run remap-check -y -z u d.img
	[ $((rc & 8)) -ne 0 ] && pass "no space after half of write $nr" || fail "no space after half of write $nr"
	like "$err" "undo file u cannot be written: No space" "is said"
	[ ! -e u ] || run remap-check --apply-undo u d.img
	is "$(sum d.img)" "$(sum damaged.img)" "and what was written is undone"
done

# Not an undo file, or no longer one.
broken
before=$(sum d.img)
mkfifo fifo
: >empty
head -c 100 u >short
refused 8 "cannot open undo file nowhere: No such file" "no such file" d.img remap-check --apply-undo nowhere d.img
refused 8 "is not a regular file" "a directory" d.img remap-check --apply-undo . d.img
refused 8 "is not a regular file" "a FIFO" d.img timeout 60 remap-check --apply-undo fifo d.img
refused 8 "is not a regular file" "/dev/null" d.img remap-check --apply-undo /dev/null d.img
refused 8 "is the device itself" "the spare" d.img remap-check --apply-undo d.img d.img
refused 8 "list is not an undo file of dm-remap" "a list" d.img remap-check --apply-undo list d.img
refused 8 "good.img is not an undo file of dm-remap" "another spare" d.img remap-check --apply-undo good.img d.img
refused 8 "cut off within its first 512 bytes" "an empty file" d.img remap-check --apply-undo empty d.img
refused 8 "cut off within its first 512 bytes" "100 bytes of one" d.img remap-check --apply-undo short d.img
head -c 5 u >short
refused 8 "cut off within its first 512 bytes" "5 bytes of one" d.img remap-check --apply-undo short d.img
refused 8 "u is still being written" "one that is being written" d.img flock u remap-check --apply-undo u d.img
refused 16 "only -n, -f and -z go with it" "with -y" d.img remap-check --apply-undo u -y d.img
refused 16 "the same file" "-z of the same name" d.img remap-check --apply-undo u -z u d.img
refused 8 "undo file short is there already" "-z of a file that is there" d.img remap-check --apply-undo u -z short d.img
refused 8 "cannot find spare" "no device" d.img remap-check --apply-undo u nowhere

# One byte that is wrong, anywhere: refused, or it was not needed.
size=$(stat -c %s u)
bad=
for ((at = 0; at < size; at += 499)); do
	cp u w
	printf '\xa5' | dd of=w bs=1 seek="$at" conv=notrunc status=none
	! cmp -s u w || continue
	remap-check -q --apply-undo w d.img >/dev/null 2>err.txt
	[ $? -eq 8 ] && [ "$(sum d.img)" = "$before" ] || bad="$bad $at"
done
is "$bad" "" "a wrong byte anywhere in $size bytes is refused"
like "$(cat err.txt)" "damaged near byte|only what follows|is cut short|changed since" "with a reason"

# Cut off anywhere: what is left is refused, or gives back everything.
bad=
for ((at = 0; at < size; at += 499)); do
	head -c "$at" u >w
	cp d.img e.img
	remap-check -q --apply-undo w e.img >/dev/null 2>err.txt
	case $?:$(sum e.img) in
	8:$before | 0:$(sum damaged.img)) ;;
	*) bad="$bad $at";;
	esac
done
is "$bad" "" "cut off anywhere: refused, or all of it"
head -c 1000 u >w
refused 8 "has no whole record" "cut off in the first record" d.img remap-check --apply-undo w d.img
head -c $((size - 72)) u >w
run remap-check --apply-undo w d.img
exits 0 "only the last record is missing"
like "$err" "was cut short, or its end is missing" "is said"
is "$(sum d.img)" "$(sum damaged.img)" "and everything is given back"
broken
(cat u; head -c 4096 /dev/zero) >w
refused 8 "damaged near byte" "something behind the end" d.img remap-check --apply-undo w d.img

# The wrong device.
new_spare other.img 8M -L other
refused 8 "other.img holds spare .*is about spare $uuid" "another spare" other.img \
	remap-check --apply-undo u other.img
refused 8 "is about spare $uuid" "another spare, --force" other.img \
	remap-check -f --apply-undo u other.img
new_spare large.img 16M
refused 8 "large.img has 32768 sectors, and undo file u is about a device of 16384" "another size" \
	large.img remap-check -f --apply-undo u large.img
truncate -s 8M zero.img
refused 8 "is not what undo file u was made for" "not a spare" zero.img remap-check --apply-undo u zero.img

# The spare was used since.
remap-import -q -b 4096 d.img < <(seq 7000 7010)
refused 8 "has changed since: [0-9]+ sectors, the first of them 0.*--force" "used since" d.img \
	remap-check --apply-undo u d.img
run remap-check -f --apply-undo u d.img
exits 0 "used since, --force"
like "$err" "written later are overwritten" "warns"
run remap-check -y d.img
[ $((rc & ~1)) -eq 0 ] && pass "and the spare can be repaired" || fail "and the spare can be repaired ($rc)"

# In use, or locked.
broken
refused 8 "d.img is locked by another program" "locked" d.img flock d.img remap-check --apply-undo u d.img
if attach d.img; then
	coproc HOLD { exec hold-device "$loop"; }
	read -r held <&"${HOLD[0]}"
	refused 8 "is in use" "a device that another program holds" d.img remap-check --apply-undo u "$loop"
	eval "exec ${HOLD[1]}>&-"
	wait "$HOLD_PID" 2>/dev/null
	run remap-check --apply-undo u "$loop"
	exits 0 "a block device"
	is "$(sum d.img)" "$(sum damaged.img)" "gets back what it held"
	losetup -d "$loop"
else
	skip "block devices" "not root, or no loop devices here"
fi

# Cut short, and what the other tools say then.
broken
cp d.img e.img
{ POWER_AT=9 POWER_HOW=kill LD_PRELOAD=$BUILD/tests/power.so remap-check --apply-undo u d.img; } \
	>/dev/null 2>&1
if remap-dump d.img >/dev/null 2>&1; then
	fail "in the middle of an undo"
else
	pass "in the middle of an undo no tool takes it for a spare"
fi
refused 4 "an undo of d.img was cut short.*finish it with remap-check --apply-undo" "check -y" d.img \
	remap-check -y d.img
run remap-check --json -y d.img
is "$(json exit_status spare undo_underway written found)" "4
d.img
true
false
0" "and --json has all of it"
refused 8 "is not overwritten" "format" d.img remap-format -f --main-size 1G d.img
run remap-check -n d.img
exits 4 "check -n looks"
like "$err" "an undo of d.img was cut short" "and says it"
run remap-check --apply-undo u d.img
exits 0 "the same command again"
is "$(sum d.img)" "$(sum damaged.img)" "finishes it"

# What could not be read before it was overwritten cannot be given back, and is said.
rm -f u
cp damaged.img d.img
POWER_BAD=1027 LD_PRELOAD=$BUILD/tests/power.so run remap-check -y -z u d.img
exits 1 "a sector that cannot be read"
like "$out" " 1 +1024 +unreadable" "the copy that it is in"
run remap-check --apply-undo u d.img
exits 4 "--apply-undo then"
like "$err" "1 sector could not be read when u was made; they keep what was written" "says so"
is "$(cmp -l damaged.img d.img | awk '{ print int(($1 - 1) / 512) }' | sort -u)" 1027 \
	"everything else is as it was"

# A device of a length that is no multiple of 4 KiB; a remap unit of one sector.
truncate -s $((8 * 1048576 + 512 * 3)) odd.img
remap-format -q --main-size 1G -b 512 odd.img
cp odd.img d.img
rm -f u
run remap-import -q -b 512 -z u d.img < <(seq 100 400)
exits 0 "an odd length"
run remap-check --apply-undo u d.img
is "$rc:$(sum d.img)" "0:$(sum odd.img)" "is put back"
finish
