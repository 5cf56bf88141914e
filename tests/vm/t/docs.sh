# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The commands of the pages for users that need device mapper, as they stand. /dev/sdb is main with an ext4 on it,
# /dev/sdc its spare; sdd could take main's place, sde and sdf the spare's.
# vm: mem=512 timeout=900 disks=64M,16M,64M,16M,1M,16M host=docs kernels=6.12

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdf || bail "no disks"
need modprobe ext4
hostname alpha
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
for pair in b:a c:b c1:b d:c e:d f:f; do
	# a node, not a link: umount knows a device by the name that was mounted
	numbers=$(cat "/sys/block/vd${pair#*:}/dev")
	need mknod "/dev/sd${pair%:*}" b "${numbers%:*}" "${numbers#*:}"
done
mkdir -p /tmp/docs /tmp/box
need tar -C /tmp/docs -xf /dev/vde
# shellcheck disable=SC1091
. /tmp/docs/lib.sh

# What one page has left is no business of the next.
clean()
{
	umount /mnt 2>/dev/null
	for name in $(dmsetup ls | awk '/^[a-z]*\t/ { print $1 }'); do
		need dm_remove "$name"
	done
	for disk in b c d f; do
		need dd if=/dev/zero of=/dev/vd$disk bs=1M count=$(($(sectors_of /dev/vd$disk) / 2048)) status=none
	done
	need mke2fs -q -F -t ext4 /dev/vda
	rm -rf /tmp/box/* /etc/remaptab
}

cd /tmp/box || bail "no directory"
for page in /tmp/docs/*/; do
	page=${page%/}
	clean
	for about in "$page"/*.about; do
		[ -f "$about" ] || continue
		read -r kind _ line <"$about"
		[ "$kind" = device ] || continue
		block=${about%.about}
		what="${page##*/}.md, line $line: $(head -n 1 "$block.sh")"
		if run_block "$block" >/tmp/why; then
			pass "$what"
		else
			not_ok "$what"
			diag "$(cat /tmp/why)"
		fi
	done
done
done_testing
