# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What runs the blocks that tests/docs/blocks has taken out of a page, on the host and, by busybox, in
# a guest.

# run_block FILE: prints why it failed, and fails; FILE without its end
run_block()
{
	read -r _ _want _ <"$1.about"
	if [ -s "$1.before" ] && ! sh -e "$1.before" >"$1.log" 2>&1 </dev/null; then
		echo "what is to be there before could not be made:"
		cat "$1.log"
		return 1
	fi
	sh -e "$1.sh" >"$1.log" 2>&1 </dev/null
	_got=$?
	if [ $_got != "$_want" ]; then
		echo "exit status $_got, not $_want"
		cat "$1.log"
		return 1
	fi
	while read -r _pattern; do
		grep -Eq -e "$_pattern" "$1.log" && continue
		echo "does not show $_pattern"
		cat "$1.log"
		return 1
	done <"$1.shows"
}
