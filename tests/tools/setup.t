#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-setup without a live device: its verbs on the command line, and what it reads of remaptab. What
# it does to devices is tested in a guest.
. "$(dirname "$0")/lib.sh"

# says STATUS PATTERN NAME ARGUMENT...
says() {
	local want=$1 pattern=$2 name=$3
	shift 3
	remap-setup "$@" >out 2>&1
	is $? "$want" "$name: status"
	like "$(cat out)" "$pattern" "$name: says so"
}
uuid=11111111-2222-3333-4444-555555555555

says 16 'VERB is missing' "no verb"
says 16 'there is no verb "foo"; there are: create, open' "an unknown verb" foo
says 16 '"exit_status": ?16' "the same as JSON" foo --json
says 0 '^Usage: remap-setup open ' "--help before the verb" --help open
says 16 'MAIN is missing' "an operand is missing" create one
says 16 '"d" is one operand too many; expected is: NAME MAIN SPARE' "one too many" create a b c d
says 16 'expected is: .NAME. .MAIN. SPARE' "what may be left out" open a b c d
says 16 '-b: 600 bytes is not a power of two' "a bad block size" create -b 600 a /dev/null /dev/null
says 16 '-o: option "breaker=1:86401" takes numbers from 1 to 86400' "a bad number" \
	open -o breaker=1:86401 a /dev/null
says 16 'option "read_policy=never" takes one of: retry remap' "a bad word" open -o read_policy=never a /dev/null
says 16 'a new device cannot be readonly' "readonly" create -o readonly a b c

cat >tab <<END
# comment
a -
a ID= UUID=$uuid
a /dev/nowhere UUID=$uuid what=1   # comment
a/b - UUID=$uuid
a ID=x\\040y@2048 UUID=$uuid breaker=1:2,noauto
b - UUID=$uuid
a - UUID=11111111-2222-3333-4444-555555555556
c PARTUUID=nonsense UUID=$uuid
d - nonsense
e - UUID=11111111-2222-3333-4444-555555555557 defaults more
END
says 1 'tab:2: has 2 fields; a line is: NAME MAIN SPARE .OPTIONS' "remaptab" scan --listed -T tab
for pattern in 'tab:3: ID= takes 1 to 64 bytes' 'tab:4: option "what=1" is not known' \
	'tab:5: NAME is "a/b", which has characters' 'tab:7: the spare is that of line 6 already' \
	'tab:8: the name "a" is that of line 6 already' 'tab:9: MAIN is "PARTUUID=nonsense"; it must be' \
	'tab:10: SPARE is "nonsense"; it must be UUID=' 'tab:11: has 5 fields'; do
	like "$(cat out)" "$pattern" "remaptab: $pattern"
done
is "$(grep -c 'tab:6:' out)" 0 "the good line is good"
like "$(cat out)" "a: its spare is not here .uuid $uuid" "and its spare is missed"

says 8 'tab has no line for z; nothing was changed' "disable what is not there" disable -T tab z
cp tab want
sed -i 6d want
remap-setup disable -T tab a >/dev/null 2>&1
is "$(diff want tab)" "" "disable takes out one line, all others and comments stay"
says 8 'cannot read tab/x: Not a directory' "a remaptab that cannot be read" scan -T tab/x

# Opening by a name alone, or by the uuid of the spare; and what a backup is asked for.
says 8 'b: its spare is not here .uuid 11111111-2222-3333-4444-555555555555' "open a name" open -T want b
says 8 'zz is no device, and want has no line of that name: give the path of the spare' "open another name" \
	open -T want zz
says 8 'want:8: this line is not used, so it says nothing of the spare' "open the name of a line with a mistake" \
	open -T want c
says 8 'b: its spare is not here .uuid 11111111-2222-3333-4444-555555555555' "replace the spare of a name, which asks no device mapper" \
	replace-spare -T want b /dev/null
says 8 'zz is no device, and want has no line of that name: give the path of the spare' "replace that of another name" \
	replace-spare -T want zz /dev/null
