/* board_file.c - a file in memory for each pool, locked while it lives.
 *
 * The lock is one of fcntl(2): it belongs to the process, not to the descriptor
 * that its children inherit, ends with it however it dies, and F_GETLK names
 * it.  So nobody has to believe what the file says about who wrote it. */

#include "base/board_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "postern-board-"

/* O_NONBLOCK: whoever may write to the folder may put a FIFO there. */
#define OPEN_FLAGS (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

static struct flock
whole(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

/* Who holds the lock; 0: a process that we cannot see; -1: nobody. */
static pid_t
holder_of(int fd)
{
	struct flock lock = whole(F_WRLCK);

	if (fcntl(fd, F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK)
		return -1;
	return lock.l_pid > 0 ? lock.l_pid : 0;
}

/* ---- one's own ----------------------------------------------------------- */

/* Whoever has the lock may take the file away: no maker is in the middle of
 * making it, nor alive.  But the name may be another file's by now, when somebody
 * else has taken this one away, and its maker began anew. */
static bool
is_left_over(int fd)
{
	struct flock lock = whole(F_WRLCK);
	struct stat status;

	return fcntl(fd, F_SETLK, &lock) == 0 && fstat(fd, &status) == 0 &&
	       status.st_nlink > 0;
}

static void
sweep(const char *folder)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	struct stat status;
	int fd;

	if (stream == NULL)
		return;
	while ((entry = readdir(stream)) != NULL) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		fd = openat(dirfd(stream), entry->d_name, O_RDWR | OPEN_FLAGS);
		if (fd == -1)
			continue;
		if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		    status.st_uid == geteuid() && is_left_over(fd))
			unlinkat(dirfd(stream), entry->d_name, 0);
		close(fd);
	}
	closedir(stream);
}

/* Lock it, which may have to wait for somebody who sweeps, and give it its size
 * now: to write to a page that there is no room for would kill.  1; 0: it was swept;
 * or -1. */
static int
settle(struct board_file *file)
{
	struct flock lock = whole(F_WRLCK);
	struct stat status;

	if (fcntl(file->fd, F_SETLKW, &lock) == -1 ||
	    fstat(file->fd, &status) == -1)
		return -1;
	if (status.st_nlink == 0)
		return 0;
	errno = posix_fallocate(file->fd, 0, (off_t)file->size);
	if (errno != 0)
		return -1;
	file->memory = mmap(NULL, file->size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, file->fd, 0);
	return file->memory == MAP_FAILED ? -1 : 1;
}

static int
try_make(struct board_file *file)
{
	int result, reason;

	file->fd = open(file->path, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS,
	    S_IRUSR | S_IWUSR);
	if (file->fd == -1)
		return -1;
	result = settle(file);
	if (result != 1) {
		reason = errno;
		if (result == -1)
			unlink(file->path);
		close(file->fd);
		errno = reason;
	}
	return result;
}

int
board_file_make(struct board_file *file, const char *folder, size_t size)
{
	int made;

	*file = (struct board_file){ .size = size, .maker = getpid() };
	snprintf(file->path, sizeof(file->path), "%s/" PREFIX "%ld", folder,
	    (long)file->maker);
	sweep(folder);
	do {
		made = try_make(file);
	} while (made == 0);
	return made == 1 ? 0 : -1;
}

void
board_file_close(struct board_file *file)
{
	munmap(file->memory, file->size);
	if (file->maker == getpid())
		unlink(file->path);
	close(file->fd);
}

/* ---- everybody's --------------------------------------------------------- */

/* Read it whole: mapped, it could be cut under our hands.  NULL: it is none. */
static void *
read_whole(int fd, size_t size)
{
	char *bytes;
	size_t used = 0;
	ssize_t got;

	if (size == 0 || size > BOARD_FILE_MOST)
		return NULL;
	bytes = malloc(size);
	if (bytes == NULL)
		return NULL;
	while (used < size) {
		got = pread(fd, bytes + used, size - used, (off_t)used);
		if (got <= 0) {
			free(bytes);
			return NULL;
		}
		used += (size_t)got;
	}
	return bytes;
}

static void
look_at(int fd, void (*look)(const struct board_copy *copy, void *self),
    void *self)
{
	struct board_copy copy;
	struct stat status;
	void *bytes;

	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode) ||
	    (geteuid() != 0 && status.st_uid != geteuid()))
		return;
	copy.pid = holder_of(fd);
	if (copy.pid == -1)
		return;
	copy.owner = status.st_uid;
	copy.size = status.st_size < 0 ? 0 : (size_t)status.st_size;
	bytes = read_whole(fd, copy.size);
	copy.bytes = bytes;
	if (bytes != NULL)
		look(&copy, self);
	free(bytes);
}

int
board_file_visit(const char *folder,
    void (*look)(const struct board_copy *copy, void *self), void *self)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	int hidden = 0;
	int fd;

	if (stream == NULL)
		return -1;
	while ((entry = readdir(stream)) != NULL) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		fd = openat(dirfd(stream), entry->d_name,
		    O_RDONLY | OPEN_FLAGS);
		if (fd == -1) {
			hidden += errno == EACCES;
			continue;
		}
		look_at(fd, look, self);
		close(fd);
	}
	closedir(stream);
	return hidden;
}
