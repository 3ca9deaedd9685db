/* ids.h - UUIDs (RFC 9562): version 4 for users, version 7 for what is ordered
 * by time (sessions, events, requests). */

#ifndef POSTERN_BASE_IDS_H
#define POSTERN_BASE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_SIZE 16
#define ID_TEXT_SIZE 37 /* 36 characters and NUL */

struct id {
	unsigned char bytes[ID_SIZE];
};

/* All zero: "nobody" where a table wants a user. */
extern const struct id id_nil;

struct id id_random(void);             /* version 4 */
struct id id_ordered(int64_t now_us);  /* version 7 of that time */

bool id_equal(const struct id *a, const struct id *b);
bool id_is_nil(const struct id *id);

/* Lower-case hexadecimal with hyphens. */
void id_format(const struct id *id, char text[static ID_TEXT_SIZE]);

/*
 * Read exactly `size` characters of the form id_format() writes (either case).
 * Returns 0, or -1 and leaves *id alone.
 */
int id_parse(const char *text, size_t size, struct id *id);

#endif
