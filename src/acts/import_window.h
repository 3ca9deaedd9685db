/* import_window.h - a stream, seen through a window in which every record fits. */

#ifndef POSTERN_ACTS_IMPORT_WINDOW_H
#define POSTERN_ACTS_IMPORT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* No record is longer, whatever the format, in bytes. */
#define IMPORT_RECORD_LIMIT 65536

/* For import_window.c alone, but for `line`. */
struct import_window {
	FILE *stream;
	int64_t line;      /* where the next record begins; from 1 */
	int64_t read;      /* bytes taken from the stream */
	size_t begin, end; /* what is still to be taken of them */
	bool is_end;       /* of the stream */
	char bytes[2 * IMPORT_RECORD_LIMIT];
};

/* Begin with a stream, which stays the caller's; what is in the window is wiped
 * at the end. */
void import_window_start(struct import_window *window, FILE *stream);
void import_window_wipe(struct import_window *window);

/*
 * What comes next: as much as a record can be, or all that is left, and then
 * nothing (*size is 0).  The bytes are the window's; they may be written to, and
 * stay good until this is called again.  NULL: the stream is broken; errno tells.
 */
char *import_window_see(struct import_window *window, size_t *size);

/* So many of those bytes are done with; their lines are counted. */
void import_window_pass(struct import_window *window, size_t size);

/* Bytes of the stream that are done with. */
int64_t import_window_position(const struct import_window *window);

#endif
