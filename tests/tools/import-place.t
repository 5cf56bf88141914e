#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-import: where a list was made, with real partitions; and --verify, with a main that has
# bad sectors.
. "$(dirname "$0")/lib.sh"
lists=$tests_dir/lists

sectors() { remap-dump --json "$1" |
	sed -n 's/.*"main_sector":\([0-9]*\),.*"sectors":\([0-9]*\),.*/\1+\2/p' | sort -n | tr '\n' ' '; }

# --verify reads main; BAD_SECTORS of it cannot be read.
bad_main() { BAD_FILE=main.img BAD_SECTORS=$1 LD_PRELOAD=$BUILD/tests/badsectors.so run "${@:2}"; }
truncate -s 64M main.img
spare_of_main() { new_spare s.img 8M -b 512 --main-size 64M; }

spare_of_main
bad_main 100+2,9000+1 remap-import --main main.img --verify -b 512 s.img < <(printf '100\n101\n9000\n50\n')
exits 0 "--verify"
like "$out" "read from main +4 blocks: 3 fail" "counts what fails"
is "$(sectors s.img)" "50+1 100+1 101+1 9000+1 " "and imports all of the list"
spare_of_main
before=$(sum s.img)
bad_main 100+2 remap-import --main main.img --verify=all -b 1024 s.img < <(printf '100\n101\n')
exits 8 "--verify=all with a wrong -b"
like "$err" "none of 4 blocks read from main.img fails: wrong -b, offset or device\?" "asks what is wrong"
is "$(sum s.img)" "$before" "and changes nothing"
bad_main 100+2 remap-import --main main.img --verify=none -b 1024 s.img < <(printf '100\n101\n')
exits 0 "--verify=none insists"
spare_of_main
bad_main 1000+1 remap-import --json --main main.img -b 512 s.img < <(seq 1000 9000)
exits 8 "more than fits"
is "$(json blocks_read)" 0 "is not read"
spare_of_main
bad_main 300+1 remap-import --json --main main.img -b 512 s.img < <(seq 300 600)
exits 0 "--main alone is a sample"
is "$(json blocks_read blocks_failed imported)" "8
1
301" "of 8 blocks"
bad_main 301+1 remap-import --json --main main.img -b 512 s.img < <(seq 700 900)
exits 8 "a sample in which nothing fails"
before=$(sum s.img)
bad_main 0+1 remap-import --main main.img --verify -b 512 s.img < <(seq 300 310)
exits 0 "nothing new is nothing to read"
is "$(sum s.img)" "$before" "and nothing to change"
truncate -s 63M other.img
refused 8 "is not this spare's main: it has 129024 sectors, main has 131072" "another main" s.img \
	remap-import --main other.img -b 512 --from <(echo 5) s.img
refused 8 "cannot find main nomain" "no main" s.img \
	remap-import --main nomain -b 512 --from <(echo 5) s.img

# A kernel log names the start of a request; what is bad is behind it.
spare_of_main
printf 'critical medium error, dev sda, sector 5000 op 0x0:(READ)\n' >log
bad_main 5100+3,9000+1 remap-import --main main.img --verify --offset 0 s.img <log
exits 0 "a kernel log with --verify"
is "$(sectors s.img)" "5000+1 5100+1 5101+1 5102+1 " "finds what is bad behind the start of the request"
like "$out" "found around +3 blocks" "and says so"
spare_of_main
bad_main 9000+1 remap-import --main main.img --verify --offset 0 s.img <log
exits 8 "a kernel log with nothing bad around"

# Partitions.
truncate -s 256M disk.img
if ! command -v addpart >/dev/null || [ "$(id -u)" -ne 0 ] ||
   ! loop=$(losetup -fP --show disk.img 2>/dev/null); then
	skip "lists made on partitions" "no loop device to be had"
	finish
fi
cleanup "losetup -d $loop 2>/dev/null"
if ! { addpart "$loop" 1 2048 131072 && addpart "$loop" 2 200704 65536; } 2>/dev/null ||
   [ ! -b "${loop}p1" ] || [ ! -b "${loop}p2" ]; then
	skip "lists made on partitions" "this kernel makes no partitions on $loop"
	finish
fi
name=${loop#/dev/}
spare_of_partition() { rm -f s.img; truncate -s 8M s.img; remap-format -q -b 512 --main "$1" s.img; }
# placed DESCRIPTION MAIN WANT OPTION... <LIST
placed() {
	local what=$1 main=$2 want=$3
	shift 3
	spare_of_partition "$main"
	run remap-import "$@" s.img
	exits 0 "$what"
	is "$(sectors s.img)" "$want" "$what: the sectors"
}
placed "made on main" "${loop}p1" "7+1 " -b 512 <<<7
placed "made on main, which is named" "${loop}p1" "7+1 " -b 512 --made-on "${loop}p1" <<<7
placed "made on its disk" "${loop}p1" "7+1 " -b 512 --made-on "$loop" <<<2055
placed "made on another partition" "${loop}p2" "5+1 " -b 512 --made-on "${loop}p1" <<<198661
placed "made on a partition behind it" "${loop}p1" "131071+1 " -b 512 --made-on "$loop" <<<133119
spare_of_partition "${loop}p1"
run remap-import -n --made-on "${loop}p2" -b 512 s.img <<<0
exits 8 "made on a partition that main does not reach"
like "$err" "\"0\" is behind the end of main" "says which line is not on main"
printf 'critical medium error, dev %s, sector 2050\ncritical medium error, dev other, sector 2060\n' "$name" >log
placed "a kernel log, main's partition is named" "${loop}p1" "2+1 " --made-on "${loop}p1" <log
like "$out" "of the whole disk; main starts at its sector 2048" "where main starts is said"
head -n 1 log >one
placed "a kernel log about one disk" "${loop}p1" "2+1 " <one
placed "main is the whole disk" "$loop" "2050+1 " --made-on "$loop" <one
placed "a list with --offset" "${loop}p1" "10+1 " --offset 1M -b 512 <<<2058
rm -f s.img; truncate -s 8M s.img; remap-format -q -b 512 --main-size 64M s.img
run remap-import -q --made-on "${loop}p1" s.img <log
is "$rc $(sectors s.img)" "0 2+1 " "formatted by size: a device as long as main tells where main starts"
refused 8 "is not as long as main.*give --offset" "formatted by size: the disk does not" s.img \
	remap-import --made-on "$loop" --from log s.img

refused 8 "is not a dm-remap spare" "a disk that is no spare" disk.img \
	remap-import -b 512 --from <(echo 5) "$loop"
finish
