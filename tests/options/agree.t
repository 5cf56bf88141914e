#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# For every tool: the options of its table, of its --help and of the OPTIONS of its manual page are
# the same, letter and name together; and the manual pages are well formed. Of a program with verbs
# each verb is looked at by itself, and the page has the options of all of them, each once.
. "$(dirname "$0")/../tools/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)
tools=$(cd "$BUILD/completions" && ls -- *.options | sed 's/\.options$//')
[ -n "$tools" ] || { note "no tools: make completions"; exit 1; }

# Each prints a line for each letter and each name, "-b ARGUMENT" or "--quiet", sorted.
of_table() {
	awk -F'\t' '$1 == "option" {
		argument = $5 == "-" ? "" : " ARGUMENT"
		if ($2 != "-") print "-" $2 argument
		if ($3 != "-") print "--" $3 argument
	}' "$1" | sort -u
}
# Names of verbs, and the part of a table before them.
verbs_of() { awk -F'\t' '$1 == "verb" { print $3 }' "$1"; }
own_part() { sed '/^verb\t/,$d' "$1"; }
of_help() { sed -n '/^Options:/,/^$/s/^  *\(-.*\)/\1/p' "$1" | of_lines; }
# What a page says of --print-options is right, but the table does not show it.
of_page() {
	mandoc -T ascii -O width=200 "$1" | col -bx |
		sed -n '/^OPTIONS$/,/^[A-Z]/s/^ \{1,8\}\(-.*\)/\1/p' | grep -v -e '^--print-options' | of_lines
}
# Lines "-b BYTES, --block-size=BYTES  text"
of_lines() {
	sed 's/  .*//; s/\[=/ /g; s/[],]//g; s/=/ /g' | awk '{
		argument = $NF ~ /^-/ ? "" : " ARGUMENT"
		for (i = 1; i <= NF; i++)
			if ($i ~ /^-/)
				print $i argument
	}' | sort
}

for tool in $tools; do
	"$tool" --print-options >table 2>&1
	ok "$tool: the completions are made from its present table" \
		cmp table "$BUILD/completions/$tool.options"
	own_part table >own
	of_table own >want
	"$tool" --help >help
	of_help help >got
	is "$(diff want got)" "" "$tool: --help has the options of the table"
	like "$(cat help)" "^Usage: $tool " "$tool: --help begins with its name"
	like "$(tail -n 2 help)" "^  .*$tool" "$tool: --help ends with an example"
	for verb in $(verbs_of table); do
		"$tool" "$verb" --print-options >own 2>&1
		of_table own >want
		"$tool" "$verb" --help >help
		of_help help >got
		is "$(diff want got)" "" "$tool $verb: --help has the options of the table"
		like "$(cat help)" "^Usage: $tool $verb" "$tool $verb: --help begins with its name"
		like "$(tail -n 2 help)" "^  .*$tool $verb" "$tool $verb: --help ends with an example"
		[ ! -f "$top/man/$tool.8" ] ||
			like "$(cat "$top/man/$tool.8")" "^\.It Cm $verb( |\$)" "$tool $verb: is in the manual page"
	done
	of_table table >want
	page=$top/man/$tool.8
	if [ ! -f "$page" ]; then
		fail "$tool has a manual page, man/$tool.8"
		continue
	fi
	if ! command -v mandoc >/dev/null; then
		skip "$tool: its manual page" "no mandoc"
		continue
	fi
	of_page "$page" >got
	is "$(diff want got)" "" "$tool: OPTIONS of its page has the options of the table"
done

for page in "$top"/man/*.[1-9]; do
	name=${page##*/}
	if ! command -v mandoc >/dev/null; then
		skip "$name" "no mandoc"
		continue
	fi
	# STYLE is only said, not counted; what names a page that is not installed here is.
	is "$(mandoc -T lint -W warning "$page" 2>&1)" "" "$name: mandoc finds nothing"
	if command -v groff >/dev/null; then
		is "$(groff -mandoc -Tascii -ww -z "$page" 2>&1)" "" "$name: groff neither"
	fi
	# ".Fl -main and then" makes options of all of its words
	is "$(mandoc -T ascii -O width=200 "$page" | col -bx | grep -E '(^|[ (,|])-(and|for|or|with|is|the|of|to) ')" "" \
		"$name: no word of a sentence is an option"
	for section in NAME DESCRIPTION; do
		like "$(cat "$page")" "^\.Sh $section\$" "$name: has $section"
	done
	case $name in
	*.8) for section in SYNOPSIS OPTIONS "EXIT STATUS" EXAMPLES "SEE ALSO"; do
		like "$(cat "$page")" "^\.Sh $section\$" "$name: has $section"
	done;;
	esac
	# References to pages of this project lead somewhere.
	missing=
	while read -r other section; do
		[ -f "$top/man/$other.$section" ] || missing+=" $other($section)"
	done < <(sed -n 's/^\.Xr \(\(dm-\)\{0,1\}remap[a-z-]*\) \([1-9]\).*/\1 \3/p' "$page")
	is "$missing" "" "$name: refers to pages that are there"
done
finish
