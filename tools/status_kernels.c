// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which installed kernels have the module: a build that failed must be known before the reboot.
 */
#include <dirent.h>
#include <stdlib.h>

#include "escape.h"
#include "status_report.h"

/* Lines of modules.dep are "updates/dkms/dm-remap.ko: ...", also .ko.xz and others. */
static bool names_module(const char *line)
{
	const char *end = strchr(line, ':'), *at;

	for (at = line; (at = strstr(at, "dm-remap.ko")); at++)
		if ((!end || at < end) && (at == line || at[-1] == '/'))
			return true;
	return false;
}

/* Return: 1 when there is one, 0 when not, -1 when this is no kernel. */
static int find_module(const char *dir, const char *version)
{
	size_t room = 0;
	char *path, *line = NULL;
	int found = 0;
	FILE *stream;

	if (asprintf(&path, "%s/%s/modules.dep", dir, version) < 0)
		report_out_of_memory();
	stream = fopen(path, "re");
	free(path);
	if (!stream)
		return -1;
	while (!found && getline(&line, &room, stream) >= 0)
		found = names_module(line);
	free(line);
	fclose(stream);
	return found;
}

int status_find_kernels(struct status_report *report, const char *dir)
{
	struct dirent **names;
	int nr = scandir(dir, &names, NULL, versionsort), i, found;
	struct status_kernel *kernel;
	char *shown;

	if (nr < 0 && errno == ENOENT)
		return 0;
	if (nr < 0) {
		nr = -errno;
		shown = escape_text(dir, strlen(dir));
		report_error("cannot read %s: %s", shown, strerror(-nr));
		free(shown);
		return nr;
	}
	for (i = 0; i < nr; i++) {
		found = names[i]->d_name[0] == '.' ? -1 : find_module(dir, names[i]->d_name);
		if (found >= 0) {
			report->kernels = report_grow(report->kernels, report->nr_kernels,
						      &report->kernel_room,
						      sizeof(*report->kernels));
			kernel = &report->kernels[report->nr_kernels++];
			kernel->version = escape_text(names[i]->d_name, strlen(names[i]->d_name));
			kernel->has_module = found;
		}
		free(names[i]);
	}
	free(names);
	return 0;
}
