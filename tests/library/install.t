#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make install and uninstall, and the library as another program meets it: found by pkg-config
# where it was installed, from C and C++, shared and static.
. "$(dirname "$0")/../tools/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)
unset MAKEFLAGS MAKELEVEL MFLAGS

root=$work/root
# make_it TARGET: as a packager calls it
make_it() {
	make -s -C "$top" BUILD="$BUILD" DESTDIR="$root" prefix=/usr libdir=/usr/lib/triplet \
		includedir=/usr/include/remap "$1"
}
ok "make install" make_it install
for tool in "$BUILD"/remap-*; do
	[ -f "$tool" ] && [ -x "$tool" ] || continue
	ok "${tool##*/} is installed and runs" "$root/usr/sbin/${tool##*/}" --version
done
lib=$root/usr/lib/triplet
for file in libremapmeta.so libremapmeta.so.0 libremapmeta.a pkgconfig/libremapmeta.pc; do
	ok "$file is in libdir" test -e "$lib/$file"
done
ok "the header is in includedir" test -f "$root/usr/include/remap/remapmeta.h"
for page in "$top"/man/*.[1-9]; do
	section=${page##*.}
	ok "${page##*/} is installed" cmp "$page" "$root/usr/share/man/man$section/${page##*/}"
done
for tool in "$BUILD"/completions/*.options; do
	name=${tool##*/} name=${name%.options}
	ok "completions of $name are installed" test -s "$root/usr/share/bash-completion/completions/$name" \
		-a -s "$root/usr/share/zsh/site-functions/_$name" \
		-a -s "$root/usr/share/fish/vendor_completions.d/$name.fish"
done
is "$(find "$root" -type f ! -perm -0444 | head)" "" "everybody may read what is installed"
is "$(find "$root" -type f -perm /0022 | head)" "" "and only its owner may write it"
is "$(grep -rIl "$root" "$root" | head)" "" "nothing knows the staging directory"

# What is exported is what the map says.
symbols=$(sed -n 's/^\t\(remapmeta_[a-z_]*\);$/\1/p' "$top/libmeta/libremapmeta.map")
is "$(nm -D --defined-only "$lib/libremapmeta.so" | sed -n 's/.* T \(.*\)@@REMAPMETA_0$/\1/p')" \
	"$symbols" "the shared library exports what its map says"
is "$(nm -D --defined-only "$lib/libremapmeta.so" | grep -v '@@REMAPMETA_0$' | grep -v ' A REMAPMETA_0$')" \
	"" "and nothing without a version"
is "$(nm --defined-only --extern-only "$lib/libremapmeta.a" | sed -n 's/^[0-9a-f]* [A-Z] //p')" \
	"$symbols" "the archive has no other global symbols"
is "$(sed -n 's/.*\<\(remapmeta_[a-z_]*\)(.*/\1/p' "$root/usr/include/remap/remapmeta.h" |
	grep -v '^remapmeta_error() - ' | sort -u)" "$symbols" "the header declares them all"
like "$(readelf -d "$lib/libremapmeta.so")" 'SONAME.*\[libremapmeta.so.0\]' "the soname"

# Found by pkg-config, as a package would be.
export PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=$lib
flags() { pkg-config "$@" libremapmeta; }
like "$(flags --modversion)" '^[0-9]+\.[0-9]+\.[0-9]+$' "pkg-config knows it"
sed -n '/^```c$/,/^```$/p' "$top/docs/library.md" | sed '/^```/d' >list-remaps.c
is "$(grep -c . list-remaps.c)" "$(grep -c . list-remaps.c | awk '{ print ($1 > 20 && $1 <= 36) ? $1 : "20 to 36" }')" \
	"the example of docs/library.md is about 30 lines"
strict="-Wall -Wextra -Wpedantic -Werror"
ok "the example builds, as C99" cc -std=c99 $strict -o list-remaps list-remaps.c $(flags --cflags --libs)
ok "the probe builds, as C" cc -std=c11 $strict -o probe "$top/tests/library/probe.c" \
	$(flags --cflags --libs)
ok "statically" cc -std=c11 $strict -o probe-static "$top/tests/library/probe.c" \
	$(flags --cflags) "$lib/libremapmeta.a" -lz
if command -v c++ >/dev/null; then
	ok "and as C++" c++ -std=c++17 $strict -x c++ -o probe-c++ "$top/tests/library/probe.c" \
		$(flags --cflags --libs)
