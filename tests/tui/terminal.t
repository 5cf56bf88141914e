#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-top on real terminals (tmux): sizes, keys, colours, kinds of terminal, signals, and that the
# terminal is given back as it was. Everything is waited for, and nothing is timed.
. "$(dirname "$0")/../tools/lib.sh"
here=$tests_dir/../tui
recording=$here/disk-fails.recording
export recording
unset TMUX
tm() { tmux -S "$work/socket" -f /dev/null "$@"; }
if ! command -v tmux >/dev/null || ! LC_ALL=C.UTF-8 tm new-session -d -x 80 -y 24 'exec sleep 1000'; then
	skip "remap-top on terminals" "no tmux"
	finish
fi
cleanup "tm kill-server 2>/dev/null"
tm set-option -g default-terminal tmux-256color
tm set-option -g status off

# What a pane runs: a command, then what became of it and of the terminal.
cat >pane.sh <<'END'
before=$(stty -g)
"$@"
rc=$?
after=$(stty -g)
[ "$before" = "$after" ] && state=restored || state="changed: $before $after"
echo "exit $rc, terminal $state"
exec sleep 1000
END
# start COLUMNS LINES COMMAND...: on a terminal of its own
start() {
	local size=(-x "$1" -y "$2") command
	shift 2
	printf -v command '%q ' env "$@"
	tm new-window -k -t 0 "exec bash $PWD/pane.sh $command"
	tm resize-window -t 0 "${size[@]}"
}
keys() { tm send-keys -t 0 "$@"; }
picture() { tm capture-pane -p -t 0 "$@"; }
# shows REGEX DESCRIPTION: sooner or later, in two minutes at most
shows() {
	local try
	for ((try = 0; try < 1200; try++)); do
		if picture | LC_ALL=C.UTF-8 grep -Eq -- "$1"; then
			pass "$2"
			return
		fi
		sleep 0.1
	done
	fail "$2"
	note "want something like: $1"
	picture | sed 's/^/# |/'
	return 1
}
# The screen has been drawn after all that was typed so far: the menu comes and goes.
settle() {
	keys F6
	shows "^Sort by" "$1: the menu comes"
	keys Escape
	shows "F10Quit" "$1: and goes"
}
hides() { unlike "$(picture)" "$1" "$2"; }
utf8=(LC_ALL=C.UTF-8 TERM=xterm-256color)
top=(remap-top -d 3600 --replay "$recording")	# one sample, and then one for each n

# At 80x24
start 80 24 "${utf8[@]}" "${top[@]}"
shows "^2027-01-15 08:00:00 UTC  3 devices: 3 ok +replay$" "the first sample is there"
shows "^safe  +ok +99 .*<1%" "with its rows"
shows "^archive: main sdd, 3.6 TiB, spare sde" "and the first device"
keys n n n n
shows "^2027-01-15 08:00:04 UTC  6 devices: 3 ok, 1 failed, 1 breaker, 1 degraded" "n is the next sample"
keys End
shows "^safe: main sdb, 64 MiB, spare sdc1" "End chooses the last device"
shows "1 more sector lost: 1" "its events are there"
shows "^· good  ▒ remapped  ▓ pending  █ lost  last error: sector 61000" "and the legend of its map"
shows "^▒··▒.*▓.*█" "and the map"
hides "blocks remapped, 498 of 500" "events of others are not"
keys e
shows "backup: 3 blocks remapped, 498 of 500" "e shows events of all"
keys e Up
shows "^pair\+2048: main sdl" "Up chooses the one before"
keys Home Down
shows "^backup: main sdf" "Home and Down the second"
keys F6 End Enter
shows "^backup +ok" "F6 is a menu of columns"
shows "^archive" "all rows are there"
is "$(picture | sed -n '3{s/ .*//;p}')" "backup" "sorted by the last column, the first is full first"
keys I
settle "the order"
is "$(picture | sed -n '8{s/ .*//;p}')" "backup" "I turns the order round"
keys /
shows "^Filter:" "/ asks for a filter"
keys a r c
shows "^Filter: arc" "what is typed is shown"
keys Enter
shows "1 device: 1 ok \(of 6\)  filter: arc" "and filters"
keys F4 BSpace BSpace BSpace
shows "6 devices" "erasing it brings all back"
keys Enter F1
shows "^Columns" "F1 is help"
keys x
shows "F10Quit" "any key ends it"
keys ' '
shows "paused$" "Space pauses"
keys n
shows "08:00:05 UTC.*paused$" "n goes on for one sample"
keys ' '
shows "replay$" "Space goes on"

# Sizes
tm resize-window -t 0 -x 40 -y 10
shows "^08:00:05 UTC  6" "at 40x10 the time is short"
shows "^NAME +MODE +SLOTS +LOST +FULL$" "and columns are left out, but not what says how full it is"
shows "^F1Help F4Filter F6Sort F10Quit" "keys are still there"
is "$(picture | LC_ALL=C.UTF-8 wc -L)" 40 "nothing is wider"
tm resize-window -t 0 -x 30 -y 8
shows "^30x8: 40x10 is needed$" "a terminal that is too small is told"
tm resize-window -t 0 -x 200 -y 50
shows "NAME +MODE +HEALTH +SLOTS +PEND +LOST +R/S +W/S +RMP/S +ERR/S +FULL" "a large one has all columns"
shows "^Bücher .x1b.31m +gone" "names are shown as they are, escapes escaped"
shows "^[·▒▓█]{200}$" "and a map as wide as it is"
keys q
shows "^exit 0, terminal restored" "q quits, and the terminal is as it was"

