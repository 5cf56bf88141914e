#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the tools do not touch: devices and files that somebody uses, or that are no devices.
. "$(dirname "$0")/lib.sh"

truncate -s 1M main.img	# to be hashed where the device itself may change: it is mounted
# writers FILE: commands that would write to it
format() { remap-format -f --main-size 1G "$1"; }
import() { remap-import -b 4096 --from list "$1"; }
repair() { remap-check -y "$1"; }
restore() { remap-restore -f -i dump.json "$1"; }
erase() { remap-setup erase -f "$1"; }
unrepair() { remap-check -f --apply-undo undo "$1"; }
recover() { remap-recover -f --main source.img --spare source-spare.img -o "$1" -m target.map; }
writers="format import repair restore erase unrepair"	# of spares; remap-recover takes any device
seq 5 9 >list
truncate -s 8M source.img
new_spare source-spare.img 8M --main-size 8M

# Things that are no devices.
mkdir dir
mkfifo fifo
new_spare s.img
remap-dump -F json -o dump.json s.img
cp s.img u.img
remap-import -q -b 4096 --from list -z undo u.img
refused 8 "cannot find spare nowhere: No such file" "format: missing" s.img format nowhere
refused 8 "cannot find spare nowhere: No such file" "import: missing" s.img import nowhere
refused 8 "cannot find spare nowhere: No such file" "check: missing" s.img repair nowhere
refused 8 "cannot find spare nowhere: No such file" "check -n: missing" s.img remap-check -n nowhere
refused 8 "cannot find spare nowhere: No such file" "dump: missing" s.img remap-dump nowhere
for tool in $writers remap-dump "remap-check -n"; do
	refused 8 "dir is a directory; the spare must be a block device or an image" \
		"$tool: a directory" s.img $tool dir
	refused 8 "fifo is a FIFO" "$tool: a FIFO" s.img timeout 60 bash -c \
		"$(declare -f $writers); $tool fifo"
	refused 8 "/dev/null is a character device" "$tool: a character device" s.img $tool /dev/null
	refused 8 "s.img/x: Not a directory" "$tool: a path through a file" s.img $tool s.img/x
	refused 8 'a.xab.x1bb is a directory' "$tool: a name that would write on the terminal" s.img \
		bash -c "$(declare -f $writers); mkdir -p \$'a\xab\x1bb'; $tool \$'a\xab\x1bb'"
done
refused 8 "main must be a block device" "--main: a directory" s.img remap-format --main dir s.img

# Without stdin, stdout or stderr what is opened gets none of their numbers, and nothing is written there.
new_spare full.img
remap-import -q -b 4096 --from list full.img
held=$(sum full.img)
for closed in "0<&-" "1>&-" "2>&-" "0<&- 1>&- 2>&-"; do
	for tool in format "remap-setup rebind --complete full.img" "remap-import -t ddrescue --from list" \
		"remap-restore --data-from full.img -i dump.json"; do
		(eval "$tool full.img >/dev/null 2>/dev/null $closed") && fail "$tool: refuses"
		is "$(sum full.img)" "$held" "$tool with $closed: no message lands on the spare"
	done
done
remap-import -b 4096 --from list full.img 2>&- >/dev/null
is "$?" 0 "what has nothing to say works without stderr"
run bash -c 'remap-import -b 4096 full.img 0<&-'
exits 8 "a list from a closed stdin is an error, not an empty one"
like "$err" "cannot read the list: Bad file descriptor" "and is called that"
run bash -c 'remap-dump full.img 1>&-'
exits 8 "a dump to a closed stdout, too"

# Where there is no /dev/null either nothing is done.
if unshare -m true 2>/dev/null; then
	for closed in "0<&-" "1>&-" "2>&-"; do
		run unshare -m bash -c "mount -t tmpfs none /dev && exec remap-import -b 4096 --from list full.img $closed"
		exits 8 "nothing is done with $closed and no /dev/null"
		is "$(sum full.img)" "$held" "and nothing lands on the spare"
	done
else
	skip "no /dev/null" "no mount namespace of one's own here"
fi

# Not a spare, and a damaged one: never the same message, never the same status.
truncate -s 8M blank.img
head -c 8M /dev/urandom >noise.img
for file in blank.img noise.img; do
	refused 8 "$file is not a dm-remap spare" "import: $file" $file import $file
	refused 8 "$file is not a dm-remap spare" "dump: $file" $file remap-dump $file
	refused 8 "$file is not a dm-remap spare" "check -n: $file" $file remap-check -n $file
	refused 8 "$file is not a dm-remap spare" "check --repair: $file" $file remap-check --repair $file
