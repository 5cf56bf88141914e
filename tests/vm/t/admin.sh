# SPDX-License-Identifier: GPL-2.0-only
# What an administrator watches and turns: the files in /sys, features changed while the device
# is live and the table that shows them, events, uevents, statistics, the health score, and what
# the kernel measures (IMA) of it.
# vm: mem=512 timeout=600 append=ima_policy=critical_data

. /guest/lib.sh

ram_disks 4 32
faulty main /dev/ram0 65536
faulty spare /dev/ram1 65536
M=/dev/mapper/main
need sio -b 2048 w $M 0 65536 @1
make_spare /dev/mapper/spare
make_spare /dev/ram3
ROOT=/sys/kernel/dm-remap-v4
ok "$([ -d $ROOT ]; echo $?)" "the module has its directory"
is "$(ls $ROOT)" "" "which is empty"
need dmsetup create --noudevsync --notable r
need dm_load r "0 65536 remap $M /dev/mapper/spare 4 format breaker 100 5000"
is "$(ls $ROOT)" "" "a table that is not live has no files"
need dm_resume r
minor=$(dmsetup info -c --noheadings -o minor r)
S=$ROOT/dm-$minor
is "$(ls $ROOT)" "dm-$minor" "the live one has"
file() { cat "$S/$1"; }

#---- the integrity measurement of the table

ima=/sys/kernel/security/ima/ascii_runtime_measurements
mount -t securityfs security /sys/kernel/security
hex() { printf '%s' "$1" | od -A n -v -t x1 | tr -d ' \n'; }
if [ -e $ima ]; then
	like "$(grep dm_table_load $ima)" \
		"$(hex 'target_name=remap,target_version=4.').*$(hex ",main=$(status r main),spare=$(status r spare);")" \
		"a table is measured with target, main and spare"
else
	is_debug_kernel
	ok $? "IMA is in kernels but the debug kernel"
fi

#---- every file is readable, one value each, and agrees with the status

bad=
for f in $(cd "$S" && find . -type f); do
	lines=$(cat "$S/$f" | wc -l)
	[ "$lines" = 1 ] || bad="$bad $f"
