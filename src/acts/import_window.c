/* import_window.c - a stream, seen through a window. */

#include "acts/import_window.h"

#include <string.h>

#include "base/secret.h"

void
import_window_start(struct import_window *window, FILE *stream)
{
	memset(window, 0, sizeof(*window));
	window->stream = stream;
	window->line = 1;
}

void
import_window_wipe(struct import_window *window)
{
	secret_wipe(window->bytes, sizeof(window->bytes));
}

/* See to it that a whole record is in the window, or the end of the stream.
 * Returns -1 when the stream is broken. */
static int
fill(struct import_window *window)
{
	size_t held = window->end - window->begin, got;

	if (window->is_end || held >= IMPORT_RECORD_LIMIT)
		return 0;
	memmove(window->bytes, window->bytes + window->begin, held);
	window->begin = 0;
	got = fread(window->bytes + held, 1, sizeof(window->bytes) - held,
	    window->stream);
	window->end = held + got;
	window->read += (int64_t)got;
	if (window->end < sizeof(window->bytes)) {
		if (ferror(window->stream))
			return -1;
		window->is_end = true;
	}
	return 0;
}

char *
import_window_see(struct import_window *window, size_t *size)
{
	if (fill(window) != 0)
		return NULL;
	*size = window->end - window->begin;
	if (*size > IMPORT_RECORD_LIMIT)
		*size = IMPORT_RECORD_LIMIT;
	return window->bytes + window->begin;
}

void
import_window_pass(struct import_window *window, size_t size)
{
	const char *bytes = window->bytes + window->begin;
	const char *end = bytes + size;

	window->begin += size;
	while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		window->line++;
		bytes++;
	}
}

int64_t
import_window_position(const struct import_window *window)
{
	return window->read - (int64_t)(window->end - window->begin);
}
