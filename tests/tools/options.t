#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Command lines: help, version, mistakes, and that help and the option tables agree.
. "$(dirname "$0")/lib.sh"

new_spare s.img
for tool in remap-format remap-check remap-dump remap-import; do
	run $tool --help
	exits 0 "$tool --help"
	is "$err" "" "$tool --help goes to standard output"
	like "$out" "^Usage: $tool " "$tool --help shows the usage"
	like "$out" "^Example:" "$tool --help has an example"
	help=$out
	run $tool -h --no-such-option
	is "$out" "$help" "$tool -h is the same"
	run $tool -V
	like "$out" "^$tool \(dm-remap\) [0-9]" "$tool -V"
	exits 0 "$tool -V"

	run $tool --print-options
	exits 0 "$tool --print-options"
	missing=
	while IFS=$'\t' read -r what letter name kind argument choices text; do
		[ "$what" = option ] || continue
		[ "$letter" = - ] || grep -q -- "-$letter" <<<"$help" || missing+=" -$letter"
		[ "$name" = - ] || grep -q -- "--$name" <<<"$help" || missing+=" --$name"
		grep -qF -- "$text" <<<"$help" || missing+=" ($text)"
	done <<<"$out"
	is "$missing" "" "$tool: every option of the table is in --help"
	# Options that the help names anywhere, usage and details included.
	for option in $(grep -oE -- '(^|[ ,[|])--?[a-zA-Z][a-z-]*' <<<"$help" |
			sed 's/^[^-]*//' | sort -u); do
		if [ "${option#--}" != "$option" ]; then
			awk -F'\t' -v o="${option#--}" '$3 == o { f = 1 } END { exit !f }' <<<"$out"
		else
			awk -F'\t' -v o="${option#-}" '$2 == o { f = 1 } END { exit !f }' <<<"$out"
		fi || missing+=" $option"
	done
	is "$missing" "" "$tool: every option in --help is in the table"

	refused 16 "unknown option --frobnicate .*--help" "$tool: unknown long option" s.img \
		$tool --frobnicate s.img
	refused 16 "unknown option -Z" "$tool: unknown short option" s.img $tool -Z s.img
	refused 16 "is missing" "$tool: no operand" s.img $tool
	refused 16 "must not be empty" "$tool: empty operand" s.img $tool ""
	refused 16 "there are \"s.img\" and \"t.img\"" "$tool: two operands" s.img $tool s.img t.img
	refused 16 "\"mauve\" is not one of auto, always, never" "$tool: a choice that is none" \
		s.img $tool --color=mauve s.img
	refused 16 "takes no value" "$tool: a flag with a value" s.img $tool --quiet=yes s.img
	refused 16 "unknown option --quie " "$tool: no abbreviations" s.img $tool --quie s.img
	refused 16 "needs a value" "$tool: a missing value" s.img $tool s.img --color
	refused 8 "cannot find" "$tool: -- ends the options" s.img $tool \
		$([ $tool = remap-format ] && echo --main-size 1G) \
		$([ $tool = remap-import ] && echo --from list) -- -n

	run $tool --frobnicate --json
	exits 16 "$tool: a mistake before --json"
	is "$(json tool format_version exit_status messages.0.level)" \
		"$tool
1
16
error" "$tool: the mistake is in the JSON object"
done

for tool in remap-format; do
	for size in 12Q 1KB 0x10 -5 "" abc 1.5G 18446744073709551616 99999999999999999999 \
		17179869184G 511 1000 +5 " 5"; do
		refused 16 "main-size" "--main-size '$size'" s.img $tool --main-size "$size" s.img
	done
done
like "$(remap-format --main-size 12Q s.img 2>&1)" "unknown suffix.*s, K, M, G, T" \
	"a wrong suffix is explained"
like "$(remap-format --main-size -5 s.img 2>&1)" "is negative" "a negative size is named so"
like "$(remap-format --main-size 0x10 s.img 2>&1)" "hexadecimal" "a hexadecimal size is named so"
like "$(remap-format --main-size 18446744073709551616 s.img 2>&1)" "larger than 2\^64" \
	"2^64 is named too large"
for size in 2097152s 1073741824 1048576K 1048576k 1024M 1G; do
	run remap-format --json -n --main-size $size s.img
	is "$(json main_sectors)" 2097152 "--main-size $size is 1 GiB"
done
refused 16 "exclude each other" "--main and --main-size" s.img \
	remap-format --main s.img --main-size 1G s.img
refused 16 "one of --main and --main-size" "neither --main nor --main-size" s.img remap-format s.img
for size in 0 511 16384 3000 1536 4096T; do
	refused 16 "-b: .* bytes" "remap-format -b $size" s.img \
		remap-format -b $size --main-size 1G s.img
done
for size in 100 513 0; do
	refused 16 "-b: .* bytes" "remap-import -b $size" s.img remap-import -b $size s.img
done
refused 16 "contradicts" "remap-check -n -y" s.img remap-check -n -y s.img
run remap-check -p -a s.img
exits 0 "remap-check -p -a are one"
refused 16 "not one of text, json" "remap-dump -F of an unknown format" s.img \
	remap-dump -F docx s.img

# Joined short options, values with and without a space or an equals sign.
for args in "-nqb512 --main-size=1G" "-n -q -b 512 --main-size 1G" "-qn --block-size=512 --main-size 1G"; do
	run remap-format --json $args s.img
	is "$(json block_sectors)" 1 "remap-format $args"
done
finish
