/* file.h - small files, whole. */

#ifndef POSTERN_BASE_FILE_H
#define POSTERN_BASE_FILE_H

#include <stddef.h>

/*
 * Read a regular file of at most `limit` bytes.  Returns its bytes with a NUL
 * behind them, owned by the caller (who wipes them if they are secret), and
 * their number in *size; or NULL with errno set (EFBIG: larger than limit; EISDIR,
 * EINVAL: no regular file).  Links are followed.  Logs nothing.
 */
char *file_read(const char *path, size_t limit, size_t *size);

enum file_result {
	FILE_WRITTEN, /* and it lasts */
	FILE_UNSURE,  /* in place for every reader, but a power cut may undo that */
	FILE_FAILED,  /* what was at `path` is there as before, and nothing else */
};

/*
 * Put `size` bytes at `path` so that a reader sees the old file or the new one,
 * never half of it, even across a power cut (write aside, fsync, rename).  Mode
 * 0600, owner and group taken from the directory when root writes.  errno tells
 * why it is not WRITTEN.  Logs nothing.
 */
enum file_result file_write_private(const char *path, const void *bytes,
    size_t size);

#endif
