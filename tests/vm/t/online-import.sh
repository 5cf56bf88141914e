# SPDX-License-Identifier: GPL-2.0-only
# remap-import on a live device: what it puts there, and what it does not.
# vm: mem=640 timeout=900 disks=64M

. /guest/lib.sh

ram_disks 2 256
SECTORS=524288
faulty main /dev/ram0 $SECTORS
M=/dev/mapper/main
SPARE=/dev/ram1
make_spare $SPARE
need remap_create r $M $SPARE format

# refused PATTERN NAME COMMAND...: with status 8, and nothing has changed
refused()
{
	_used=$(status r used) _pattern=$1 _name=$2
	shift 2
	says 8 "$_pattern" "$_name" "$@"
	is "$(status r used)" "$_used" "$_name: nothing has changed"
}

# number NAME: of the JSON object in /tmp/json
number() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" /tmp/json | head -n 1; }

#---- what main says of it ----

inject main add r 4000 MEDIUM
inject main add r 8003 MEDIUM
# in units of 512 bytes: two blocks that are bad, one twice, and two that are not
printf '4000\n8003\n8001\n12000\n12008\n' >/tmp/list
runs "a list of which some is bad" remap-import -b 512 --from /tmp/list r
is "$(status r used)" 4 "four blocks have slots"
is "$(status r pending)" 32 "with all of their sectors pending"
like "$(remap-dump -q -F csv $SPARE)" badblocks "for the reason that the list gives"
says 0 'nothing to import' "again" remap-import -b 512 --from /tmp/list r
is "$(status r used)" 4 "adds nothing"
refused 'none of 8 blocks read from .*main fails: wrong -b, offset or device\? Nothing was changed' \
	"a list of good blocks" sh -c 'seq 100 131 | remap-import -b 4096 r'
runs "--verify=none insists" sh -c 'seq 100 131 | remap-import --verify=none -b 4096 /dev/mapper/r'
is "$(status r used)" 36 "36 slots"
inject main clear

#---- badblocks itself, in its own unit, of a disk that is in use ----

if command -v badblocks >/dev/null; then
	before=$(status r used)
	inject main add r 480000+16 MEDIUM
	is "$(badblocks $M 240100 239900 2>/dev/null | tr '\n' ' ')" "240000 240001 240002 240003 240004 240005 240006 240007 " \
		"badblocks finds the bad ones"
	runs "badblocks | remap-import" sh -c "badblocks $M 240100 239900 2>/dev/null | remap-import r"
	is "$(status r used)" $((before + 2)) "both of their blocks have slots"
	inject main clear
else
	skip "badblocks | remap-import" "no badblocks in this guest"
fi

#---- as they come ----

mkfifo /tmp/fifo
# nothing of this list is known to be bad, so main is not asked
remap-import --follow --verify=none -b 4096 --from /tmp/fifo r >/tmp/out 2>&1 &
pid=$!
exec 7>/tmp/fifo
before=$(status r used)
echo 3000 >&7
used_is() { [ "$(status r used)" = "$1" ]; }
runs "follow: the first line is taken while there may be more" wait_for 60 used_is $((before + 1))
printf '3001\nnonsense\n3000\n30' >&7
runs "follow: the next" wait_for 60 used_is $((before + 2))
# while it waits, nobody is kept away
runs "follow: another import goes through" sh -c 'echo 3002 | remap-import --verify=none -b 4096 r'
echo 03 >&7
runs "follow: a line that came in two parts" wait_for 60 used_is $((before + 4))
exec 7>&-
wait $pid
is $? 1 "follow: ends with the list, and with one line rejected"
like "$(cat /tmp/out)" 'end of the list: imported 3 blocks in all' "follow: the sum"
like "$(cat /tmp/out)" 'line 3: "nonsense"' "follow: says which line"

remap-import --follow --verify=none -b 4096 --from /tmp/fifo r >/tmp/out 2>&1 &
pid=$!
exec 7>/tmp/fifo
echo 3010 >&7
runs "follow: taken" wait_for 60 used_is $((before + 5))
kill -TERM $pid
wait $pid
is $? 0 "follow: a signal ends it"
like "$(cat /tmp/out)" 'stopped: imported 1 block in all' "follow: with what it did"
exec 7>&-

