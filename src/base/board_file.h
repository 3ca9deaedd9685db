/* board_file.h - where a pool's board lies, so that an operator finds it: a file
 * in memory for each pool. */

#ifndef POSTERN_BASE_BOARD_FILE_H
#define POSTERN_BASE_BOARD_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where POSIX shared memory is on Linux. */
#define BOARD_FILE_FOLDER "/dev/shm"

/* No board is larger. */
#define BOARD_FILE_MOST ((size_t)1 << 20)

struct board_file {
	void *memory;
	size_t size;
	int fd;
	pid_t maker;
	char path[128];
};

/*
 * Make this process's file: all zero, for its user alone, and inherited as memory
 * by every fork() that follows.  The process holds a lock on it as long as it
 * lives, by which the kernel tells whose it is.  Files that others of this user
 * left behind, because they were killed, are taken away.  0, or -1 with errno
 * set.
 */
int board_file_make(struct board_file *file, const char *folder, size_t size);

/* Let go of the memory; who made the file takes it away. */
void board_file_close(struct board_file *file);

/* A copy of somebody's file, good while it is looked at.  Not a byte of it can be
 * trusted. */
struct board_copy {
	pid_t pid; /* of the process that holds the lock, as the kernel tells */
	uid_t owner;
	const void *bytes;
	size_t size;
};

/*
 * Call look() for each pool that lives, of this user, or of all users for root.
 * Returns how many there are of others, whom we may not look at; or -1 with errno
 * set.
 */
int board_file_visit(const char *folder,
    void (*look)(const struct board_copy *copy, void *self), void *self);

#endif
