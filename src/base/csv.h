/* csv.h - records of comma-separated values (RFC 4180). */

#ifndef POSTERN_BASE_CSV_H
#define POSTERN_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#define CSV_FIELDS_LIMIT 64

struct csv_field {
	const char *text; /* counted; no NUL behind it */
	size_t size;
};

struct csv_record {
	struct csv_field fields[CSV_FIELDS_LIMIT];
	size_t count; /* 1 or more */
};

enum csv_result {
	CSV_RECORD,
	CSV_BAD,  /* no record, or of too many fields: *why, a constant, says what
	             is wrong with it */
	CSV_MORE, /* its end is not here yet */
};

/*
 * Take the record at the beginning of `size` bytes (1 or more).  Quotes are
 * removed where the bytes are, so the fields are good as long as those, and the
 * bytes of a record can be read once.  A record ends in "\n" or "\r\n", or with
 * the bytes when `is_all` says that none follow; then the answer is never MORE.
 * *used tells how many belong to it.
 *
 * Of a BAD one they are its first line: what follows a stray quote is read as
 * if that line were not there, so that one mistake does not swallow the rest.
 */
enum csv_result csv_take(char *bytes, size_t size, bool is_all,
    struct csv_record *record, size_t *used, const char **why);

#endif
