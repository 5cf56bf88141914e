# SPDX-License-Identifier: GPL-2.0-only
# Slots that fail: what moves, what is retired, what is lost, and what only fails for now.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 2 64
faulty_pair
need remap_create r $M /dev/mapper/spare format breaker 100000 60
# slots of the first zone, behind its copy of the table
SLOTS=10712+23688

# counts USED LOST RETIRED NAME
counts() { is "$(status r used) $(status r lost) $(status r retired)" "$1 $2 $3" "$4: used, lost, retired"; }

need dm_message r remap 4096+80
need sio w $D 4096 80 @2
is "$(status r mode)" ok "all is well"

#---- a write fails once, twice

inject spare add w $SLOTS MEDIUM times 1
is "$(sio w $D 4096 8 @3)" "w 4096+8 OK" "a slot fails once: written again"
counts 10 0 0 "once"
is "$(status r mode) $(status r spare_errors)" "degraded 1" "it is counted"
inject spare add w $SLOTS MEDIUM times 2
is "$(sio w $D 4098 2 @4)" "w 4098+2 OK" "a slot fails twice: the block moves"
counts 10 0 1 "moved"
is "$(sio r $D 4096 2 @3) $(sio r $D 4098 2 @4) $(sio r $D 4100 4 @3)" \
	"r 4096+2 OK r 4098+2 OK r 4100+4 OK" "with all it had"
inject spare add w $SLOTS IOERR times 2
is "$(sio w $D 4104 24 @5)" "w 4104+24 OK" "a write of three slots, the first fails twice"
counts 10 0 2 "one of them moved"
is "$(sio r $D 4104 24 @5)" "r 4104+24 OK" "all of it can be read"

#---- the next slots fail too

inject spare add w $SLOTS MEDIUM times 4
is "$(sio w $D 4128 8 @6)" "w 4128+8 OK" "slots fail when they are first written"
counts 10 0 5 "they are retired on the way"
is "$(sio r $D 4128 8 @6)" "r 4128+8 OK" "it can be read"
inject spare add w $SLOTS MEDIUM
like "$(sio w $D 4136 8 @7)" "w 4136\+8 E" "no slot takes it: the write fails"
inject spare clear
counts 10 0 9 "four more are retired"
is "$(sio r $D 4136 8 @2)" "r 4136+8 OK" "the block has what it had"

#---- a slot that cannot be read

inject spare add r $SLOTS MEDIUM
is "$(sio r $D 4144 8)" "r 4144+8 ENODATA" "a slot fails to read: never what main has there"
counts 10 0 9 "read"
inject spare add w $SLOTS MEDIUM times 2
is "$(sio w $D 4144 3 @8)" "w 4144+3 OK" "and to write: the block moves"
inject spare clear
counts 10 5 10 "what could not be read is lost"
is "$(sio r $D 4144 3 @8) $(sio r $D 4147 5)" "r 4144+3 OK r 4147+5 ENODATA" "it says so"
is "$(sio w $D 4148 1 @9) $(sio r $D 4148 1 @9)" "w 4148+1 OK r 4148+1 OK" "a lost sector is written"
counts 10 4 10 "one less is lost"
need sio w $D 4144 8 @10
counts 10 0 10 "all of it is written"

# with pending sectors: they are saved from main, now or never
need dm_message r import manual 8192
need sio w $D 8192 2 @11
inject main add r 8199 MEDIUM
inject spare add r $SLOTS MEDIUM
inject spare add w $SLOTS MEDIUM times 2
is "$(sio w $D 8193 1 @12)" "w 8193+1 OK" "a block with pending sectors moves"
inject spare clear
counts 11 2 11 "lost: one of the slot and one that main does not give"
is "$(status r pending)" 0 "nothing is pending"
is "$(sio r $D 8193 1 @12) $(sio r $D 8194 5 @1)" "r 8193+1 OK r 8194+5 OK" "all else is there"
inject main clear
is "$(sio r $D 8199)" "r 8199+1 ENODATA" "lost stays lost"

#---- statuses that say nothing about the slot

for error in TRANSPORT OFFLINE TIMEOUT NOSPC; do
	inject spare add w $SLOTS $error
	like "$(sio w $D 4096 8 @13)" "w 4096\+8 E" "$error: a write fails"
	inject spare clear
	inject spare add r $SLOTS $error
	inject spare add w $SLOTS MEDIUM times 2
	like "$(sio w $D 4096 1 @13)" "w 4096\+1 E" "$error: a move that cannot read is given up"
	inject spare clear
done
counts 11 2 11 "none of them changed anything"
is "$(sio r $D 4100 4 @3)" "r 4100+4 OK" "what was there is there"
inject main add w 12288 MEDIUM
inject spare add w $SLOTS TRANSPORT
is "$(sio w $D 12288 8 @2)" "w 12288+8 ENODATA" "no slot can be had for now: main's error goes up"
inject spare clear
counts 11 2 11 "and none is used up"
is "$(sio w $D 12288 8 @2)" "w 12288+8 OK" "later it works"

#---- on a new device

need dm_remove r
need remap_create r $M /dev/mapper/spare
counts 12 2 11 "on a new device"
is "$(sio r $D 4098 2 @4) $(sio r $D 4104 24 @5) $(sio r $D 4128 8 @6) $(sio r $D 4144 8 @10)" \
	"r 4098+2 OK r 4104+24 OK r 4128+8 OK r 4144+8 OK" "everything is there"
is "$(sio r $D 8192) $(sio r $D 8193 1 @12)" "r 8192+1 ENODATA r 8193+1 OK" "lost stays lost there"
is "$(status r mode)" ok "all is well"
need dm_remove r
done_testing