done
new_spare d.img
remap-import -q -b 4096 d.img <list
start=$(remap-dump --json d.img | json-get superblock.zone_start)
size=$(remap-dump --json d.img | json-get superblock.zone_sectors)
smash d.img $start $((start + size)) $((start + 2 * size)) $((start + 3 * size)) $((start + 4 * size))
refused 4 "page 0: .*remap-check" "import: all copies of a page are gone" d.img import d.img
refused 4 "page 0: .*remap-check" "dump: all copies of a page are gone" d.img remap-dump d.img
refused 8 "damaged dm-remap spare that may hold remaps" "format: all copies of a page are gone" \
	d.img format d.img
new_spare short.img
remap-import -q -b 4096 short.img <list
truncate -s 6M short.img
refused 4 "length of this device|short" "import: a spare that was cut off" short.img import short.img
before=$(sum short.img)
run repair short.img
exits 4 "check -y: a spare that was cut off"
like "$out" "shorter than the spare was" "check -y: says what is wrong"
is "$(sum short.img)" "$before" "check -y: changes nothing"

# Locks.
new_spare s.img
for tool in $writers; do
	refused 8 "s.img is locked by another program" "$tool: locked" s.img \
		flock s.img bash -c "$(declare -f $writers); $tool s.img"
done
run flock s.img remap-dump s.img
exits 0 "dump: locked, and reads all the same"
like "$err" "locked by another program" "but says that it was"
run flock --shared s.img remap-check -n s.img
exits 0 "check -n: beside another reader"
is "$err" "" "has nothing to say"

