#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The commands in the pages for users: offline ones are run as they stand, on image files that stand in for
# /dev/sdb (main), /dev/sdc (spare) and so on; the rest is run in a guest (tests/vm/t/docs.sh) or by the test that
# tests/docs/elsewhere names. Links lead to files that are there.
. "$(dirname "$0")/../tools/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)
. "$top/tests/docs/lib.sh"

# what headings are called in links to them
anchors() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }

images='s,/dev/sd\([a-z]\)[0-9]*,sd\1.img,g'
for page in $(cat "$top/tests/docs/pages"); do
	blocks=$work/$(basename "$page" .md)
	mkdir -p "$blocks/box"
	cd "$blocks" || exit 1
	ok "$page: each block of commands says how it is tested" \
		"$top/tests/docs/blocks" -v dir="$blocks" "$top/$page"
	cd box || exit 1
	# main with something on it, spares, and a disk to take main's place
	truncate -s 64M sdb.img sdd.img
	mke2fs -q -F -t ext4 sdb.img
	truncate -s 16M sdc.img sde.img sdf.img
	for about in "$blocks"/[0-9]*.about; do
		[ -f "$about" ] || continue
		block=${about%.about}
		read -r kind _ line <"$about"
		what="$page, line $line: $(head -n 1 "$block.sh")"
		case $kind in
		offline)
			sed -i "$images" "$block.sh" "$block.before"
			if why=$(run_block "$block"); then pass "$what"; else fail "$what"; sed 's/^/# /' <<<"$why"; fi;;
		elsewhere)
			while read -r command; do
				case $command in ''|'#'*) continue;; esac
				found=
				while IFS='|' read -r known file text; do
					[ "$known" = "$command" ] && grep -qF -- "$text" "$top/$file" && found=$file
				done <"$top/tests/docs/elsewhere"
				if [ -n "$found" ]; then pass "$what: $command is in $found"; else
					fail "$what: $command is in no line of tests/docs/elsewhere that holds"
				fi
			done <"$block.sh";;
		esac
	done
	cd "$work" || exit 1
	missing=
	while read -r link; do
		file=$top/$page
		[ -z "${link%%#*}" ] || file=$(dirname "$file")/${link%%#*}
		[ -e "$file" ] || missing+=" $link"
		[[ $link != *'#'* ]] || anchors "$file" | grep -qx -- "${link#*#}" || missing+=" $link"
	done < <(tr '\n' ' ' <"$top/$page" | grep -o '](\([^):]*\))' | sed 's/^](//; s/)$//')
	is "$missing" "" "$page: its links lead somewhere"
	[ "$page" = README.md ] || ok "README.md leads to it" grep -q "($page)" "$top/README.md"
done
finish
