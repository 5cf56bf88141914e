# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What tests in the guest share: TAP, device mapper, devices to build on, the target's status.
# Sourced by busybox sh. Sectors are 512 bytes; sizes are in MiB where a name ends in _mib.
#
# A test prints its points with ok, is, like, runs, fails ..., and ends with done_testing:
# without it the host takes the test for dead.

tap_count=0
# shellcheck disable=SC1091
. /guest/env	# what was given to run -e

diag() { [ -z "$*" ] || printf '%s\n' "$*" | sed 's/^/# /'; }

_point()
{
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		: >/tmp/failed
		return 1
	fi
}

pass() { _point 0 "$1"; }
not_ok() { _point 1 "$1"; }

# ok COMMAND_STATUS NAME
ok() { _point "$1" "$2"; }

# is GOT WANTED NAME
is()
{
	if [ "$1" = "$2" ]; then
		_point 0 "$3"
	else
		_point 1 "$3"
		diag "got:    $1"
		diag "wanted: $2"
		return 1
	fi
}

# like TEXT PATTERN NAME: an extended regular expression somewhere in TEXT
like()
{
	if printf '%s\n' "$1" | grep -qE -e "$2"; then
		_point 0 "$3"
	else
		_point 1 "$3"
		diag "got:     $1"
		diag "pattern: $2"
		return 1
	fi
}

unlike()
{
	if printf '%s\n' "$1" | grep -qE -e "$2"; then
		_point 1 "$3"
		diag "got:          $1"
		diag "must not have $2"
		return 1
	fi
	_point 0 "$3"
}

# at_least GOT WANTED NAME, at_most GOT WANTED NAME: integers
at_least()
{
	[ "${1:-x}" -ge "$2" ] 2>/dev/null && _point 0 "$3 ($1)" && return
	_point 1 "$3"
	diag "got $1, wanted at least $2"
	return 1
}

at_most()
{
	[ "${1:-x}" -le "$2" ] 2>/dev/null && _point 0 "$3 ($1)" && return
	_point 1 "$3"
	diag "got $1, wanted at most $2"
	return 1
}

# figure MS LIMIT NAME: what a figure of the documentation comes from. It is printed; where figures are asked for
# (make bench: the machine has nothing else to do), more than LIMIT ms fail.
figure()
{
	diag "figure: $3: $1 ms, at most $2"
	[ -z "${FIGURES:-}" ] || at_most "$1" "$2" "$3, in ms"
}

# runs NAME COMMAND...: succeeds; fails NAME COMMAND...: does not, by itself (a signal is worse)
runs()
{
	_name=$1
	shift
	_out=$("$@" 2>&1)
	_rc=$?
	_point $_rc "$_name" && return
	diag "$* -> $_rc"
	diag "$_out"
	return 1
}

fails()
{
	_name=$1
	shift
	_out=$("$@" 2>&1)
	_rc=$?
	if [ $_rc -gt 0 ] && [ $_rc -lt 128 ]; then
		_point 0 "$_name"
	else
		_point 1 "$_name"
		diag "$* -> $_rc"
		diag "$_out"
		return 1
	fi
}

# says STATUS PATTERN NAME COMMAND...: it ends so, and its output, kept in /tmp/out, has that
says()
{
	_status=$1 _pattern=$2 _name=$3
	shift 3
	"$@" >/tmp/out 2>&1
	is $? "$_status" "$_name: status" || diag "$(cat /tmp/out)"
	like "$(cat /tmp/out)" "$_pattern" "$_name: says so"
}

skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

bail()
{
	not_ok "$1"
	exit 1
}

# need COMMAND...: set-up that must work for the test to mean anything
need()
{
	_out=$("$@" 2>&1) && return 0
	not_ok "set-up: $*"
	diag "$_out"
	exit 1
}

done_testing()
{
	echo "1..$tap_count"
	[ ! -e /tmp/failed ]
	exit
}

# slow_factor: how many times as long as usual things may take on this kernel
slow_factor() { _slow=$(sed -n 's/.*\bvmslow=\([0-9]*\).*/\1/p' /proc/cmdline); echo "${_slow:-1}"; }

is_debug_kernel() { [ -e /sys/kernel/debug/kmemleak ]; }

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for()
{
	_left=$(($1 * 10 * $(slow_factor)))
	shift
	until "$@" >/dev/null 2>&1; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || return 1
		usleep 100000
	done
}

uptime_ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }

#---- kernel log ----

# log_mark, then log_since: what the kernel said in between
log_mark()
{
	log_marks=$((${log_marks:-0} + 1))
	echo "vmtest: mark $log_marks" >/dev/kmsg
}

log_since()
{
	dmesg | awk -v mark="vmtest: mark $log_marks\$" '$0 ~ mark { on = 1; text = ""; next }
		on { text = text $0 "\n" } END { printf "%s", text }'
}

#---- disks that QEMU plugs in, udev ----

# plug DISK, unplug DISK: the host is asked for it, see run
plug() { echo "# plug $1"; }
unplug() { echo "# unplug $1"; }

# udev_watch, then udev_took NAME: milliseconds from the kernel's event of the last disk to when udev was done with
# the mapped device NAME
udev_watch()
{
	udevadm monitor --kernel --udev --subsystem-match=block >/tmp/monitor &
	udev_monitor=$!
	wait_for 60 grep -q '^KERNEL' /tmp/monitor
}

udev_took()
{
	udevadm settle --timeout=600
	kill "$udev_monitor"
	awk -F '[][]' -v node="/$(basename "$(readlink -f "/dev/mapper/$1")") " '
		/^KERNEL.* add .*\/block\/sd/ { seen = $2 }
		/^UDEV.* change / && index($0, node) && !up { up = $2 }
		END { printf "%d\n", (up - seen) * 1000 }' /tmp/monitor
}

