#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-status on recorded status lines: every problem, every form, and what is refused. The VM has the
# test with devices.
. "$(dirname "$0")/lib.sh"

# record LINE...: a recording with a sample for each "NAME STATUS"; all devices in one sample
record() {
	echo "remap-top-recording 1"
	echo "sample 1800000000000 1000"
	for device; do
		echo "device ${device%% *} 253:0 0 131072 sdb sdc1"
		echo "status ${device#* }"
	done
	echo end
}
# line MODE USED SLOTS PENDING LOST RETIRED COPIES HEALTH SPARE_ERRORS NEEDS_CHECK FENCED
line() {
	echo "1 $1 $2/$3 $4 $5 $6 $7 $8 8:16 8:33 01234567-89ab-cdef-0123-456789abcdef 8 1 2 $9 3 4" \
		"120 99 64 0 1022 0 - 0/131072 0 ${10} rw - - - off 0 0 off 0/59 0 0 0 ${11}" | tr ' ' '\\' |
		sed 's/\\/\\x20/g'
}
show() { run remap-status --replay recording "$@"; }

record "safe $(line ok 2 1000 0 0 0 5 99 0 - 0)" >recording
show
exits 0 "a device that is well"
like "$out" "^safe +ok +99 .* 0 +0 " "has a row"
unlike "$out" "WARNING|CRITICAL" "and nothing needs attention"
show --nagios
exits 0 "Nagios is content"
is "$out" "DM-REMAP OK - 1 device ok | 'safe_free'=99.80%;20:;10:;0;100 'safe_health'=99;;;0;100 'safe_pending'=0B;0;;0 'safe_lost'=0B;;0;0" "with performance data"
show --json
exits 0 "JSON"
is "$(json status devices.0.name devices.0.used devices.0.main devices.0.read_errors)" \
	"$(printf '%s\n' OK safe 2 sdb 1)" "has the fields"

# Problems: each with the exit status of Nagios, and the words that say what to do
problem() {	# STATUS WORDS LINE...
	local status=$1 words=$2
	shift 2
	record "safe $(line "$@")" >recording
	show
	exits 1 "$words: needs attention"
	like "$out" "$words" "$words: is said"
	show --nagios
	exits "$status" "$words: and Nagios told"
}
problem 2 "CRITICAL safe: has failed" failed 2 1000 0 0 0 5 0 0 - 0
problem 2 "CRITICAL safe: no slot is free" full 1000 1000 0 0 0 5 70 0 - 0
problem 2 "remap-setup breaker-reset safe" breaker 2 1000 0 0 0 5 80 0 - 0
problem 1 "dmsetup resume safe" inactive 2 1000 0 0 0 5 80 0 - 0
problem 2 "8 sectors lost" ok 2 1000 0 8 0 5 60 0 - 0
problem 1 "WARNING safe: 1 sector pending.*remap-setup salvage safe" ok 2 1000 1 0 0 5 80 0 - 0
problem 1 "4 of 5 copies.*remap-setup scrub safe" degraded 2 1000 0 0 0 4 80 0 - 0
problem 1 "remap-check /dev/sdc1" degraded 2 1000 0 0 0 5 80 0 needs_check 0
problem 1 "3 blocks fenced" degraded 2 1000 0 0 0 5 80 0 - 3
problem 1 "7 errors of the spare.*stats reset" degraded 2 1000 0 0 0 5 80 7 - 0
problem 1 "WARNING safe: 199 of 1000 slots free" ok 800 1000 0 0 1 5 80 0 - 0
problem 2 "CRITICAL safe: 99 of 1000 slots free" ok 900 1000 0 0 1 5 80 0 - 0
problem 1 "is degraded" degraded 2 1000 0 0 0 5 80 0 - 0
show --nagios -w 100 -c 100
exits 2 "other limits"

# What is not known is not shown as a number
record "safe $(line inactive - - - - - - - - - -)" >recording
show --json
is "$(json devices.0.used devices.0.free devices.0.spare_errors)" "$(printf '%s\n' null null null)" "unknown is null"
show --prometheus
unlike "$out" "^dm_remap_slots|18446744073709551615|e\+19" "and no metric"
record "safe 2 ok" "other $(line ok 2 1000 0 0 0 5 99 0 - 0)" >recording
show --nagios
exits 3 "another layout is unknown to Nagios"
show
like "$out" "UNKNOWN safe: status of layout 2" "and is said"
like "$(head -n 2 <<<"$out")" "^safe +unknown" "at the top"

