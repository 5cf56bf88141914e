#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-import: what each type of list names, and where those places are.
. "$(dirname "$0")/lib.sh"
lists=$tests_dir/lists

# sectors FILE: "sector+count" of what has a slot, in the order of main, on one line
sectors() { remap-dump --json "$1" |
	sed -n 's/.*"main_sector":\([0-9]*\),.*"sectors":\([0-9]*\),.*/\1+\2/p' | sort -n | tr '\n' ' '; }
# big_spare: for a main of 16 TiB that is a whole disk; blocks of one sector
big_spare() { new_spare "$1" 8M -b 512 --main-size 16T; }
# imports STATUS DESCRIPTION LIST WANT [OPTION...]
imports() {
	local status=$1 what=$2 list=$3 want=$4
	shift 4
	big_spare s.img
	run remap-import "$@" s.img <"$list"
	exits "$status" "$what"
	is "$(sectors s.img)" "$want" "$what: the sectors"
}

# SMART. The addresses are of the disk, which a spare formatted by size does not know.
big_spare s.img
refused 8 "spare does not know where main starts.*--offset" "smart without a place" s.img \
	remap-import --from "$lists/smart-ata.json" s.img
imports 0 "ATA, all logs" "$lists/smart-ata.json" \
	"12345678+1 300000001+1 1565000704+1 1565000705+1 1565000800+1 1953525167+1 " --offset 0
like "$out" "ATA disk ST31000528AS, serial number 9VP1ABCD" "the disk is named"
like "$out" "extended error log: 2 of 4 entries" "errors without UNC and empty entries do not count"
like "$out" "extended self-test log: 1 of 3" "tests that found nothing do not count"
like "$out" "summary error log was left out" "28 bits of an address are not enough for this disk"
like "$out" "bit 6 of its exit status" "the exit status is explained: error log"
like "$out" "bit 7 of its exit status" "the exit status is explained: self-test"
run remap-import --json -n --offset 0 s.img <"$lists/smart-ata.json"
is "$(json type type_detected unit_bytes)" "smart
true
512" "detected, and in the JSON"
is "$(remap-dump -F csv s.img | sed -n '2s/.*,\(smart\),.*/\1/p')" smart "the reason on record"
imports 0 "ATA, summary log of a small disk" "$lists/smart-ata-summary.json" "17970262+1 " --offset 0
imports 0 "a disk with blocks of 4096 bytes" "$lists/smart-ata-4kn.json" \
	"$(seq -f '%.0f+1' -s ' ' 16000000 16000015) " --offset 0
like "$err" "counts 40 pending defects, but only 2 are listed" "what is missing is said"
imports 1 "NVMe" "$lists/smart-nvme.json" \
	"5000001+1 5000002+1 5000010+1 5000020+1 " --offset 0
like "$err" "entry 3: .*error_information_log.table\[2\]: LBA 9007199254740993.* behind the end" \
	"a number above 2^53 is taken from its string"
like "$err" "1 addresses are of other namespaces than 1" "another namespace's is left out"
imports 0 "SCSI" "$lists/smart-scsi.json" "7000000000+1 7000000001+1 7000000100+1 7000000400+1 " \
	--offset 0
big_spare s.img
refused 8 "smartctl failed \(exit status 2\): Smartctl open device: /dev/sdz failed" \
	"smartctl that failed" s.img remap-import --offset 0 --from "$lists/smart-failed.json" s.img
refused 16 "itself|smart" "-t smart and another --smart type" s.img \
	remap-import -t kmsg --smart /dev/null s.img
refused 8 "4096 bytes, so -b cannot be 512" "-b against the logical block size" s.img \
	remap-import -b 512 --offset 0 --from "$lists/smart-ata-4kn.json" s.img
sed '/"logical_block_size"/d' "$lists/smart-ata-summary.json" >nosize.json
imports 0 "no logical block size" nosize.json "17970262+1 " --offset 0
like "$err" "does not say the logical block size of the disk; 512" "is said aloud"
imports 0 "no logical block size, but -b" nosize.json "$(seq -f '%.0f+1' -s ' ' 143762096 143762103) " \
	--offset 0 -b 4096

