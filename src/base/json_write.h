/* json_write.h - JSON text written straight into a buffer of the caller's: for the
 * small objects of the answers that are given most.  base/json.h is for all else. */

#ifndef POSTERN_BASE_JSON_WRITE_H
#define POSTERN_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_write {
	char *text; /* borrowed */
	size_t room;
	size_t used;
	bool full; /* something did not fit: the text is of no use */
};

/*
 * Begin an object; add its members in their order, under names of our own that need
 * no escapes; and end it, with a NUL behind it.  The text is the one that
 * json_text() gives of the same values, bytes that are not UTF-8 included.  The end
 * returns the length of the text, or 0: it had no room.
 */
void json_write_begin(struct json_write *write, char *text, size_t room);
void json_write_string(struct json_write *write, const char *name,
    const char *text);
void json_write_int(struct json_write *write, const char *name, int64_t number);
void json_write_strings(struct json_write *write, const char *name,
    const char *only); /* an array of one */
size_t json_write_end(struct json_write *write);

#endif
