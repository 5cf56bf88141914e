# SPDX-License-Identifier: GPL-2.0-only
# The message salvage: pending sectors that main gives after all are kept; one pass for each
# start; at rest while the device is suspended.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 2 64
faulty_pair
need remap_create r $M /dev/mapper/spare format

pending() { is "$(status r pending)" "$1" "$2: $1 sectors pending"; }
over() { [ "$(status r salvage)" = stopped ]; }
salvage()
{
	need dm_message r salvage start
	wait_for 60 over || not_ok "salvage does not end"
}

is "$(status r salvage) $(status r salvage_tried) $(status r salvage_healed)" "- - -" "no pass yet"

#---- some come, some do not

inject main add r 4001 4005 8192+8 12290 MEDIUM
is "$(sio r $D 4000 8) $(sio r $D 8192 8) $(sio r $D 12288 8)" \
	"r 4000+8 ENODATA r 8192+8 ENODATA r 12288+8 ENODATA" "three bad blocks"
need dm_message r import manual 16384+16
pending 27 "bad and imported"
inject main del r 4001 8192+4
salvage
pending 6 "after a pass"
is "$(status r salvage_tried) $(status r salvage_healed)" "27/27 21" "what was tried and what came"
before=$(inject_count main reads)
sleep 1
is "$(inject_count main reads)" "$before" "and then main is left alone"

# main has it no more, the slots do
inject main add rw 0+131072 MEDIUM
is "$(sio r $D 4000 5 @1) $(sio r $D 8192 4 @1) $(sio r $D 16384 16 @1)" \
	"r 4000+5 OK r 8192+4 OK r 16384+16 OK" "healed sectors are in slots"
is "$(sio r $D 4005) $(sio r $D 8196 4) $(sio r $D 12290)" \
	"r 4005+1 ENODATA r 8196+4 ENODATA r 12290+1 ENODATA" "the others still fail"
inject main clear

#---- written meanwhile: what was written stays

need sio w $D 4005 1 @2
pending 5 "one was written"
salvage
pending 0 "after another pass"
is "$(sio r $D 4000 5 @1) $(sio r $D 4005 1 @2) $(sio r $D 4006 2 @1) $(sio r $D 8192 8 @1)" \
	"r 4000+5 OK r 4005+1 OK r 4006+2 OK r 8192+8 OK" "everything is right"
salvage
is "$(status r salvage_tried) $(status r salvage_healed)" "0/0 0" "a pass with nothing to do"

#---- a slot that does not take it: stays pending

need dm_message r import manual 20480
inject spare add w 10712+23688 MEDIUM
salvage
inject spare clear
pending 8 "the slot fails"
is "$(sio r $D 20480 8 @1)" "r 20480+8 OK" "main still has it"
salvage
pending 0 "the slot works again"

#---- long: stop, suspend, reload

need dm_message r import manual 32768+4096
need dmsetup suspend r
before=$(inject_count main reads)
fails "not while suspended" dm_message r salvage start
need dm_resume r
need dm_message r salvage start
need dm_message r salvage start
need dm_message r salvage stop
is "$(status r salvage)" stopped "stop stops it"
stopped=$(status r pending)
sleep 1
is "$(status r pending)" "$stopped" "and nothing goes on"
is "$(sio -b 64 r $D 32768 4096 @1)" "r 32768+4096 OK" "all can be read"

# slow enough for a suspend to come in between
modprobe dm-delay
need dm_create slow "0 131072 delay /dev/ram0 0 20 /dev/ram0 0 0"
need dm_swap main "0 131072 inject /dev/mapper/slow 0 512"
need dm_message r import manual 65536+800
need dm_message r salvage start
need dmsetup suspend r
is "$(status r salvage)" running "a suspend pauses it"
paused=$(status r pending)
sleep 1
is "$(status r pending)" "$paused" "nothing goes on while suspended"
need dm_load r "0 131072 remap $M /dev/mapper/spare"
need dm_resume r
wait_for 120 over || not_ok "salvage does not go on after the resume"
pending 0 "it goes on after a reload, to its end"
is "$(sio -b 64 r $D 65536 800 @1)" "r 65536+800 OK" "all can be read"

need dm_message r import manual 98304+800
need dm_message r salvage start
is "$(sio -b 8 w $D 98304 800 @3)" "w 98304+800 OK" "writing what is being salvaged"
wait_for 120 over || not_ok "salvage does not end"
is "$(sio -b 8 r $D 98304 800 @3)" "r 98304+800 OK" "what was written stays"
pending 0 "both together"
need dm_message r import manual 106496+800
need dm_message r salvage start
need dm_remove r
pass "a device can be removed with a pass under way"
need remap_create r $M /dev/mapper/spare
is "$(status r salvage)" - "which is forgotten"
is "$(sio -b 64 r $D 98304 800 @3) $(sio -b 64 r $D 32768 4096 @1)" \
	"r 98304+800 OK r 32768+4096 OK" "the data is there on a new device"
need dm_remove r
done_testing
