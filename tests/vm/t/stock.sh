# SPDX-License-Identifier: GPL-2.0-only
# A stock kernel serves what remap-dump -F dmtable says, without the target: byte for byte what
# remap-recover makes of the same main and spare, and an error where nobody has the data.
# vm: mem=384 timeout=300 modules=none host=stock disks=10241536,8M,10241536,1M

. /guest/lib.sh

unlike "$(cat /proc/modules)" 'remap' "the module is not here"
runs "nor can it be loaded" sh -c '! modprobe dm-remap 2>/dev/null'
for module in virtio_pci virtio_blk dm-mod; do need modprobe $module; done
unlike "$(dmsetup targets)" 'remap' "and device mapper has no such target"

ln -s /dev/vda /dev/stock-main
ln -s /dev/vdb /dev/stock-spare
tr -d '\000' </dev/vdd >/tmp/text
read -r rows areas </tmp/text
at_least "${rows:-0}" 50 "a table of many rows"
sed -n "2,$((rows + 1))p" /tmp/text >/tmp/table
sed -n "$((rows + 2)),\$p" /tmp/text >/tmp/areas
need dmsetup create --noudevsync --readonly stock /tmp/table

wanted=$(awk '{ print $3 }' /tmp/areas | awk '{ sum += $1 } END { print sum }')
is "$(sectors_of /dev/mapper/stock)" "$wanted" "it is as long as main"
is "$(wc -l </tmp/areas)" "$areas" "the mapfile came along"

good=0 wrong= bad=0 readable=
while read -r kind start count; do
	if [ "$kind" = good ]; then
		good=$((good + 1))
		a=$(sio h /dev/mapper/stock "$start" "$count")
		b=$(sio h /dev/vdc "$start" "$count")
		[ "$a" = "$b" ] && [ -n "$a" ] || wrong="$wrong $start+$count"
		continue
	fi
	while [ "$count" -gt 0 ]; do
		bad=$((bad + 1))
		case $(sio r /dev/mapper/stock "$start" 1 2>&1) in
		*EIO*) ;;
		*) readable="$readable $start" ;;
		esac
		start=$((start + 1))
		count=$((count - 1))
	done
done </tmp/areas
at_least "$good" 20 "areas that can be read"
is "$wrong" "" "all of them are what remap-recover wrote"
at_least "$bad" 40 "sectors that nobody has"
is "$readable" "" "each of them fails with EIO"

# the test itself: main alone is something else
is "$([ "$(sio h /dev/vda 0 20003)" != "$(sio h /dev/vdc 0 20003)" ] && echo differs)" differs \
	"main alone is not that"
need dmsetup remove --noudevsync stock
done_testing
