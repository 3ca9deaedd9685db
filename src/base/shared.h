/* shared.h - memory that a parent and its children share. */

#ifndef POSTERN_BASE_SHARED_H
#define POSTERN_BASE_SHARED_H

#include <stddef.h>

/*
 * `size` bytes, all zero, page-aligned, inherited by every fork() that follows;
 * what one process writes the others see.  Pages that nobody touches cost
 * nothing.  NULL when memory is out (logged).  Only lock-free atomics belong
 * into it, or what one process alone writes: a process may die at any moment,
 * and a lock that it held would stay held.
 */
void *shared_new(size_t size);

/* Give it back, of this process; NULL does nothing. */
void shared_free(void *memory, size_t size);

#endif
