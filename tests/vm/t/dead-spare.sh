# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# replace-spare --from-backup: what is not to be done by a backup, for the spare is here after all, or another
# one took its place; and what is left when it goes wrong.
#
# vm: mem=512 timeout=600 disks=64M,16M,16M,96M plug=16M modules=dm-inject,dm-remap

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdd || bail "no disks"
need modprobe virtio_scsi
need modprobe sd_mod
hostname alpha
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
M=/dev/vda

# replace FILE NAME NEWSPARE [OPTION...]
replace()
{
	_file=$1 _of=$2 _new=$3
	shift 3
	remap-setup replace-spare "$@" --from-backup "$_file" "$_of" "$_new"
}
# backup_of TARGET: its file
backup_of() { remap-setup backup "$1" | sed -n 's/ written.*//p'; }

#---- the spare drops off, and comes back under another node ----

plug plug0
wait_for 120 test -b /dev/sda || bail "no disk is plugged in"
need remap-setup create --enable -o breaker=77:600 archive $M /dev/sda
need dm_message archive remap 1000+80
need sio w /dev/mapper/archive 1000 80 @7
need dm_message archive commit
backup=$(backup_of archive)
unplug plug0
off() { [ ! -e /dev/sda ]; }
wait_for 120 off || bail "the disk is not unplugged"
plug plug0
wait_for 120 test -b /dev/sdb || bail "no disk comes back"
back="the spare of archive came back as /dev/sdb, which the device does not use, and can be read: remap-setup close archive, and then remap-setup open -o breaker=77:600 archive $M /dev/sdb; nothing was changed"
says 8 "$back" "replace-spare by a backup" replace "$backup" archive /dev/vdb
says 8 "$back" "replace-spare" remap-setup replace-spare archive /dev/vdb
unlike "$(cat /tmp/out)" "if it is gone for good" "it is not given up"
: >/tmp/archive
cd /tmp || exit 1
says 8 "archive is a live device, and a file here is called so, too; nothing was changed .say /dev/mapper/archive" \
	"a file of that name" replace "$backup" archive /dev/vdb
cd / || exit 1
says 8 "the spare of archive came back as /dev/sdb" "with the path of the device" replace "$backup" /dev/mapper/archive /dev/vdb
remap-setup close archive >/tmp/out 2>&1
unlike "$(cat /tmp/out)" "comes up again when a disk is plugged in" "of a disk that is gone no mark is missed"
runs "the command that was shown" remap-setup open -o breaker=77:600 archive $M /dev/sdb
is "$(sio r /dev/mapper/archive 1000 80 @7)" "r 1000+80 OK" "nothing is lost"
need remap-setup close archive

#---- another one took its place, and remaptab does not know it ----

cp /etc/remaptab /tmp/tab
first=$(sed -n 's/.*UUID=\([^ ]*\).*/\1/p' /tmp/tab)
need remap-setup replace-spare archive /dev/vdb
second=$(remap-dump --json /dev/vdb | tr -d ' ' | tr ',' '\n' | sed -n 's/.*"uuid":"\([^"]*\)"/\1/p' | head -n 1)
cp /tmp/tab /etc/remaptab
says 8 "$M has a spare already, /dev/vdb .uuid $second.*, and 10 blocks that live there are old on main" \
	"another spare of main" replace "$backup" archive /dev/vdc
like "$(cat /tmp/out)" "to use that one: remap-setup open NAME $M /dev/vdb" "and the way to use it"
says 8 "$M has a spare already, /dev/vdb" "under any other name, too" replace "$backup" other /dev/vdc
runs "it is opened" remap-setup open archive $M /dev/vdb
is "$(sio r /dev/mapper/archive 1000 80 @7)" "r 1000+80 OK" "nothing is lost"
need remap-setup close archive

#---- one that was about to take over, which no spare is made beside ----

# An active spare has the host's id where one that takes over has the uuid of the one that it replaces.
echo "$first" | tr -d - >/etc/machine-id
need remap-setup create other /dev/vdd /dev/vdc
need dm_message other remap 8+8
need remap-setup close --no-backup other
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
for sector in 0 1024 2048 4096 8192; do
	printf DMRTAKES | dd of=/dev/vdc bs=512 seek=$sector conv=notrunc,fsync 2>/dev/null
done
says 8 "/dev/vdd has a spare, /dev/vdc, that was to replace another one, .*to finish it: remap-setup replace-spare -T /tmp/tab /dev/vdc /dev/vdc" \
	"create beside it" remap-setup create -T /tmp/tab more /dev/vdd /dev/sdb
says 8 "archive: its spare .uuid $first. was being replaced by /dev/vdc, and that was cut short: remap-setup replace-spare archive /dev/vdc goes on" \
	"replace-spare by a backup" replace "$backup" archive /dev/sdb
need sio z /dev/vdc 0 32768

