# SPDX-License-Identifier: GPL-2.0-only
# remap-status over live devices in every mode: each form against what the target itself says.
# vm: mem=384 timeout=600

. /guest/lib.sh

show() { remap-status --modules /none --backups /tmp/kept "$@" >shown 2>errors; }
# said TEXT DESCRIPTION: it is in the table for people
said() { like "$(cat shown)" "$1" "$2"; }
# codes STATUS NAGIOS DESCRIPTION: how remap-status and its form for Nagios end for the device
codes()
{
	show --nagios r
	nagios=$?
	show r
	is "$? $nagios" "$1 $2" "$3: exit status, Nagios' too"
}
# metric NAME FIELD: it is the status line's
metric() { is "$(awk -v name="dm_remap_$1" 'index($1, name "{") == 1 { print $2 }' metrics)" "$(status r "$2")" "metric $1"; }

cd /tmp || bail "no /tmp"
show
is "$?" 0 "no device at all is no problem"
show nothing
is "$?" 1 "a device that is not there is one"
said "CRITICAL nothing: is not there" "and is said"

ram_disks 2 32
faulty main /dev/ram0 65536
need dm_create low "0 16384 linear /dev/ram1 0"
faulty spare /dev/mapper/low 16384
M=/dev/mapper/main
D=/dev/mapper/r
need sio -b 2048 w $M 0 65536 @1
make_spare /dev/mapper/spare
need remap_create r $M /dev/mapper/spare format

#---- ok, and pending sectors

codes 0 0 "no backup, but of a spare that holds nothing"
need dm_message r remap 0+8
codes 1 1 "no backup of what the spare holds"
said "WARNING r: no backup of .*remap-setup backup -d /tmp/kept r" "with what to do"
runs "which works" remap-setup backup -d /tmp/kept --all
need dm_message r unmap 0+8
codes 0 0 "well"
said "^r +ok +100 " "a row"
need import r 32768+8
codes 1 1 "pending"
said "8 sectors pending.*remap-setup salvage r" "with what to do"
show --nagios r
said "'r_pending'=4096B" "in bytes for Nagios"
show --json
said "\"used\":$(status r used)," "JSON has what the target says"
said "\"pending_sectors\":8," "also of pending sectors"
show --prometheus -o metrics
is "$?" 0 "metrics go to a file"
metric slots_used used
metric slots slots
metric breaker_left_slots breaker
metric metadata_live_copies copies
like "$(cat metrics)" "^dm_remap_backup_age_seconds\{name=\"r\".*} [0-9]+$" "and the age of the backup"
like "$(cat metrics)" "^dm_remap_mode\{.*mode=\"ok\"[^}]*} 1$" "and the mode"

#---- breaker

need dm_message r set breaker 2 86400
inject main add w 40000+400 MEDIUM
sio w $D 40000 48 @2 >/dev/null
is "$(status r mode)" breaker "the breaker opens"
codes 1 2 "breaker"
said "remap-setup breaker-reset r" "with the way out"
runs "which works" remap-setup breaker-reset r
is "$(status r mode)" ok "closed"
need dm_message r set breaker 4096 60

#---- full

left=$(($(status r slots) - $(status r used)))
need import r "0+$((left * 8))"
sio w $D 40100 8 @2 >/dev/null
is "$(status r mode)" full "a spare without a free slot"
codes 1 2 "full"
said "CRITICAL r: no slot is free" "is said"
inject main clear
need dm_message r unmap 0+4000
wait_for 60 test "$(status r mode)" != full

#---- degraded

inject spare add rw 1024+8 IOERR
dm_message r scrub start >/dev/null
wait_for 120 eval 'test "$(status r mode)" = degraded'
codes 1 1 "degraded"
said "4 of 5 copies of the metadata live" "says how many live"
show --prometheus -o metrics
metric metadata_live_copies copies
metric spare_errors_total spare_errors
inject spare clear

#---- absent

echo "gone - UUID=01234567-89ab-cdef-0123-456789abcdef" >tab
show --remaptab tab
said "CRITICAL gone: is not there" "what remaptab has and is not there is critical"
echo "r" >tab
show --remaptab tab
is "$?" 8 "a line of remaptab that is none"
like "$(cat errors)" "tab:1: " "is named"
need dm_remove r
codes 1 2 "removed"
done_testing