# Prometheus
record "safe $(line degraded 2 1000 5 0 0 4 99 0 - 0)" >recording
show --prometheus -o metrics.prom
is "$rc $out" "0 " "metrics go to a file"
is "$(grep -c '^dm_remap_pending_bytes{name="safe",main="[^"]*",spare="[^"]*"} 2560$' metrics.prom)" 1 "in base units"
like "$(cat metrics.prom)" 'mode="degraded"} 1' "with the mode"
like "$(cat metrics.prom)" 'health_ratio\{.*} 0.98999999999999999|health_ratio\{.*} 0.99' "and the health"
is "$(ls metrics.prom*)" metrics.prom "no temporary file is left"
sed -n 's/^dm_remap_\([a-z_]*\){.*/\1/p' metrics.prom | sort -u | while read -r name; do
	grep -q "^# HELP dm_remap_$name ." metrics.prom && grep -q "^# TYPE dm_remap_$name " metrics.prom || echo "$name"
done >bare
is "$(cat bare)" "" "every metric has a help and a type"
if promtool=$("$tests_dir/promtool" 2>reason); then
	ok "promtool finds nothing" sh -c "'$promtool' check metrics <metrics.prom"
else
	skip "metrics" "$(cat reason)"
fi
# numbers that no device has: nothing passes 64 bits on the way
record "safe $(line ok 0 18446744073709551614 0 0 0 5 99 0 - 0)" >recording
show --nagios
exits 0 "slots without end, all free"
problem 2 "CRITICAL safe: 0 of 18446744073709551614 slots free" \
	ok 9223372036854775900 18446744073709551614 0 0 9223372036854775900 5 80 0 - 0
show --prometheus -o none/metrics.prom
exits 8 "a directory that is not there"

# Names, and what makes no sense
show nowhere
exits 1 "a device that is not there"
like "$out" "CRITICAL nowhere: is not there" "is critical"
for bad in "-w x" "-w 101" "-w 5" "-d 0" "-o x" "--json --nagios" "--prometheus --nagios" "/dev/sdb" "-d 3"; do
	run remap-status --replay recording $bad
	case $bad in
	*nagios*) [ "$rc" = 16 ] || [ "$rc" = 3 ]; is "$?" 0 "$bad";;
	*) exits 16 "$bad";;
	esac
done

# What else should be here. With a recording only what is named is looked at.
record "safe $(line ok 2 1000 0 0 0 5 99 0 - 0)" >recording
uuid=01234567-89ab-cdef-0123-456789abcdef
printf '%s\n' "safe - UUID=$uuid" "archive - UUID=${uuid/0/f}" >remaptab
show --remaptab remaptab
exits 1 "remaptab has a device that is not there"
like "$out" "CRITICAL archive: is not there" "which is critical"
unlike "$out" "CRITICAL safe" "one that is there is none"
show --nagios --remaptab remaptab
exits 2 "for Nagios, too"
show --prometheus --remaptab remaptab
is "$(grep '^dm_remap_present' <<<"$out" | sed 's/{name="\([a-z]*\)"[^}]*}/ \1/' | sort)" \
	"$(printf 'dm_remap_present %s\n' "archive 0" "safe 1")" "and for Prometheus"
show --remaptab remaptab safe
exits 0 "who names devices asks for no others"
echo "what is this" >>remaptab
show --remaptab remaptab
exits 8 "a line of remaptab that is wrong"
like "$err" "remaptab:3: MAIN is" "is named"
show --remaptab none
exits 0 "no remaptab is one without a line"
mkdir -p modules/6.1-{with,packed,without,other} modules/{empty,.hidden}
echo "updates/dkms/dm-remap.ko: kernel/drivers/md/dm-mod.ko" >modules/6.1-with/modules.dep
echo "updates/dm-remap.ko.xz:" | tee modules/6.1-packed/modules.dep >modules/.hidden/modules.dep
echo "kernel/a.ko: updates/dm-remap.ko" >modules/6.1-without/modules.dep
echo "kernel/not-dm-remap.ko:" >modules/6.1-other/modules.dep
show --modules modules
exits 1 "kernels without the module"
is "$(grep -o 'WARNING [^ :]*' <<<"$out" | sort | tr '\n' ' ')" "WARNING 6.1-other WARNING 6.1-without " "are named, others are not"
like "$out" "dkms autoinstall -k 6.1-other" "with what to do"
show --json --modules modules
is "$(json kernels.0.version kernels.0.module kernels.1.version kernels.1.module kernels.2.module kernels.3.module | tr '\n' ' ')" \
	"6.1-other false 6.1-packed true true false " "in JSON, too"
