# SPDX-License-Identifier: GPL-2.0-only
# Rules for alerts, their tests, and a dashboard, of what remap-status --prometheus prints. All are put into one
# directory, which uninstall can take away; the tests look for the rules beside them.

INSTALLS += $(foreach file,$(sort $(wildcard contrib/prometheus/*.yml)),644|$(file)|$(datadir)/dm-remap/$(notdir $(file))) \
	644|contrib/grafana/dm-remap.json|$(datadir)/dm-remap/dm-remap.grafana.json