# Main is a partition that starts at sector 12345000: what is in front of it or behind it is not on main.
new_spare s.img 8M -b 512 --main-size 800G
run remap-import --offset 12345000s s.img <"$lists/smart-ata.json"
exits 1 "main is a partition"
is "$(sectors s.img)" "678+1 287655001+1 1552655704+1 1552655705+1 1552655800+1 " "its start is subtracted"
like "$err" "LBA 1953525167.* behind the end of main" "what is not on it is reported"
new_spare s.img 8M -b 512 --main-size 800G
run remap-import --offset 12345679s s.img <"$lists/smart-ata.json"
like "$err" "LBA 12345678.* in front of main" "what is in front of it, too"
run remap-import -n --offset 2048s s.img < <(printf '5\n1024\n1025\n')
like "$err" "line 1: \"5\" is in front of main" "--offset counts for plain numbers, too"
like "$out" "addresses are of a device on which main starts at sector 2048" "and is part of the plan"
run remap-import -n -b 4096 --offset 2052s s.img < <(printf '256\n')
like "$out" "in part on main +1 line" "half a unit is on main"
like "$out" "to import +4 blocks" "and only that half is taken"

# What smartctl 7.3 printed of a disk that is emulated, with a self-test and without errors.
imports 0 "a recorded disk" "$lists/smart-qemu.json" "" --offset 0
like "$out" "self-test log: 0 of 1 entries" "a recorded disk: its log is understood"
like "$err" "could not read all logs \(bit 2 of its exit status\)" "a recorded disk: what it lacks is said"

# A spare that knows the disk of its main: which one it is, and where main starts.
# knows FILE ID START: as if it had been formatted with main there
knows() {
	python3 - "$@" <<'PY'
import struct, sys, zlib
with open(sys.argv[1], "r+b") as spare:
    for sector in (0, 1024, 2048, 4096, 8192):
        spare.seek(sector * 512)
        copy = bytearray(spare.read(4096))
        copy[176:240] = sys.argv[2].encode().ljust(64, b"\0")
        struct.pack_into("<Q", copy, 352, int(sys.argv[3]))
        struct.pack_into("<I", copy, 8, 0)
        struct.pack_into("<I", copy, 8, zlib.crc32(copy))
        spare.seek(sector * 512)
        spare.write(copy)
PY
}
sed 's/"lba": 12345678/"lba": 3000/' "$lists/smart-ata.json" >near.json
for id in "naa.5000c501527d27f2" "t10.ATA     ST31000528AS        9VP1ABCD" "9VP1ABCD" \
	"nvme.1b96-9VP1" "eui.0025385b71b0a1c2"; do
	new_spare s.img 8M -b 512 --main-size 1G
	knows s.img "$id" 2048
	run remap-import s.img <near.json
	is "$rc $(sectors s.img)" "1 952+1 " "main on $id: its start is subtracted"
done
like "$out" "main starts at its sector 2048" "and that is said"
for id in "naa.5000c501527d27f3" "t10.ATA     ST31000528AS        9VP1ABCE" "OTHER"; do
	new_spare s.img 8M -b 512 --main-size 1G
	knows s.img "$id" 2048
	refused 8 "of another disk \(serial number 9VP1ABCD\).*--offset insists" "main on $id: refused" s.img \
		remap-import --from near.json s.img
done
run remap-import --offset 2048s s.img <near.json
is "$rc $(sectors s.img)" "1 952+1 " "--offset insists"
like "$err" "main is on OTHER" "with a warning"
printf 'critical medium error, dev sda, sector 2051\n' >log
new_spare s.img 8M -b 512 --main-size 1G
knows s.img OTHER 2048
run remap-import s.img <log
is "$rc $(sectors s.img)" "0 3+1 " "a kernel log: its start is subtracted"
new_spare s.img 8M -b 512 --main-size 1G
knows s.img OTHER 18446744073709551615
refused 8 "does not know where main starts" "a start that makes no sense is none" s.img \
	remap-import --from log s.img

