# SPDX-License-Identifier: GPL-2.0-only
# Every way from one table to the next: suspended with and without flush, reloaded with the same
# and with other features, read-only, two tables at once, loads that fail before and after the
# device was live, sizes that are refused, removal while in use. Blocks that have a slot, and a
# sector that is pending, must come through all of it.
# vm: mem=512 timeout=600

. /guest/lib.sh

SECTORS=32768
S=/tmp/state
ram_disks 4 16
faulty main /dev/ram0 $SECTORS
faulty spare /dev/ram1 $SECTORS
M=/dev/mapper/main
SP=/dev/mapper/spare
D=/dev/mapper/r
# as the kernel prints it back
T="0 $SECTORS remap $(dmsetup info -c --noheadings -o major,minor --separator : main) \
$(dmsetup info -c --noheadings -o major,minor --separator : spare)"
need sio -b 2048 w $M 0 $SECTORS @1
make_spare $SP

#---- a first activation that fails leaves nothing

inject spare add r 0+8 IOERR
log_mark
fails "first activation, spare unreadable where it is looked at: refused" dm_create r "$T 1 format"
like "$(log_since)" 'dm-remap: .*spare' "the log says why"
if dm_exists r; then dm_remove r; not_ok "no device is left"; else pass "no device is left"; fi
inject spare clear
is "$(sio -b 2048 r $SP 0 10240 0)" "r 0+10240 OK" "nothing was written"
# the same by hand, where dmsetup does not clean up: it stays suspended, and can be removed
need dmsetup create --noudevsync --notable r
need dm_load r "$T"
log_mark
fails "resume without format: refused" dm_resume r
like "$(log_since)" 'dm-remap: .*format' "the log says what to do"
like "$(dmsetup status r)" ' remap 1 inactive -/- ' "status of what never came up"
need dm_load r "$T 1 format"
runs "another table for it" dm_resume r
is "$(status r mode)" ok "it is up"

#---- four blocks with slots, one sector pending

inject main add w 1000 2000 3000 MEDIUM
need sio -b 8 -s 1000 w $D 1000 24 @2
inject main add r 4001 MEDIUM
sio r $D 4000 8 >/dev/null
inject main clear
state() { echo "$(status r mode) $(status r used) $(status r pending) $(status r uuid)"; }
before=$(state)
like "$before" '^ok 4 1 ' "four blocks remapped, one sector pending"
whole()
{
	is "$(sio -b 8 -s 1000 r $D 1000 24 @2) $(sio -b 8 r $D 5000 800 @1) $(sio r $D 4001 1)" \
		"r 1000+24 OK r 5000+800 OK r 4001+1 OK" "$1: data is right"
	is "$(state)" "$before" "$1: status is the same"
}

#---- suspended

for how in "" --noflush --nolockfs "--noflush --nolockfs"; do
	# shellcheck disable=SC2086
	need dmsetup suspend $how r
	like "$(dmsetup status --noflush r)" "remap 1 ok 4/" "suspended${how:+ $how}: status answers"
	is "$(dm_table r)" "$T 1 format" "suspended${how:+ $how}: so does table"
	sum="$(sum_of /dev/ram0) $(sum_of /dev/ram1)"
	sio r $D 1000 8 @2 >/tmp/out &
	reader=$!
	usleep 200000
	is "$(cat /tmp/out)" "" "suspended${how:+ $how}: a read waits"
	is "$(sum_of /dev/ram0) $(sum_of /dev/ram1)" "$sum" "suspended${how:+ $how}: nothing is written"
	need dm_resume r
	wait $reader
	is "$(cat /tmp/out)" "r 1000+8 OK" "resumed: it is answered"
done
need dm_suspend r
need dm_suspend r
need dm_resume r
need dm_resume r
whole "suspended and resumed, twice each"

#---- two tables at once

