# SPDX-License-Identifier: GPL-2.0-only
# A spare that is full, and a breaker that opens: the error goes up, nothing is pretended, it
# is said once, everything else goes on, and there is a way back.
# vm: mem=384 timeout=600

. /guest/lib.sh

ram_disks 2 32
faulty main /dev/ram0 65536
need dm_create spare "0 16384 linear /dev/ram1 0"
M=/dev/mapper/main
D=/dev/mapper/r
need sio -b 2048 w $M 0 65536 @1
make_spare /dev/mapper/spare
need remap_create r $M /dev/mapper/spare format

mode() { is "$(status r mode)" "$1" "$2: mode $1"; }
events() { dmsetup info -c --noheadings -o events r | tr -d ' '; }
said() { log_since | grep -c "mode is $1 now"; }

#---- full

is "$(status r slots)" 750 "750 slots"
is "$(dm_message r import manual 0+5960)" "745/745" "745 of them"
mode ok "nearly full"
log_mark
before=$(events)
inject main add w 40000+400 MEDIUM
is "$(sio w $D 40000 48 @2)" "w 40000+48 ENODATA" "six bad blocks, five slots: the error of main goes up"
mode full "none is left"
is "$(status r used)" 750 "all slots are used"
is "$(sio r $D 40000 40 @2)" "r 40000+40 OK" "what got a slot is there"
i=0
while [ $i -lt 20 ]; do
	sio w $D 40048 8 @3 >/dev/null
	i=$((i + 1))
done
sleep 1
is "$(said full)" 1 "it is said once"
at_least "$(events)" $((before + 1)) "there was an event"
is "$(sio r $D 40048 8 @1)" "r 40048+8 OK" "a refused write is not half there"
is "$(sio w $D 0 8 @4) $(sio r $D 0 8 @4)" "w 0+8 OK r 0+8 OK" "slots go on"
is "$(sio w $D 50000 8 @4) $(sio r $D 50000 8 @4)" "w 50000+8 OK r 50000+8 OK" "and main"
is "$(dm_message r remap 60000)" "0/1 ENOSPC" "remap by message says so"
is "$(dm_message r import manual 60000)" "0/1 ENOSPC" "import too"

is "$(dm_message r unmap 0+80)" "10/10" "ten blocks come home"
wait_for 20 test "$(status r mode)" != full
mode ok "there is room again"
is "$(sio w $D 40040 16 @5)" "w 40040+16 OK" "what failed is written"
is "$(status r used)" 742 "and has slots"
is "$(sio r $D 40040 16 @5) $(sio r $D 0 8 @4)" "r 40040+16 OK r 0+8 OK" "all can be read"
need dm_remove r
need remap_create r $M /dev/mapper/spare
is "$(status r used)" 742 "the same on a new device"
is "$(sio r $D 40000 40 @2) $(sio r $D 40048 8 @5)" "r 40000+40 OK r 40048+8 OK" "with the data"
need dm_message r unmap 0+65536
inject main clear
need dm_message r unmap 0+65536
is "$(status r used)" 0 "all comes home in the end"
need dm_remove r

#---- the breaker

need remap_create r $M /dev/mapper/spare breaker 3 3600
is "$(status r breaker)" 3 "three slots may be taken"
log_mark
inject main add w 40000+400 MEDIUM
is "$(sio w $D 40000 16 @6)" "w 40000+16 OK" "two are"
is "$(status r breaker)" 1 "one is left"
is "$(sio w $D 40016 16 @6)" "w 40016+16 ENODATA" "two more bad blocks: the second fails"
mode breaker "the breaker is open"
is "$(status r used) $(status r breaker)" "3 0" "three slots were taken"
i=0
while [ $i -lt 20 ]; do
	sio w $D 40032 8 @6 >/dev/null
	i=$((i + 1))
done
sleep 1
is "$(said breaker)" 1 "it is said once"
is "$(sio w $D 40000 8 @7) $(sio r $D 40000 8 @7)" "w 40000+8 OK r 40000+8 OK" "slots go on"
is "$(dm_message r remap 60000)" "1/1" "a message may still remap"
need dm_message r breaker reset
mode ok "reset"
is "$(sio w $D 40032 8 @6)" "w 40032+8 OK" "remaps go on"
is "$(status r breaker)" 2 "counted anew"
inject main add r 50000 MEDIUM
is "$(sio r $D 50000 8)" "r 50000+8 ENODATA" "a bad read takes one too"
is "$(status r breaker) $(status r pending)" "1 1" "and is recorded"
is "$(sio w $D 40048 8 @6) $(status r breaker)" "w 40048+8 OK 0" "the third of three"
need dm_message r set breaker 3 1
sleep 2
is "$(status r breaker)" 3 "when the time is over they are counted anew"
is "$(sio w $D 40056 8 @6)" "w 40056+8 OK" "and remaps go on"
mode ok "it has not opened"
need dm_remove r

#---- no_auto_remap

need remap_create r $M /dev/mapper/spare no_auto_remap
used=$(status r used)
is "$(sio w $D 40200 8 @8)" "w 40200+8 ENODATA" "no_auto_remap: the error goes up"
is "$(status r used)" "$used" "nothing is remapped"
is "$(dm_message r remap 40200)" "1/1" "but by message"
is "$(sio w $D 40200 8 @8)" "w 40200+8 OK" "which helps"
need dm_remove r
done_testing
