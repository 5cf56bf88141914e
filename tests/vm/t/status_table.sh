# SPDX-License-Identifier: GPL-2.0-only
# What each status of main means: guest/statuses.c has the table.
# vm: mem=384 timeout=300

. /guest/lib.sh

ram_disks 2 256
faulty main /dev/ram0 "$(sectors_of /dev/ram0)"
make_spare /dev/ram1
exec statuses /dev/mapper/main /dev/ram1
