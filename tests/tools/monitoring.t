#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Alert rules and dashboard name only metrics that remap-status prints, and docs/monitoring.md has
# all of these; the dashboard is one that Grafana takes; and promtool, where it is, reads all of its expressions
# and runs the tests of the rules.
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
# What it asks for, as rules, and what is wrong with its panels: two of one number, one over another, one without
# a question or of a source that is not the one to be chosen.
python3 - "$top/contrib/grafana/dm-remap.json" asked.yml >wrong <<'END'
import json
import sys

dashboard = json.load(open(sys.argv[1]))
panels = dashboard["panels"]
sources = ["${%s}" % variable["name"] for variable in dashboard["templating"]["list"] if variable["type"] == "datasource"]
cells, asked = {}, []
for panel in panels:
    place, title = panel["gridPos"], panel["title"]
    if [other["id"] for other in panels].count(panel["id"]) > 1:
        print(title, "has the number of another panel")
    if place["x"] + place["w"] > 24:
        print(title, "is wider than a dashboard")
    for cell in [(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])]:
        if cells.setdefault(cell, title) != title:
            print(title, "lies over", cells[cell])
            break
    if panel["datasource"]["uid"] not in sources:
        print(title, "has a source of its own")
    references = [target["refId"] for target in panel["targets"]]
    if not references or len(set(references)) < len(references):
        print(title, "has no question, or two of one name")
    asked += [target["expr"] for target in panel["targets"]]
with open(sys.argv[2], "w") as rules:
    json.dump({"groups": [{"name": "asked", "rules": [{"record": "asked:%d" % number, "expr": expression}
                                                      for number, expression in enumerate(asked)]}]}, rules)
END
is "$(cat wrong)" "" "its panels are in order"
is "$(names "$top/contrib/prometheus/dm-remap.rules.yml" | comm -23 - <(names "$top/contrib/grafana/dm-remap.json"))" "" \
	"whatever an alert is about is on it"
if promtool=$("$tests_dir/promtool" 2>reason); then
	ok "promtool takes the rules" "$promtool" check rules "$top/contrib/prometheus/dm-remap.rules.yml"
	ok "and what the dashboard asks for" "$promtool" check rules asked.yml
	ok "the tests of the rules pass" "$promtool" test rules "$top/contrib/prometheus/dm-remap.test.yml"
	# they can fail
	mkdir changed
	cp "$top"/contrib/prometheus/*.yml changed/
	sed -i 's/dm_remap_lost_bytes > 0/dm_remap_lost_bytes > 8192/' changed/dm-remap.rules.yml
	ok "but not of changed rules" test "$("$promtool" test rules changed/dm-remap.test.yml >/dev/null 2>&1; echo $?)" = 1
else
	skip "alert rules" "$(cat reason)"
fi
finish