# smartctl itself: a fake one in PATH.
mkdir bin
cat >bin/smartctl <<'SH'
#!/bin/sh
printf '%s\n' "$@" >args.txt
cat "$FAKE" 2>/dev/null
exit "${FAKE_STATUS:-0}"
SH
chmod +x bin/smartctl
truncate -s 512M disk.img
fake() { PATH=$PWD/bin:$PATH run "$@"; }
big_spare s.img
FAKE=$lists/smart-ata.json FAKE_STATUS=192 fake remap-import --offset 0 --smart "./-disk; touch pwned" s.img
exits 0 "--smart"
is "$(tr '\n' '|' <args.txt)" "-j|-x|--|./-disk; touch pwned|" "runs smartctl -j -x, without a shell"
[ ! -e pwned ] && pass "nothing else is run" || fail "nothing else is run"
is "$(sectors s.img | wc -w)" 6 "--smart: the sectors"
big_spare s.img
before=$(sum s.img)
FAKE=/nonexistent FAKE_STATUS=1 fake remap-import --offset 0 --smart disk.img s.img
exits 8 "--smart: it printed nothing"
like "$err" "printed nothing and ended with status 1" "--smart: it printed nothing: said so"
FAKE=$lists/smart-failed.json FAKE_STATUS=2 fake remap-import --offset 0 --smart disk.img s.img
exits 8 "--smart: it failed"
like "$err" "No such device" "--smart: it failed: in its own words"
head -c 3000 "$lists/smart-ata.json" >half.json
FAKE=half.json fake remap-import --offset 0 --smart disk.img s.img
exits 8 "--smart: it was cut short"
like "$err" "not valid JSON: it ends too early, after 3000 bytes" "--smart: it was cut short: said so"
{ head -c 2000000 /dev/zero | tr '\0' ' '; } >long
FAKE=long fake remap-import --smart disk.img s.img
exits 8 "--smart: refused while it prints"
is "$(grep -c error: err.txt)" 1 "--smart: refused while it prints: with one message"
printf 'smartctl 6.6 2017-11-05 r4594 [x86_64-linux-4.19.0] (local build)\nUNRECOGNIZED OPTION: j\n' >old
FAKE=old FAKE_STATUS=1 fake remap-import --offset 0 --smart disk.img s.img
exits 8 "--smart: an old one"
like "$err" "text of smartctl, not JSON: it needs -j, and version 7.0" "--smart: an old one: said so"
is "$(sum s.img)" "$before" "--smart: nothing was changed by any of these"
refused 8 "text of smartctl, not JSON" "its text, detected" s.img \
	remap-import --offset 0 --from old s.img
if [ ! -e /usr/sbin/smartctl ]; then
	PATH=$BUILD:/bin run remap-import --offset 0 --smart disk.img s.img
	like "$err" "smartmontools" "no smartctl: the package is named"
fi

# Kernel logs.
imports 0 "dmesg" "$lists/kmsg-dmesg.txt" "5096+1 9000+1 " --offset 0 --made-on /dev/sdb
like "$out" "1 errors are of other disks than sdb: sdbb" "an exact match of the disk"
like "$err" "1 plain I/O errors were left out" "plain I/O errors are left out, and said"
imports 0 "dmesg --io-errors" "$lists/kmsg-dmesg.txt" "5096+1 9000+1 12000+1 " \
	--offset 0 --made-on sdb --io-errors
imports 0 "syslog, older spellings" "$lists/kmsg-syslog.txt" "2056+1 4104+1 " --offset 0
like "$out" "the log is about the disk sda" "which disk it is about is said"
big_spare s.img
refused 8 "several disks, sdb and sdbb: say which with --made-on" "several disks" s.img \
	remap-import --offset 0 --from "$lists/kmsg-dmesg.txt" s.img
imports 0 "a log about another disk" "$lists/kmsg-dmesg.txt" "" --offset 0 --made-on sdc
like "$err" "4 errors are of other disks than sdc: sdb, sdbb" "says which"

# ddrescue, mdadm, csv.
imports 0 "ddrescue" "$lists/ddrescue.map" "2048+1 "
like "$err" "7680 bytes of the map were not trimmed or scraped" "ddrescue: unfinished areas are said"
like "$err" "1048576 bytes of the map were not tried" "ddrescue: what was not tried, too"
imports 0 "ddrescue --unfinished" "$lists/ddrescue.map" "$(seq -f '%.0f+1' -s ' ' 2048 2063) " --unfinished
imports 0 "mdadm" "$lists/mdadm.txt" "$(seq -f '%.0f+1' -s ' ' 5096 5103) 8000+1 "
cat "$lists/mdadm.txt" "$lists/mdadm.txt" >two.txt
big_spare s.img
refused 8 "line 5: a second device begins" "mdadm of two devices" s.img remap-import --from two.txt s.img
for text in "No bad-blocks list configured on /dev/sdb1" "Bad-blocks list is empty in /dev/sdb1"; do
	run remap-import s.img <<<"$text"
	is "$rc $(sectors s.img)" "0 " "mdadm: $text"
