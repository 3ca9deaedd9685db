/* shared.c - memory that processes share. */

#include "base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

void *
shared_new(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	log_error("could not share memory between processes: %s",
	    strerror(errno));
	return NULL;
}

void
shared_free(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, size);
}

/* ---- by name -------------------------------------------------------------------
 *
 * A file of POSIX shared memory.  Who has it open holds a lock on it (flock(2),
 * which ends with the process): exclusive while filling it in, then shared.  So
 * the one who can have it exclusively when closing is the last.  The byte behind
 * the content says whether it was filled in to the end.
 */

#define READY 1

static unsigned char *
ready_mark(const struct shared_file *file)
{
	return (unsigned char *)file->memory + file->size;
}

static void
refuse(const struct shared_file *file, const char *why)
{
	log_error("could not open the shared memory \"%s\": %s", file->name,
	    why);
}

/* Is it ours alone, and still what the name leads to?  1: yes; 0: its name was
 * taken away meanwhile; -1: refused (logged). */
static int
examine(const struct shared_file *file, struct stat *status)
{
	struct stat named;
	int fd;

	if (fstat(file->fd, status) == -1) {
		refuse(file, strerror(errno));
		return -1;
	}
	if (!S_ISREG(status->st_mode) || status->st_uid != geteuid() ||
	    (status->st_mode & 077) != 0) {
		refuse(file, "it belongs to somebody else, or others may "
			     "use it");
		return -1;
	}
	if (status->st_nlink == 0)
		return 0;
	fd = shm_open(file->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd == -1)
		return 0;
	if (fstat(fd, &named) == -1)
		named.st_ino = 0;
	close(fd);
	return named.st_ino == status->st_ino && named.st_dev == status->st_dev;
}

/* Writing to a page that the file system has no room for kills. */
static bool
has_room(const struct shared_file *file, const struct stat *status)
{
	struct statvfs room;
	uint64_t used = (uint64_t)status->st_blocks * 512;

	if (fstatvfs(file->fd, &room) == -1)
		return false;
	return (uint64_t)room.f_bavail * room.f_frsize + used > file->size;
}

/* Make it as large as it should be and map it.  0, or -1 (logged). */
static int
map(struct shared_file *file, const struct stat *status)
{
	off_t whole = (off_t)file->size + 1;
	void *memory;

	if (status->st_size != 0 && status->st_size != whole) {
		refuse(file, "it has another size");
		return -1;
	}
	if (!has_room(file, status)) {
		refuse(file, "its file system, /dev/shm, has too little room");
		return -1;
	}
	if (status->st_size == 0 && ftruncate(file->fd, whole) == -1) {
		refuse(file, strerror(errno));
		return -1;
	}
	memory = mmap(NULL, (size_t)whole, PROT_READ | PROT_WRITE, MAP_SHARED,
	    file->fd, 0);
	if (memory == MAP_FAILED) {
		refuse(file, strerror(errno));
		return -1;
	}
	file->memory = memory;
	return 0;
}

/* Open it and take its lock.  1: there it is; 0: try again; -1: refused
 * (logged). */
static int
try_open(struct shared_file *file)
{
	struct stat status;
	int found;

	file->fd = shm_open(file->name,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (file->fd == -1) {
		refuse(file, strerror(errno));
		return -1;
	}
	while (flock(file->fd, LOCK_SH) == -1 && errno == EINTR)
		continue;
	found = examine(file, &status);
	if (found == 1 && map(file, &status) != 0)
		found = -1;
	if (found != 1)
		close(file->fd);
	return found;
}

/* Have it filled in by one process. */
static void
settle_freshness(struct shared_file *file)
{
	while (*ready_mark(file) != READY) {
		/* Not an upgrade: the lock is let go in between, so somebody
		 * else may have filled it in. */
		while (flock(file->fd, LOCK_EX) == -1 && errno == EINTR)
			continue;
		if (*ready_mark(file) != READY) {
			/* Somebody may have begun it, and died. */
			fallocate(file->fd,
			    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			    (off_t)file->size + 1);
			file->fresh = true;
			return;
		}
		flock(file->fd, LOCK_SH);
	}
}

int
shared_open(struct shared_file *file, const char *name, size_t size)
{
	int found;

	*file = (struct shared_file){
		.size = size,
		.fd = -1,
		.opener = getpid(),
	};
	snprintf(file->name, sizeof(file->name), "/%s", name);
	do {
		found = try_open(file);
	} while (found == 0);
	if (found == -1)
		return -1;
	settle_freshness(file);
	return 0;
}

void
shared_ready(struct shared_file *file)
{
	*ready_mark(file) = READY;
	file->fresh = false;
	flock(file->fd, LOCK_SH);
}

void
shared_close(struct shared_file *file)
{
	if (file->memory == NULL)
		return;
	/* A child's lock is its parent's. */
	if (file->opener == getpid() &&
	    flock(file->fd, LOCK_EX | LOCK_NB) == 0)
		shm_unlink(file->name);
	munmap(file->memory, file->size + 1);
	close(file->fd);
	file->memory = NULL;
}

/* ---- sleeping ------------------------------------------------------------------ */

void
shared_wait(atomic_uint *word, unsigned seen, int64_t ms)
{
	const struct timespec limit = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000 * 1000000),
	};

	if (ms > 0)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
}

void
shared_wake(atomic_uint *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
