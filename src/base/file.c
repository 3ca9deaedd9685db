/* file.c - small files, whole. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"

/* The name of a file that is still being written: ".postern-" and chance. */
#define ASIDE_CHANCE 8
#define ASIDE_SIZE   (sizeof(".postern-") + ASIDE_CHANCE * 2)

/* Close, and return -1 with the errno of what failed before. */
static int
close_failed(int fd)
{
	int reason = errno;

	close(fd);
	errno = reason;
	return -1;
}

/* Read until the end or until `room` is full; -1 with errno set. */
static ssize_t
read_all(int fd, char *bytes, size_t room)
{
	size_t size = 0;
	ssize_t got;

	while (size < room) {
		got = read(fd, bytes + size, room - size);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		size += (size_t)got;
	}
	return (ssize_t)size;
}

static int
write_all(int fd, const char *bytes, size_t size)
{
	ssize_t put;

	while (size > 0) {
		put = write(fd, bytes, size);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return -1;
		bytes += put;
		size -= (size_t)put;
	}
	return 0;
}

/* Open for reading what is a regular file of at most `limit` bytes. */
static int
open_regular(const char *path, size_t limit)
{
	struct stat about;
	int fd;

	/* O_NONBLOCK: the open of a FIFO would wait for its other end. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return -1;
	if (fstat(fd, &about) == -1)
		return close_failed(fd);
	if (S_ISREG(about.st_mode) && (uintmax_t)about.st_size <= limit)
		return fd;
	if (S_ISREG(about.st_mode))
		errno = EFBIG;
	else
		errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
	return close_failed(fd);
}

char *
file_read(const char *path, size_t limit, size_t *size)
{
	ssize_t got;
	char *bytes;
	int fd;

	fd = open_regular(path, limit);
	if (fd == -1)
		return NULL;

	/* One byte more than allowed tells a file that grew meanwhile; the
	 * same byte takes the NUL of one that did not. */
	bytes = memory_zeroed(limit + 1, 1);
	got = read_all(fd, bytes, limit + 1);
	if (got != -1 && (size_t)got > limit) {
		errno = EFBIG;
		got = -1;
	}
	if (got == -1) {
		close_failed(fd);
		secret_wipe(bytes, limit + 1);
		free(bytes);
		return NULL;
	}
	close(fd);
	bytes[got] = '\0';
	*size = (size_t)got;
	return bytes;
}

/* Open the directory that holds (or will hold) the file. */
static int
open_parent(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char *parent;
	int fd;

	*name = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		parent = memory_text(".");
	else if (slash == path)
		parent = memory_text("/");
	else
		parent = memory_text_part(path, (size_t)(slash - path));
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	return fd;
}

/* A name that nobody can foresee, for the file while it is incomplete. */
static void
name_aside(char name[static ASIDE_SIZE])
{
	unsigned char chance[ASIDE_CHANCE];
	int used;

	secret_random(chance, sizeof(chance));
	used = snprintf(name, ASIDE_SIZE, ".postern-");
	for (size_t i = 0; i < sizeof(chance); i++)
		used += snprintf(name + used, ASIDE_SIZE - (size_t)used,
		    "%02x", (unsigned)chance[i]);
}

/* Fill the new file and give it its owner; it is on the disk afterwards. */
static int
write_aside(int dir, const char *aside, const void *bytes, size_t size)
{
	struct stat about;
	int fd;

	fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;

	/* A key that root makes is for the service, whose directory it is. */
	if (geteuid() == 0 && (fstat(dir, &about) == -1 ||
	    fchown(fd, about.st_uid, about.st_gid) == -1))
		return close_failed(fd);
	if (fchmod(fd, 0600) == -1 || write_all(fd, bytes, size) == -1 ||
	    fsync(fd) == -1)
		return close_failed(fd);
	return close(fd);
}

/* Make the rename last; some file systems cannot, and say EINVAL. */
static int
sync_directory(int dir)
{
	if (fsync(dir) == 0 || errno == EINVAL)
		return 0;
	return -1;
}

enum file_result
file_write_private(const char *path, const void *bytes, size_t size)
{
	char aside[ASIDE_SIZE];
	const char *name;
	int dir, reason;

	dir = open_parent(path, &name);
	if (dir == -1)
		return FILE_FAILED;
	name_aside(aside);
	if (write_aside(dir, aside, bytes, size) == -1 ||
	    renameat(dir, aside, dir, name) == -1) {
		reason = errno;
		unlinkat(dir, aside, 0);
		errno = reason;
		close_failed(dir);
		return FILE_FAILED;
	}
	if (sync_directory(dir) == -1) {
		close_failed(dir);
		return FILE_UNSURE;
	}
	close(dir);
	return FILE_WRITTEN;
}