done
imports 0 "csv" "$lists/plain.csv" "$(seq -f '%.0f+1' -s ' ' 5096 5103) 9000+1 12000+1 "
imports 0 "csv, -b 4096" <(printf '10,1\n') "$(seq -f '%.0f+1' -s ' ' 80 87) " -b 4096
imports 1 "csv, bad lines" <(printf '5,1\n6,0\n7,x\n8,1,1\n-9,1\n') "5+1 "
is "$(grep -c 'line [2-5]:' err.txt)" 4 "csv: each bad line is reported"

# Own dumps: the same blocks in another spare.
new_spare a.img
remap-import -q -b 4096 a.img < <(seq 100 3 160)
remap-dump -F csv a.img >a.csv
new_spare b.img
run remap-import b.img <a.csv
exits 0 "a dump as csv"
is "$(sectors b.img)" "$(sectors a.img)" "names the same sectors"
remap-dump -F mapfile a.img >a.map
new_spare b.img
remap-import -q b.img <a.map
is "$(sectors b.img)" "$(sectors a.img)" "so does a dump as mapfile"

# A filesystem's own list, by the real tools.
truncate -s 16M fs.img
seq 5000 5010 >fsbad
mke2fs -q -b 1024 -l fsbad fs.img 2>/dev/null
imports 0 "dumpe2fs" <(dumpe2fs fs.img 2>/dev/null) "$(seq -f '%.0f+1' -s ' ' 10000 10021) "
like "$out" "what dumpe2fs prints" "dumpe2fs is recognised"
imports 0 "dumpe2fs -b" <(dumpe2fs -b fs.img 2>/dev/null) "$(seq -f '%.0f+1' -s ' ' 10000 10021) "
imports 0 "dumpe2fs, a line longer than a buffer" \
	<(printf 'Block size: 1024\nBad blocks: 1'; seq -f ', %.0f' 2 300000 | tr -d '\n' |
	  sed 's/, 3, .*, 300000/, 3/'; printf '%2000000s\n') "$(seq -f '%.0f+1' -s ' ' 2 7) "

# What is what.
detects() { run remap-import --json -n --offset 0 s.img; is "$(json type)" "$1" "detected: $2"; }
big_spare s.img
detects badblocks "numbers" < <(printf '\n  5\n6\n')
detects badblocks "numbers behind a line of rubbish" < <(printf 'abc\n6\n7,8\n')
detects badblocks "nothing" </dev/null
detects kmsg "a log that begins elsewhere" <"$lists/kmsg-syslog.txt"
detects kmsg "dmesg -r" < <(printf '<6>[    0.000000] Linux version\n')
detects ddrescue "a mapfile without comments" < <(printf '0x0 +\n0x0 0x200 -\n')
detects csv "a sector and a count" < <(printf '5, 6\n')
refused 8 'begins like this: "hello world" \(say what it is with -t' "rubbish" s.img \
	remap-import --from <(printf 'hello world\n') s.img
refused 8 "compressed; pipe it through zcat" "gzip" s.img \
	remap-import --from <(seq 10 | gzip) s.img
refused 8 "JSON of remap-dump, not of smartctl" "JSON of another tool" s.img \
	remap-import --offset 0 --from <(remap-dump --json a.img) s.img
refused 8 "JSON, but not of smartctl" "JSON of something else" s.img \
	remap-import --offset 0 --from <(echo '{"a":[1,2]}') s.img
refused 8 "version 2 of smartctl's JSON is not known" "another version" s.img remap-import --offset 0 \
	--from <(sed 's/"json_format_version": \[/&2,/' "$lists/smart-ata.json") s.img
refused 16 "says itself what it counts" "-b with a type that has its own unit" s.img \
	remap-import -b 4096 -t ddrescue --from "$lists/ddrescue.map" s.img
refused 8 "says itself what it counts" "the same, detected" s.img \
	remap-import -b 4096 --from "$lists/ddrescue.map" s.img

# What is new, and what is only there.
new_spare s.img
remap-import -q -b 4096 s.img < <(printf '5\n6\n7\n90\n')
run remap-import --json -n -b 4096 s.img < <(printf '4\n5\n6\n8\n9\n')
is "$(json blocks already_there only_there to_import new.# new.0.0 new.0.1 new.1.0 new.1.1)" "5
2
2
3
2
4
1
8
2" "JSON: the list against the spare"
run remap-import -v -n -b 4096 s.img < <(printf '4\n5\n6\n8\n9\n')
like "$out" "new +block 8, 2 blocks" "-v lists what is new"
finish