done
is "$bad" "" "every file has one line"
is "$(find "$S" -type f | wc -l)" 41 "as many files as are documented"
is "$(file name)" r "name"
is "$(file config/uuid)" "$(status r uuid)" "uuid"
is "$(file config/main) $(file config/spare)" "$(status r main) $(status r spare)" "main and spare"
dm_message r remap 8 16 >/dev/null
inject main add r 4001 MEDIUM
sio r /dev/mapper/r 4000 8 >/dev/null
inject main clear
for pair in used:stats/used slots:stats/slots pending:stats/pending lost:stats/lost \
	retired:stats/retired read_errors:stats/read_errors write_errors:stats/write_errors \
	spare_errors:stats/spare_errors buckets:stats/buckets last_error:stats/last_error \
	copies:health/live_copies health:health/score mode:health/mode \
	breaker:health/breaker_left block_sectors:config/block_sectors \
	scan_errors:stats/scan_errors recent_errors:health/recent_errors; do
	is "$(file "${pair#*:}")" "$(status r "${pair%:*}")" "${pair#*:} is what status says"
done
is "$(file stats/used) $(file stats/pending) $(file health/recent_errors)" "3 1 1" "three slots, a pending sector, an error"
is "$(file health/score)" 88 "the score: 10 for the pending sector, 1 for slots, 1 for the error"

#---- features, while the device is live

put() { echo "$2" >"$S/config/$1"; }
is "$(dm_table r | cut -d ' ' -f 6-)" "4 format breaker 100 5000" "the table as it was loaded"
runs "retry_budget" put retry_budget 7
runs "breaker_slots" put breaker_slots 2000
runs "breaker_seconds" put breaker_seconds 7000
runs "read_policy" put read_policy remap
runs "no_auto_remap" put no_auto_remap on
is "$(file config/retry_budget) $(file config/breaker_slots) $(file config/breaker_seconds)" "7 2000 7000" "are read back"
is "$(file config/read_policy) $(file config/no_auto_remap)" "remap on" "these too"
is "$(dm_table r | cut -d ' ' -f 6-)" "9 format breaker 2000 7000 retry_budget 7 read_policy remap no_auto_remap" \
	"and the table is what recreates all that"
inject main add w 5000 MEDIUM
like "$(sio w /dev/mapper/r 5000 8 @2)" ENODATA "no_auto_remap has effect: a write fails"
runs "off" put no_auto_remap off
is "$(sio w /dev/mapper/r 5000 8 @2)" "w 5000+8 OK" "and without it the write is remapped"
inject main clear
is "$(dm_table r | cut -d ' ' -f 6-)" "8 format breaker 2000 7000 retry_budget 7 read_policy remap" "gone from the table"
runs "by message" dm_message r set breaker 9 3600
is "$(file config/breaker_slots) $(status r breaker)" "9 7" "breaker: nine in an hour, two of them taken"
before=$(dm_table r)
for word in "retry_budget -1" "retry_budget 86401" "retry_budget 1x" "breaker_slots 0" \
	"breaker_seconds 0" "read_policy never" "no_auto_remap maybe" "scan_interval 31536001" \
	"scan_interval 99999999999999999999999999999999999999" \
	"breaker_slots 00000000000000000000000000000070000" "retry_budget 0000000000000000000000000000000700"; do
	# shellcheck disable=SC2086
	fails "refused: $word" put $word
done
is "$(dm_table r)" "$before" "nothing has changed"
fails "a file that is read-only" put uuid 1

# two who write one value of the breaker each: neither takes the other's back
(
	i=0
	while [ $i -lt 150 ]; do
		put breaker_seconds 71
		put breaker_seconds 70
		i=$((i + 1))
	done
) &
writer=$!
undone=0
i=0
while [ $i -lt 150 ]; do
	for n in 21 20; do
		put breaker_slots $n
		[ "$(file config/breaker_slots)" = $n ] || undone=$((undone + 1))
	done
	i=$((i + 1))
done
wait $writer
is "$undone $(file config/breaker_slots) $(file config/breaker_seconds)" "0 20 70" "breaker: no write was undone by one of the other value"
need dm_message r set breaker 9 3600

#---- rename, reload, a second device, a file that is open when the device goes

need dmsetup rename --noudevsync r other
is "$(file name)" other "renamed"
need dmsetup rename --noudevsync other r
need dm_swap r "$(dm_table r)"
is "$(file stats/used)" 4 "a reload keeps the directory"
need remap_create two /dev/ram2 /dev/ram3 format
is "$(find $ROOT -mindepth 1 -maxdepth 1 | wc -l)" 2 "two devices, two directories"
is "$(cat $ROOT/dm-"$(dmsetup info -c --noheadings -o minor two)"/stats/used)" 0 "with their own numbers"
is "$(file stats/used)" 4 "each"
two=$ROOT/dm-$(dmsetup info -c --noheadings -o minor two)/stats/slots
exec 7<"$two"
need dm_remove two
fails "a file that was open when its device went cannot be read" cat <&7
exec 7<&-
is "$(ls $ROOT)" "dm-$minor" "one is left"
i=0
(while [ ! -e /tmp/stop ]; do cat $ROOT/*/stats/* $ROOT/*/health/* $ROOT/*/name >/dev/null 2>&1; done) &
reader=$!
while [ $i -lt 5 ]; do
	need remap_create two /dev/ram2 /dev/ram3
	need dm_remove two
	i=$((i + 1))
done
: >/tmp/stop
wait $reader
pass "devices come and go while their files are being read"

#---- several lines of one table, each with a spare

need dm_create small "0 32768 linear /dev/ram2 0"
need dm_create rest "0 32768 linear /dev/ram2 32768"
make_spare /dev/ram3
need dm_create few "0 32768 linear /dev/ram3 0"
need dm_create more "0 32768 linear /dev/ram3 32768"
make_spare /dev/mapper/few
make_spare /dev/mapper/more
need dm_create both "0 1000 linear /dev/ram2 0
1000 31000 remap /dev/mapper/rest /dev/mapper/few 1 format
32000 32768 remap /dev/mapper/small /dev/mapper/more 1 format"
m=$(dmsetup info -c --noheadings -o minor both)
is "$(find $ROOT -mindepth 1 -maxdepth 1 -name "dm-$m*" | wc -l)" 2 "two lines of one table have a directory each"
is "$(sio w /dev/mapper/both 1000 8 @3) $(sio r /dev/mapper/rest 0 8 2>&1 | cut -d ' ' -f 1-3)" \
	"w 1000+8 OK r 0+8 OK" "a line that does not start at 0 is main from its start"
need dmsetup message both 1500 remap 0 8
is "$(dmsetup status both | awk 'NR == 2 { print $6 } NR == 3 { print $6 }')" \
	"$(dmsetup status both | awk 'NR == 2 { sub("0/", "2/", $6); print $6 } NR == 3 { print $6 }')" "a message is for the line it is sent to"
need dm_remove both
is "$(ls $ROOT)" "dm-$minor" "both are gone"

#---- events

uevents DM_REMAP_EVENT DM_NAME >/tmp/uevents &
listener=$!
wait_for 20 grep -q ready /tmp/uevents
seen() { grep -c " $1 " /tmp/uevents; }
# event NAME COMMAND...: raises an event of device mapper
event()
{
	_name=$1
	shift
	_nr=$(dmsetup info -c --noheadings -o events r)
	dmsetup wait --noudevsync r "$_nr" >/dev/null 2>&1 &
	_waiter=$!
	"$@" >/dev/null 2>&1
	_i=0
	while [ -d /proc/$_waiter ] && [ $_i -lt 100 ]; do
		usleep 100000
		_i=$((_i + 1))
	done
	[ ! -d /proc/$_waiter ]
	ok $? "$_name raises an event"
	kill $_waiter 2>/dev/null
	wait $_waiter 2>/dev/null
}
need dm_message r set breaker 100 60
event "a remap by message" dm_message r remap 9000
event "an import" dm_message r import manual 9008
event "a scrub that ends" dm_message r scrub start
inject main add w 10000 MEDIUM
event "a failed write" sio w /dev/mapper/r 10000 8 @2
event "stats reset" dm_message r stats reset
is "$(grep -cv -e ready -e ' - ' /tmp/uevents)" 0 "none of these is a uevent of ours"
need dm_message r set breaker 1 3600
need dm_message r breaker reset
inject main add w 12000+64 MEDIUM
event "a breaker that opens" sio w /dev/mapper/r 12000 64 @2
wait_for 20 grep -q breaker /tmp/uevents
is "$(seen breaker)" 1 "and a uevent, one"
like "$(grep breaker /tmp/uevents)" "^change dm-$minor breaker" "which names the mode"
inject main clear
event "breaker reset" dm_message r breaker reset
wait_for 20 grep -q ' ok' /tmp/uevents
is "$(seen ok)" 1 "and a uevent when it is closed"
event "set" dm_message r set retry_budget 20
is "$(grep -cv -e ready -e ' - ' /tmp/uevents)" 2 "no others"
kill $listener

#---- statistics

sio r /dev/mapper/r 8 8 >/dev/null
at_least "$(status r remapped_reads)" 1 "remapped reads"
errors=$(status r read_errors)
need dm_message r stats reset
is "$(status r remapped_reads) $(status r remapped_writes) $(status r spare_errors) $(status r last_error)" \
	"0 0 0 -" "stats reset: counted anew"
is "$(status r recent_errors)" 0 "no recent errors"
is "$(status r read_errors)" "$errors" "what the superblock keeps is kept"
need dm_remove r
is "$(ls $ROOT)" "" "nothing is left"
need rmmod dm_remap
ok "$([ ! -e $ROOT ]; echo $?)" "nor without the module"
done_testing
