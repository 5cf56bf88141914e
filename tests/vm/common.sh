# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For scripts of the host that run guests, or build what they run; to be sourced by bash.

VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# need_kernels SERIES...: ends a test file, skipped, where these cannot be had from here; but not
# so when DM_REMAP_NEED_VM is set.
need_kernels()
{
	local reason status

	reason=$("$VM/prepare" "$@" 2>&1 >/dev/null)
	status=$?
	reason=${reason##*$'\n'}
	[ $status != 0 ] || return 0
	if [ $status = 3 ] && [ -z "${DM_REMAP_NEED_VM:-}" ]; then
		echo "1..0 # SKIP $reason"
		exit 0
	fi
	echo "Bail out! $reason"
	exit 1
}

# make_alone ARGUMENT...: make, into BUILD, while nobody else here does: several guests start at a time
make_alone()
{
	mkdir -p "$BUILD/vm"
	(
		flock 8
		unset MAKEFLAGS MAKELEVEL MFLAGS
		make -C "$VM/../.." BUILD="$BUILD" "$@" 8>&-
	) 8>"$BUILD/vm/.lock-build"
}