inject main add r 16000 MEDIUM
printf '3500\n3501\n' >/tmp/list
(cat /tmp/list; echo 2000) | remap-import --follow -b 4096 r >/tmp/out 2>&1
is $? 0 "follow: a list that main confirms"
is "$(status r used)" $((before + 8)) "follow: all of it"
inject main clear
refused 'none of 8 blocks .* fails' "follow: one that it does not" sh -c 'seq 1600 1650 | remap-import --follow -b 4096 r'
refused 'none of 2 blocks .* fails' "follow: nor a short one" sh -c 'seq 1600 1601 | remap-import --follow -b 4096 r'
refused 'cannot be followed' "follow: what is no list of lines" sh -c 'echo "{}" | remap-import --follow -t smart r'
refused 'say which with --made-on' "follow: a log of some disk" sh -c \
	'echo "[1.0] blk_update_request: critical medium error, dev sda, sector 8" | remap-import --follow r'

remap-import --follow --verify=none -b 4096 --from /tmp/fifo r >/tmp/out 2>&1 &
pid=$!
exec 7>/tmp/fifo
echo 3020 >&7
runs "follow: before" wait_for 60 used_is $((before + 9))
need dm_suspend r
echo 3021 >&7
wait $pid
is $? 8 "follow: a device that is suspended meanwhile: status"
like "$(cat /tmp/out)" 'r: suspended.*; nothing was changed|r: suspended.*1 block was imported before' "... says so"
exec 7>&-
need dm_resume r

#---- copying, and stopping it ----

before=$(status r used)
seq 1700 1899 >/tmp/list
runs "copy" remap-import --copy --verify=none -b 4096 --from /tmp/list r
is "$(status r used)" $((before + 200)) "copy: in slots"
is "$(remap-dump -q -F csv $SPARE | grep -c 'pending')" 0 "copy: nothing of it is pending"

# each message of 64 blocks takes a second or more, so that twenty of them last
before=$(status r used)
seq 10000 11279 >/tmp/list
block=10000
while [ $block -lt 11280 ]; do
	inject main add r $((block * 8)) MEDIUM delay 1000
	block=$((block + 64))
done
remap-import --copy --verify=none -b 4096 --from /tmp/list r >/tmp/out 2>&1 &
pid=$!
some_used() { [ "$(status r used)" -gt "$before" ]; }
runs "stopped: under way" wait_for 300 some_used
kill -TERM $pid
wait $pid
is $? 8 "stopped: status"
done=$(sed -n 's/.*interrupted; \([0-9]*\) of 1280 blocks were imported.*/\1/p' /tmp/out)
is "${done:-none}" $(($(status r used) - before)) "stopped: an honest count"
at_most "${done:-1280}" 1279 "stopped: before the end"
inject main clear
runs "stopped: again" remap-import --verify=none -b 4096 --from /tmp/list r
is "$(status r used)" $((before + 1280)) "stopped: the rest"

#---- what is refused ----

refused 'the list does not fit: .* nothing was changed' "more than there are slots" \
	sh -c 'seq 0 65535 | remap-import --verify=none -b 4096 r'
refused 'cannot find spare nosuch: .*nor is it the name of a live device: no such mapped device' \
	"no such device" sh -c 'echo 1 | remap-import nosuch'
need dm_create plain "0 2048 linear $M 0"
refused 'plain: not a device of dm-remap' "a device of another target, by name" \
	sh -c 'echo 1 | remap-import plain'
refused 'is not a dm-remap spare' "and by path" sh -c 'echo 1 | remap-import /dev/mapper/plain'
need dm_remove plain
refused 'is in use: held by device mapper' "its spare" sh -c 'echo 1 | remap-import /dev/ram1'
says 16 'z is for a spare that is not in use' "undo" sh -c 'echo 1 | remap-import -z /tmp/undo r'
refused '.*main: main of r is /dev/mapper/main' "another main" sh -c 'echo 1 | remap-import --main /dev/ram1 r'
# no su in the guest, but a daemon's keeper that changes the user
echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
refused 'no permission to use device mapper' "no permission" sh -c \
	'echo 1 | start-stop-daemon -S -c nobody -x /guest/bin/remap-import -- r'
