#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The completions, in the shells themselves: every option of every table is offered and nothing
# else, values are completed by their kind.
. "$(dirname "$0")/../tools/lib.sh"
made=$BUILD/completions
tools=$(cd "$made" && ls -- *.options | sed 's/\.options$//')
truncate -s 1M image.img "image two.img"
mkdir directory

# Each takes "TOOL" or "TOOL VERB".
part() {
	set -- $1
	awk -F'\t' -v want="${2:-}" '$1 == "verb" { verb = $3 } verb == want' "$made/$1.options"
}
words() { part "$1" | awk -F'\t' '$1 == "option" { if ($2 != "-") print "-" $2; if ($3 != "-") print "--" $3 }' | sort; }
longs() { part "$1" | awk -F'\t' '$1 == "option" && $3 != "-" { print "--" $3 }'; }
# choices TOOL: lines "--format text json ..."
choices() { part "$1" | awk -F'\t' '$4 == "choice" { gsub(",", " ", $6); print "--" $3, $6 }'; }
verbs() { awk -F'\t' '$1 == "verb" { print $3 }' "$made/$1.options"; }
# Lines "TOOL" and "TOOL VERB"
commands=$(for tool in $tools; do echo "$tool"; verbs "$tool" | sed "s/^/$tool /"; done)

# Mapped devices to complete, where there may be none: around=(with_names) in front of a shell.
around=()
with_names() {
	unshare -m sh -c 'mount -t tmpfs -o dev none /dev/mapper && mknod /dev/mapper/control c 10 236 &&
		mknod /dev/mapper/safe b 253 0 && mknod /dev/mapper/vg-lv b 253 1 && exec "$@"' sh "$@"
}
with_names true 2>/dev/null && may_mount=yes || may_mount=

# in_bash WORD...: what bash offers for the last word
in_bash() {
	"${around[@]}" bash --norc -c 'source "$1/bash/$2"; shift
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		eval "$(complete -p "$1" | sed "s/.* -F \([^ ]*\) .*/\1/")"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$made" "$@" | sort
}
while read -r command; do
	is "$(in_bash $command -)" "$(words "$command")" "bash: $command: its options"
	while read -r option values; do
		is "$(in_bash $command "$option" "")" "$(tr ' ' '\n' <<<"$values" | sort)" \
			"bash: $command $option: its choices"
	done < <(choices "$command")
done <<<"$commands"
for tool in $tools; do
	[ -z "$(verbs "$tool")" ] || is "$(in_bash "$tool" "")" "$(verbs "$tool" | sort)" "bash: $tool: its verbs"
