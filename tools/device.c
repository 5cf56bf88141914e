// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening block devices and image files. Every check comes before the first write, and
 * those that can change under us are made after the descriptor is held.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"
#include "escape.h"
#include "report.h"
#include "stop.h"
#include "undo.h"
#include "units.h"

#define LOCK_TRIES 20
#define LOCK_WAIT_US 50000	/* between tries: udev holds a lock for moments only */

static const char *file_type(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISCHR(mode))
		return "a character device";
	if (S_ISSOCK(mode))
		return "a socket";
	return "of an unknown type";
}

static int check_type(struct device *dev, const char *role)
{
	dev->is_block = S_ISBLK(dev->stat.st_mode);
	if (dev->is_block || S_ISREG(dev->stat.st_mode))
		return 0;
	report_error("%s is %s; the %s must be a block device or an image file", dev->shown,
		     file_type(dev->stat.st_mode), role);
	return -EINVAL;
}

static void report_open_error(struct device *dev, enum device_access access, const char *role)
{
	int error = errno;
	char *usage = NULL;

	if (error == EBUSY)
		usage = device_usage(&dev->stat);
	if (usage)
		report_error("%s is in use: %s; nothing was changed", dev->shown, usage);
	else if (error == EBUSY)
		report_error("%s is in use (the kernel refuses exclusive access); nothing was changed",
			     dev->shown);
	else
		report_error("cannot open %s %s for %s: %s", role, dev->shown,
			     access == DEVICE_WRITE ? "writing" : "reading", strerror(error));
	free(usage);
}

/* The descriptor. stat() comes first: opening a tape drive or a FIFO would do something. */
static int open_descriptor(struct device *dev, enum device_access access, const char *role)
{
	int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int r;

	if (stat(dev->path, &dev->stat)) {
		r = -errno;
		report_error("cannot find %s %s: %s", role, dev->shown, strerror(-r));
		return r;
	}
	r = check_type(dev, role);
	if (r)
		return r;
	flags |= access == DEVICE_WRITE ? O_RDWR : O_RDONLY;
	if (access == DEVICE_WRITE && dev->is_block)
		flags |= O_EXCL;
	dev->host.fd = open(dev->path, flags);
	if (dev->host.fd < 0) {
		r = -errno;
		report_open_error(dev, access, role);
		return r;
	}
	if (fstat(dev->host.fd, &dev->stat)) {
		r = -errno;
		report_error("cannot look at %s: %s", dev->shown, strerror(-r));
		return r;
	}
	return check_type(dev, role);
}

static int lock_device(struct device *dev, enum device_access access)
{
	int operation = (access == DEVICE_WRITE ? LOCK_EX : LOCK_SH) | LOCK_NB;
	unsigned int tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (!flock(dev->host.fd, operation))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		usleep(LOCK_WAIT_US);
	}
	if (errno != EWOULDBLOCK && errno != EINTR) {
		report_verbose("%s cannot be locked: %s", dev->shown, strerror(errno));
		return 0;
	}
	if (access == DEVICE_WRITE) {
		report_error("%s is locked by another program; nothing was changed", dev->shown);
		return -EBUSY;
	}
	report_warn("%s is locked by another program, which may be changing it", dev->shown);
	return 0;
}

static int refuse_used(struct device *dev)
{
	char *usage = device_usage(&dev->stat);

	if (!usage)
		return 0;
	report_error("%s is in use: %s; nothing was changed", dev->shown, usage);
	free(usage);
	return -EBUSY;
}

static int get_size(struct device *dev, const char *role)
{
	u64 bytes = (u64)dev->stat.st_size;
	int logical = 512;
	unsigned int physical = 512;
	int r;

	if (dev->is_block) {
		if (ioctl(dev->host.fd, BLKGETSIZE64, &bytes) ||
		    ioctl(dev->host.fd, BLKSSZGET, &logical) ||
		    ioctl(dev->host.fd, BLKPBSZGET, &physical)) {
			r = -errno;
			report_error("cannot get the size of %s: %s", dev->shown, strerror(-r));
			return r;
		}
	}
	dev->sectors = bytes / 512;
	dev->logical_bytes = (u32)logical;
	dev->physical_bytes = physical;
	if (dev->sectors)
		return 0;
	report_error("%s is too short to be a %s: %llu byte%s", dev->shown, role,
		     (unsigned long long)bytes, units_s(bytes));
	return -EINVAL;
}

/* The engine is about to write: the last moment to stop, and the first to keep what was. */
static int before_write(void *ctx, const struct rmeta_io *ios, unsigned int nr_ios)
{
	struct device *dev = ctx;

	if (stop_requested())
		return -EINTR;
	return dev->undo ? undo_save(dev, ios, nr_ios) : 0;
}

int device_open(struct device *dev, const char *path, enum device_access access, const char *role)
{
	int r;

	*dev = (struct device){ .host.fd = -1, .path = path };
	dev->shown = escape_text(path, strlen(path));
	r = open_descriptor(dev, access, role);
	if (!r && access == DEVICE_WRITE)
		r = refuse_used(dev);
	if (!r)
		r = lock_device(dev, access);
	if (!r)
		r = get_size(dev, role);
	if (!r && access == DEVICE_WRITE) {
		dev->host.before_write = before_write;
		dev->host.ctx = dev;
		r = undo_attach(dev);
	}
	if (r) {
		device_close(dev);
		return r;
	}
	/*
	 * A live spare is written by the kernel past the page cache of its device node: what an
	 * earlier reader left in there is old.
	 */
	if (dev->is_block)
		posix_fadvise(dev->host.fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

int device_peek(struct device *dev, const char *path)
{
	u64 bytes = 0;
	int r = 0;

	*dev = (struct device){ .host.fd = -1, .path = path };
	dev->host.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (dev->host.fd < 0)
		return -errno;
	dev->shown = escape_text(path, strlen(path));
	if (fstat(dev->host.fd, &dev->stat) || ioctl(dev->host.fd, BLKGETSIZE64, &bytes))
		r = -errno;
	dev->is_block = true;
	dev->sectors = bytes / 512;
	/* Only what is asked for is read. */
	if (!r)
		posix_fadvise(dev->host.fd, 0, 0, POSIX_FADV_RANDOM);
	if (r)
		device_close(dev);
	return r;
}

void device_close(struct device *dev)
{
	if (!dev->shown)
		return;
	undo_detach(dev);
	if (dev->host.fd >= 0)
		close(dev->host.fd);
	free(dev->shown);
	*dev = (struct device){ .host.fd = -1 };
}

void device_warn_used(const struct device *dev)
{
	char *usage = device_usage(&dev->stat);

	if (usage)
		report_warn("%s is in use (%s): what is written to it meanwhile is read by half, or not at all",
			    dev->shown, usage);
	free(usage);
}

bool device_is_at(const struct device *dev, const char *path)
{
	struct stat there;

	if (stat(path, &there))
		return false;
	if (dev->is_block)
		return S_ISBLK(there.st_mode) && dev->stat.st_rdev == there.st_rdev;
	return S_ISREG(there.st_mode) && dev->stat.st_dev == there.st_dev &&
	       dev->stat.st_ino == there.st_ino;
}
