#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-check on a terminal: questions, answers, signals. And what a signal leaves elsewhere.
. "$(dirname "$0")/lib.sh"
export TERM=xterm

new_spare good.img 8M -L good
remap-import -q -b 4096 good.img < <(seq 50 359)
start=$(remap-dump --json good.img | json-get superblock.zone_start)
size=$(remap-dump --json good.img | json-get superblock.zone_sectors)
cp good.img damaged.img
smash damaged.img 1024 $((start + 2 * size))
damage() { cp damaged.img d.img; before=$(sum d.img); }
# terminal STEP... [-- COMMAND...]: remap-check d.img if no command is given
terminal() {
	case " $* " in *" -- "*) ;; *) set -- "$@" -- remap-check d.img;; esac
	"$tests_dir/terminal.py" "$@" >out.txt 2>err.txt
	rc=$?
	out=$(cat out.txt)
	err=$(cat err.txt)
}
unchanged() { is "$(sum d.img)" "$before" "$1"; }
ask='\(y/n/a: yes to all\) '

damage
terminal "$ask=n\\n" "$ask=n\\n"
exits 4 "no and no"
unchanged "changes nothing"
like "$out" "rewrite it from the copy that counts\? \(y/n/a: yes to all\)" "it asks what it would do"
terminal "$ask=y\\n" "$ask=n\\n"
exits 5 "yes and no"
damage
terminal "$ask=maybe\\n" "$ask=\\n" "$ask=yes\\n" "$ask=Y\\n"
exits 1 "an answer that is none is asked again; yes and Y are"
run remap-check -n d.img
exits 0 "and then it is clean"
damage
terminal "$ask=a\\n"
exits 1 "yes to all: one question"
unlike "$(sed '1,/yes to all/d' out.txt)" "y/n/a" "no other is asked"
damage
terminal "$ask=y\\n" "$ask=\\004"
exits 32 "the end of input"
like "$out" "cancelled; d.img was not changed" "is said"
unchanged "changes nothing, whatever was answered before"
damage
terminal "$ask=y\\n" "$ask=\\003"
exits 32 "Ctrl-C"
like "$out" "interrupted; d.img was not changed" "is said"
unchanged "changes nothing"
terminal "$ask=!TERM"
exits 32 "SIGTERM at a question"
unchanged "changes nothing"
terminal "$ask=!HUP"
[ "$rc" -eq 32 ] || [ "$rc" -eq 8 ] && pass "the terminal hangs up (exit $rc)" || fail "the terminal hangs up (exit $rc)"
unchanged "changes nothing"
rm -f u
terminal "$ask=a\\n" -- remap-check -z u d.img
exits 1 "with an undo file"
run remap-check --apply-undo u d.img
unchanged "which takes it back"
terminal "$ask=y\\n" "$ask=\\003" -- remap-check -z v d.img
[ ! -e v ] && pass "Ctrl-C: no undo file is left" || fail "Ctrl-C: no undo file is left"

# Nothing is asked where nobody answers, or nobody reads.
damage
terminal -- sh -c 'remap-check d.img </dev/null'
exits 4 "standard input is no terminal"
unlike "$out" "y/n/a" "nothing is asked"
terminal -- sh -c 'remap-check d.img | cat; exit $?'
unlike "$out" "y/n/a" "standard output is a pipe: nothing is asked"
terminal -- sh -c 'remap-check --json d.img 2>/dev/null'
exits 4 "--json"
is "$(json problems.# exit_status)" "2
4" "is whole, and nothing is asked"
unchanged "changes nothing"

# The bar, on a terminal only.
terminal -- remap-check -n --progress=always d.img
like "$out" $'\r.*table pages: ' "--progress=always draws a bar"
like "$out" $'\033\\[1;31mcorrupt' "colours"

# A signal while reading: the JSON object is complete, and says what was found until then.
for signal in INT TERM HUP; do
	damage
	POWER_READ=12 POWER_SIGNAL=$signal LD_PRELOAD=$BUILD/tests/power.so run remap-check --json -y d.img
	exits 32 "SIG$signal while reading"
	is "$(json exit_status found written)" "32
1
false" "--json is complete"
	like "$(json messages.0.text)" "interrupted; d.img was not changed" "and says it"
	unchanged "nothing was changed"
done
# Wherever a signal comes, the object has all its members, and no verdict that nobody gave.
whole='import json, sys
got = json.load(sys.stdin)
missing = {"spare", "live", "undo_underway", "copies", "problems", "found", "repaired", "written",
           "lost", "main", "messages", "exit_status"} - set(got)
verdicts = [copy["verdict"] for copy in got["copies"]["superblock"]]
assert not missing and got["exit_status"] == int(sys.argv[1]), missing
assert verdicts in ([], sys.argv[2].split()), verdicts'
bad=
truncate -s 1G main.img
damage
verdicts=$(remap-check --json -n d.img 2>/dev/null | json-get copies.superblock.{0,1,2,3,4}.verdict)
for ((at = 1; at < 200; at++)); do
	damage
	POWER_READ=$at POWER_SIGNAL=INT LD_PRELOAD=$BUILD/tests/power.so \
		run remap-check --json -n --main main.img d.img
	python3 -c "$whole" $rc "$verdicts" <out.txt 2>>json.txt || bad="$bad $at"
	[ $rc -eq 32 ] || break
done
is "$bad" "" "SIGINT at each of $at reads: the JSON is whole"
[ "$at" -ge 8 ] || fail "only $at reads were seen"

# Without superblocks all of a large table is read: it is seen how far it is, and a signal ends it.
new_spare large.img 512M -b 512
remap-import -q -b 512 large.img <<<5
for copy in 0 1 2 3 4; do
	dd if=/dev/zero of=large.img bs=512 seek="$(superblock_sector $copy)" count=8 conv=notrunc status=none
done
POWER_READ=200 POWER_SIGNAL=INT LD_PRELOAD=$BUILD/tests/power.so \
	run remap-check -n --progress=json large.img
exits 32 "SIGINT while a table is read whose length nobody knows"
read -r done total < <(sed -n 's/.*"table pages","done":\([0-9]*\),"total":\([0-9]*\)}/\1 \2/p' err.txt | tail -1)
[ "${done:-0}" -lt "${total:-0}" ] && pass "ends it there ($done of $total pages)" || fail "ends it there ($done of $total pages)"

# While writing: nothing more is written, and the next run finishes it.
for at in 1 3 6 9; do
	damage
	POWER_AT=$at POWER_HOW=signal POWER_SIGNAL=TERM LD_PRELOAD=$BUILD/tests/power.so \
		run remap-check --json -y d.img
	[ $((rc & 32)) -ne 0 ] && pass "SIGTERM at write $at (exit $rc)" || fail "SIGTERM at write $at (exit $rc)"
	is "$(json exit_status)" "$rc" "--json is complete"
	run remap-check -y d.img
	[ "$rc" -le 1 ] && pass "the next run finishes it (exit $rc)" || fail "the next run finishes it (exit $rc)"
	run remap-check -n d.img
	exits 0 "and then it is clean"
	is "$(remap-dump --json d.img | json-get summary.mapped)" 310 "with everything"
done
finish
