// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold-device DEVICE: for tests. Opens a block device with O_EXCL, as a filesystem would,
 * says "held", and keeps it until standard input ends.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char byte;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDONLY | O_EXCL);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	printf("held\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	close(fd);
	return 0;
}
