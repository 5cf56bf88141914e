# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What remap-setup refuses, and that nothing is half done then: no device, and a spare that is
# byte for byte what it was.
#
# vm: mem=384 timeout=600 disks=64M,16M,64M,16M modules=dm-inject,dm-gate carry=dm-remap,dm-future

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdd || bail "no disks"
hostname alpha
MAIN=/dev/vda SPARE=/dev/vdb

# refused STATUS PATTERN NAME COMMAND...: and says why; no device, the spare as before
refused()
{
	_status=$1 _pattern=$2 _name=$3
	shift 3
	_before=$(sum_of $SPARE) _devices=$(dmsetup ls)
	says "$_status" "$_pattern" "$_name" "$@"
	is "$(dmsetup ls)" "$_devices" "$_name: no device is left"
	is "$(sum_of $SPARE)" "$_before" "$_name: the spare is as it was"
}

# no_way PATTERN NAME [SHELL...]: all that is about live devices ends so, and says why
no_way()
{
	_words=$1 _why=$2
	shift 2
	[ $# != 0 ] || set -- sh -c
	for _verb in list "close safe" "table safe" "enable -T /tmp/tab safe" "salvage safe" "unmap --all safe" \
		"commit safe" "replace-spare -T /tmp/none safe /dev/vdd" "backup safe" "backup --all" "scan --assemble"; do
		says 8 "$_words" "$_why: $_verb" "$@" "/guest/bin/remap-setup $_verb"
	done
	says 8 "$_words" "$_why: remap-status" "$@" "/guest/bin/remap-status"
	says 3 "UNKNOWN" "$_why: remap-status --nagios" "$@" "/guest/bin/remap-status --nagios"
	says 8 "$_words" "$_why: remap-top" "$@" "/guest/bin/remap-top -b -n 1"
	says 8 "$_words" "$_why: remap-import" "$@" "echo 1 | /guest/bin/remap-import safe"
}

head -c 20000000 /dev/urandom | dd of=$SPARE bs=1M 2>/dev/null
refused 8 'no target "remap", and no module dm-remap for .* was found' "no module" \
	remap-setup create safe $MAIN $SPARE

# A module of another version. First its status is of another layout: who needs the status does nothing.
# later STATUS PATTERN VERB...: what is refused does nothing at all
later()
{
	_status=$1 _pattern=$2
	shift 2
	says "$_status" "$_pattern" "another version: $*" "$@"
	[ "$_status" = 0 ] || is "$(dm_table later) $(dmsetup status later)" "$_later" "$*: nothing was done"
}
need remap-format -q --main /dev/vdc /dev/vdd
need busybox insmod /guest/modules/dm-future.ko
need dm_create later "0 131072 remap /dev/vdc /dev/vdd"
_later="$(dm_table later) $(dmsetup status later)"
before="$(sum_of /dev/vdd) $(sum_of $SPARE)"
layout="later: its status has a layout that these tools do not know; use those that came with the module"
for verb in "unmap later --all" "replace-spare -f later $SPARE" "salvage later" "scrub --stop later" \
	    "health-scan later" "commit later" "breaker-reset later" "backup later"; do
	# shellcheck disable=SC2086
	later 8 "$layout" remap-setup $verb
done
echo 8 >/tmp/list
later 8 "$layout" remap-import -t badblocks -b 512 --from /tmp/list later
is "$(sum_of /dev/vdd) $(sum_of $SPARE)" "$before" "neither spare was written to"
later 0 "later is down" remap-setup close --no-backup later
need busybox rmmod dm_future

# Then it says itself that it is another one: nothing is asked of it.
need busybox insmod /guest/modules/dm-future.ko major=5
need dm_create later "0 131072 remap /dev/vdc /dev/vdd"
before="$(sum_of /dev/vdd) $(sum_of $SPARE)"
other="the dm-remap module in the kernel is of another version than the tools"
for verb in "unmap later --all" "replace-spare -f later $SPARE" "salvage later" "backup later" "close later" \
	    "enable later" "table later" "create -f safe $MAIN $SPARE"; do
	# shellcheck disable=SC2086
	later 8 "$other" remap-setup $verb
done
later 8 "later: $other" remap-import -t badblocks -b 512 --from /tmp/list later
need dm_remove later
says 8 "$other" "another version: open" remap-setup open later /dev/vdd
says 8 "$other" "another version: scan" remap-setup scan --assemble
fails "no device is made" dm_exists later
is "$(sum_of /dev/vdd) $(sum_of $SPARE)" "$before" "neither spare was written to"
need busybox rmmod dm_future
need sio z /dev/vdd 0 32768
need busybox insmod /guest/modules/dm-remap.ko

adduser -D -H nobody 2>/dev/null || echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
_out=$(su nobody -s /bin/sh -c "/guest/bin/remap-setup create safe $MAIN $SPARE" 2>&1)
is $? 8 "no permission: status"
like "$_out" "no permission to use device mapper" "and it is named"

refused 16 '"a b" cannot be the name of a device: it has characters' "a bad name" \
	remap-setup create "a b" $MAIN $SPARE
refused 16 'NAME|SPARE is missing|MAIN is missing|SPARE is missing' "an operand is missing" \
	remap-setup create safe $MAIN
refused 8 "cannot find main /dev/nowhere: No such file" "no such main" \
	remap-setup create safe /dev/nowhere $SPARE
refused 8 "main and spare are one device" "one device" remap-setup create safe $SPARE $SPARE
refused 8 "is larger than main" "swapped" remap-setup create safe $SPARE $MAIN
need dm_create taken "0 8 error"
refused 8 "there is a device taken already" "a name in use" remap-setup create taken $MAIN $SPARE
need dm_remove taken
need modprobe ext4
need mke2fs -q -F -t ext4 $SPARE
refused 8 "holds something else: ext4 filesystem; nothing was changed" "a filesystem on the spare" \
	remap-setup create safe $MAIN $SPARE

need dm_create hidden "0 131072 linear $MAIN 0"
refused 8 "main /dev/vda is in use: held by device mapper .dm-[0-9]*, .hidden" "main is held" \
	remap-setup create -f safe $MAIN $SPARE
need dm_remove hidden

# Nobody may.
no_way 'no permission to use device mapper' "no permission" su nobody -s /bin/sh -c

# Refused by the kernel only, when the spare has been written: somebody has main who is not to be seen.
mkfifo /tmp/end
hold-device $MAIN </tmp/end >/tmp/held &
exec 3>/tmp/end
wait_for 60 grep -q held /tmp/held || bail "nobody holds main"
refused 8 "safe could not be brought up: main or spare is in use by somebody else; no device is left behind" \
	"main is held by a program" remap-setup create -f safe $MAIN $SPARE
like "$(cat /tmp/out)" "/dev/vdb is as it was before" "and it says that"
exec 3>&-
wait

# A trimmed spare does not come up empty.
need remap-setup create -f safe $MAIN $SPARE
need dm_message safe remap 8+8
need remap-setup close safe
runs "erase the spare" sio z $SPARE 0 32768
refused 8 "not a dm-remap spare: nothing of dm-remap is on it" "a spare that was trimmed" \
	remap-setup open safe $SPARE
refused 8 "not a dm-remap spare" "and with MAIN" remap-setup open safe $MAIN $SPARE

# A spare with a damaged first superblock, and others.
need remap-setup create safe $MAIN $SPARE
need dm_message safe remap 8+8
need remap-setup close safe
need sio z $SPARE 0 8
runs "the first superblock is gone: open" remap-setup open safe $SPARE
is "$(status safe used)" 1 "its remap is there"
need remap-setup close safe
for sector in 0 1024 2048 4096 8192; do need sio z $SPARE $sector 8; done
refused 4 "no superblock is valid; see remap-check" "all superblocks are gone" remap-setup open safe $SPARE

# What vanishes.
refused 8 "cannot find spare /dev/vdz" "a spare that is not there" remap-setup open safe /dev/vdz

# A spare that goes away between two steps. A write that is held is the tool's while there is no device,
# and the target's when there is one.
need dm_create gated "0 32768 gate /dev/vdd"
GATED=/dev/mapper/gated
gate() { dm_message gated "$@" || bail "gate $*"; }
is_held() { [ "$(dmsetup status gated | awk '{ print $5 }')" -gt 0 ]; }
creating() { remap-setup create gone /dev/vdc $GATED >/tmp/out 2>&1 & pid=$!; }

gate hold before w 8192+8
creating
wait_for 120 is_held || bail "nothing was written"
fails "no device before the spare is written" dm_exists gone
gate drop
gate release fail
wait $pid
is $? 8 "the spare vanishes while it is written: status"
like "$(cat /tmp/out)" "error: .*$GATED.*" "it is named" || diag "$(cat /tmp/out)"
fails "no device is left" dm_exists gone
gate open

# And a device that could not be brought up, which somebody has open when it is to be removed.
gate hold before w 8192+8 16
creating
until dm_exists gone; do
	wait_for 120 is_held || bail "nothing was written: $(cat /tmp/out)"
	dm_exists gone || gate release first
done
wait_for 120 is_held || bail "the target wrote nothing: $(cat /tmp/out)"
exec 4</dev/dm-$(dmsetup info -c --noheadings -o minor gone)
gate drop
gate release fail
wait $pid
is $? 8 "a device that cannot be removed: status"
like "$(cat /tmp/out)" "error: gone could not be brought up: " "what failed" || diag "$(cat /tmp/out)"
unlike "$(cat /tmp/out)" "no device is left behind" "it does not say that none is left"
like "$(cat /tmp/out)" "a device gone that serves nothing could not be removed, and is left behind: dmsetup remove gone" \
	"what is left, and how to remove it" || diag "$(cat /tmp/out)"
ok "$(dm_exists gone; echo $?)" "it is there"
exec 4<&-
runs "and is removed so" dm_remove gone
gate open

need remap-setup create -y gone /dev/vdc $GATED
need dm_message gone remap 8+8
need remap-setup close -q --no-backup gone
before=$(sum_of $GATED)
gate drop
says 8 "gone could not be brought up: .*no device is left behind" "the spare vanishes when it is activated" \
	remap-setup open gone $GATED
gate open
fails "no device is left" dm_exists gone
is "$(sum_of $GATED)" "$before" "the spare is as it was"
runs "and opens when it is back" remap-setup open gone $GATED
need remap-setup close -q --no-backup gone

# An event of some disk comes while a spare is being replaced, and the device is down for that.
need sio z $GATED 0 32768
need sio z $SPARE 0 32768
need remap-setup create -f -e safe $MAIN $SPARE
need dm_message safe remap 8+8
old=$(status safe uuid)
gate hold before w 0+32768
remap-setup replace-spare --no-backup safe $GATED >/tmp/replaced 2>&1 &
pid=$!
wait_for 120 is_held || bail "nothing was written: $(cat /tmp/replaced)"
fails "the device is down" dm_exists safe
says 0 "$SPARE: its device was closed and is left down" "an event does not bring up the old pair" \
	remap-setup scan --assemble --listed --unless-closed
gate open
gate release
wait $pid
is $? 0 "the spare is replaced" || diag "$(cat /tmp/replaced)"
like "$(cat /tmp/replaced)" "/dev/mapper/safe is up: main /dev/vda, spare /dev/mapper/gated" "and the device is up again"
is "$(status safe used)" 1 "with what it had"
unlike "$(ls /run/dm-remap/closed)" "$old|$(status safe uuid)" "and events may bring it up again"
need remap-setup close -q --no-backup safe
need remap-setup replace-spare --no-backup $GATED $SPARE
says 0 "$SPARE: its device was closed and is left down" "what was closed before it is left down after it" \
	remap-setup scan --assemble --listed --unless-closed
need remap-setup open -q safe $SPARE
need remap-setup close -q --no-backup safe

# A spare that is gone comes back while another one is made by a backup.
need dd if=$SPARE of=/tmp/old bs=1M
cp /etc/remaptab /tmp/listed
need remap-dump -q -F json -o /tmp/old.json $SPARE
need sio z $SPARE 0 32768
gate hold before w 0+32768
remap-setup replace-spare --from-backup /tmp/old.json safe $GATED >/tmp/replaced 2>&1 &
pid=$!
wait_for 120 is_held || bail "nothing was written: $(cat /tmp/replaced)"
need dd if=/tmp/old of=$SPARE bs=1M conv=fsync
remap-setup scan --assemble --listed --unless-closed >/tmp/scan 2>&1 &
scan=$!
sleep 2
fails "no scan brings up the old pair" dm_exists safe
runs "it waits" kill -0 $scan
gate open
gate release
wait $pid
is $? 1 "the spare is replaced, and its block is lost" || diag "$(cat /tmp/replaced)"
wait $scan
like "$(dm_table safe)" "$(dmsetup info -c --noheadings -o major,minor gated | tr -d ' ')" "the device has the new one" ||
	diag "$(cat /tmp/replaced /tmp/scan)"
is "$(status safe lost)" 8 "and knows what is lost"
need remap-setup close -q --no-backup safe
need sio z $GATED 0 32768
cp /tmp/listed /etc/remaptab

# Many disks come together: one scan brings devices up, one more waits, and the others leave it to that.
rm -r /run/dm-remap/closed
event() { remap-setup scan --assemble --listed --unless-closed >"/tmp/scan$1" 2>&1; echo $? >"/tmp/ended$1"; }
echo 3 >/proc/sys/vm/drop_caches
gate hold before r 0+32768 8
event 1 &
wait_for 120 is_held || bail "the scan reads nothing: $(cat /tmp/scan1)"
for i in 2 3 4; do event $i & done
two_ended() { [ "$(cat /tmp/ended* 2>/dev/null | grep -c '^0$')" -eq 2 ]; }
wait_for 120 two_ended
ok $? "two of four scans at once have nothing to do" || diag "$(cat /tmp/scan* /tmp/ended*)"
is "$(cat /tmp/scan* | grep -c 'another scan is about to begin, and does it')" 2 "and say so"
fails "nothing is brought up meanwhile" dm_exists safe
gate open
gate release
wait
is "$(cat /tmp/ended* | tr '\n' ' ')" "0 0 0 0 " "none of them fails" || diag "$(cat /tmp/scan*)"
is "$(cat /tmp/scan* | grep -c "$SPARE .* live as safe")" 2 "both that looked saw it up"
need remap-setup close -q --no-backup safe

# No /dev/mapper/control, and no way to make it.
need mount -t tmpfs -o ro none /dev/mapper
remap-setup create safe $MAIN $SPARE >/tmp/out 2>&1
is $? 8 "no /dev/mapper/control: status"
like "$(cat /tmp/out)" "device mapper" "and it is said" || diag "$(cat /tmp/out)"
no_way 'no device mapper in this kernel, or no /dev/mapper/control to reach it by' "no control"
need umount /dev/mapper

refused 8 "nosuch: no such mapped device" "close what is not there" remap-setup close nosuch
need dm_create plain "0 8 error"
refused 8 "plain: not a device of dm-remap" "close what is not ours" remap-setup close plain
need dm_remove plain
done_testing
