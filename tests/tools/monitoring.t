#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Alert rules and dashboard name only metrics that remap-status prints, and docs/monitoring.md has
# all of these; and promtool, where it is, runs the tests of the rules.
. "$(dirname "$0")/lib.sh"
top=$(cd "$tests_dir/../.." && pwd)

remap-status --prometheus --replay "$top/tests/tui/disk-fails.recording" >metrics
sed -n 's/^# TYPE \(dm_remap_[a-z_]*\) .*/\1/p' metrics | sort -u >printed
ok "metrics are printed" test -s printed
names() { grep -o 'dm_remap_[a-z_]*' "$1" | sort -u; }
for file in contrib/prometheus/dm-remap.rules.yml contrib/prometheus/dm-remap.test.yml \
	contrib/grafana/dm-remap.json; do
	ok "$file names metrics" test -n "$(names "$top/$file")"
	is "$(names "$top/$file" | comm -23 - printed)" "" "$file names none that are not printed"
done
is "$(names "$top/docs/monitoring.md" | diff - printed)" "" "docs/monitoring.md has all metrics"
sed -n 's/.*- alert: //p' "$top/contrib/prometheus/dm-remap.rules.yml" | while read -r alert; do
	grep -q "\`$alert\`" "$top/docs/monitoring.md" || echo "$alert"
done >missing
is "$(cat missing)" "" "and all alerts"
# In the tests each alert fires once at least.
sed -n 's/.*- alert: //p' "$top/contrib/prometheus/dm-remap.rules.yml" | while read -r alert; do
	grep -A 1 "^ *alertname: $alert\$" "$top/contrib/prometheus/dm-remap.test.yml" |
		grep -q 'exp_alerts:$' || echo "$alert"
done >missing
is "$(cat missing)" "" "each alert has a test in which it fires"
ok "the dashboard is JSON" python3 -m json.tool "$top/contrib/grafana/dm-remap.json" /dev/null
if promtool=$("$tests_dir/promtool" 2>reason); then
	ok "promtool takes the rules" "$promtool" check rules "$top/contrib/prometheus/dm-remap.rules.yml"
	ok "and their tests pass" "$promtool" test rules "$top/contrib/prometheus/dm-remap.test.yml"
	# they can fail
	mkdir changed
	cp "$top"/contrib/prometheus/*.yml changed/
	sed -i 's/dm_remap_lost_bytes > 0/dm_remap_lost_bytes > 8192/' changed/dm-remap.rules.yml
	ok "but not of changed rules" test "$("$promtool" test rules changed/dm-remap.test.yml >/dev/null 2>&1; echo $?)" = 1
else
	skip "alert rules" "$(cat reason)"
fi
finish
