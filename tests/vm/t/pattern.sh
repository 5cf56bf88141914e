# SPDX-License-Identifier: GPL-2.0-only
# The load generator itself: it passes on a good disk, and sees each kind of wrong data.
# vm: modules=dm-inject timeout=300

. /guest/lib.sh

S=/tmp/state
count() { printf '%s\n' "$2" | sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" | tail -n 1; }

ram_disks 2 16
faulty d /dev/ram0 32768
D=/dev/mapper/d

runs "init" pattern init -S $S $D
out=$(pattern load -S $S -t 3 -j 8 2>&1)
ok $? "load on a good disk"
diag "$out"
at_least "$(count writes "$out")" 200 "it writes"
at_least "$(count reads "$out")" 100 "it reads"
runs "verify on a good disk" pattern verify -S $S

copy() { sio g "$1" "$2" "$5" 2>/dev/null | sio p "$3" "$4" "$5" >/dev/null; }

# tamper NAME SECTOR COMMAND...: something else is put into the sector, below; verify must say so
tamper()
{
	_what=$1 _sector=$2
	shift 2
	sio g /dev/ram0 "$_sector" 1 >/tmp/was 2>/dev/null
	need "$@"
	out=$(pattern verify -S $S 2>&1)
	is "$?" 2 "$_what is wrong"
	is "$(count wrong_sectors "$out")" 1 "$_what: one sector"
	need sio p /dev/ram0 "$_sector" 1 </tmp/was
}
one_byte()
{
	_byte=x
	[ "$(tail -c +301 /tmp/was | head -c 1)" != x ] || _byte=y
	{ head -c 300 /tmp/was; printf %s $_byte; tail -c +302 /tmp/was; } | sio p /dev/ram0 102 1
}
tamper "zeroes" 100 sio w /dev/ram0 100 1 0
tamper "another place" 101 copy /dev/ram0 102 /dev/ram0 101 1
tamper "one byte" 102 one_byte
need copy /dev/ram0 0 /dev/ram1 0 32768
need pattern load -S $S -n 2000 -w 100
tamper "old data" 16003 copy /dev/ram1 16003 /dev/ram0 16003 1
runs "all is well again" pattern verify -S $S

# errors are counted, each as what it is
inject d add r 5000+3 9000 MEDIUM
out=$(pattern verify -S $S 2>&1)
ok $? "read errors are not wrong data"
is "$(count read_errors "$out") $(count unreadable_sectors "$out")" "2 4" "but they are counted"
inject d clear
inject d add w 5000+1000 IOERR torn
out=$(pattern load -S $S -n 500 -b 64:512 -w 100 2>&1)
is "$?" 1 "write errors fail the load"
at_least "$(count write_errors "$out")" 5 "and are counted"
inject d clear
runs "a failed write may have left the old or the new" pattern verify -S $S
inject d add f 0 IOERR
out=$(pattern load -S $S -n 10 2>&1)
is "$?" 1 "flush errors fail the load"
need dm_remove d

# a cut of power: the disk may forget what was not flushed, and nothing else
null_disk n 16 16
need pattern init -S $S "$(null_device n)"
runs "load with durable writes remembered" pattern load -S $S -t 2 -d
null_power n 0
null_power n 1
runs "after a cut what was flushed is there" pattern verify -S $S -c
need pattern load -S $S -n 400 -f 0 -w 100 -d
(pattern load -S $S -n 3000 -f 0 -w 100 -d -b 8:8 -r 7 -e >/tmp/out 2>&1) &
usleep 500000
null_power n 0
wait
null_power n 1
runs "after a cut under load what was flushed is there" pattern verify -S $S -c
need pattern init -S $S "$(null_device n)"
need pattern load -S $S -n 400 -f 0 -w 100 -b 256:256
null_power n 0
null_power n 1
pattern verify -S $S >/dev/null 2>&1
is "$?" 0 "the last flush of a load covers all of it"

# files, with and without the page cache
need mke2fs -q -t ext4 -F /dev/ram1
need mount -t ext4 /dev/ram1 /mnt
runs "init on files" pattern init -S $S -z 3M /mnt/a buffered:/mnt/b
runs "load on files" pattern load -S $S -t 2 -j 4
need umount /mnt
need mount -t ext4 /dev/ram1 /mnt
runs "verify after a remount" pattern verify -S $S
like "$(pattern extents /mnt/a)" '^[0-9]+\+[0-9]+$' "extents of a file"
need umount /mnt
done_testing
