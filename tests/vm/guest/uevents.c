// SPDX-License-Identifier: GPL-2.0-only
/*
 * uevents - print each uevent of the kernel as one line: ACTION DEVNAME and what else is
 * asked for by name, in the order asked for. Ends when it is killed. Prints "ready" first.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Value of a variable in the NUL-separated text of an event, or "-". */
static const char *value(const char *text, size_t length, const char *name)
{
	const char *at = text, *end = text + length;
	size_t bytes = strlen(name);

	for (; at < end; at += strlen(at) + 1)
		if (!strncmp(at, name, bytes) && at[bytes] == '=')
			return at + bytes + 1;
	return "-";
}

int main(int argc, char **argv)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT), bytes = 1 << 20, i;
	char text[8193];
	ssize_t length;

	if (argc > 1 && argv[1][0] == '-') {
		fputs("Usage: uevents [VARIABLE]...\n", stderr);
		return 16;
	}
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror("uevents");
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	puts("ready");
	fflush(stdout);
	while ((length = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[length] = '\0';
		printf("%s %s", value(text, (size_t)length, "ACTION"),
		       value(text, (size_t)length, "DEVNAME"));
		for (i = 1; i < argc; i++)
			printf(" %s", value(text, (size_t)length, argv[i]));
		putchar('\n');
		fflush(stdout);
	}
	perror("uevents");
	return 1;
}
