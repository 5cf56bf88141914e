# SPDX-License-Identifier: GPL-2.0-only
# Who owns a spare, and that nothing is lost over suspend, reload, remove and create, also
# while the device is busy and its disk is failing.
# vm: mem=512 timeout=600

. /guest/lib.sh

ROUNDS=15
S=/tmp/state
ram_disks 2 64
faulty main /dev/ram0 131072
need dm_create spare "0 131072 linear /dev/ram1 0"
M=/dev/mapper/main
SP=/dev/mapper/spare
D=/dev/mapper/r
T="0 131072 remap $M $SP"
need sio -b 2048 w $M 0 131072 @1
make_spare $SP
need dm_create r "$T 1 format"
inject main add w 1000 2000 3000 MEDIUM
need sio -b 8 -s 1000 w $D 1000 24 @2
inject main add r 4001 MEDIUM
sio r $D 4000 8 >/dev/null
inject main clear
state() { echo "$(status r mode) $(status r used) $(status r pending) $(status r uuid)"; }
before=$(state)
like "$before" '^ok 4 1 ' "four blocks remapped, one sector pending"
data_ok()
{
	is "$(sio -b 8 -s 1000 r $D 1000 24 @2) $(sio -b 8 -s 2000 r /dev/ram0 1000 16 @1)" \
		"r 1000+24 OK r 1000+16 OK" "$1: data is right"
	is "$(state)" "$before" "$1: status is the same"
}

i=0
while [ $i -lt 5 ]; do
	need dm_suspend r
	need dm_resume r
	i=$((i + 1))
done
data_ok "5 times suspend and resume"
need dm_suspend --noflush r
need dm_resume r
data_ok "suspend without flush"
i=0
while [ $i -lt 5 ]; do
	need dm_swap r "$T"
	i=$((i + 1))
done
data_ok "5 reloads of the same device"
runs "load a table" dm_load r "$T"
runs "and clear it again" dmsetup clear r
data_ok "a table loaded and cleared"
runs "another feature" dm_swap r "$T 1 no_auto_remap"
data_ok "reload with another feature"
like "$(dm_table r)" 'no_auto_remap' "the table has it"
inject main add w 5000 MEDIUM
is "$(sio w $D 5000 8 @3)" "w 5000+8 ENODATA" "no_auto_remap: the error goes up"
inject main clear
data_ok "no_auto_remap: nothing was taken"
need dm_swap r "$T"
i=0
while [ $i -lt 5 ]; do
	need dm_remove r
	need dm_create r "$T"
	i=$((i + 1))
done
data_ok "5 times remove and create"

# the table before last is not in the way: an error row in between, and back
need dm_swap r "0 131072 error"
need dm_swap r "$T"
data_ok "away from the target and back"

#---- whose spare it is

log_mark
fails "another device on a live spare is refused" dm_create other "$T"
like "$(log_since)" '[Bb]usy|in use|EBUSY|-16' "the kernel log says that it is in use"
dm_exists other && { dm_remove other; not_ok "a device was left"; }
fails "the spare of a live device as main" dm_create other "0 131072 remap $SP $M"
dm_exists other && { dm_remove other; not_ok "a device was left"; }
data_ok "refused others"
fails "two lines on one spare" dmsetup create --noudevsync two --table "0 65536 remap $M $SP
65536 65536 remap $M $SP"
dm_exists two && { dm_remove two; not_ok "a device was left"; }
need dm_create other "0 131072 linear /dev/ram1 0"
need dm_remove other
data_ok "still"

need dm_remove r

#---- under load, on a disk that fails

make_spare $SP
need dm_create r "$T 1 format"
need pattern init -S $S $D
sectors=$(awk 'BEGIN { srand(5); for (i = 0; i < 600; i++) print int(rand() * 131072) }')
pattern load -S $S -t $ROUNDS -j 6 >/tmp/load.out 2>&1 &
load=$!
i=0
while [ $i -lt $ROUNDS ]; do
	# shellcheck disable=SC2046
	inject main add w $(echo "$sectors" | awk -v i=$i -v n=$ROUNDS 'NR % n == i') MEDIUM
	case $((i % 3)) in
	0) dm_suspend r && dm_resume r ;;
	1) dm_swap r "$T" ;;
	2) dm_suspend --noflush r && dm_resume r ;;
	esac || not_ok "round $i"
	usleep 400000
	i=$((i + 1))
done
wait $load
is "$?" 0 "$ROUNDS rounds of suspend, reload and resume under load: nothing wrong, nothing failed"
diag "$(cat /tmp/load.out)"
diag "$(dmsetup status r)"
at_least "$(status r used)" 20 "blocks went bad meanwhile"
runs "verify" pattern verify -S $S
need dm_remove r
need dm_create r "$T"
runs "verify on a new device" pattern verify -S $S

# remove under load is refused; at its end all is there
pattern load -S $S -t 5 -j 4 >/tmp/load.out 2>&1 &
load=$!
wait_for 60 eval '[ "$(dmsetup info -c --noheadings -o open r)" -ge 1 ]'
fails "remove while in use" dm_remove r
wait $load
is "$?" 0 "the load did not notice"
need dm_remove r
need dm_create r "$T"
runs "verify after it" pattern verify -S $S
need dm_remove r
done_testing
