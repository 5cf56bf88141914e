# SPDX-License-Identifier: GPL-2.0-only
# remap-setup's verbs that are messages: salvage, scrub, health-scan, commit, breaker-reset, unmap.
# vm: mem=384 timeout=600

. /guest/lib.sh

ram_disks 2 64
faulty main /dev/ram0 131072
M=/dev/mapper/main
need sio -b 2048 w $M 0 131072 @1
make_spare /dev/ram1
need remap_create r $M /dev/ram1 format breaker 2 86400

value_is() { [ "$(status r "$1")" = "$2" ]; }

#---- what starts and stops ----

inject main add r 4000 MEDIUM
need import r 4000+8 8000+8
is "$(status r pending)" 16 "two blocks are pending"
inject main clear
says 0 'r: trying pending sectors again' "salvage" remap-setup salvage r
runs "salvage: gets them" wait_for 60 value_is pending 0
says 0 'r: stopped' "salvage --stop" remap-setup salvage --stop r
says 0 'r: reading all copies' "scrub" remap-setup scrub /dev/mapper/r
runs "scrub: ends" wait_for 60 value_is scrub_state off
says 0 'r: looking for bad blocks' "health-scan" remap-setup health-scan r
unlike "$(status r scan_state)" off "health-scan: on"
says 0 'r: stopped' "health-scan --stop" remap-setup health-scan --stop r
is "$(status r scan_state)" off "health-scan: off"
says 0 'r: all of the metadata is durable' "commit" remap-setup commit r
like "$(remap-setup commit --json r)" '"message": *"commit"' "commit: JSON"

inject main add w 16000 MEDIUM
inject main add w 24000 MEDIUM
inject main add w 32000 MEDIUM
for sector in 16000 24000 32000; do sio w /dev/mapper/r $sector 8 @2 >/dev/null; done
is "$(status r mode)" breaker "the breaker is open"
says 0 'r: automatic remaps are allowed' "breaker-reset" remap-setup breaker-reset r
is "$(status r mode)" ok "and closed"
inject main clear

#---- unmap ----

is "$(status r used)" 4 "four blocks are on the spare"
says 0 '4 blocks of it would go back' "unmap -n" remap-setup unmap -n r --all
is "$(status r used)" 4 "unmap -n: changes nothing"
says 0 'r: 1 block of it went back' "unmap of a range" remap-setup unmap r 4000+4000
is "$(status r used)" 3 "unmap of a range: one slot less"
says 0 'r: 0 blocks of it went back' "unmap of what is not there" remap-setup unmap r 4000+8
inject main add w 16000 MEDIUM
says 1 'r: 1 of 3 blocks stay on the spare, the first at sector 16000: ' "unmap of what main does not take" \
	remap-setup unmap --all r
is "$(status r used)" 1 "it stays, and the others go"
is "$(sio r /dev/mapper/r 16000 8 @2)" "r 16000+8 OK" "its data is there"
inject main clear
says 0 'r: 1 block of it went back' "unmap when it does" remap-setup unmap --all r
is "$(sio r $M 16000 8 @2)" "r 16000+8 OK" "its data is on main"
is "$(status r used)" 0 "nothing is on the spare"

#---- what is refused ----

says 16 'RANGE.*is missing|a RANGE is missing' "no range" remap-setup unmap r
says 16 'exclude each other' "range and --all" remap-setup unmap --all r 8
says 16 'RANGE is negative' "a range that is none" remap-setup unmap r -- -8
says 16 'RANGE is empty' "an empty range" remap-setup unmap r 8+0
says 8 'no such mapped device' "no such device" remap-setup scrub nosuch
says 8 'main: not a device of dm-remap' "a device of another target" remap-setup commit main
need dm_suspend r
for verb in salvage scrub health-scan commit breaker-reset "unmap --all"; do
	# shellcheck disable=SC2086
	says 8 'r: suspended, .*; nothing was changed' "suspended: $verb" remap-setup $verb r
done
need dm_resume r
need dm_remove r
done_testing
