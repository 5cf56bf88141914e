# SPDX-License-Identifier: GPL-2.0-only
# What makes devices come up by themselves: udev rules and a systemd unit, and what makes
# backups by themselves; with the path of remap-setup put in.

udevrulesdir ?= $(prefix)/lib/udev/rules.d
systemdunitdir ?= $(prefix)/lib/systemd/system

INSTALLS += 644@|tools/udev/61-dm-remap.rules|$(udevrulesdir)/61-dm-remap.rules \
	$(foreach unit,dm-remap.service dm-remap-device@.service dm-remap-backup.service dm-remap-backup.timer dm-remap-watch.service, \
	644@|tools/udev/$(unit)|$(systemdunitdir)/$(unit))
