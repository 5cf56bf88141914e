# SPDX-License-Identifier: GPL-2.0-only
# Copies of the metadata die and come back under a live device: scrub finds and repairs them,
# while it serves, and says so. What a check is due for stays due.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 2 64
faulty main /dev/ram0 131072
faulty spare /dev/ram1 131072
M=/dev/mapper/main
S=/dev/mapper/spare
D=/dev/mapper/r
need sio -b 2048 w $M 0 131072 @1
make_spare $S
need remap_create r $M $S format

# the zones of a spare of 64 MiB, in sectors
zone=$(((131072 - 10240) / 5 / 8 * 8))
super() { echo 0 1024 2048 4096 8192 | cut -d ' ' -f $(($1 + 1)); }
# where copy K of the superblock and of the 59 pages are
places() { echo "$(super "$1")+8 $((10240 + $1 * zone))+472"; }

is_off() { [ "$(status r scrub_state)" = off ]; }
scrub()
{
	need dm_message r scrub start
	wait_for 60 is_off || bail "scrub does not end"
}

scrub
is "$(status r scrub_bad) $(status r scrub_repaired)" "0 0" "nothing to do on a good spare"
like "$(status r scrub_pages)" '^([0-9]+)/\1$' "every page was looked at"
is "$(dm_message r remap 8)" 1/1 "a remap"
block=16
for nr in 1 2 3; do
	# shellcheck disable=SC2046
	case $nr in
	1) inject spare add rw $(places 2) IOERR ;;
	2) inject spare add rw $(places 0) $(places 4) IOERR ;;
	3) inject spare add rw $(places 0) $(places 1) $(places 3) MEDIUM torn ;;
	esac
	is "$(dm_message r remap $block)" 1/1 "$nr dead: a remap"
	block=$((block + 8))
	is "$(status r copies)" $((5 - nr)) "$nr dead: live copies"
	is "$(status r mode)" degraded "$nr dead: degraded"
	scrub
	is "$(status r copies) $(status r scrub_repaired)" "$((5 - nr)) 0" "$nr dead: scrub brings none back"
	is "$(dm_message r remap $block)" 1/1 "$nr dead: changes are taken after it"
	block=$((block + 8))
	inject spare clear
	scrub
	is "$(status r copies)" 5 "$nr back: five live copies"
	is "$(status r mode) $(status r needs_check)" "ok -" "$nr back: ok, without a reload"
	is "$(status r health)" 99 "$nr back: only the slots in use count"
	at_least "$(status r scrub_repaired)" $nr "$nr back: copies repaired"
	scrub
	is "$(status r scrub_bad)" 0 "$nr back: nothing left to do"
done
is "$(status r used)" 7 "seven remaps"

#---- bits flip on the spare, unnoticed until somebody looks

is "$(sio w $S $((10240 + zone + 3)) 1 9)" "w $((10240 + zone + 3))+1 OK" "rot in a page"
is "$(sio w $S 4097 1 9)" "w 4097+1 OK" "rot in a superblock"
is "$(status r copies) $(status r mode)" "5 ok" "nobody knows"
log_mark
scrub
is "$(status r scrub_bad) $(status r scrub_repaired)" "2 2" "found and repaired"
like "$(log_since)" 'scrub: .*2 bad copies, 2 repaired' "and logged"
scrub
is "$(status r scrub_bad)" 0 "repaired indeed"

#---- the other one of two devices is not concerned; a suspend holds it up, and it goes on

need dm_message r scrub start
need dm_suspend r
fails "suspended: scrub is refused" dm_message r scrub start
need dm_resume r
wait_for 60 is_off
ok $? "a scrub goes on after a suspend"
need dm_message r scrub stop
fails "scrub without a word" dm_message r scrub
fails "scrub with a wrong one" dm_message r scrub now
fails "scrub with too many" dm_message r scrub start now

#---- four of five: a page that takes no change any more, and a block nobody may touch

# shellcheck disable=SC2046
inject spare add rw $(places 0) $(places 1) $(places 3) $(places 4) IOERR
like "$(dm_message r remap 4000)" '^0/1 EIO' "four dead: a remap fails"
is "$(sio r $D 4000 8)" "r 4000+8 EIO" "its block is fenced"
is "$(sio r $D 8 8 @1)" "r 8+8 OK" "the others are served"
like "$(dm_message r remap 5000)" '^0/1 E' "no change is taken"
is "$(status r copies) $(status r needs_check)" "1 needs_check" "one live copy, a check is due"
inject spare clear
scrub
is "$(status r copies)" 5 "they are back: five live copies"
is "$(sio r $D 4000 8 @1)" "r 4000+8 OK" "the block is served again, without a reload"
is "$(dm_message r remap 4000 5000)" 2/2 "changes are taken again"
is "$(status r mode) $(status r needs_check)" "degraded needs_check" "a check is due still"
need dm_remove r
need remap_create r $M $S
is "$(status r used)" 9 "a load finds what was acknowledged"
is "$(status r needs_check)" needs_check "and that a check is due"
is "$(status r copies)" 5 "and five copies"

#---- the spare is away

inject spare add rw 0+131072 OFFLINE
need dm_message r scrub start
wait_for 60 is_off
is "$(status r copies)" 5 "nothing is concluded from a spare that is away"
inject spare clear
scrub
is "$(status r scrub_bad)" 0 "it is as it was"

need sio z $S 0 8
scrub
is "$(status r scrub_repaired)" 1 "a superblock that was overwritten is repaired"
need dm_remove r
done_testing
