#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-dump --hash, for the record; and that remap-dump cannot write to what it reads.
. "$(dirname "$0")/lib.sh"

new_spare s.img 8M -L evidence
remap-import -q -b 4096 s.img < <(seq 50 59)
input=$(sum s.img)

run remap-dump --hash sha256 s.img
exits 0 "text on standard output"
like "$err" "^record: input sha256 $input  s.img$" "the digest of the spare is sha256sum's"
like "$err" "^record: output sha256 $(sum out.txt)  -$" "that of the output, too"
like "$err" "^record: remap-dump \(dm-remap\) [0-9.]+, 20[0-9-]+ [0-9:]+ UTC" "tool, version and time"
like "$err" "^record: input: 8388608 bytes" "what the device is"
is "$out" "$(remap-dump s.img)" "the output is the same"
for format in json csv html mapfile badblocks; do
	for file in d.$format d.$format.gz; do
		run remap-dump -q -F $format -o $file --hash sha256 s.img
		exits 0 "-F $format -o $file"
		like "$err" "^record: output sha256 $(sum $file)  $file$" "sha256sum of the file gives it"
	done
	run remap-dump -q -F $format --hash=sha256 s.img
	like "$err" "^record: output sha256 $(sum out.txt)  -$" "-F $format on standard output"
done
run remap-dump -o raw --raw --hash sha256 s.img
like "$err" "output sha256 $(sum raw)  raw" "--raw"
mkfifo fifo
cat fifo >through &
run remap-dump -F csv -o fifo --hash sha256 s.img
wait $!
like "$err" "output sha256 $(sum through)  fifo" "a FIFO"
run remap-dump --hash none s.img
is "$err" "" "none: no record"
refused 16 "\"md5\" is not one of none, sha256" "a digest that is none" s.img remap-dump --hash md5 s.img
run bash -c 'remap-dump --hash sha256 s.img >/dev/full'
exits 8 "standard output is full"
unlike "$err" "output sha256" "what was not written has no digest"
cp s.img d.img
smash d.img 1024
run remap-dump -q --hash sha256 d.img
exits 1 "a damaged copy"
like "$err" "input sha256 $(sum d.img)" "is read as it is"
if attach s.img; then
	run remap-dump -q -F csv --hash sha256 "$loop"
	like "$err" "input sha256 $input  $loop" "a block device"
	like "$err" "input: 8388608 bytes.*, from sector 0 of it" "where it starts"
	coproc HOLD { exec hold-device "$loop"; }
	read -r held <&"${HOLD[0]}"
	run remap-dump -q -F csv --hash sha256 s.img
	like "$err" "live \(.*its digest is of no one moment" "a live spare"
	eval "exec ${HOLD[1]}>&-"
	wait "$HOLD_PID" 2>/dev/null
else
	skip "block devices" "not root, or no loop devices here"
fi

# Read-only by construction: the spare is opened so that the kernel would refuse a write.
if command -v strace >/dev/null && strace -o trace true 2>/dev/null; then
	for args in "" "-F json" "-F html -o d.html" "--copies" "--page 0" "--raw" "--hash sha256"; do
		run strace -f -o trace -e trace=open,openat,openat2,creat remap-dump $args s.img
		opened=$(grep -E '"(\./)?s\.img"' trace)
		if [ -n "$opened" ] && ! grep -vq O_RDONLY <<<"$opened"; then
			pass "remap-dump $args: opens for reading only"
		else
			fail "remap-dump $args: opens for reading only"
			note "$opened"
		fi
	done
	run strace -f -o trace -e trace=open,openat,openat2 remap-check -n s.img
	grep -E '"s\.img"' trace | grep -vq O_RDONLY && fail "remap-check -n: opens for reading only" ||
		pass "remap-check -n: opens for reading only"
else
	skip "what is opened how" "no strace(1), or it is not permitted"
fi
chmod 444 s.img
is "$(sum s.img)" "$input" "the spare is what it was"
if attach s.img && losetup -d "$loop" && loop=$(losetup -r -f --show s.img); then
	run remap-dump -q -F csv "$loop"
	exits 0 "a read-only device"
	losetup -d "$loop"
else
	skip "a read-only device" "not root, or no loop devices here"
fi
finish
