/* shared.c - memory that processes share. */

#include "base/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
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
 * A file of shared memory.  Who has it open holds a lock on it (flock(2),
 * which ends with the process): exclusive while filling it in, then shared.  So
 * the one who can have it exclusively when closing is the last.  The byte behind
 * the content says whether it was filled in to the end.
 */

#define READY 1

#define OPEN_FLAGS (O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

static unsigned char *
ready_mark(const struct shared_file *file)
{
	return (unsigned char *)file->memory + file->size;
}

static void refuse(const struct shared_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
refuse(const struct shared_file *file, const char *format, ...)
{
	char why[256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	log_error("could not open the shared memory \"%s\": %s", file->path,
	    why);
}

/* In a folder where all may make files, somebody else may have been first. */
static bool
is_ours(const struct shared_file *file, const struct stat *status)
{
	if (status->st_uid != geteuid())
		refuse(file, "it belongs to user %ju, not to %ju: have it "
			     "removed, or set shared_dir to a folder that only "
			     "user %ju may write to",
		    (uintmax_t)status->st_uid, (uintmax_t)geteuid(),
		    (uintmax_t)geteuid());
	else if (!S_ISREG(status->st_mode) || (status->st_mode & 077) != 0)
		refuse(file, "it is no file of this user alone (mode %o): "
			     "remove it",
		    (unsigned)status->st_mode);
	else
		return true;
	return false;
}

/* The kernel does not say why it would not open what there is. */
static void
refuse_to_open(const struct shared_file *file, int reason)
{
	struct stat status;

	if (lstat(file->path, &status) == -1 || is_ours(file, &status))
		refuse(file, "%s", strerror(reason));
}

/* Is it ours alone, and still what the name leads to?  1: yes; 0: its name was
 * taken away meanwhile; -1: refused (logged). */
static int
examine(const struct shared_file *file, struct stat *status)
{
	struct stat named;
	int fd;

	if (fstat(file->fd, status) == -1) {
		refuse(file, "%s", strerror(errno));
		return -1;
	}
	if (!is_ours(file, status))
		return -1;
	if (status->st_nlink == 0)
		return 0;
	fd = open(file->path, OPEN_FLAGS);
	if (fd == -1)
		return 0;
	if (fstat(fd, &named) == -1)
		named.st_ino = 0;
	close(fd);
	return named.st_ino == status->st_ino && named.st_dev == status->st_dev;
}

/* Writing to a page that the file system has no room for kills. */
static bool
has_room(const struct shared_file *file, const struct shared_name *name,
    const struct stat *status)
{
	struct statvfs room;
	uint64_t left = (uint64_t)status->st_blocks * 512;

	if (fstatvfs(file->fd, &room) == 0)
		left += (uint64_t)room.f_bavail * room.f_frsize;
	if (left > file->size)
		return true;
	refuse(file,
	    "%s takes %" PRIu64 " MiB, and its file system has room for "
	    "%" PRIu64 " MiB: make that larger (Docker: --shm-size), or %s",
	    name->use, ((uint64_t)file->size >> 20) + 1, left >> 20,
	    name->remedy);
	return false;
}

/* What is made of passwords must not get onto a disk; and where others could take
 * our file away, each process would have one of its own. */
static bool
is_fit(const struct shared_file *file, const char *folder)
{
	struct statfs kind;
	struct stat status;

	if (statfs(folder, &kind) == -1 || stat(folder, &status) == -1)
		refuse(file, "%s", strerror(errno));
	else if (kind.f_type != TMPFS_MAGIC)
		refuse(file, "the folder is not in memory: have shared_dir on a "
			     "tmpfs");
	else if ((status.st_uid != 0 && status.st_uid != geteuid()) ||
	    ((status.st_mode & 022) != 0 && (status.st_mode & S_ISVTX) == 0))
		refuse(file, "others may remove files from the folder");
	else
		return true;
	return false;
}

/* Make it as large as it should be and map it.  0, or -1 (logged). */
static int
map(struct shared_file *file, const struct shared_name *name,
    const struct stat *status)
{
	off_t whole = (off_t)file->size + 1;
	void *memory;

	if (status->st_size != 0 && status->st_size != whole) {
		refuse(file, "it has another size: remove it");
		return -1;
	}
	if (!has_room(file, name, status))
		return -1;
	if (status->st_size == 0 && ftruncate(file->fd, whole) == -1) {
		refuse(file, "%s", strerror(errno));
		return -1;
	}
	memory = mmap(NULL, (size_t)whole, PROT_READ | PROT_WRITE, MAP_SHARED,
	    file->fd, 0);
	if (memory == MAP_FAILED) {
		refuse(file, "%s", strerror(errno));
		return -1;
	}
	file->memory = memory;
	return 0;
}

static void
unmap(struct shared_file *file)
{
	munmap(file->memory, file->size + 1);
	close(file->fd);
	file->memory = NULL;
}

/* Open it and take its lock.  1: there it is; 0: try again; -1: refused
 * (logged). */
static int
try_open(struct shared_file *file, const struct shared_name *name)
{
	struct stat status;
	int found;

	file->fd = open(file->path, OPEN_FLAGS | O_CREAT, S_IRUSR | S_IWUSR);
	if (file->fd == -1) {
		refuse_to_open(file, errno);
		return -1;
	}
	while (flock(file->fd, LOCK_SH) == -1 && errno == EINTR)
		continue;
	found = examine(file, &status);
	if (found == 1 && map(file, name, &status) != 0)
		found = -1;
	if (found != 1)
		close(file->fd);
	return found;
}

/* As new.  Somebody may have begun to fill it in, and died. */
static int
empty(const struct shared_file *file)
{
	off_t whole = (off_t)file->size + 1;

	fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
	    whole);
	if (!file->lasts || fallocate(file->fd, 0, 0, whole) == 0)
		return 0;
	refuse(file, "%s", strerror(errno));
	return -1;
}

/* Have it filled in by one process.  0, or -1 (logged). */
static int
settle_freshness(struct shared_file *file)
{
	while (*ready_mark(file) != READY) {
		/* Not an upgrade: the lock is let go in between, so somebody
		 * else may have filled it in. */
		while (flock(file->fd, LOCK_EX) == -1 && errno == EINTR)
			continue;
		if (*ready_mark(file) != READY) {
			file->fresh = true;
			return empty(file);
		}
		flock(file->fd, LOCK_SH);
	}
	return 0;
}

void
shared_name_make(char name[static SHARED_NAME_SIZE], const char *kind,
    const char *agreed)
{
	unsigned char digest[DIGEST_SIZE];

	digest_sha256(agreed, strlen(agreed), digest);
	snprintf(name, SHARED_NAME_SIZE,
	    "postern-%u-%s%02x%02x%02x%02x%02x%02x", (unsigned)geteuid(), kind,
	    digest[0], digest[1], digest[2], digest[3], digest[4], digest[5]);
}

int
shared_open(struct shared_file *file, const struct shared_name *name)
{
	int found;

	*file = (struct shared_file){
		.size = name->size,
		.lasts = name->lasts,
		.fd = -1,
		.opener = getpid(),
	};
	snprintf(file->path, sizeof(file->path), "%s/%s", name->folder,
	    name->name);
	if (!is_fit(file, name->folder))
		return -1;
	do {
		found = try_open(file, name);
	} while (found == 0);
	if (found == -1)
		return -1;
	if (settle_freshness(file) == 0)
		return 0;
	unmap(file);
	return -1;
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
	if (!file->lasts && file->opener == getpid() &&
	    flock(file->fd, LOCK_EX | LOCK_NB) == 0)
		unlink(file->path);
	unmap(file);
}

/* ---- sleeping ------------------------------------------------------------ */

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
