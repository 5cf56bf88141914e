#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input of remap-check, remap-format, remap-dump and remap-setup erase, as tables: for each line the status, a
# message that names the thing, and the target as it was.
. "$(dirname "$0")/lib.sh"

new_spare s.img 8M -L target
remap-import -q -b 4096 s.img < <(seq 50 59)
cp s.img original.img
new_spare empty-spare.img 8M
truncate -s 1G main.img

# What may stand where a spare or a main should: a line each, NAME|STATUS|MESSAGE|HOW IT IS MADE.
mkdir there
targets=$(cat <<'TABLE'
nowhere|8|cannot find SPARE nowhere: No such file or directory|true
s.img/x|8|cannot find SPARE s.img/x: Not a directory|true
loop|8|cannot find SPARE loop: Too many levels of symbolic links|ln -s loop loop
dangling|8|cannot find SPARE dangling: No such file|ln -s nothing dangling
directory|8|directory is a directory; the SPARE must be a block device or an image|mkdir directory
fifo|8|fifo is a FIFO; the SPARE must|mkfifo fifo
socket|8|socket is a socket; the SPARE must|python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
/dev/null|8|/dev/null is a character device; the SPARE must|true
/dev/zero|8|/dev/zero is a character device; the SPARE must|true
zero-bytes|8|zero-bytes is too short to be a SPARE: 0 bytes|: >zero-bytes
one-byte|8|one-byte is too short to be a SPARE: 1 byte|printf x >one-byte
511-bytes|8|511-bytes is too short to be a SPARE: 511 bytes|head -c 511 /dev/zero >511-bytes
TABLE
)
long=$(printf 'x%.0s' {1..300})
targets+=$'\n'"$long|8|File name too long|true"

# Too short for a spare, or not one: only where one is looked for.
contents=$(cat <<'TABLE'
512-bytes|8|512-bytes is not a dm-remap spare|head -c 512 /dev/zero >512-bytes
4095-bytes|8|4095-bytes is not a dm-remap spare|head -c 4095 /dev/urandom >4095-bytes
blank|8|blank is not a dm-remap spare: nothing of dm-remap is|truncate -s 8M blank
noise|8|noise is not a dm-remap spare|head -c 8M /dev/urandom >noise
text|8|text is not a dm-remap spare|seq 2000000 >text
json|8|json is not a dm-remap spare|remap-dump --json s.img >json; truncate -s 1M json
gzip|8|gzip is not a dm-remap spare|gzip -c s.img >gzip; truncate -s 1M gzip
old-version|8|not a dm-remap spare|(printf 'DMREMAP3'; head -c 8388600 /dev/zero) >old-version
undo|8|undo is not a dm-remap spare|(printf 'DMRUNDO\n'; head -c 1M /dev/urandom) >undo
first-half|[48]|length of this device|head -c 4M s.img >first-half
header-only|[48]|length of this device|head -c 8192 s.img >header-only
TABLE
)