# The end of a recording, and one that is damaged
start 80 24 "${utf8[@]}" remap-top -d 0.1 --replay "$recording"
shows "end of recording$" "a recording ends"
keys F10
shows "^exit 0, terminal restored" "F10 quits"
head -n 20 "$recording" >cut
start 80 24 "${utf8[@]}" remap-top -d 0.1 --replay cut
shows "^cut: line 21: the recording ends within a sample" "one that is cut off says so below"
keys q
shows "^remap-top: error: cut: line 21: the recording" "and again at the end"
shows "^exit 4, terminal restored" "with its exit status"

# Colours
start 80 24 "${utf8[@]}" "${top[@]}"
keys n n n n
shows "1 degraded" "with colours"
like "$(picture -e)" $'\033\\[(1;)?31' "what is bad is red"
keys q
shows "^exit 0" "and ends"
start 80 24 "${utf8[@]}" NO_COLOR=1 "${top[@]}"
keys n n n n
shows "1 degraded" "NO_COLOR"
unlike "$(picture -e)" $'\033\\[([0-9;]*;)?[34][1-7]' "there is no colour"
keys q
shows "^exit 0" "and it ends"

# Kinds of terminals
start 80 24 LC_ALL=C TERM=vt100 "${top[@]}"
shows "^safe +ok +99 #\.+ +<1%" "a vt100 without UTF-8 has bars of ASCII"
shows "^\. good  o remapped  p pending  L lost" "and maps"
unlike "$(picture -e)" $'\033\\[([0-9;]*;)?[34][1-7]' "and no colour"
is "$(picture | LC_ALL=C tr -d '\0-\177' | wc -c)" 0 "and nothing above ASCII"
keys q
shows "^exit 0, terminal restored" "and ends"
for kind in dumb nonsense ''; do
	start 80 24 "${utf8[@]}" TERM="$kind" remap-top --replay "$recording"
	shows "^exit 0, terminal restored" "TERM=$kind ends by itself"
	shows "^  pair: 1 read error of main" "after text"
done

# Signals
for signal in TERM INT HUP QUIT; do
	start 80 24 "${utf8[@]}" bash -c 'echo $$ >pid; exec "$@"' - "${top[@]}"
	shows "F10Quit" "it runs"
	kill -"$signal" "$(cat pid)"
	shows "^exit 0, terminal restored" "SIG$signal ends it in order"
done
start 80 24 "${utf8[@]}" "${top[@]}"
shows "F10Quit" "it runs"
keys C-c
shows "^exit 0, terminal restored" "Ctrl-C does, too"
start 80 24 "${utf8[@]}" PS1='shell> ' bash --norc --noprofile -i
shows "^shell> $|^shell>$" "a shell with jobs"
keys "bash -c 'echo \$\$ >pid; exec remap-top -d 3600 --replay $recording'" Enter
shows "F10Quit" "it runs there"
keys C-z
shows "Stopped" "Ctrl-Z stops it"
keys "stty -a" Enter
shows "[ ;]icanon" "and the terminal is the shell's"
shows "[ ;]echo " "with echo"
tm resize-window -t 0 -x 100 -y 30
keys "fg" Enter
shows "^2027-01-15 08:00:00 UTC  3 devices: 3 ok +replay$" "it goes on"
keys n
shows "^2027-01-15 08:00:01 UTC" "and takes keys"
shows "^.{90,94}replay$" "in the new size"
kill -STOP "$(cat pid)"
shows "Stopped" "it can be stopped from outside"
keys "fg" Enter
shows "^2027-01-15 08:00:01 UTC  5 devices" "and goes on"
keys q
shows "shell>" "q leaves the shell"

# The picture in docs/: its text, since a tmux of another version may cut colours otherwise.
text_of() { sed -n 's/^<text[^>]*>\(.*\)<\/text>$/\1/p' "$1" | sed 's/  *$//'; }
run "$here/screenshot" --picture
exits 0 "the picture is made"
is "$(diff <(text_of "$here/../../docs/remap-top.svg") <(text_of out.txt))" "" \
	"docs/remap-top.svg shows what remap-top shows (else: tests/tui/screenshot --picture >docs/remap-top.svg)"

# What frames cost: fifty devices, a hundred frames and more, each asked for by a key.
for ((i = 0; i < 50; i++)); do
	sed -n '/^device safe/,/^io/p' "$recording" | head -n 3 | sed "s/^device safe/device disk$i/"
done >device
{
	echo "remap-top-recording 1"
	for ((i = 0; i < 120; i++)); do
		echo "sample $((1800000000000 + i * 1000)) $((i * 1000))"
		sed "s/^io 1000/io $((i * 1017))/" device
		echo end
	done
} >fifty
n=$(printf 'n%.0s' {1..120})
export LC_ALL=C.UTF-8 TERM=xterm-256color COLUMNS=80 LINES=60
export TIMEFORMAT='cpu %3U %3S'
run "$tests_dir/terminal.py" "F10.*Quit=q" -- bash -c "time remap-top -d 3600 --replay fifty"
spent_ms() { grep -ao 'cpu [0-9.]* [0-9.]*' <<<"$out" | awk '{ printf "%d", ($2 + $3) * 1000 }'; }
first=$(spent_ms)
note "from start to end with one frame: $first ms of processor time"
is "$rc" 0 "q ends it"
ok "the first frame takes less than 100 ms" test "$first" -lt 100
run "$tests_dir/terminal.py" "F10.*Quit=$n" "end of recording=q" -- bash -c "time remap-top -d 3600 --replay fifty"
all=$(spent_ms)
note "120 frames: $all ms"
is "$rc" 0 "120 frames, and q"
ok "a frame takes less than 10 ms: 1% of a core at one a second" test "$all" -lt 1200
finish
