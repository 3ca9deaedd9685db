/* db_rows.c - results in PostgreSQL's binary form. */

#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "store/db_private.h"

struct db_rows *
db_rows_new(PGresult *result)
{
	struct db_rows *rows;

	rows = memory_zeroed(1, sizeof(*rows));
	rows->result = result;
	return rows;
}

/* Verifiers and digests are among the fields, so all of them are wiped; libpq
 * itself keeps more copies than anyone can reach. */
static void
wipe(PGresult *result)
{
	int row, column;

	for (row = 0; row < PQntuples(result); row++) {
		for (column = 0; column < PQnfields(result); column++) {
			if (!PQgetisnull(result, row, column))
				secret_wipe(PQgetvalue(result, row, column),
				    (size_t)PQgetlength(result, row, column));
		}
	}
}

void
db_rows_free(struct db_rows *rows)
{
	if (rows == NULL)
		return;
	wipe(rows->result);
	PQclear(rows->result);
	free(rows);
}

size_t
db_rows_count(const struct db_rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

/* ---- fields -------------------------------------------------------------- */

static void
complain(const struct db_rows *rows, int column, const char *what)
{
	const char *name = PQfname(rows->result, column);

	log_error("could not read column \"%s\" from the database: %s",
	    name != NULL ? name : "?", what);
}

/* Is there such a field at all? */
static bool
is_there(const struct db_rows *rows, size_t row, int column)
{
	if (row < db_rows_count(rows) && column >= 0 &&
	    column < PQnfields(rows->result))
		return true;
	complain(rows, column, "it is not there");
	return false;
}

bool
db_is_null(const struct db_rows *rows, size_t row, int column)
{
	return !is_there(rows, row, column) ||
	    PQgetisnull(rows->result, (int)row, column);
}

/* Of any width; NULL and 0 for NULL. */
static const unsigned char *
get_bytes(const struct db_rows *rows, size_t row, int column, size_t *size)
{
	*size = 0;
	if (db_is_null(rows, row, column))
		return NULL;
	*size = (size_t)PQgetlength(rows->result, (int)row, column);
	return (const unsigned char *)PQgetvalue(rows->result, (int)row,
	    column);
}

const char *
db_get_text(const struct db_rows *rows, size_t row, int column)
{
	const unsigned char *bytes;
	size_t size;

	bytes = get_bytes(rows, row, column, &size);
	if (bytes == NULL)
		return NULL;
	/* libpq puts a NUL behind every field; text has none inside. */
	if (memchr(bytes, '\0', size) != NULL) {
		complain(rows, column, "it is no text");
		return NULL;
	}
	return (const char *)bytes;
}

bool
db_copy_text(const struct db_rows *rows, size_t row, int column, char *text,
    size_t room)
{
	const char *field = db_get_text(rows, row, column);
	int size = snprintf(text, room, "%s", field != NULL ? field : "");

	return size >= 0 && (size_t)size < room;
}

/* A field of just this width, or NULL. */
static const unsigned char *
get_exactly(const struct db_rows *rows, size_t row, int column, size_t width)
{
	const unsigned char *bytes;
	size_t size;

	bytes = get_bytes(rows, row, column, &size);
	if (bytes != NULL && size != width) {
		complain(rows, column, "it has the wrong width");
		return NULL;
	}
	return bytes;
}

bool
db_copy_bytes(const struct db_rows *rows, size_t row, int column, void *bytes,
    size_t size)
{
	const unsigned char *field = get_exactly(rows, row, column, size);

	if (field == NULL)
		memset(bytes, 0, size);
	else
		memcpy(bytes, field, size);
	return field != NULL;
}

struct id
db_get_id(const struct db_rows *rows, size_t row, int column)
{
	const unsigned char *bytes;
	struct id id = id_nil;

	bytes = get_exactly(rows, row, column, ID_SIZE);
	if (bytes != NULL)
		memcpy(id.bytes, bytes, ID_SIZE);
	return id;
}

/* Big-endian, two's complement. */
static int64_t
read_number(const unsigned char *bytes, size_t size)
{
	uint64_t bits = (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;
	size_t i;

	for (i = 0; i < size; i++)
		bits = bits << 8 | bytes[i];
	return (int64_t)bits;
}

int64_t
db_get_time(const struct db_rows *rows, size_t row, int column)
{
	const unsigned char *bytes;
	int64_t theirs, us;

	bytes = get_exactly(rows, row, column, 8);
	if (bytes == NULL)
		return 0;
	theirs = read_number(bytes, 8);
	if (theirs == INT64_MIN)
		return INT64_MIN;
	if (__builtin_add_overflow(theirs, DB_EPOCH_US, &us))
		return INT64_MAX;
	return us;
}

int64_t
db_get_int(const struct db_rows *rows, size_t row, int column)
{
	const unsigned char *bytes;
	size_t size;

	bytes = get_bytes(rows, row, column, &size);
	if (bytes == NULL)
		return 0;
	if (size != 2 && size != 4 && size != 8) {
		complain(rows, column, "it is no number");
		return 0;
	}
	return read_number(bytes, size);
}

bool
db_get_bool(const struct db_rows *rows, size_t row, int column)
{
	const unsigned char *bytes;

	bytes = get_exactly(rows, row, column, 1);
	return bytes != NULL && bytes[0] != 0;
}
