#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make install-dkms, and what dkms itself makes of it: the module that make builds, for the kernels
# in DM_REMAP_DKMS_KERNELS, or for the newest that has headers here.
. "$(dirname "$0")/../tools/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR

make_it() { make -s -C "$top" BUILD="$BUILD" "$@"; }
version=$(sed -n 's/^#define DM_REMAP_VERSION "\(.*\)"$/\1/p' "$top/tools/version.h")
tree=src/dm-remap-$version

ok "make install-dkms" make_it DESTDIR="$work" dkmsdir=/src install-dkms
is "$(cd "$work" && find src -type f | sed 's,^,/,' | sort)" \
	"$(make_it dkmsdir=/src list-install-dkms | sed 's/^644 //' | sort)" "puts what it lists"
like "$(cat "$tree/dkms.conf")" "^PACKAGE_VERSION=\"$version\"\$" "the version is the tools'"
# Each #include "..." finds its file, and no program comes with it.
missing=
while read -r file; do
	[ -f "$tree/$file" ] || [ -f "$tree/libmeta/$file" ] || missing+=" $file"
done < <(sed -n '/^#ifdef __KERNEL__/,/^#/p; /^#include "/p' "$tree"/*.[ch] "$tree"/libmeta/*.c |
	sed -n 's/^#include "\(.*\)"$/\1/p' | sort -u)
is "$missing" "" "all that the sources include is in the tree"
is "$(grep -lE '^(int )?main\(' "$tree"/*.c "$tree"/libmeta/*.c)" "" "no program is"

pattern=$(kernel_source_dir='' dkms_tree='' && . "$tree/dkms.conf" && echo "$BUILD_EXCLUSIVE_KERNEL")
for kernel in 4.19.0 5.10.0-28-amd64 6.0.12-generic; do
	unlike $kernel "$pattern" "$kernel is too old"
done
for kernel in 6.1.0-56-amd64 6.12.117+deb12-amd64 6.10.3 7.0.0 10.1.0; do
	like $kernel "$pattern" "$kernel is not"
done

kernels=${DM_REMAP_DKMS_KERNELS-}
if [ -z "$kernels" ]; then
	for build in /lib/modules/*/build; do
		[ -e "$build" ] && kernels=$(basename "$(dirname "$build")")
	done
fi
if ! command -v dkms >/dev/null; then
	skip "dkms builds it" "no dkms: apt-get install dkms"
	kernels=
elif [ -z "$kernels" ]; then
	skip "dkms builds it" "no kernel headers here"
elif [ "$(id -u)" -ne 0 ]; then
	skip "dkms builds it" "dkms wants to be root"
	kernels=
fi

# Nothing of this machine's dkms is used, but for the key that it makes to sign modules with.
mkdir trees installed
remap_dkms() {
	local verb=$1
	shift
	dkms "$verb" --sourcetree "$work/src" --dkmstree "$work/trees" --installtree "$work/installed" \
		-m dm-remap -v "$version" "$@"
}
[ -e /var/lib/dkms/mok.key ] || cleanup "rm -f /var/lib/dkms/mok.key /var/lib/dkms/mok.pub"
# What a module needs of its kernel; a signature and the place that it was built at aside.
needs() { nm -u "$1" | sort; modinfo -F vermagic "$1"; modinfo -F depends "$1"; modinfo -F license "$1"; }
defines() { nm --defined-only "$1" | sed -n 's/^[0-9a-f]* [A-Z] //p' | sort; }

[ -z "$kernels" ] || ok "dkms add" remap_dkms add
for kernel in $kernels; do
	ok "dkms build for $kernel" remap_dkms build -k "$kernel"
	log=$(cat "trees/dm-remap/$version/$kernel"/*/log/make.log)
	unlike "$log" '(warning|error):' "$kernel: without a warning"
	module=$(ls "trees/dm-remap/$version/$kernel"/*/module/dm-remap.ko* 2>/dev/null)
	ok "$kernel: there is a module" test -f "$module"
	case $module in
	*.xz)	xz -dc "$module" >module.ko;;
	*.zst)	zstd -dcq "$module" >module.ko;;
	*)	cp "$module" module.ko;;
	esac
	is "$(modinfo -F vermagic ./module.ko | cut -d' ' -f1)" "$kernel" "$kernel: the vermagic is of that kernel"
	ok "$kernel: make builds it, too" make_it module KVER="$kernel"
	is "$(needs ./module.ko)" "$(needs "$BUILD/$kernel/dm-remap.ko")" "$kernel: it needs what make's needs"
	is "$(defines ./module.ko)" "$(defines "$BUILD/$kernel/dm-remap.ko")" "$kernel: it defines what make's does"
	# depmod of a kernel that does not run here: not done by dkms when it is told so.
	mkdir "installed/$kernel"
	ok "$kernel: dkms install" remap_dkms install -k "$kernel" --no-depmod
	is "$(find installed -name 'dm-remap.ko*' | wc -l)" 1 "$kernel: it is where modprobe looks"
	ok "$kernel: dkms remove" remap_dkms remove -k "$kernel" --no-depmod
	is "$(find installed -name 'dm-remap.ko*' | wc -l)" 0 "$kernel: and gone"
	[ "$kernel" = "${kernels##* }" ] || remap_dkms add >/dev/null 2>&1
done
ok "make uninstall-dkms" make_it DESTDIR="$work" dkmsdir=/src uninstall-dkms
is "$(find "$tree" -type f 2>/dev/null)" "" "leaves nothing"
finish