# each TABLE ROLE COMMAND...: the command with each target put for @
each() {
	local table=$1 role=$2 name status message make word words
	shift 2
	while IFS='|' read -r name status message make; do
		[ -e "$name" ] || [ -L "$name" ] || eval "$make"
		words=()
		for word; do words+=("${word//@/$name}"); done
		message=${message//SPARE/$role}
		run timeout 60 "${words[@]}" </dev/null
		if [[ $rc = $status ]] && grep -Eq -- "$message" out.txt err.txt &&
		   cmp -s s.img original.img; then
			pass "$(cut -c1-70 <<<"${words[*]}"): exit $rc"
		else
			fail "$(cut -c1-70 <<<"${words[*]}"): exit $rc"
			note "want exit $status and: $message"
			sed 's/^/# /' err.txt
		fi
	done <<<"$table"
}

for tool in "remap-check -n" "remap-check -y" "remap-dump" "remap-dump -F html -o there/r.html" \
		"remap-dump --raw"; do
	each "$targets" spare $tool @
done
each "$targets" spare remap-format --main-size 1G @
each "$targets" spare remap-check --apply-undo undo @
each "$targets" main remap-format -f --main @ empty-spare.img
each "$targets" main remap-check -n --main @ s.img
each "$targets" spare remap-setup erase -f @
each "$targets" device remap-setup erase --retired-to @ s.img
is "$(ls there)" "" "no output file is left of what failed"
contents_check=${contents//|\[48\]|length of this device|/|[48]|shorter than the spare was|}
each "$contents_check" spare remap-check -n @
each "$contents_check" spare remap-check -y @
each "$contents" spare remap-dump @
each "$contents" spare remap-setup erase -f @
rm -f 512-bytes 4095-bytes first-half header-only

# What a spare cannot be made of.
each "$(cat <<'TABLE'
512-bytes|8|too small to be a spare: .*at least 8 MiB|head -c 512 /dev/zero >512-bytes
8M-less-1|8|too small to be a spare: .*at least 8 MiB|truncate -s 8388607 8M-less-1
s.img|8|labelled "target", and holds 10 remaps; it is not overwritten, not even with --force|true
first-half|8|too small to be a spare: 4 MiB|head -c 4M s.img >first-half
TABLE
)" spare remap-format -f --main-size 1G @

# Numbers: every option that takes one.
numbers='-1 -0 +1 0x10 0b1 010x 1e6 1.5 1,5 1_000 ½ ١ ∞ NaN "" 18446744073709551616 99999999999999999999999999'
for option in "remap-format --main-size" "remap-format --main-size 1G -b" "remap-dump --page" \
		"remap-dump -F badblocks -b"; do
	for number in $numbers; do
		[ "$number" != '""' ] || number=
		refused 16 "(main-size|-b|page|block-size)[^ ]* .*" "$option '$number'" s.img \
			$option "$number" s.img
	done
done
for suffix in KK K4 Q B KiB sK 's '; do
	refused 16 "main-size.*(suffix|not)" "--main-size 1$suffix" s.img \
		remap-format --main-size "$(printf "1$suffix")" s.img
done
for size in 18014398509481984K 36028797018963968s 17592186044416M 16777216T; do
	refused 16 "main-size.*larger than 2\^64" "--main-size $size overflows" s.img \
		remap-format --main-size $size s.img
done
refused 8 "labelled|2\^48|too many blocks" "--main-size of 2^64 - 512" s.img \
	remap-format -b 512 --main-size 36028797018963967s s.img
refused 8 "too many blocks of 512 bytes: at most 2\^48" "main of more blocks than can be addressed" \
	empty-spare.img remap-format -b 512 --main-size 18446744073709551104 empty-spare.img
refused 8 "no page 4294967294" "the highest number of a page" s.img remap-dump --page 4294967294 s.img
refused 16 "larger than any page" "one more" s.img remap-dump --page 4294967295 s.img
refused 16 "33 bytes; at most 32" "a label of 33 bytes" empty-spare.img \
	remap-format --main-size 1G -L 123456789012345678901234567890123 empty-spare.img
for label in $'a\nb' $'\x7f' $'\e[2J' $'\x01'; do
	refused 16 "label has a control character" "a label with $(printf %q "$label")" empty-spare.img \
		remap-format --main-size 1G -L "$label" empty-spare.img
done

# Outputs.
mkdir dir
touch read-only && chmod 444 read-only
for output in dir . / none/x s.img ./s.img "$long" ""; do
	run remap-dump -o "$output" s.img
	case $rc in
	8 | 16) pass "remap-dump -o '${output:0:20}': exit $rc";;
	*) fail "remap-dump -o '${output:0:20}': exit $rc";;
	esac
	like "$err" "cannot write|spare itself|a directory|needs a value" "and says why"
done
is "$(json-get summary.mapped < <(remap-dump --json s.img))" 10 "the spare is as it was"

# Nobody's fault but the medium's: what can be read is read.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 000 s.img
	chmod 755 .
	for tool in "remap-check -n" remap-dump; do
		run setpriv --reuid 65534 --regid 65534 --clear-groups $tool s.img
		exits 8 "$tool: not permitted to read"
		like "$err" "cannot open spare s.img for reading: Permission denied" "and says so"
	done
	chmod 644 s.img
else
	skip "permissions" "not root, or no setpriv(1)"
fi
finish