#---- device mapper ----

dm_create() { dmsetup create --noudevsync "$1" --table "$2"; }
dm_create_ro() { dmsetup create --noudevsync --readonly "$1" --table "$2"; }
dm_load() { dmsetup load "$1" --table "$2"; }
dm_suspend() { dmsetup suspend "$@"; }
dm_resume() { dmsetup resume --noudevsync "$1"; }
dm_remove() { dmsetup remove --noudevsync "$@"; }
dm_table() { dmsetup table "$1"; }
dm_message() { _d=$1; shift; dmsetup message "$_d" 0 "$@"; }
dm_exists() { dmsetup info "$1" >/dev/null 2>&1; }

# dm_swap NAME TABLE: another table for a live device
dm_swap() { dm_load "$1" "$2" && dm_suspend "$1" && dm_resume "$1"; }

sectors_of() { blockdev --getsz "$1"; }

#---- devices ----

# ram_disks COUNT SIZE_MIB: /dev/ram0 .. of that size; memory is used as they are written
ram_disks() { need modprobe brd rd_nr="$1" rd_size=$(($2 * 1024)); }

# faulty NAME DEVICE SECTORS [PHYSICAL_BYTES]: /dev/mapper/NAME, which fails as told (see
# inject-target.c); unlike most memory disks it says that its physical sectors have 512 bytes
faulty() { need dm_create "$1" "0 $3 inject $2 0 ${4:-512}"; }

# faulty_pair [DEVICE]: after ram_disks 2 64, $M on DEVICE (default /dev/ram0) and /dev/mapper/spare, which
# fail as told; $M is full of version 1, the spare may be formatted. $D is for a device r on them
faulty_pair()
{
	M=/dev/mapper/main D=/dev/mapper/r
	faulty main "${1:-/dev/ram0}" 131072
	faulty spare /dev/ram1 131072
	need sio -b 2048 w $M 0 131072 @1
	make_spare /dev/mapper/spare
}

inject() { dm_message "$@" || bail "inject $*"; }

# inject_count NAME FIELD
inject_count()
{
	dmsetup status "$1" | awk -v want="$2" '{
		n = split("rules bad reads writes flushes discards failed_reads failed_writes " \
			"failed_flushes failed_discards healed most_delayed", names, " ")
		for (i = 1; i <= n; i++)
			if (names[i] == want) { print $(3 + i); exit }
	}'
}

# null_disk NAME SIZE_MIB CACHE_MIB: null_blk with memory; a cache of 0 is none.
# Its device is null_device NAME. Power it off with null_power NAME 0: the cache is lost.
null_disk()
{
	[ -d /sys/kernel/config/nullb ] || need modprobe null_blk nr_devices=0
	_n=/sys/kernel/config/nullb/$1
	need mkdir "$_n"
	echo "$2" >"$_n/size"
	echo 512 >"$_n/blocksize"
	echo 1 >"$_n/memory_backed"
	echo 2 >"$_n/queue_mode"
	[ "$3" = 0 ] || echo "$3" >"$_n/cache_size"
	null_power "$1" 1
}

null_power()
{
	echo "$2" >"/sys/kernel/config/nullb/$1/power" || bail "null_blk $1: power $2"
	[ "$2" = 0 ] || wait_for 10 test -b "$(null_device "$1")" || bail "null_blk $1 did not come up"
}

# Newer kernels name the device after its directory, older ones by index.
null_device()
{
	if [ -e "/sys/block/$1" ]; then
		echo "/dev/$1"
	else
		echo "/dev/nullb$(cat "/sys/kernel/config/nullb/$1/index")"
	fi
}

# make_spare DEVICE: blank (zeroes where the target looks before it formats)
make_spare()
{
	need sio z "$1" 0 10240
	need sio z "$1" $(($(sectors_of "$1") - 2048)) 2048
}

# Never through the page cache of a device that something else writes to below it.
sum_of() { sio -b 2048 h "$1" 0 "$(sectors_of "$1")"; }

# the applet of this name would come first
mke2fs() { /sbin/mke2fs "$@"; }

#---- the target ----

# remap_create NAME MAIN SPARE [FEATURE...]: formats when asked to by a feature
remap_create()
{
	_name=$1 _main=$2 _spare=$3
	shift 3
	_features=
	[ $# = 0 ] || _features="$# $*"
	dm_create "$_name" "0 $(sectors_of "$_main") remap $_main $_spare $_features"
}

status_names="layout mode slots pending lost retired copies health main spare uuid block_sectors
read_errors write_errors spare_errors remapped_reads remapped_writes reads writes buckets resizes
breaker parked last_error scan scan_errors needs_check access salvage salvage_tried salvage_healed
scan_state scan_passes scan_share scrub_state scrub_pages scrub_bad scrub_repaired recent_errors
fenced"

# status NAME FIELD: one field of the target's status; used and slots are apart, as used/slots
# is one word of it
status()
{
	dmsetup status "$1" | awk -v want="$2" -v names="$status_names" '{
		n = split(names, name, /[ \n]+/)
		for (i = 1; i <= n; i++) value[name[i]] = $(3 + i)
		split(value["slots"], part, "/")
		value["used"] = part[1]
		value["slots"] = part[2]
		print value[want]
	}'
}

# import NAME RANGE...: by message, as pending; no more than the 4,096 words of a message
import() { _d=$1; shift; dm_message "$_d" import manual "$@"; }
