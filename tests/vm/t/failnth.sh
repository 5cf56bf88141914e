# SPDX-License-Identifier: GPL-2.0-only
# While every allocation of every kernel thread fails, the device still does its work. And the
# n-th allocation of loading or resuming a table, of a message or of status fails, for every n:
# the call fails with ENOMEM or succeeds, all is as it was, and the same call works right after.
# What leaks is found by kmemleak when the guest ends.
# vm: mem=384 timeout=600 kernels=debug dumps=kmem_cache_create_usercopy

. /guest/lib.sh

SECTORS=32768
F=/sys/kernel/debug
# whatever asks, however it asks
for kind in failslab fail_page_alloc; do
	echo N >$F/$kind/ignore-gfp-wait
	echo 0 >$F/$kind/verbose
done
echo N >$F/fail_page_alloc/ignore-gfp-highmem
echo 0 >$F/fail_page_alloc/min-order

ram_disks 2 16
faulty main /dev/ram0 $SECTORS
need sio -b 2048 w /dev/ram0 0 $SECTORS @1
# a memory disk takes its pages when they are first written, and must not fail for that
need sio -b 2048 w /dev/ram1 0 $SECTORS 0
M=/dev/mapper/main
SP=/dev/ram1
R=/dev/mapper/r
P="$M $SP"
T="0 $SECTORS remap $P"

# nth NAME ARGUMENTS...: allocations were failed, and what must hold held
nth()
{
	_name=$1
	shift
	_start=$(uptime_ms)
	failnth "$@" >/tmp/nth.out 2>&1
	is "$?" 0 "$_name"
	diag "$(cat /tmp/nth.out)" "$(($(uptime_ms) - _start)) ms"
}

#---- every allocation of every kernel thread fails

need dm_create r "$T 1 format"
# fail_threads PERCENT
fail_threads()
{
	for _task in /proc/[0-9]*; do
		[ -e "$_task/exe" ] || echo 1 >"$_task/make-it-fail" 2>/dev/null
	done
	for kind in failslab fail_page_alloc; do
		echo Y >$F/$kind/task-filter
		echo -1 >$F/$kind/times
		echo "$1" >$F/$kind/probability
	done
}
fail_threads 100
inject main add w 100 200 300 400 500 MEDIUM
is "$(sio -b 8 -s 100 w $R 100 40 @3)" "w 100+40 OK" "no memory: writes to blocks that have gone bad"
is "$(sio -b 8 -s 100 r $R 100 40 @3)" "r 100+40 OK" "no memory: are there"
inject main add r 6001 MEDIUM
is "$(sio r $R 6000 8) $(sio r $R 6000 1 @1)" "r 6000+8 ENODATA r 6000+1 OK" "no memory: a read is salvaged"
is "$(status r used)" 6 "no memory: all of them have slots"
# shellcheck disable=SC2046
is "$(import r $(seq -s ' ' 8000 16 16000))" "501/501" "no memory: 501 more by message"
is "$(status r used) $(status r buckets)" "507 64" "no memory: the index did not grow, and that is no error"
is "$(sio -b 8 -s 16 r $R 8000 4008 @1)" "r 8000+4008 OK" "no memory: lookups go on"
is "$(status r mode)" ok "no memory: the device is well"
fail_threads 0
# shellcheck disable=SC2046
is "$(import r $(seq -s ' ' 17000 16 32000))" "938/938" "memory again: more by message"
at_least "$(status r buckets)" 512 "memory again: the index has grown"
is "$(sio -b 8 -s 16 r $R 8000 4008 @1) $(sio -b 8 -s 100 r $R 100 40 @3)" \
	"r 8000+4008 OK r 100+40 OK" "memory again: all is there"
inject main clear
need dm_remove r
need dm_create r "$T"
is "$(status r used)" 1445 "created again: all slots are there"
need dm_remove r
for kind in failslab fail_page_alloc; do
	echo N >$F/$kind/task-filter
done

#---- messages and status

make_spare $SP
need dm_create r "$T 1 format"
nth "message import" message r import manual 1000 2000+16 3000+80
is "$(status r used)" 13 "message import: done in the end, and once"
nth "message remap" message r remap 5000 6000+16 7000
is "$(status r used)" 17 "message remap: done in the end, and once"
nth "message unmap" message r unmap 5000 6000+16
is "$(status r used)" 14 "message unmap: done in the end, and once"
nth "message commit" message r commit
nth "status" status r

is "$(status r mode) $(status r used)" "ok 14" "the device is as it was"
need dm_remove r

#---- loading and resuming

nth "table load" load r $SECTORS remap $P
nth "table resume" resume r $SECTORS remap $P
need dm_create r "$T"
is "$(status r mode) $(status r used)" "ok 14" "the spare is as it was"
need dm_remove r
done_testing