# Permission.
if [ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null; then
	chmod 444 s.img
	chmod 755 .
	as=
	[ "$(id -u)" -ne 0 ] || as="setpriv --reuid 65534 --regid 65534 --clear-groups"
	refused 8 "cannot open spare s.img for writing: Permission denied" "import: not permitted" \
		s.img $as remap-import --from list s.img
	run $as remap-dump s.img
	exits 0 "dump: permitted"
	run $as remap-check -n s.img
	exits 0 "check -n: permitted"
	chmod 644 s.img
else
	skip "permissions" "no setpriv(1) to be somebody else"
fi

# -o never overwrites what is dumped.
refused 8 "is the spare itself" "dump -o onto the spare" s.img remap-dump -o s.img s.img
ln -s s.img link
refused 8 "is the spare itself" "dump -o onto the spare through a link" s.img remap-dump -o link s.img
refused 8 "is a directory" "dump -o onto a directory" s.img remap-dump -o dir s.img

# Loop devices: the image is refused while what is on it is in use.
if attach s.img; then
	run remap-check -n "$loop"
	exits 0 "check -n: a loop device"
	run remap-import -b 4096 --from list "$loop"
	exits 0 "import: a loop device"
	is "$(remap-dump --json "$loop" | json-get summary.mapped)" 5 "dump: a loop device"
	run remap-check -p s.img
	exits 0 "check -p: the image of an idle loop device"

	coproc HOLD { exec hold-device "$loop"; }
	read -r held <&"${HOLD[0]}"
	is "$held" held "(another program holds $loop)"
	for tool in $writers; do
		refused 8 "$loop is in use" "$tool: a device that another program holds" s.img $tool "$loop"
		refused 8 "s.img is in use: it is behind $loop" "$tool: the image behind it" s.img $tool s.img
	done
	refused 8 "$loop is in use" "recover: a device that another program holds" s.img recover "$loop"
	run remap-dump s.img
	exits 0 "dump: the image of a busy loop device"
	run remap-check -n s.img
	exits 0 "check -n: the image of a busy loop device"
	like "$err" "is live \(it is behind $loop" "says that it is live"
	eval "exec ${HOLD[1]}>&-"
	wait "$HOLD_PID" 2>/dev/null
	run remap-check -p s.img
	exits 0 "check -p: after it was let go"
	refused 8 "$loop is a spare of dm-remap that holds or may hold remaps" "recover: onto a spare" \
		s.img recover "$loop"
	refused 8 "$loop is locked by another program" "recover: locked" s.img \
		flock "$loop" bash -c "$(declare -f recover); recover $loop"
else
	skip "loop devices" "not root, or no loop devices here"
fi

# Mounted, by itself and through a loop device.
rm -f fs.img && truncate -s 16M fs.img
mkdir mnt
if command -v mkfs.ext4 >/dev/null && mkfs.ext4 -q fs.img && attach fs.img &&
   mount "$loop" mnt 2>/dev/null; then
	cleanup "umount $work/mnt 2>/dev/null"
	for tool in $writers; do
		refused 8 "$loop is in use: mounted on .*/mnt" "$tool: a mounted device" main.img $tool "$loop"
		refused 8 "fs.img is in use: it is behind $loop \(mounted on" "$tool: a mounted image" fs.img $tool fs.img
	done
	refused 8 "$loop is in use: mounted on .*/mnt" "recover: a mounted device" main.img recover "$loop"
	new_spare other.img
	run remap-format --main "$loop" other.img
	exits 0 "format: main may be mounted"
	umount mnt
	# A partition of the device that is mounted makes the device used.
	if command -v addpart >/dev/null && addpart "$loop" 1 0 32768 2>/dev/null; then
		number=$(cat /sys/block/"${loop#/dev/}"/"${loop#/dev/}"p1/dev)
		mknod part b "${number%:*}" "${number#*:}"
		cleanup "delpart $loop 1 2>/dev/null"
		if mount part mnt 2>/dev/null; then
			for tool in $writers; do
				refused 8 "through its partition ${loop#/dev/}p1 \(mounted on" \
					"$tool: a device with a mounted partition" main.img $tool "$loop"
			done
			run remap-format -f --json --main part other.img
			exits 0 "format: main is a partition"
			is "$(json main_start main_sectors)" "0
32768" "where it starts is recorded"
			umount mnt
		else
			skip "a mounted partition" "its device node cannot be used here"
		fi
	else
		skip "a mounted partition" "no partitions on loop devices here"
	fi
else
	skip "mounted devices" "not root, no loop devices, no mkfs.ext4, or mount is not permitted"
fi

# Swap.
dd if=/dev/zero of=swap.img bs=1M count=16 status=none
chmod 600 swap.img
if [ "$(id -u)" -eq 0 ] && command -v mkswap >/dev/null && mkswap -q swap.img &&
   swapon swap.img 2>/dev/null; then
	cleanup "swapoff $work/swap.img 2>/dev/null"
	for tool in $writers; do
		refused 8 "swap.img is in use: swap space" "$tool: swap" swap.img $tool swap.img
	done
	swapoff swap.img
else
	skip "swap" "not root, or swapon is not permitted on this filesystem"
fi

# A signature that is only a leftover (here of swap space): what is advised works.
if command -v wipefs >/dev/null; then
	new_spare s.img 16M
	printf '\1\0\0\0\377\17\0\0' | dd of=s.img bs=1 seek=1024 conv=notrunc status=none
	printf SWAPSPACE2 | dd of=s.img bs=1 seek=4086 conv=notrunc status=none
	refused 8 "wipefs -b -o OFFSET s.img takes it away" "import: a leftover of swap space" s.img \
		remap-import --from list s.img
	offset=$(wipefs --noheadings --output OFFSET s.img | head -n 1)
	ok "wipefs takes it away" env HOME="$work" wipefs -q -b -o "$offset" s.img
	run remap-import -q -b 4096 --from list s.img
	exits 0 "and then it is a spare again"
else
	skip "a leftover signature on a spare" "no wipefs"
fi

# A spare that somebody put a filesystem on: its superblock is ours still, in other copies.
if command -v mkfs.ext4 >/dev/null; then
	new_spare s.img 16M
	remap-import -q -b 4096 s.img <list
	mkfs.ext4 -q -F -E nodiscard s.img
	refused 8 "is a spare, but also holds something else: ext4" "import: ext4 over a spare" s.img \
		remap-import --from list s.img
	before=$(sum s.img)
	run remap-check -y s.img
	[ $((rc & 4)) -ne 0 ] && pass "check -y: ext4 over a spare is not repaired (exit $rc)" ||
		fail "check -y: ext4 over a spare is not repaired (exit $rc)"
	is "$(sum s.img)" "$before" "check -y: nothing was changed"
	like "$err" "something else: ext4.*--force" "check -y: says what it needs"
	run remap-check -y -f s.img
	exits 1 "check -y --force repairs it"
	run remap-check -n s.img
	exits 0 "and it is clean then"
else
	skip "a filesystem over a spare" "no mkfs.ext4"
fi

# A spare whose slots hold a filesystem's bytes is no filesystem.
new_spare s.img 16M
start=$(remap-dump --json s.img | json-get superblock.zone_start)
pages=$(remap-dump --json s.img | json-get superblock.table_pages)
if command -v mkfs.ext4 >/dev/null; then
	rm -f small.img && truncate -s 1M small.img && mkfs.ext4 -q small.img
	dd if=small.img of=s.img bs=512 seek=$((start + pages * 8)) conv=notrunc status=none
	run remap-import -b 4096 --from list s.img
	exits 0 "import: data of main in the slots is not in the way"
fi
is "$(ls target.map 2>&1)" "ls: cannot access 'target.map': No such file or directory" \
	"recover: no mapfile of what was refused"
finish