need dm_suspend r
refused 'r: suspended, .*; nothing was changed' "suspended" sh -c 'echo 1 | remap-import r'
need dm_resume r
need mount -t tmpfs -o ro none /dev/mapper
says 8 'no device mapper in this kernel, or no /dev/mapper/control' "no control node" \
	sh -c 'echo 1 | remap-import r'
need umount /dev/mapper

# the device goes away between two of its lists
remap-import --follow --verify=none -b 4096 --from /tmp/fifo r >/tmp/out 2>&1 &
pid=$!
exec 7>/tmp/fifo
before=$(status r used)
echo 3030 >&7
wait_for 60 used_is $((before + 1))
need dm_remove r
echo 3031 >&7
wait $pid
is $? 8 "the device is gone: status"
like "$(cat /tmp/out)" 'r: no such mapped device' "the device is gone: says so"
exec 7>&-
runs "the spare is whole" remap-check -n $SPARE

#---- offline, as they come ----

before=$(remap-dump -q -F csv $SPARE | grep -c mapped)
(echo 3040; sleep 1; echo 3041) | remap-import --follow -b 4096 $SPARE >/tmp/out 2>&1
is $? 0 "follow: a spare that is not in use"
is "$(remap-dump -q -F csv $SPARE | grep -c mapped)" $((before + 2)) "follow: both lines of it"

#---- many ----

make_spare $SPARE
need remap_create r $M $SPARE format block_size 1
# 100,000 ranges of a block each
seq 0 3 299999 >/tmp/list
from=$(uptime_ms)
remap-import --json --progress=json --verify=none -b 512 --from /tmp/list r >/tmp/json 2>/tmp/progress
is $? 0 "100,000 ranges: status"
took=$(($(uptime_ms) - from))
like "$(cat /tmp/progress)" '"progress":"importing blocks","done":100000,"total":100000' "100,000 ranges: progress"
figure $took 5000 "remap-import of 100,000 ranges into a live device"
at_most $took 120000 "100,000 ranges: in no time, or nearly"
is "$(number ranges) $(number imported) $(number already_there)" "100000 100000 0" "100,000 ranges: imported"
is "$(status r used)" 100000 "100,000 ranges: in slots"
is "$(number free_slots)" $(($(status r slots) - 100000)) "100,000 ranges: slots left"
seq 0 299999 >/tmp/list
say=$(remap-import -n --verify=none -b 512 --from /tmp/list r 2>&1)
like "$say" 'to import +200000 blocks' "dry run: the plan"
like "$say" 'live device +r: main /dev/mapper/main, spare /dev/ram1' "dry run: of which devices"
is "$(status r used)" 100000 "dry run: nothing"
need dm_remove r
like "$(remap-check -n $SPARE 2>&1)" 'mapped 100000,' "remap-check counts the same"

#---- lists of the whole disk ----

# a partition of a disk that has an identity; the spare is formatted by the target, which
# does not know it
need modprobe virtio_pci
need modprobe virtio_blk
wait_for 10 test -b /dev/vda || bail "no disk"
printf 'n\np\n1\n2048\n\nw\n' | busybox fdisk -u /dev/vda >/tmp/out 2>&1
wait_for 10 test -b /dev/vda1 || bail "no partition: $(cat /tmp/out)"
make_spare $SPARE
need remap_create p /dev/vda1 $SPARE format
echo '[  1.000000] blk_update_request: critical medium error, dev vda, sector 4096 op 0x0' >/tmp/log
echo '[  2.000000] blk_update_request: critical medium error, dev sdx, sector 8192 op 0x0' >>/tmp/log
runs "a kernel log" remap-import --verify=none --from /tmp/log p
like "$(remap-dump -q -F csv $SPARE)" '^[0-9]*,256,|,2048,' "is of the disk: main's start is subtracted"
is "$(status p used)" 1 "and only lines of main's disk count"
need dm_remove p

need rmmod dm_remap
says 8 'nor is it the name of a live device: no such mapped device, and the module of dm-remap is not loaded' \
	"no module" sh -c 'echo 1 | remap-import r'
done_testing
