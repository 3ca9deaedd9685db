/* shared.h - memory that processes share. */

#ifndef POSTERN_BASE_SHARED_H
#define POSTERN_BASE_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * `size` bytes, all zero, page-aligned, inherited by every fork() that follows;
 * what one process writes the others see.  Pages that nobody touches cost
 * nothing.  NULL when memory is out (logged).  Only lock-free atomics belong
 * into it, the locks of shared_lock.h, or what one process alone writes: a
 * process may die at any moment, and any other lock that it held would stay
 * held.
 */
void *shared_new(size_t size);

/* Give it back, of this process; NULL does nothing. */
void shared_free(void *memory, size_t size);

/*
 * The same by name, for processes that are not each other's children: all of
 * this user's that say the same folder, name and size get the same memory.
 */
struct shared_name {
	const char *folder;
	const char *name; /* letters, digits, "-" */
	size_t size;
	bool lasts; /* kept when nobody has it open any more; its room is taken
	               at once, since by then others may have it */
	const char *use;    /* for the log, where it has no room: what takes it */
	const char *remedy; /* and what to do that it takes none, or less */
};

#define SHARED_NAME_SIZE 64

/* "postern-UID-", the kind of content (at most 20 bytes), and the beginning of a
 * digest of what those who share it must agree upon. */
void shared_name_make(char name[static SHARED_NAME_SIZE], const char *kind,
    const char *agreed);

struct shared_file {
	void *memory;
	size_t size;
	bool fresh; /* all zero: fill it in, then call shared_ready() */
	bool lasts;
	int fd;
	pid_t opener;
	char path[192];
};

/*
 * Waits while another process is at it.  The folder must be in memory (tmpfs), so
 * that nothing gets onto a disk, and one where nobody else can take our files away.
 * Whatever of this name is not a file of this user's, for this user alone, is
 * refused, as is a size that the file system has no room for.  Returns 0, or -1
 * (logged, with what to do about it).
 */
int shared_open(struct shared_file *file, const struct shared_name *name);

/* The content of fresh memory is made: let the others in. */
void shared_ready(struct shared_file *file);

/* The last process that opened it takes the name away, unless it lasts; a child
 * that inherited it lets go of the memory only. */
void shared_close(struct shared_file *file);

/*
 * Sleep until `word` is no longer `seen` and somebody calls shared_wake(), for
 * `ms` milliseconds at most; may also return for no reason.  Wake all who sleep
 * on a word, in any process.
 */
void shared_wait(atomic_uint *word, unsigned seen, int64_t ms);
void shared_wake(atomic_uint *word);

#endif
