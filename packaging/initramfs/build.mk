# SPDX-License-Identifier: GPL-2.0-only
# Root on a remapped disk: for initramfs-tools, which looks for what is the administrator's in /etc.

initramfsdir ?= $(if $(filter /usr,$(prefix)),/usr/share,/etc)/initramfs-tools

INSTALLS += 755@|packaging/initramfs/hook|$(initramfsdir)/hooks/dm-remap \
	755@|packaging/initramfs/local-top|$(initramfsdir)/scripts/local-top/dm-remap \
	755@|packaging/initramfs/local-block|$(initramfsdir)/scripts/local-block/dm-remap
