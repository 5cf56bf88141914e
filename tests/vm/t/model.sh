# SPDX-License-Identifier: GPL-2.0-only
# Random operations against a model of the device: guest/model.c.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 2 256
faulty main /dev/ram0 16384
faulty spare /dev/ram1 524288
SEED=${SEED:-$(od -A n -N 3 -t u4 /dev/urandom | tr -d ' ')}
diag "seed $SEED"	# also where the guest does not live to tell
out=$(model "${OPS:-10000}" "$SEED" 2>&1)
is "$?" 0 "${OPS:-10000} operations, seed $SEED"
diag "$out"
diag "status: $(dmsetup status r)"
need dm_remove r
done_testing
