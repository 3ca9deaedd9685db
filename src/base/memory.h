/* memory.h - allocate, or do not return. */

#ifndef POSTERN_BASE_MEMORY_H
#define POSTERN_BASE_MEMORY_H

#include <stddef.h>

/*
 * For the small, bounded blocks a request needs: out of memory means that this
 * worker is of no more use, so the process says so and aborts; the pool starts
 * another.  Released with free().  memory_zeroed() gives `count` times `size` bytes
 * of zeros (never NULL, not even of none); the others a copy of a text, or of
 * `size` bytes, with a NUL behind it.
 */
void *memory_zeroed(size_t count, size_t size);
char *memory_text(const char *text);
char *memory_text_part(const char *text, size_t size);

/* The end that they share, for a library call that reports no memory. */
_Noreturn void memory_exhausted(void);

#endif