need dm_load r "$T 1 no_auto_remap"
is "$(dm_table r)" "$T 1 format" "two tables: the live one"
is "$(dmsetup table --inactive r)" "$T 1 no_auto_remap" "two tables: the other"
like "$(dmsetup status r)" 'remap 1 ok 4/' "two tables: status of the live one"
like "$(dmsetup status --inactive r)" 'remap 1 inactive ' "two tables: status of the other"
whole "two tables"
need dm_load r "$T 2 block_size 8"
is "$(dmsetup table --inactive r)" "$T 2 block_size 8" "another instead of the other"
need dmsetup clear r
whole "two tables, one cleared"
is "$(dm_table r)" "$T 1 format" "the live one is as before"
need dm_load r "$T"
need dm_remove r
runs "removed with two tables, created again" dm_create r "$T"
whole "removed with two tables"

#---- features, all of them and back

for features in "" "1 format" "1 no_auto_remap" "2 read_policy remap" "3 breaker 5 7" \
	"2 retry_budget 3" "2 scan_interval 0" "1 force_main" "2 block_size 8" \
	"14 force_main scan_interval 0 retry_budget 9 breaker 77 88 no_auto_remap read_policy retry block_size 8 format"; do
	need dm_swap r "$T${features:+ $features}"
	is "$(dm_table r)" "$T${features:+ $features}" "reload with \"$features\": the table says so"
done
whole "all features"
is "$(status r breaker)" 77 "the breaker is that of the new table"
need dm_swap r "0 $SECTORS dm-remap-v4 $M $SP"
is "$(dm_table r)" "$(echo "$T" | sed "s/ remap / dm-remap-v4 /")" "reload with the old name"
whole "the old name"
need dm_swap r "$T"

#---- read-only and back

sum="$(sum_of /dev/ram0) $(sum_of /dev/ram1)"
need dmsetup load --readonly r --table "$T"
need dm_suspend r
need dm_resume r
is "$(status r access)" ro "read-only reload: status"
is "$(sio -b 8 -s 1000 r $D 1000 24 @2) $(sio -b 8 r $D 5000 800 @1)" \
	"r 1000+24 OK r 5000+800 OK" "read-only: data is right"
unlike "$(sio w $D 9000 8 @3 2>&1)" ' OK' "read-only: a write is refused"
unlike "$(sio w $D 1000 8 @3 2>&1)" ' OK' "read-only: also of a block with a slot"
like "$(dmsetup message r 0 remap 7000 2>&1)" 'Read-only' "read-only: so is a message"
inject main add r 6000 MEDIUM
like "$(sio r $D 6000 8)" ENODATA "read-only: an error of main goes up"
inject main clear
is "$(status r used)" 4 "read-only: it takes no slot"
need dm_suspend r
need dm_resume r
need dm_swap r "$T"
is "$(status r access)" rw "and back: status"
whole "read-only and back"
# what a release writes is on the spare; main has not been touched
is "$(sum_of /dev/ram0)" "${sum% *}" "main is as it was"

#---- a load that fails after the device was live: it is up, and says that it failed

need dmsetup load --readonly r --table "$T"
inject spare add r 0+$SECTORS IOERR
need dm_suspend r
log_mark
runs "the spare does not load again: resume is not refused" dm_resume r
like "$(log_since)" 'dm-remap: r: failed: ' "the log says that it failed"
is "$(status r mode)" failed "mode failed"
is "$(status r health)" "-" "health is not known"
like "$(sio r $D 5000 8) $(sio r $D 1000 8) $(sio f $D)" 'r .*EIO r .*EIO' "reads fail, mapped or not"
need dm_suspend r
need dm_resume r
is "$(status r mode)" failed "a resume changes nothing"
like "$(dmsetup message r 0 commit 2>&1)" 'busy|error' "messages are refused"
need dm_swap r "$T"
is "$(status r mode)" failed "nor does a reload while the spare is unreadable"
inject spare clear
need dm_swap r "$T"
whole "reloaded with a spare that is well"

#---- a reload whose constructor fails, or whose sibling in the table does not resume

