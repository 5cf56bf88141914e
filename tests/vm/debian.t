#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A Debian with systemd and udev as users have it, dm-remap installed in it, root on a remapped disk: what comes
# up at boot by itself, with filesystems, LVM, LUKS, md, btrfs and partitions on top; what stays hidden while
# spares are missing; and spares that are plugged in later.
#
# The Debian is made by debootstrap, which takes minutes, only with DM_REMAP_DEBIAN set (make check-debian).
# Three boots: make everything; all is there; the spares come late. debian/guest.sh has the points.

set -uo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD=${BUILD:-$top/build}
[[ $BUILD = /* ]] || BUILD=$top/$BUILD
unset DESTDIR prefix
timeout=${DM_REMAP_TIMEOUT:-1800}	# of a boot
keep=${DM_REMAP_DEBIAN_DISKS:-}	# a directory: what the first boot makes is kept there, and used when it is there
uuid_plain=55555555-2222-3333-4444-555555555555 uuid_root=44444444-2222-3333-4444-555555555555

skip_all() { echo "1..0 # SKIP $*"; exit 0; }
bail() { echo "Bail out! $*"; exit 1; }

[ "$(id -u)" = 0 ] || skip_all "making a root for the guest needs root"
. "$here/common.sh"
need_kernels 6.1
debian=$("$here/debian/root" ${DM_REMAP_DEBIAN:+--make} 2>&1)
case $? in
0) debian=${debian##*$'\n'} ;;
3) [ -n "${DM_REMAP_DEBIAN:-}" ] && [ -n "${DM_REMAP_NEED_VM:-}" ] && bail "${debian##*$'\n'}"; skip_all "${debian##*$'\n'}" ;;
*) bail "${debian##*$'\n'}" ;;
esac
cache=$("$here/prepare" --dir 6.1)
kver=$(cat "$cache/kver")

mkdir -p "$BUILD/vm"
work=$(mktemp -d "$BUILD/vm/.debian.XXXXXX")
qemu=
finish() { [ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$work"; }
trap finish EXIT
trap 'exit 130' INT TERM
logs=$BUILD/vm/debian
rm -rf "$logs"
mkdir -p "$logs"

# What is quick to leave out, and what users of a disk do not notice.
masks="getty@.service getty-static.service serial-getty@.service systemd-logind.service systemd-random-seed.service
systemd-update-utmp.service systemd-journal-flush.service systemd-pstore.service systemd-ask-password-wall.path
apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer e2scrub_reap.service
systemd-tmpfiles-clean.timer mdcheck_start.timer mdcheck_continue.timer mdmonitor-oneshot.timer dev-mqueue.mount
dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-update-utmp-runlevel.service
lvm2-monitor.service systemd-binfmt.service systemd-udev-settle.service"

# The root of the guest: dm-remap as make install leaves it, and what starts the points.
install_all()
{
	local root=$work/root unit

	cp -a "$debian" "$root" || return
	make_alone KVER="$kver" module install DESTDIR="$root" prefix=/usr \
		libdir=/usr/lib/x86_64-linux-gnu udevrulesdir=/lib/udev/rules.d systemdunitdir=/lib/systemd/system \
		>"$logs/install" 2>&1 || return
	mkdir -p "$root/points" "$root/guest" "$root/lib/modules/$kver/updates"
	cp "$BUILD/$kver/dm-remap.ko" "$root/lib/modules/$kver/updates/" || return
	depmod -b "$root" "$kver" || return
	cp "$here/debian/guest.sh" "$here/guest/lib.sh" "$root/points/"
	: >"$root/guest/env"
	cat >"$root/etc/systemd/system/points.service" <<-'END'
		[Unit]
		After=multi-user.target dm-remap.service
		[Service]
		Type=oneshot
		ExecStart=/bin/sh /points/guest.sh
		TimeoutStartSec=infinity
		[Install]
		WantedBy=default.target
	END
	mkdir -p "$root/etc/systemd/system/default.target.wants" "$root/etc/systemd/system.conf.d"
	ln -s ../points.service "$root/etc/systemd/system/default.target.wants/points.service"
	ln -sfn /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
	printf '[Manager]\nDefaultDeviceTimeoutSec=900\nDefaultTimeoutStartSec=900\n' >"$root/etc/systemd/system.conf.d/slow.conf"
	for unit in $masks; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
	echo guest >"$root/etc/hostname"
	echo "UUID=$uuid_plain / ext4 defaults 0 1" >"$root/etc/fstab"
	printf '%s\n' virtio_pci virtio_blk virtio_scsi sd_mod ext4 >>"$root/etc/initramfs-tools/modules"
	sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' "$root/etc/initramfs-tools/initramfs.conf"
	touch "$root/etc/remaptab"
}

# make_initramfs FILE: by the root's own update-initramfs; unpacked here, not under emulation
make_initramfs()
{
	chroot "$work/root" update-initramfs -c -k "$kver" >"$logs/initramfs" 2>&1 </dev/null || return
	gzip -dc "$work/root/boot/initrd.img-$kver" >"$1" || return
	rm "$work/root/boot/initrd.img-$kver"
}

# disk NAME FILE [BUS]: for the command line of the guest; "kept" is plugged in later
disk()
{
	local id=$1 bus=${2:-virtio}

	args+=(-drive "if=none,id=$id,format=raw,file=$work/$id,cache=unsafe")
	case $bus in
	virtio) args+=(-device "virtio-blk-pci,drive=$id,serial=$id") ;;
	scsi) args+=(-device "scsi-hd,drive=$id,serial=$id,id=disk-$id") ;;
	esac
}

plug() { echo "device_add scsi-hd,drive=$1,serial=$1,id=disk-$1" >"$work/monitor.in"; }

# boot PART UUID INITRAMFS KEPT...: one guest, to its end; KEPT are disks that it does not have at first
boot()
{
	local part=$1 uuid=$2 initramfs=$3 kept id args=() seen="" asked started=$SECONDS
	shift 3
	kept=" $* "

	rm -f "$work"/monitor.*
	mkfifo "$work/monitor.in" "$work/monitor.out"
	args+=(-device "virtio-scsi-pci,id=scsi")
	for id in plain arcmain stackmain partmain partspare rootmain; do
		disk "$id"
	done
	for id in rootspare arcspare stackspare hotmain hotspare; do
		if [[ $kept = *" $id "* ]]; then disk "$id" none; else disk "$id" scsi; fi
	done
	: >"$logs/$part.tap"
	: >"$logs/$part.log"
	timeout -k 5 "$timeout" qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu max,la57=off,erms=off,fsrm=off -smp 2 -m 768 \
		-display none -nodefaults -no-reboot "${args[@]}" \
		-chardev "file,id=log,path=$logs/$part.log" -serial chardev:log \
		-chardev "file,id=tap,path=$logs/$part.tap" -serial chardev:tap \
		-chardev "pipe,id=monitor,path=$work/monitor" -mon chardev=monitor,mode=readline \
		-kernel "$cache/vmlinux" -initrd "$initramfs" \
		-append "console=ttyS0 loglevel=5 panic=-1 no_timer_check rcupdate.rcu_cpu_stall_suppress=1 nowatchdog norandmaps root=UUID=$uuid rw fsck.mode=skip systemd.show_status=auto apparmor=0 selinux=0 audit=0 points=$part" \
		</dev/null >"$logs/$part.qemu" 2>&1 &
	qemu=$!
	cat "$work/monitor.out" >"$logs/$part.monitor" &
	exec 7>"$work/monitor.in"
	while kill -0 "$qemu" 2>/dev/null; do
		asked=$(sed -n 's/^# plug \([a-z]*\).*/\1/p' "$logs/$part.tap")
		! grep -aqE 'its spare is not here|Waiting for root file system' "$logs/$part.log" || asked+=" rootspare"
		for id in $asked; do
			[[ $seen = *" $id "* ]] || [[ $kept != *" $id "* ]] || plug "$id"
			seen+=" $id "
		done
		sleep 0.5
	done
	exec 7>&-
	wait "$qemu"
	qemu=
	sed -i 's/\r$//' "$logs/$part.tap"
	sed -nE "s/^(not )?ok [0-9]+ - /\1ok %N% - $part: /p; /^#/p" "$logs/$part.tap" |
		while IFS= read -r line; do point "$line"; done
	if grep -q '^points: end' "$logs/$part.tap" && ! grep -aqE 'BUG:|Oops|WARNING: CPU|Call Trace:|Kernel panic' "$logs/$part.log"; then
		point "ok %N% - $part: the guest ended well"
	else
		point "not ok %N% - $part: the guest ended well"
		tail -n 60 "$logs/$part.log" | tr -d '\r' | sed 's/^/# | /'
	fi
	echo "# $part: $((SECONDS - started)) s; logs: $logs"
	grep -q '^points: end' "$logs/$part.tap"
}

# Numbers and prints one line of TAP.
point()
{
	local n

	n=$(cat "$work/points" 2>/dev/null || echo 0)
	if [[ $1 = *%N%* ]]; then
		n=$((n + 1))
		echo "$n" >"$work/points"
		[[ $1 != not\ ok* ]] || : >"$work/bad"
	fi
	echo "${1/\%N\%/$n}"
}

# check NAME COMMAND...
check() { local name=$1; shift; if eval "$*"; then point "ok %N% - $name"; else point "not ok %N% - $name"; fi; }

in_initramfs() { cpio -t --quiet <"$work/initramfs" 2>/dev/null | grep "$1\$" >/dev/null; }

# Makes the disks of all boots, in $work.
make_disks()
{
	local file

	if ! install_all; then
		sed 's/^/# /' "$logs/install"
		bail "dm-remap cannot be installed into Debian"
	fi
	make_initramfs "$work/initramfs" || bail "no initramfs: $(tail -n 1 "$logs/initramfs")"
	check "nothing of dm-remap runs in an initramfs while remaptab lists nothing" ! in_initramfs 'sbin/remap-setup'

	mke2fs -q -t ext4 -O ^has_journal -U $uuid_plain -d "$work/root" "$work/plain" 900M >/dev/null || bail "no root filesystem"
	cp --sparse=always "$work/plain" "$work/rootmain"
	e2fsck -fp "$work/rootmain" >/dev/null 2>&1
	tune2fs -U $uuid_root "$work/rootmain" >/dev/null || bail "no second root filesystem"
	truncate -s 64M "$work/arcmain" "$work/hotmain"
	truncate -s 16M "$work/arcspare" "$work/partspare" "$work/hotspare"
	truncate -s 96M "$work/partmain"
	truncate -s 600M "$work/stackmain"
	truncate -s 80M "$work/stackspare"
	truncate -s 32M "$work/rootspare"

	boot setup $uuid_plain "$work/initramfs" || return
	# as update-initramfs in the guest, which takes much longer: remaptab, mdadm.conf, lvm.conf are in it
	mkdir "$work/made" && debugfs -R "rdump /etc $work/made" "$work/plain" 2>>"$logs/initramfs" &&
		cp -a "$work/made/etc/." "$work/root/etc/" && [ -s "$work/root/etc/remaptab" ] ||
		bail "nothing was written to /etc"
	make_initramfs "$work/initramfs" || bail "no initramfs: $(tail -n 1 "$logs/initramfs")"
	for file in sbin/remap-setup etc/remaptab etc/mdadm/mdadm.conf etc/machine-id rules.d/61-dm-remap.rules dm-remap.ko scripts/local-top/dm-remap; do
		check "$file is in the initramfs" in_initramfs "$file"
	done
	[ -z "$keep" ] || { mkdir -p "$keep" && find "$work" -maxdepth 1 -type f ! -name points ! -name bad -exec cp --sparse=always -t "$keep" {} +; }
}

if [ -n "$keep" ] && [ -e "$keep/initramfs" ]; then
	cp --sparse=always "$keep"/* "$work/"
else
	make_disks
fi && {
	boot up $uuid_root "$work/initramfs" hotmain hotspare
	boot late $uuid_root "$work/initramfs" rootspare arcspare stackspare hotmain hotspare
}
echo "1..$(cat "$work/points")"
[ ! -e "$work/bad" ]
