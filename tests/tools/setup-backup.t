#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-setup backup: what it writes can be restored from, and what it forgets.
. "$(dirname "$0")/lib.sh"

truncate -s 64M m.img s.img
remap-format -q --main m.img s.img
seq 10 19 | remap-import -q -b 4096 s.img
uuid=$(remap-dump --json s.img | json-get superblock.uuid)

run remap-setup backup -d kept s.img
exits 0 "a backup"
file=$(ls kept)
like "$file" "^$uuid-[0-9]{8}T[0-9]{6}Z\.json\.gz$" "has the spare's uuid and the time for a name"
like "$out" "kept/$file written, 0 old ones removed" "which is said"

# What it is for: another spare gets the list, if not the data.
truncate -s 32M new.img
run remap-restore -q -i "kept/$file" new.img
is "$(remap-dump --json new.img 2>/dev/null | json-get summary.pending_sectors summary.lost_sectors | xargs)" "80 0" \
	"all entries come back from it"

# Forgetting: 30 of one day, one of each of 400 days before, and what is not ours.
rm -r kept
mkdir kept
for i in $(seq 10 39); do : >"kept/$uuid-20260101T0000${i}Z.json.gz"; done
for i in $(seq 1 400); do : >"kept/$uuid-$(date -u -d "2026-01-01 - $i days" +%Y%m%d)T120000Z.json.gz"; done
other=${uuid//[0-9a-f]/0}
: >"kept/$other-20250101T000000Z.json.gz"
: >kept/notes.txt
: >"kept/$uuid-20250101T000000Z.json"
run remap-setup backup --json -d kept s.img
exits 0 "a backup among many"
# 1 new and 19 of the one day are the newest; behind them 366 days, of which the first is the 31st
is "$(find kept -name "$uuid-2026*.json.gz" | wc -l)" 20 "the newest 20 stay"
is "$(find kept -name "$uuid-202[45]*.json.gz" | wc -l)" 366 "and one of each day, for a year"
is "$(find kept ! -name "$uuid-*.gz" -type f | wc -l)" 3 "and everything that is not this spare's"
is "$(json-get removed <out.txt)" 45 "JSON: how many went"

# What could be read of a damaged spare has another name, and pushes no whole one out.
before=$(find kept -name "$uuid-*Z.json.gz" | sort | sha256sum)
for i in $(seq 10 40); do : >"kept/$uuid-20260102T0000${i}Z.partial.json.gz"; done
cp s.img hurt.img
read -r start size <<<"$(remap-dump --json s.img | json-get superblock.zone_start superblock.zone_sectors | xargs)"
smash hurt.img $(for c in 0 1 2 3 4; do echo $((start + c * size + 8)); done)
run remap-setup backup -d kept hurt.img
exits 4 "a backup of a spare whose table cannot be read"
like "$out" "kept/$uuid-[0-9]{8}T[0-9]{6}Z\.partial\.json\.gz written, [0-9]+ old" "is called partial"
like "$err" "has only what could be read of the spare" "which is said"
is "$(find kept -name "$uuid-*Z.json.gz" | sort | sha256sum)" "$before" "all whole ones stay"
is "$(find kept -name "$uuid-*.partial.json.gz" | wc -l)" 20 "partial ones are forgotten by themselves"

# What is refused.
run remap-setup backup -d kept nowhere.img
exits 8 "no such spare"
like "$err" "cannot find spare nowhere.img" "says so"
run remap-setup backup -d kept m.img
exits 8 "no spare at all"
like "$err" "no superblock that is whole.*there is no backup" "says so"
run remap-setup backup -d nodir/kept s.img
exits 8 "a directory that cannot be made"
like "$err" "cannot make the directory nodir/kept: No such file" "says so"
run remap-setup backup
exits 16 "no target"
run remap-setup backup --all s.img
exits 16 "a target and all"
run remap-setup backup --watch --json
exits 16 "JSON without an end"
finish
