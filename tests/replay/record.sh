# SPDX-License-Identifier: GPL-2.0-only
# Records every write to a spare, for replay.c. The log is the guest's disk.
# vm: mem=384 timeout=200 disks=64M modules=dm-remap,dm-inject

. /guest/lib.sh

MAIN_SECTORS=32768 SPARE_SECTORS=16384
ram_disks 2 16
need modprobe virtio_pci
need modprobe virtio_blk
need modprobe dm-log-writes
wait_for 10 test -b /dev/vda
need dm_create slog "0 $SPARE_SECTORS log-writes /dev/ram1 /dev/vda"
faulty spare /dev/mapper/slog $SPARE_SECTORS
faulty main /dev/ram0 $MAIN_SECTORS
need dm_create r "0 $MAIN_SECTORS remap /dev/mapper/main /dev/mapper/spare 1 format"
runs "changes of the metadata" remaps "${CHANGES:-200}" "${SEED:-1}" $MAIN_SECTORS $SPARE_SECTORS
diag "status: $(dmsetup status r)"
at_least "$(status r retired)" 3 "some slots went bad"
need dm_remove r
need dm_remove main
need dm_remove spare
need dm_remove slog
done_testing