done
is "$(in_bash remap-dump --format = ht)" html "bash: --format=ht, cut apart at the ="
is "$(in_bash remap-dump --format = | wc -l)" 7 "bash: --format="
is "$(in_bash remap-dump --format=ht)" html "bash: --format=ht, in one word"
is "$(in_bash remap-import --verify = s)" sample "bash: a value that is optional, behind ="
is "$(in_bash remap-import --verify image.)" image.img "bash: and not without"
is "$(in_bash remap-dump -b 4)" "" "bash: nothing for a number"
is "$(in_bash remap-dump -o ima)" "image two.img
image.img" "bash: files"
is "$(in_bash remap-dump image.)" image.img "bash: the operand: an image"
is "$(in_bash remap-dump /dev/nul)" "" "bash: the operand is no character device"
device=$(for name in /sys/class/block/*; do [ -b "/dev/${name##*/}" ] && echo "/dev/${name##*/}"; done | head -n 1)
if [ -n "$device" ]; then
	like "$(in_bash remap-dump "${device%?}")" "^$device\$" "bash: a block device"
	like "$(in_bash remap-dump "")" "^$device\$" "bash: block devices, of nothing yet"
else
	skip "bash: a block device" "none here"
fi

if [ "$may_mount" ]; then
	around=(with_names)
	is "$(in_bash remap-top "" | paste -sd ' ')" "safe vg-lv" "bash: names of mapped devices, without control"
	is "$(in_bash remap-setup close sa)" safe "bash: of a verb"
	around=()
else
	skip "names of mapped devices" "not allowed to mount over /dev/mapper"
fi

if command -v fish >/dev/null; then
	# in_fish LINE...: what fish offers for each, without descriptions, and an empty line
	in_fish() {
		"${around[@]}" fish --no-config -c 'set -p fish_complete_path $argv[1]/fish
			for line in $argv[2..]; complete -C $line; echo; end' "$made" "$@" | cut -f 1
	}
	while read -r command; do
		is "$(in_fish "$command -" </dev/null | sed 's/=$//; /^$/d' | sort -u)" "$(words "$command")" \
			"fish: $command: its options"
		while read -r option values; do
			is "$(in_fish "$command $option " </dev/null | sort | sed '/^$/d')" \
				"$(tr ' ' '\n' <<<"$values" | sort)" "fish: $command $option: its choices"
		done < <(choices "$command")
	done <<<"$commands"
	for tool in $tools; do
		[ -z "$(verbs "$tool")" ] ||
			is "$(in_fish "$tool " | sed '/^$/d' | sort)" "$(verbs "$tool" | sort)" "fish: $tool: its verbs"
	done
	is "$(in_fish "remap-dump --format=ht")" --format=html "fish: --format=ht"
	is "$(in_fish "remap-import --verify=sa")" --verify=sample "fish: a value that is optional"
	is "$(in_fish "remap-dump image.")" image.img "fish: the operand: an image"
	is "$(in_fish "remap-dump -b ")" "" "fish: nothing for a number"
	[ -z "$device" ] || like "$(in_fish "remap-dump ${device%?}")" "^$device\$" "fish: a block device"
	if [ "$may_mount" ]; then
		around=(with_names)
		is "$(in_fish "remap-setup close " | sed '/^$/d' | paste -sd ' ')" "safe vg-lv" "fish: names of mapped devices"
		around=()
	fi
else
	skip "fish" "no fish"
fi

# Those that their last letter does not tell from another one.
distinct() {
	longs "$1" | awk '{ name[NR] = $0 } END { for (i = 1; i <= NR; i++) {
		start = substr(name[i], 1, length(name[i]) - 1)
		for (j = 1; j <= NR && (j == i || index(name[j], start) != 1); j++)
			;
		if (j > NR)
			print name[i]
	} }'
}
if command -v zsh >/dev/null; then
	# All lines through one zsh: long options without their last letter, and what is special.
	{
		while read -r command; do
			distinct "$command" | sed "s/^/$command /; s/.\$//"
		done <<<"$commands"
		printf '%s\n' 'remap-dump -F htm' 'remap-dump --format=badb' 'remap-dump image.' \
			'remap-import --verify=sam' 'remap-dump -o "image tw' 'remap-dump -F html --forma' "remap-dump ${device%?}"
	} >typed
	timeout 300 "$tests_dir/../options/zsh-complete" "$made/zsh" <typed >got
	while read -r command; do distinct "$command" | sed "s/^/$command /"; done <<<"$commands" >want
	bad=$(paste -d '|' want got | head -n "$(wc -l <want)" |
		awk -F'|' 'index($2, $1) != 1 { print $2 " should begin with " $1 }')
	is "$bad" "" "zsh: every long option of every tool ($(wc -l <want))"
	tail -n "+$(($(wc -l <want) + 1))" got | sed 's/ *$//' >special
	is "$(sed -n 1p special)" "remap-dump -F html" "zsh: a choice"
	is "$(sed -n 2p special)" "remap-dump --format=badblocks" "zsh: a choice behind ="
	is "$(sed -n 3p special)" "remap-dump image.img" "zsh: the operand: an image"
	is "$(sed -n 4p special)" "remap-import --verify=sample" "zsh: a value that is optional"
	is "$(sed -n 5p special)" 'remap-dump -o "image two.img"' "zsh: a file"
	is "$(sed -n 6p special)" "remap-dump -F html --forma" "zsh: an option is not offered twice"
	[ -z "$may_mount" ] || is "$(with_names timeout 300 "$tests_dir/../options/zsh-complete" "$made/zsh" <<<"remap-setup close sa" |
		sed 's/ *$//')" "remap-setup close safe" "zsh: names of mapped devices"
	[ -z "$device" ] || like "$(sed -n 7p special)" "^remap-dump ${device%?}" "zsh: block devices"
else
	skip "zsh" "no zsh"
fi
finish
