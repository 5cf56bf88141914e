# SPDX-License-Identifier: GPL-2.0-only
# remap-top over live devices: what it shows of them, devices that come and go, the map, and a
# recording that shows the same once more.
# vm: mem=384 timeout=600

. /guest/lib.sh

top="remap-top -b"
# cell DEVICE NUMBER: a word of its row in the last frame
cell() { awk -v name="$1" -v nr="$2" '$1 == name { print $nr; exit }' frame; }
frame() { $top -n 1 "$@" >frame 2>errors; }

cd /tmp || bail "no /tmp"
frame nothing
is "$?" 1 "a device that is not there is something to look at"
is "$(cell nothing 2)" absent "and is called absent"
frame
is "$?" 0 "no device at all is no error"
like "$(cat frame)" "0 devices" "and is said"

ram_disks 4 64
faulty main /dev/ram0 131072
make_spare /dev/ram1
need remap_create safe /dev/mapper/main /dev/ram1 format
make_spare /dev/ram3
need remap_create other /dev/ram2 /dev/ram3 format

frame
is "$?" 0 "two devices"
like "$(cat frame)" "2 devices: 2 ok" "both are ok"
is "$(cell safe 2) $(cell safe 3) $(cell safe 6) $(cell safe 7)" "ok 100 0 0" "mode, health, pending, lost"
frame safe
like "$(cat frame)" "1 device: 1 ok" "one by its name"

# The map, and the recording of one look.
need dm_message safe remap 1000+16
need import safe 65536+8
inject main add r 130000 MEDIUM
sio r /dev/mapper/safe 130000 >/dev/null
$top -n 1 -v --record one >frame
is "$(cell safe 6)" 9 "pending sectors"
like "$(cat frame)" 'safe: main dm-[0-9]+, 64 MiB' "the map has main's name and length"
is "$(awk 'map { print $1; exit } / safe: main/ { map = 1 }' frame)" \
	"o...............................p..............................p" "and shows where the blocks are"
like "$(cat one)" '^map 131072 remapped:7\+1 pending:512\+1 pending:1015\+1$' "the recording has it, too"
like "$(cat one)" "^status $(dmsetup status safe | sed 's/^[^ ]* [^ ]* remap //; s/ .*//') ok 4/" "and the status line"
$top -v --replay one >again
is "$(cat again)" "$(cat frame)" "the recording shows the same once more"

# A recording while devices come and go; it ends by a signal, in order. Looks come through a FIFO,
# so that none is missed, and the next change is made when the last one was seen.
mkfifo looks
$top -d 0.1 --record two >looks &
pid=$!
exec 3<looks
# until TEXT: read looks until one says so
until_look()
{
	while read -r _line <&3; do
		case $_line in
		*"$1"*) pass "$2"; return;;
		esac
	done
	not_ok "$2"
}
until_look "2 devices: 2 ok" "both are there"
need dm_remove other
until_look "other: is gone" "one goes"
need remap_create other /dev/ram2 /dev/ram3
until_look "other: is back" "and comes back"
inject main add w 2000 MEDIUM
inject main add r 3000 MEDIUM
sio w /dev/mapper/safe 2000 8 >/dev/null
until_look "safe: 1 block remapped, 5 of" "a remap is told"
sio r /dev/mapper/safe 3000 >/dev/null
until_look "read error of main" "an error, too"
need dm_message safe stats reset
kill -TERM $pid
cat <&3 >/dev/null
wait $pid
is "$?" 0 "SIGTERM ends it in order"
exec 3<&-
runs "the recording is whole" sh -c "$top --replay two >all"
for text in "other: is gone" "other: is back" "safe: 1 block remapped, 5 of"; do
	like "$(cat all)" "$text" "it has: $text"
done
unlike "$(cat all)" " -[0-9]" "and no negative number"
fails "an existing file is not overwritten" $top -n 1 --record two

# A recording that can no longer be written ends it.
need mkdir small
need mount -t tmpfs -o size=8k none small
$top -d 0.1 --record small/file >/dev/null 2>errors
is "$?" 8 "a full filesystem"
like "$(cat errors)" "record: cannot write small/file: No space left" "is said"
need umount small

# JSON, and what the target itself says
runs "JSON" sh -c "$top --json -n 1 safe >json"
like "$(cat json)" "\"used\":$(status safe used)," "has what the target says"

# The screen, on a terminal: what happens to a device is on it, and keys choose. Each text is one that
# was not there before; SIGCONT has everything drawn anew, so that it comes in one piece.
mkfifo keys
TERM=xterm pty sh -c 'echo $$ >pid; exec remap-top -d 0.1' <keys >>screen &
pid=$!
exec 4>keys
# shows TEXT: it is on the screen sooner or later
on_screen() { kill -CONT "$(cat pid)" && sleep 1; grep -aqF -- "$1" screen; }
shows() { wait_for 6 on_screen "$1"; ok $? "the screen shows: $1" || diag "$(cat -v screen | tail -c 3000)"; }
wait_for 240 test -s pid
shows "2 devices: 2 ok"
shows "other: main ram2"
printf '\033[F' >&4
shows "safe: main dm-"
inject main add w 5000 MEDIUM
sio w /dev/mapper/safe 5000 8 >/dev/null
shows "1 block remapped"
need dm_remove other
shows "2 devices: 1 gone, 1 ok"
printf q >&4
exec 4>&-
wait $pid
is "$?" 0 "q ends it, and the terminal is as it was"

need dm_remove safe
frame safe
is "$(cell safe 2)" absent "removed devices are absent"
done_testing