fails "reload with a feature that is wrong" dm_load r "$T 1 nonsense"
fails "reload with another main" dm_load r "0 $SECTORS remap /dev/ram2 $SP"
fails "reload with a main that is not there" dm_load r "0 $SECTORS remap /dev/none $SP"
fails "reload with the spare twice" dm_load r "0 16384 remap $M $SP
16384 16384 remap $M $SP"
like "$(dmsetup table --inactive r)" '^$' "no table is left from them"
whole "refused reloads"

#---- sizes

log_mark
fails "a longer table is refused" dm_load r "0 $((SECTORS + 8)) remap $M $SP"
like "$(log_since)" 'remap: .*(shorter|longer)' "the log says why"
need dm_create grown "0 $SECTORS linear /dev/ram2 0"
need dm_create sp2 "0 16384 linear /dev/ram3 0"
make_spare /dev/mapper/sp2
T2="0 $SECTORS remap /dev/mapper/grown /dev/mapper/sp2"
need dm_create g "$T2 1 format"
need dm_swap grown "0 $SECTORS linear /dev/ram2 0
$SECTORS 16384 linear /dev/ram3 16384"
log_mark
fails "main has grown, a table as long as it: refused" \
	dm_load g "0 $((SECTORS + 16384)) remap /dev/mapper/grown /dev/mapper/sp2"
like "$(log_since)" 'remap: .*longer than main was when the spare was made' "the log says why"
runs "main has grown, the same table: accepted" dm_swap g "$T2"
is "$(status g mode)" ok "it is well"
need dm_remove g
log_mark
fails "main has grown, created again: refused" dm_create g "$T2"
like "$(log_since)" "main has $((SECTORS + 16384)) sectors.*force_main" "the log says what to do"
runs "with force_main" dm_create g "$T2 1 force_main"
need dm_remove g
need dm_swap grown "0 16384 linear /dev/ram2 0"
fails "main has shrunk: refused" dm_create g "0 16384 remap /dev/mapper/grown /dev/mapper/sp2 1 force_main"
need dm_remove sp2
need dm_remove grown
whole "sizes"

#---- one spare, one device

busy() { like "$(dm_create other "$T" 2>&1)" 'busy' "$1: EBUSY"; dm_exists other && dm_remove other; }
busy "a second device"
need dm_suspend r
busy "a second device while the first is suspended"
need dm_resume r
need dm_remove r
need dmsetup create --noudevsync --notable r
need dm_load r "$T"
busy "a second device while the first has only loaded its table"
need dmsetup clear r
runs "after that was cleared" dm_create other "$T"
like "$(dm_load r "$T" 2>&1)" busy "the other way round"
need dm_remove other
need dm_load r "$T"
need dm_resume r
whole "one spare, one device"

#---- removal while it is in use

need dm_remove r
make_spare $SP
need dm_create r "$T 1 format"
need pattern init -S $S $D
inject main add w $(awk 'BEGIN { srand(7); for (i = 0; i < 200; i++) print int(rand() * 32768) }') MEDIUM
pattern load -S $S -n 3000 -j 4 >/tmp/load.out 2>&1 &
load=$!
wait_for 20 sh -c '. /guest/lib.sh; [ "$(status r used)" -gt 3 ]'
fails "remove while in use: refused" dm_remove r
runs "deferred: accepted" dm_remove --deferred r
ok "$(dm_exists r; echo $?)" "it is there until the load ends"
wait $load
is "$?" 0 "the load did not notice"
diag "$(cat /tmp/load.out)"
ok "$(wait_for 10 sh -c '! dmsetup info r'; echo $?)" "then it goes"
runs "created again" dm_create r "$T"
unlike "$(status r mode) $(status r needs_check)" 'needs_check' "it had been released"
runs "verify" pattern verify -S $S

#---- the module

fails "the module cannot go while a device is there" rmmod dm_remap
need dm_remove r
runs "without one it can" rmmod dm_remap
runs "and come back" busybox insmod /guest/modules/dm-remap.ko
need dm_create r "$T"
runs "verify again" pattern verify -S $S
need dm_remove r
done_testing
