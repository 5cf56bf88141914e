# SPDX-License-Identifier: GPL-2.0-only
# For the tests of the tools: TAP, running a tool, images, loop devices, cleaning up.
# Sourced by bash scripts; each runs in a directory of its own that goes away at its end.

set -u
tests_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${BUILD:=$(cd "$tests_dir/../.." && pwd)/build}"
BUILD=$(cd "$BUILD" && pwd)
PATH=$BUILD:$BUILD/tests:/usr/sbin:/sbin:$PATH
unset NO_COLOR
export LC_ALL=C

tap_nr=0
tap_failed=0
cleanups=()
work=$(mktemp -d "${TMPDIR:-/tmp}/remap-test.XXXXXX")
cd "$work" || exit 1

at_exit() {
	local i
	for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do
		eval "${cleanups[i]}"
	done
	cd / && rm -rf "$work"
}
trap at_exit EXIT
# cleanup COMMAND: run it at the end, the last one first.
cleanup() { cleanups+=("$1"); }

note() { echo "# $*"; }
pass() { tap_nr=$((tap_nr + 1)); echo "ok $tap_nr - $*"; }
fail() {
	tap_nr=$((tap_nr + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_nr - $*"
	echo "# at line ${BASH_LINENO[1]} of $0"
}
# skip WHAT WHY
skip() { tap_nr=$((tap_nr + 1)); echo "ok $tap_nr - $1 # SKIP $2"; }
# ok DESCRIPTION COMMAND...: the command must succeed
ok() {
	local what=$1
	shift
	if "$@" >cmd.log 2>&1; then pass "$what"; else fail "$what"; sed 's/^/# /' cmd.log; fi
}
# is GOT WANT DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then pass "$3"; else
		fail "$3"
		printf '%s\n' "got: $1" "want: $2" | sed 's/^/# /'
	fi
}
# like TEXT REGEX DESCRIPTION
like() {
	if grep -Eq -- "$2" <<<"$1"; then pass "$3"; else
		fail "$3"
		printf '%s\n' "got: $1" "want something like: $2" | sed 's/^/# /'
	fi
}
unlike() {
	if ! grep -Eq -- "$2" <<<"$1"; then pass "$3"; else
		fail "$3"
		printf '%s\n' "got: $1" "want nothing like: $2" | sed 's/^/# /'
	fi
}
finish() { echo "1..$tap_nr"; [ "$tap_failed" -eq 0 ]; exit; }

# run COMMAND...: sets rc, out and err. Standard input is what run's is.
run() {
	"$@" >out.txt 2>err.txt
	rc=$?
	out=$(tr '\0' '@' <out.txt)
	err=$(tr '\0' '@' <err.txt)
}
# exits STATUS DESCRIPTION: of the last run; no tool may ever die by a signal
exits() {
	if [ "$rc" -eq "$1" ]; then pass "$2 (exit $1)"; else
		fail "$2 (exit $1, but it was $rc)"
		printf '%s\n' "$out" "$err" | sed 's/^/# /'
	fi
}

# new_spare FILE [SIZE] [FORMAT OPTION...]: an image of SIZE (8M), formatted for 1G
new_spare() {
	local file=$1 size=${2:-8M}
	shift $(($# > 1 ? 2 : 1))
	rm -f "$file"
	truncate -s "$size" "$file"
	remap-format -q --main-size 1G "$@" "$file" || { note "cannot format $file"; exit 1; }
}
sum() { sha256sum "$1" | cut -d' ' -f1; }
# refused STATUS REGEX DESCRIPTION FILE COMMAND...: exits so, says so, FILE is unchanged
refused() {
	local status=$1 regex=$2 what=$3 file=$4 before
	shift 4
	before=$(sum "$file")
	run "$@" </dev/null
	if [ "$rc" -eq "$status" ] && grep -Eq -- "$regex" err.txt &&
	   [ "$(sum "$file")" = "$before" ]; then
		pass "$what"
	else
		fail "$what"
		note "exit $rc, want $status; want a message like: $regex"
		[ "$(sum "$file")" = "$before" ] || note "$file was changed"
		sed 's/^/# /' err.txt
	fi
}
# json PATH...: values in the last run's output
json() { json-get "$@" <out.txt; }

# attach FILE: a loop device for it, in $loop; false when there are none to be had
attach() {
	loop=
	[ "$(id -u)" -eq 0 ] || return 1
	loop=$(losetup -f --show "$1" 2>/dev/null) || return 1
	cleanup "losetup -d $loop 2>/dev/null"
}
# A superblock copy's first sector.
superblock_sector() { set -- "$1" 0 1024 2048 4096 8192; shift "$(($1 + 1))"; echo "$1"; }
# smash FILE SECTOR...: 4 KiB of noise at each
smash() {
	local file=$1 sector
	shift
	for sector; do
		dd if=/dev/urandom of="$file" bs=512 seek="$sector" count=8 conv=notrunc status=none
	done
}