else
	skip "as C++" "no c++"
	cp probe probe-c++
fi
like "$(readelf -d list-remaps)" 'NEEDED.*\[libremapmeta.so.0\]' "programs need the soname"
unlike "$(readelf -d probe-static)" 'libremapmeta' "a static one does not"

# The example on a good spare.
new_spare s.img 8M -L probe
seq 100 139 | remap-import -q -b 4096 s.img
remap-dump -F csv s.img | sed 1d >entries
run ./list-remaps s.img
exits 0 "the example"
is "$out" "$(awk -F, '{ print $3 " +" $5 " -> " $4 " " $7 " (" $8 ")" }' entries)" \
	"lists what remap-dump lists"
run ./list-remaps no.img
is "$rc:$out:$err" "1::no.img: cannot find it: No such file or directory" "a missing file"

before=$(sum s.img)
./probe s.img >good
remap-dump --json s.img >out.txt
for name in uuid label sequence main_sectors spare_sectors block_sectors pages_used; do
	is "$(sed -n "s/^$name //p" good)" "$(json superblock.$name)" "$name"
done
for name in slots mapped retired free pending_sectors lost_sectors; do
	is "$(sed -n "s/^$name //p" good)" "$(json summary.$name)" "sums: $name"
done
is "$(sed -n 's/^entry //p' good)" "$(cat entries)" "entries are those of remap-dump -F csv"
is "$(grep -E "^(nothing|open|error|info|summary|entries|lookup|superblock|page |later|smaller|the same|a bad|names|not)" good)" \
"nothing open: verdicts -9
open 0
error 
info 0
summary 0
entries end 0
lookup of a block that main has 0
superblock 0 ok ok ok ok ok
page 0 0 ok ok ok ok ok
page 4000000000 -34
later member 0
smaller is filled, behind it untouched
the same by descriptor 0
a bad descriptor 1
names unknown unknown unknown" "and all the rest"
is "$(sum s.img)" "$before" "nothing was written"
chmod 444 s.img
is "$(./probe s.img)" "$(cat good)" "a file that may only be read"
is "$(./probe-static s.img)" "$(cat good)" "the same, static"
is "$(./probe-c++ s.img)" "$(cat good)" "the same, from C++"

# What is no spare, and what cannot be told.
opens() { sed -n 's/^open //p; s/^error /: /p' <<<"$out" | tr -d '\n'; }
mkfifo fifo
truncate -s 8M blank
: >empty
for bad in "no.img|No such file or directory: cannot find it" \
		".|Block device required: neither a block device nor an image file" \
		"fifo|Block device required: neither" "/dev/null|Block device required: neither" \
		"blank|No data available: no superblock: blank" "empty|Input/output error: no superblock"; do
	run timeout 120 ./probe "${bad%%|*}"
	is "$rc" 0 "${bad%%|*} ends nothing"
	like "$(opens)" "^${bad#*|}" "${bad%%|*}"
	unlike "$out" "^entry|^mapped|^later" "${bad%%|*} shows nothing"
done

# Every damaged spare of the corpus: what remap-dump loads, opens, with the same entries; where it
# shows the best copies only, entries are refused.
opened=0 refused=0 bad=
for case in "$top"/tests/damage/cases/*/; do
	case=${case%/}
	rm -f d.img
	(cd "$top" && "$BUILD/tests/t_check" --image "${case##*/}" "$work/d.img") >/dev/null || continue
	[ -f d.img ] || continue
	remap-dump -F csv d.img >entries 2>/dev/null
	rc=$?
	./probe d.img >seen || bad+=" ${case##*/}:died"
	case $rc in
	0|1)	opened=$((opened + 1))
		[ "$(sed -n 's/^open //p' seen)" = 0 ] &&
			cmp -s <(sed 1d entries) <(sed -n 's/^entry //p' seen) || bad+=" ${case##*/}";;
	*)	refused=$((refused + 1))
		[ "$(sed -n 's/^open //p' seen)" != 0 ] && ! grep -q '^entry' seen || bad+=" ${case##*/}";;
	esac
done
is "$bad" "" "the damage corpus: as remap-dump ($opened opened, $refused refused)"
is "$((opened > 20 && refused > 20))" 1 "and that were enough of both kinds"

ok "make uninstall" make_it uninstall
is "$(find "$root" ! -type d)" "" "leaves nothing"
finish
