#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All VM tests on the kernel that this file, or the link to it, is named after; for prove.
# Skips only when something is missing that cannot be installed from here, and not even then
# when DM_REMAP_NEED_VM is set.

here=$(cd "$(dirname "$0")" && pwd)
series=$(basename "$0" .t)
series=${series#vm-}

. "$here/common.sh"
need_kernels "$series"
exec "$here/run" -k "$series" -j "${DM_REMAP_VM_JOBS:-2}"
