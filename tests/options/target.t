#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the pages say that the target takes and tells, man/dm-remap.4 and docs/target.md, is what its source has:
# features, messages, modes and the number of fields of a status line. The overview names every other page.
. "$(dirname "$0")/../tools/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)
page=$top/man/dm-remap.4 document=$top/docs/target.md

# items SECTION: first words of the items of a section of the page
items() { sed -n "/^\.Ss $1\$/,/^\.S[sh]/s/^\.It Cm \([a-z_]*\).*/\1/p" "$page" | sort; }
# rows HEADING: first words between backticks in the tables below a heading of the document
rows() { sed -n "/^## $1\$/,/^##* /s/^| \`\([a-z_]*\).*/\1/p" "$document" | sort; }

sed -n 's/.*\[REMAP_F_[A-Z_]*\] = { "\([a-z_]*\)".*/\1/p' "$top/kernel/params.c" | sort >features
ok "the source has features" test "$(wc -l <features)" -ge 8
is "$(items Features)" "$(cat features)" "the page has them"
is "$(rows 'Table line')" "$(cat features)" "the document has them"

{
	sed -n 's/.*!strcmp(argv\[0\], "\([a-z]*\)").*/\1/p' "$top/kernel/message.c"
	sed -n 's/^\t{ "\([a-z]*\)", .*/\1/p' "$top/kernel/control.c"
} | sort -u >messages
ok "the source has messages" test "$(wc -l <messages)" -ge 10
is "$(items Messages)" "$(cat messages)" "the page has them"
is "$(rows Messages)" "$(cat messages)" "the document has them"

sed -n 's/^\t\[REMAP_[A-Z]*\] = "\([a-z]*\)",.*/\1/p' "$top/kernel/status.c" | sort >modes
ok "the source has modes" test "$(wc -l <modes)" -ge 5
is "$(items Status)" "$(cat modes)" "the page has them"
is "$(rows Status)" "$(cat modes)" "the document has them"

# a line of the tests of tools, with as many fields as the target prints
fields=$(sed -n 's/^status //p' "$top/tests/tui/disk-fails.recording" | head -n 1 | wc -w)
is "$(sed -n 's/^\.It \([0-9]*\) Ta .*/\1/p' "$page" | paste -sd ' ')" "$(seq -s ' ' "$fields")" "the page has all fields of a status"
is "$(sed -n '/^## Status$/,/^### /s/^| \([0-9, ]*\) | .*/\1/p' "$document" | tr -d ' ' | tr '\n' ',' | sed 's/,$//')" "$(seq -s , "$fields")" \
	"the document has them"

missing=
for other in "$top"/man/*.[1-9]; do
	name=${other##*/}
	[ "$name" = dm-remap.7 ] || grep -q "^\.Xr ${name%.*} ${name##*.}" "$top/man/dm-remap.7" || missing+=" $name"
done
is "$missing" "" "the overview names every page"
finish
