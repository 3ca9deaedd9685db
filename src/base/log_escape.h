/* log_escape.h - text in a line of the log, so that nobody can forge another; for
 * log.c. */

#ifndef POSTERN_BASE_LOG_ESCAPE_H
#define POSTERN_BASE_LOG_ESCAPE_H

#include <stddef.h>

enum log_escape_style {
	LOG_ESCAPE_SENTENCE, /* for people: quotes stay */
	LOG_ESCAPE_QUOTED,   /* between quotes of a plain line */
	LOG_ESCAPE_JSON,     /* between quotes of JSON (RFC 8259 section 7) */
};

/*
 * Write a text with all escaped that is not plainly visible in it: control bytes,
 * invalid UTF-8, and characters that reorder or hide others.  What does not fit
 * into `room` bytes is cut off between characters.  Returns how many were written;
 * no NUL is put behind them.
 */
size_t log_escape(const char *text, enum log_escape_style style, char *out,
    size_t room);

#endif