#---- main has another length ----

need dm_create small "0 65536 linear /dev/vdd 0"
need remap-setup create tiny /dev/mapper/small /dev/vdc
need remap-setup close -d /tmp/tiny tiny
need dm_remove small
need dm_create large "0 131072 linear /dev/vdd 0"
need sio z /dev/vdc 0 32768
before=$(sum_of /dev/vdc)
says 8 "/dev/mapper/large has 131072 sectors .64 MiB., but the main of the spare that .* is of has 65536 .32 MiB., and nothing on record" \
	"main is longer" replace "$(echo /tmp/tiny/*.json.gz)" tiny /dev/vdc --main /dev/mapper/large
like "$(cat /tmp/out)" "remap-restore -i /tmp/tiny/.*.json.gz --main /dev/mapper/large /dev/vdc, and then remap-setup open --force-main tiny /dev/mapper/large /dev/vdc" \
	"and what is done if it was enlarged"
is "$(sum_of /dev/vdc)" "$before" "nothing was written"
need dm_remove large

#---- the new spare is made, but the device does not come up ----

need sio z /dev/vdb 0 32768
mkfifo /tmp/end
hold-device $M </tmp/end >/tmp/held &
exec 3>/tmp/end
wait_for 60 grep -q held /tmp/held || bail "nobody holds main"
says 8 "the new spare is whole, but its device is down; to bring it up: remap-setup open -o breaker=77:600 archive $M /dev/vdc" \
	"main is held by a program" replace "$backup" archive /dev/vdc --main $M
exec 3>&-
wait
says 8 "is of another spare than that of archive" "the same again, when remaptab has the new one" \
	replace "$backup" archive /dev/vdc
like "$(cat /tmp/out)" "/dev/vdc is that spare: remap-setup open archive brings the device up" "it says how that is opened"
third=$(sed -n 's/.*UUID=\([^ ]*\).*/\1/p' /etc/remaptab)
fails "the line in remaptab followed" test "$third" = "$first"
fails "events may bring it up" ls "/run/dm-remap/closed/REMAP-$third"
cp /etc/remaptab /tmp/new
cp /tmp/tab /etc/remaptab
says 8 "/dev/vdc is another spare of dm-remap, .* and holds 10 remaps; it is not overwritten" \
	"and when remaptab has the old one" replace "$backup" archive /dev/vdc
like "$(cat /tmp/out)" "if this command made it, and was cut short: remap-setup open -o breaker=77:600 archive $M /dev/vdc brings the device up, and remap-setup disable archive, then remap-setup enable archive puts" \
	"it says that, too"
runs "the command that was shown" remap-setup open -o breaker=77:600 archive $M /dev/vdc
need remap-setup disable archive
need remap-setup enable archive
like "$(cat /etc/remaptab)" "^archive .*UUID=$third" "and those for remaptab"
cp /tmp/new /etc/remaptab
is "$(status archive used) $(status archive lost)" "10 80" "what was in slots is lost"
need remap-setup close archive

#---- a live device is taken down, and the new spare cannot be written ----

faulty dying /dev/vdc 32768
need remap-setup open -o breaker=5:60 archive $M /dev/mapper/dying
backup=$(backup_of archive)
need dm_message archive remap 5000+8
inject dying add rw 0+32768 MEDIUM
need sio z /dev/vdc 0 32768
faulty bad /dev/vdb 32768
inject bad add w 8192+8 MEDIUM
says 8 "archive is down: remap-setup replace-spare --from-backup $backup --main $M archive /dev/mapper/bad makes the spare, and brings it up" \
	"a new spare that cannot be written" replace "$backup" archive /dev/mapper/bad
like "$(cat /tmp/out)" "archive has 11 blocks on its spare, and $backup knows of 10: the others are read from main" \
	"what the backup does not know is warned of"
like "$(cat /tmp/out)" "to have them again: remap-setup close archive then, and remap-setup open -o breaker=5:60 archive $M /dev/mapper/bad" \
	"and the options that are not in remaptab"
fails "the device is down" dm_exists archive
inject bad clear
says 0 "/dev/mapper/archive is up: main $M, spare /dev/mapper/bad" "the command that was shown" \
	remap-setup replace-spare --from-backup "$backup" --main $M archive /dev/mapper/bad
like "$(dm_table archive)" "breaker 77 600" "the options are those of remaptab"
need remap-setup close archive
runs "and the other command" remap-setup open -o breaker=5:60 archive $M /dev/mapper/bad
like "$(dm_table archive)" "breaker 5 60" "brings those back"
says 8 "the spare /dev/mapper/bad can be read: remap-setup replace-spare -f --allow-large-spare archive /dev/vdc takes what its slots hold along" \
	"a live device with a spare that can be read" \
	replace "$(backup_of archive)" archive /dev/vdc -f --allow-large-spare
need remap-setup close archive
done_testing
