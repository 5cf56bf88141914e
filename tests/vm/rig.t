#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rig itself: each way in which a guest can go wrong must be seen, and a good one must pass.
# A rig that misses one of these would make every other VM test worthless.

set -u
cd "$(dirname "$0")/../.." || exit
BUILD=$(realpath -m "${BUILD:-build}")
export BUILD
dir=$BUILD/vm/rig
count=0 failed=0

. tests/vm/common.sh
need_kernels 6.1

# name, what the verdict must say, seconds (200), what the kernel is told; on stdin the guest's script
rm -rf "$dir"
mkdir -p "$dir"
names=()
wanted=()
scenario()
{
	names+=("$1")
	wanted+=("$2")
	{
		echo "# vm: modules=dm-inject carry=vm-misbehave timeout=${3:-200} mem=256 append=${4:-}"
		echo ". /guest/lib.sh"
		echo "bad() { busybox insmod /guest/modules/vm-misbehave.ko how=\$1; }"
		cat
	} >"$dir/$1.sh"
}

scenario good "guest ended well" <<<'pass one; is a a two; done_testing'
scenario warn "guest: kernel tainted .512.; splat in the kernel log$" <<<'bad warn; pass one; done_testing'
scenario taint "guest: kernel tainted .512.$" <<<'bad taint; pass one; done_testing'
scenario oops "guest: died.*splat in the kernel log" <<<'bad oops; pass one; done_testing'
scenario bug "guest: died.*splat in the kernel log" <<<'bad bug; pass one; done_testing'
scenario stuck "guest:.*splat in the kernel log" <<'END'
echo 4 >/proc/sys/kernel/hung_task_timeout_secs
bad stuck &
sleep 12
pass one
done_testing
END
scenario hang "guest: timed out" 15 <<<'pass one; sleep 1000; done_testing'
scenario panic "guest: died.*splat" <<<'pass one; echo c >/proc/sysrq-trigger; done_testing'
scenario poweroff "guest: died .qemu exit status 0.$" <<<'pass one; echo "1..1"; poweroff -f'
scenario point "not ok [0-9]* - 6.1/point: two" <<<'pass one; is a b two; done_testing'
scenario dies "guest: no plan, 1 points" <<<'pass one; exit 0'
scenario killed "guest: exit status 137; no plan" <<<'pass one; kill -9 $$; done_testing'
scenario short "guest: planned 2 points, saw 1" <<<'pass one; echo "1..2"'
scenario empty "guest:.*tested nothing" <<<'done_testing'
scenario noneed "not ok [0-9]* - 6.1/noneed: set-up: false" <<<'need false; pass one; done_testing'
scenario syntax "guest: exit status 2; no plan" <<<'pass one; if'
scenario noinit "guest: died.*splat" 200 rdinit=/bin/none,root=/dev/none <<<'pass one; done_testing'

out=$(tests/vm/run -k 6.1 -j 2 "${names[@]/#/$dir/}" 2>&1)
status=$?
echo "1..$((${#names[@]} * 2 + 3))"

point()
{
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=1
		grep -F "6.1/${3:-}" <<<"$out" | sed 's/^/# /'
	fi
}

for i in "${!names[@]}"; do
	grep -F "6.1/${names[i]}: " <<<"$out" | grep -qE -e "${wanted[i]}"
	point $? "${names[i]}: the verdict says ${wanted[i]}" "${names[i]}:"
	grep -qE "^not ok [0-9]+ - 6.1/${names[i]}: " <<<"$out"
	seen=$?
	[ "${names[i]}" = good ] && seen=$((! seen))
	point $seen "${names[i]}: counts as $([ "${names[i]}" = good ] && echo passed || echo failed)" \
		"${names[i]}:"
done
point $((status != 1)) "the run as a whole failed"
grep -q 'asked to warn' <<<"$out"
point $? "the kernel log of a guest gone wrong is shown"
again=$(grep "started again: qemu's exit status was 0, and init was never run" <<<"$out")
[ "$(grep -o '6.1/[a-z]*' <<<"$again")" = 6.1/noinit ]
point $? "a guest that does not reach its init is started again, and no other" noinit
exit $failed
