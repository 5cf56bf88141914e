#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What can be told of Debian's packages without building them: that versions agree, that each file which is
# installed is in one package and each package has files, and that the symbols are those of the library's map.
# The rest is make check-deb.
. "$(dirname "$0")/../tools/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR prefix
# All that is read is below $top; what tests write is not.
in_top() { (cd "$top" && "$@"); }

version=$(in_top sed -n 's/^#define DM_REMAP_VERSION "\(.*\)"$/\1/p' tools/version.h)
like "$version" '^[0-9]+\.[0-9]+\.[0-9]+$' "the version is $version"
is "$(in_top sed -n '1s/^dm-remap (\(.*\)-[0-9]*) .*/\1/p' debian/changelog)" "$version" "debian/changelog is about it"
for tool in "$BUILD"/remap-*; do
	[ -f "$tool" ] && [ -x "$tool" ] || continue
	is "$("$tool" --version)" "${tool##*/} (dm-remap) $version" "${tool##*/} says it"
done
if command -v dpkg-parsechangelog >/dev/null; then
	is "$(in_top dpkg-parsechangelog -S Version 2>&1)" "$version-$(in_top sed -n '1s/.*-\([0-9]*\)) .*/\1/p' debian/changelog)" \
		"dpkg reads the changelog"
else
	skip "dpkg reads the changelog" "no dpkg-dev"
fi

# As debian/rules has it.
export REMAP_DIRS="BUILD=$BUILD prefix=/usr libdir=/usr/lib/triplet KVERS= KVER="
in_top make -s $REMAP_DIRS list-install | sed 's,^[0-9a-z]* /,,' | sort >"$work/all"
in_top make -s $REMAP_DIRS DKMS_TREE="/usr/src/dm-remap-$version" list-install-dkms | sed 's,^[0-9]* /,,' | sort >>"$work/all"
: >"$work/taken"
for package in $(in_top sed -n 's/^Package: //p' debian/control); do
	list=debian/$package.install
	ok "$package has a list" in_top test -f "$list"
	if [ -x "$top/$list" ]; then in_top "./$list"; else in_top cat "$list"; fi >"$work/patterns"
	nothing=
	while read -r pattern rest; do
		[ -n "$pattern" ] || continue
		# as dh_install: a directory is all that is in it
		awk -v pattern="$pattern" 'BEGIN {
				gsub(/[.]/, "\\.", pattern)
				gsub(/[*]/, "[^/]*", pattern)
			}
			$0 ~ "^" pattern "(/.*)?$"' "$work/all" >"$work/matched"
		[ -s "$work/matched" ] || nothing+=" $pattern"
		cat "$work/matched" >>"$work/taken"
	done <"$work/patterns"
	is "$nothing" "" "$package: all that it lists is installed by make"
done
is "$(sort "$work/taken" | uniq -d)" "" "no file is in two packages"
is "$(sort "$work/taken" | comm -13 - <(sort "$work/all"))" "" "every file that make installs is in one"

is "$(in_top sed -n 's/^ \(remapmeta_[a-z_]*\)@REMAPMETA_0 .*/\1/p' debian/libremapmeta0.symbols | sort)" \
	"$(in_top sed -n 's/^\t\(remapmeta_[a-z_]*\);$/\1/p' libmeta/libremapmeta.map | sort)" \
	"the symbols are those of the map"
# What is built with a header needs its package.
missing=
for package in $(in_top sed -n 's/^build="\(.*\)".*/\1/p' tests/setup | tr ' ' '\n' | grep -- '-dev$' |
		grep -v -e '^libc6-dev$' -e '^liburcu-dev$'); do
	in_top grep -q "^ $package,\$" debian/control || missing+=" $package"
done
is "$missing" "" "libraries that make setup installs are build dependencies"
finish
