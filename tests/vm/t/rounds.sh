# SPDX-License-Identifier: GPL-2.0-only
# Rounds of suspend, resume and reload, in every order, under a load that knows what must be read,
# on a disk where blocks go bad meanwhile. `make check-lifecycle` does a thousand.
# vm: mem=512 timeout=600

. /guest/lib.sh

: "${ROUNDS:=25}"
SECTORS=65536
S=/tmp/state
ram_disks 2 32
faulty main /dev/ram0 $SECTORS
M=/dev/mapper/main
D=/dev/mapper/r
T="0 $SECTORS remap $M /dev/ram1"
make_spare /dev/ram1
need dm_create r "$T 4 format breaker 1000000 60"
need pattern init -S $S $D

pattern load -S $S -t 100000 -j 4 -b 1:64 >/tmp/load.out 2>&1 &
load=$!

# the breaker is not what is tested here
F="breaker 1000000 60"

failed=0
round=0
while [ $round -lt "$ROUNDS" ] && kill -0 $load; do
	# a few more bad blocks, up to 2,000 in all
	[ $round -ge 1000 ] || inject main add w $((RANDOM * 2 % SECTORS)) $((RANDOM * 2 % SECTORS)) MEDIUM
	case $((round % 9)) in
	0) dm_suspend r && dm_resume r ;;
	1) dm_suspend --noflush r && dm_resume r ;;
	2) dm_suspend --nolockfs r && dm_resume r ;;
	3) dm_swap r "$T 3 $F" ;;
	4) dm_load r "$T 3 $F" && dm_suspend --noflush r && dm_resume r ;;
	5) dm_swap r "$T 5 $F retry_budget $((RANDOM % 30 + 1))" ;;
	6) dm_swap r "$T 5 read_policy remap $F" ;;
	7) dm_load r "$T 1 no_auto_remap" && dmsetup clear r ;;
	8) dm_suspend r && dm_suspend r && dm_load r "$T 3 $F" && dm_resume r ;;
	esac >/tmp/round.out 2>&1 || { failed=$((failed + 1)); diag "round $round: $(cat /tmp/round.out)"; }
	round=$((round + 1))
	usleep $((RANDOM % 40000))
done
kill $load
wait $load
is "$?" 0 "the load saw nothing wrong and no error"
is "$round $failed" "$ROUNDS 0" "$ROUNDS rounds, none failed"
diag "$(cat /tmp/load.out)"
diag "$(dmsetup status r)"
is "$(status r mode)" ok "mode"
at_least "$(status r used)" $((ROUNDS / 4)) "blocks went bad meanwhile"
pattern verify -S $S >/tmp/verify.out 2>&1
is "$?" 0 "verify"
used=$(status r used)
need dm_remove r
need dm_create r "$T"
is "$(status r used)" "$used" "created again: the slots are there"
pattern verify -S $S >/tmp/verify.out 2>&1
is "$?" 0 "verify again"
diag "$(cat /tmp/verify.out)"
need dm_remove r
done_testing