says 16 '"UUID=11" is no uuid' "open half a uuid" open UUID=11
says 8 'UUID=11111111-2222-3333-4444-555555555550: its spare is not here' "open a uuid" \
	open UUID=11111111-2222-3333-4444-555555555550
says 16 '--keep-pending goes with --from-backup only' "replace-spare --keep-pending alone" \
	replace-spare --keep-pending a /dev/null
says 16 '--no-backup is about an old spare that is there' "replace-spare --from-backup --no-backup" \
	replace-spare --from-backup x --no-backup a /dev/null
says 8 'cannot open the dump nowhere: No such file' "replace-spare with a backup that is not there" \
	replace-spare --from-backup nowhere a /dev/null
says 8 'is no JSON of remap-dump|not the JSON|is no dump' "with something else" replace-spare --from-backup want a /dev/null
truncate -s 64M m.img s.img
remap-format -q --main m.img s.img && seq 10 19 | remap-import -q -b 4096 s.img
remap-dump -F json -q -o good.json s.img
says 8 'want:8: this line is not used, so it says nothing of c; nothing was changed' "with the name of a line with a mistake" \
	replace-spare -T want --from-backup good.json c /dev/null
remap-dump -F json s.img | head -c 2000 >cut.json
says 4 'cut.json' "with one that is cut off" replace-spare --from-backup cut.json a /dev/null

# What is odd in remaptab, byte by byte.
printf 'a - UUID=%s\0 noauto\n# b\nb - UUID=%s\n' $uuid 11111111-2222-3333-4444-555555555556 >tab
says 1 'tab:1: has a NUL byte' "a NUL byte" scan --listed -T tab
is "$(grep -c 'b: its spare is not here' out)" 1 "the line behind it is read"
cp tab want
sed -i 3d want
remap-setup disable -T tab b >/dev/null 2>&1
is "$(cmp want tab 2>&1)" "" "disable of another line leaves it, byte for byte"
says 8 'cannot read .*dir: Is a directory' "a directory" scan -T "$(mkdir -p dir && echo dir)"

# Two spares of one main: neither is used.
cat >tab <<END
a ID=x@2048 UUID=$uuid
b ID=y UUID=11111111-2222-3333-4444-555555555556
c ID=x\\189 UUID=11111111-2222-3333-4444-555555555557
d ID=\\170@2048 UUID=11111111-2222-3333-4444-555555555558
END
says 1 'tab:4: main is that of line 1 already, with another spare: neither' "two spares of one main" \
	scan --listed -T tab
like "$(cat out)" "\(remap-setup disable -T tab NAME\)" "and the command that helps is for this file"
is "$(grep -c 'its spare is not here' out)" 2 "neither is used, the others are"
says 0 'neither line is used' "disable one of them" disable -T tab d
says 1 'a: its spare is not here' "and the other one is used" scan --listed -T tab
# One who changes it at a time, and what a link leads to is changed, not the link.
mkdir -p far etc
for name in a b c d e f; do
	echo "$name - UUID=11111111-2222-3333-4444-55555555555$name"
done >far/tab
ln -s ../far/tab etc/remaptab
exec 8<far
flock 8
remap-setup disable -T etc/remaptab a >locked 2>&1 8<&- &
waiting=$!
remap-setup disable -T far/tab b >>locked 2>&1 8<&- &
sleep 0.5
ok "both wait for whoever has the lock" kill -0 $waiting $!
is "$(wc -l <far/tab)" 6 "and nothing is changed meanwhile"
exec 8<&-
wait
is "$(cut -d' ' -f1 far/tab | xargs)" "c d e f" "then both changes are there" || cat locked
ok "the link is still one" test -L etc/remaptab
rm far/tab
says 8 'etc/remaptab is a link to a file that is not there; nothing was changed' "a link that leads nowhere" \
	disable -T etc/remaptab c
ok "which it still does" test -L etc/remaptab -a ! -e etc/remaptab
finish
