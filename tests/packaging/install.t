#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make install puts exactly what it lists, where it was told, for everybody to read, and make uninstall
# takes exactly that away, whatever the umask is and with blanks in DESTDIR. Both leave the source
# alone. depmod and ldconfig are for what is at its final place only.
. "$(dirname "$0")/../tools/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR prefix

root="$work/a root"
# Ours stand before the system's: they write down that they were called.
mkdir stubs
for stub in depmod ldconfig; do
	printf '#!/bin/sh\necho "%s $*" >>"%s"\n' "$stub" "$work/called" >"stubs/$stub"
done
chmod 755 stubs/*
PATH=$work/stubs:$PATH
called() { cat "$work/called" 2>/dev/null; rm -f "$work/called"; }

make_it() { make -s -C "$top" BUILD="$BUILD" moduledir="$work/modules" "$@"; }
dirs=(prefix=/opt/remap libdir=/opt/remap/lib64 mandir=/opt/man sbindir=/opt/sbin)
# What is below $1, as list-install prints it: mode or "link", and place.
placed() {
	(cd "$1" && find . ! -type d -printf '%y%m %p\n' | sed 's/^l[0-9]* /link /; s/^f//; s/ \./ /' | sort)
}
# The source, with the time of the last change of each file. What is built is looked at below, where it cannot be
# written.
source_tree() { find "$top" \( -path "$top/.git" -o -path "$BUILD" \) -prune -o -printf '%p %C@ %m\n' | sort; }

make_it tools library completions >/dev/null 2>&1
make_it "${dirs[@]}" list-install | sort >listed
ok "there is a list" test -s listed
is "$(cut -d' ' -f2- listed | uniq -d)" "" "no place twice"

# Every part is in it.
modes() { grep -c "^$1 $2\$" listed; }
for tool in "$BUILD"/remap-*; do
	[ -f "$tool" ] && [ -x "$tool" ] || continue
	name=${tool##*/}
	is "$(modes 755 "/opt/sbin/$name") $(modes 644 "/opt/man/man8/$name.8")" "1 1" \
		"$name and its manual page are in the list"
done
for page in "$top"/man/*.[1-9]; do
	is "$(modes 644 "/opt/man/man${page##*.}/${page##*/}")" 1 "${page##*/} is"
done
for file in dm-remap.rules.yml dm-remap.test.yml dm-remap.grafana.json; do
	is "$(modes 644 "/opt/remap/share/dm-remap/$file")" 1 "$file is"
done
is "$(modes link /opt/remap/lib64/libremapmeta.so.0) $(modes link /opt/remap/lib64/libremapmeta.so)" \
	"1 1" "the links of the library are"

source_tree >before
ok "make install, umask 077, DESTDIR with a blank" \
	sh -c 'umask 077; exec make -s -C "$@" install' sh "$top" BUILD="$BUILD" \
	moduledir="$work/modules" "${dirs[@]}" DESTDIR="$root"
placed "$root" >got
is "$(diff listed got)" "" "what is there now is what was listed"
is "$(find "$root" -type d ! -perm 755)" "" "everybody may enter the directories"
is "$(called)" "" "neither depmod nor ldconfig was called"
is "$(readlink "$root/opt/remap/lib64/libremapmeta.so")" libremapmeta.so.0 "libremapmeta.so leads to the soname"
ok "which is there" test -f "$root/opt/remap/lib64/libremapmeta.so.0"
pc=$(cat "$root/opt/remap/lib64/pkgconfig/libremapmeta.pc")
like "$pc" '^libdir=/opt/remap/lib64$' "pkg-config is told the directory"
unlike "$pc" '@' "and nothing was left to be filled in"
is "$(grep -rIl "a root" "$root")" "" "nothing knows DESTDIR"
make_it "${dirs[@]}" DESTDIR="$root" install >/dev/null
is "$(placed "$root")" "$(cat listed)" "make install again changes nothing"

ok "make uninstall" make_it "${dirs[@]}" DESTDIR="$root" uninstall
is "$(find "$root" -mindepth 1)" "" "leaves nothing, no directory either"
ok "make uninstall again" make_it "${dirs[@]}" DESTDIR="$root" uninstall
is "$(diff before <(source_tree))" "" "the source is as it was"

# What is somebody else's stays.
make_it "${dirs[@]}" DESTDIR="$root" install >/dev/null
touch "$root/opt/sbin/other" "$root/opt/man/man8/other.8"
make_it "${dirs[@]}" DESTDIR="$root" uninstall
is "$(placed "$root" | cut -d' ' -f2)" "/opt/man/man8/other.8
/opt/sbin/other" "what was put beside it stays"
rm -rf "$root"

# A source that cannot be written.
if unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"' sh "$top" 2>/dev/null; then
	ok "make install of a read-only source" unshare -m sh -c \
		'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit; top=$1; shift; make -s -C "$top" "$@"' \
		sh "$top" BUILD="$BUILD" "${dirs[@]}" moduledir="$work/modules" DESTDIR="$root" install
	is "$(placed "$root")" "$(cat listed)" "puts the same"
else
	skip "make install of a read-only source" "not allowed to mount"
fi

# At its final place. A module stands in for one that may not be built here.
mkdir -p built/9.9-test
cp -a "$BUILD"/{obj,lib,completions,remap-*,*.a} built/
: >built/9.9-test/dm-remap.ko
final() {
	make -s -C "$top" BUILD="$work/built" KVER=9.9-test KVERS=9.9-test prefix="$work/final" \
		moduledir="$work/final/modules" "$@"
}
ok "make install without DESTDIR" final install
want="depmod 9.9-test"
[ "$(id -u)" -ne 0 ] || want+=$'\nldconfig '
is "$(called)" "$want" "the kernel of the module and the linker are told"
ok "the module is in updates/" test -f "$work/final/modules/9.9-test/updates/dm-remap.ko"
ok "make uninstall without DESTDIR" final uninstall
is "$(called)" "$want" "they are told again"
is "$(find "$work/final" ! -type d)" "" "no file is left"
ok "directories are, they may be somebody's" test -d "$work/final/sbin"
final install DESTDIR="$root/2" >/dev/null
ok "with DESTDIR the module is installed, too" test -f "$root/2$work/final/modules/9.9-test/updates/dm-remap.ko"
is "$(called)" "" "and nobody is told"
finish
