/* fuzz_rows.c - what a database sends is read as what it should be, or as nothing:
 * any bytes in any column, of any width, and columns that are not there.
 *
 * Input: for each field a byte of its length (255: NULL), then its bytes; three
 * fields a row. */

#include <string.h>

#include "base/log.h"
#include "fuzz.h"
#include "store/db_private.h"

#define COLUMNS 3

/* A result as libpq makes it of an answer; the caller's. */
static PGresult *
make_result(const uint8_t *data, size_t size)
{
	static char name[] = "column";
	PGresAttDesc columns[COLUMNS] = {
		{ .name = name, .format = 1 },
		{ .name = name, .format = 1 },
		{ .name = name, .format = 1 },
	};
	char bytes[256];
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	const uint8_t *end = data + size;
	int field = 0;

	MUST(result != NULL && PQsetResultAttrs(result, COLUMNS, columns));
	for (; data < end && field < 3 * COLUMNS; field++) {
		int length = *data++;

		if (length > end - data && length != 255)
			length = (int)(end - data);
		if (length == 255)
			length = -1;
		for (int i = 0; i < length; i++)
			bytes[i] = (char)*data++;
		MUST(PQsetvalue(result, field / COLUMNS, field % COLUMNS,
		    bytes, length));
	}
	return result;
}

/* What libpq has there: NULL and 0 for nothing. */
static const char *
field_of(const struct db_rows *rows, size_t row, int column, size_t *size)
{
	*size = 0;
	if (row >= db_rows_count(rows) || column < 0 || column >= COLUMNS ||
	    PQgetisnull(rows->result, (int)row, column))
		return NULL;
	*size = (size_t)PQgetlength(rows->result, (int)row, column);
	return PQgetvalue(rows->result, (int)row, column);
}

static void
check_numbers(const struct db_rows *rows, size_t row, int column, size_t size)
{
	int64_t number = db_get_int(rows, row, column);
	int64_t time = db_get_time(rows, row, column);

	MUST(time == 0 || size == 8);
	MUST(number == 0 || size == 2 || size == 4 || size == 8);
	MUST(size != 2 || (number >= INT16_MIN && number <= INT16_MAX));
	MUST(size != 4 || (number >= INT32_MIN && number <= INT32_MAX));
	MUST(size == 1 || !db_get_bool(rows, row, column));
}

static void
check_bytes(const struct db_rows *rows, size_t row, int column,
    const char *field, size_t size)
{
	static const char zeros[ID_SIZE];
	struct id id = db_get_id(rows, row, column);
	char bytes[ID_SIZE];
	bool fits = field != NULL && size == ID_SIZE;

	MUST(memcmp(id.bytes, fits ? field : zeros, ID_SIZE) == 0);
	MUST(db_copy_bytes(rows, row, column, bytes, sizeof(bytes)) == fits);
	MUST(memcmp(bytes, fits ? field : zeros, ID_SIZE) == 0);
}

/* What fits is there whole; what does not is cut, and told; what is no text is
 * none. */
static void
check_text(const struct db_rows *rows, size_t row, int column,
    const char *field, size_t size)
{
	bool is_text = field != NULL && memchr(field, '\0', size) == NULL;
	const char *text = db_get_text(rows, row, column);
	char small[8], large[256];
	bool fitted = db_copy_text(rows, row, column, small, sizeof(small));

	MUST((text != NULL) == is_text);
	MUST(fitted == (!is_text || size < sizeof(small)));
	MUST(strlen(small) < sizeof(small));
	MUST(db_copy_text(rows, row, column, large, sizeof(large)));
	MUST(strlen(large) == (is_text ? size : 0));
	MUST(!is_text || memcmp(large, field, size) == 0);
	MUST(strncmp(large, small, strlen(small)) == 0);
}

static void
check_field(const struct db_rows *rows, size_t row, int column)
{
	size_t size;
	const char *field = field_of(rows, row, column, &size);

	MUST(db_is_null(rows, row, column) == (field == NULL));
	check_numbers(rows, row, column, size);
	check_bytes(rows, row, column, field, size);
	check_text(rows, row, column, field, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool silent;
	struct db_rows *rows;

	if (!silent)
		silent = log_open("/dev/null", LOG_FORMAT_PLAIN,
			     LOG_LEVEL_ERROR) == 0;
	rows = db_rows_new(make_result(data, size));
	for (size_t row = 0; row <= db_rows_count(rows); row++)
		for (int column = -1; column <= COLUMNS; column++)
			check_field(rows, row, column);
	db_rows_free(rows);
	return 0;
}