show --modules recording
exits 8 "a directory of modules that is none"

# A device whose only line does not begin at 0 is there; advice names the device, so that it can be copied.
record "safe $(line breaker 2 1000 1 0 0 5 80 0 - 0)" | sed 's/^\(device .*:0\) 0 /\1 2048 /' >recording
echo "safe - UUID=$uuid" >remaptab0
show --remaptab remaptab0
is "$(grep -c '^safe' <<<"$out")" 1 "a line at another place: one row"
unlike "$out" "is not there" "and none is absent"
like "$out" "breaker-reset safe$" "the name in the advice is the device's"
show safe
is "$(grep -c '^safe' <<<"$out")" 1 "also by name"
record "a\\x20b'c $(line breaker 2 1000 1 0 0 5 80 0 - 0)" >recording
show
like "$out" "remap-setup breaker-reset 'a b'\\\\''c'$" "a name that a shell would split is quoted"
record "a\\x0ab'c $(line breaker 2 1000 1 0 0 5 80 0 - 0)" >recording
show
like "$out" "remap-setup breaker-reset [$]'a.x0ab.'c'$" "and one that cannot be printed"
record "safe $(line ok 2 1000 0 0 0 5 99 0 - 0)" >recording

# Backups of what spares hold; the status line has the uuid.
mkdir backups
show --backups backups
exits 1 "no backup at all"
like "$out" "WARNING safe: no backup of what its spare holds: remap-setup backup -d backups safe;" "is a warning, and says what makes one there"
like "$(head -n 1 <<<"$out")" "BACKUP$" "the table has a column"
like "$(sed -n 2p <<<"$out")" "never$" "that says so"
: >"backups/$uuid-$(date -u -d "3 days ago" +%Y%m%dT%H%M%SZ).json.gz"
: >"backups/$uuid-$(date -u +%Y%m%dT%H%M%SZ).partial.json.gz"
show --backups backups
like "$out" "WARNING safe: the newest backup .* is 3 days old" "a partial one does not count, an old one is a warning"
# What makes room on a narrow terminal, and what does not: how full it is, and when it will be.
on_terminal() {
	"$tests_dir/terminal.py" -- sh -c "stty cols $1; exec remap-status --color=never --replay recording --backups backups" |
		head -n 1 | tr -d '\r' | tr -s ' '
}
is "$(on_terminal 40)" "NAME MODE SLOTS LOST FULL" "40 columns"
is "$(on_terminal 50)" "NAME MODE HEALTH SLOTS LOST FULL BACKUP" "50 columns"
is "$(on_terminal 60)" "NAME MODE HEALTH SLOTS PEND LOST FULL BACKUP" "60 columns have all"
is "$(on_terminal 80)" "NAME MODE HEALTH SLOTS PEND LOST FULL BACKUP" "80 columns, too"
for cols in 40 50 60 80; do
	"$tests_dir/terminal.py" -- sh -c "stty cols $cols; exec remap-status --color=never --replay recording --backups backups" |
		tr -d '\r' | sed '/^$/q' | awk -v most="$cols" 'length > most { exit 1 }'
	is $? 0 "nothing is wider than $cols columns"
done
show --nagios --backups backups
exits 1 "for Nagios, too"
show --json --backups backups
is "$(json devices.0.backup)" old "JSON says it"
show --prometheus --backups backups
age=$(sed -n 's/^dm_remap_backup_age_seconds{name="safe",.*} //p' <<<"$out")
ok "the metric is the age ($age s)" test "$age" -ge 259200 -a "$age" -lt 270000
: >"backups/$uuid-$(date -u -d "1 day ago" +%Y%m%dT%H%M%SZ).json.gz"
show --backups backups
exits 0 "one of yesterday is well"
like "$(sed -n 2p <<<"$out")" "24h$" "and shown"
show --prometheus --backups nowhere
like "$out" '^dm_remap_backup_age_seconds\{.*\} \+Inf' "without a directory there is none"
show --backups recording
exits 8 "a directory of backups that is none"

echo "remap-top-recording 1" >recording
show
like "$out" "no devices" "no device at all"
echo "sample 1 x" >>recording
show --nagios
exits 3 "a damaged recording is unknown to Nagios"
show
exits 4 "and damage to others"

finish
