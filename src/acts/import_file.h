/* import_file.h - people out of another system, one after the other: CSV with a
 * line of headings, or lines of JSON. */

#ifndef POSTERN_ACTS_IMPORT_FILE_H
#define POSTERN_ACTS_IMPORT_FILE_H

#include <stdint.h>
#include <stdio.h>

#include "acts/import_person.h"

struct import_file;

/*
 * Begin to read a stream; it stays the caller's.  What begins with "{" is JSON, one
 * object a line; anything else CSV, whose first record names the fields.  These
 * are, in any order and in upper or lower case:
 *
 *	email
 *	hash, password_hash, passwordHash    may be empty or missing
 *	status                               the same
 *	name, display_name, displayName      the same
 *
 * Returns NULL and why in words when the stream cannot be read, is empty, or has
 * no such headings.
 */
struct import_file *import_file_open(FILE *stream,
    const struct import_rules *rules, char why[static IMPORT_WHY_SIZE]);
void import_file_close(struct import_file *file);

enum import_result {
	IMPORT_PERSON,
	IMPORT_REFUSED, /* person->line and ->why tell; the next may be good */
	IMPORT_END,
	IMPORT_BROKEN, /* the stream cannot be read on; errno tells */
};

/*
 * The next person.  Each field has been held against the rules of its kind, and
 * the hash against the forms that can be checked at a sign-in.  *why repeats
 * nothing of the record but names of fields and statuses.  Blank lines are passed
 * over; a record of more than IMPORT_RECORD_LIMIT bytes is refused.  The caller
 * wipes the person.
 */
enum import_result import_file_next(struct import_file *file,
    struct import_person *person);

/* Bytes read so far. */
int64_t import_file_position(const struct import_file *file);

#endif
