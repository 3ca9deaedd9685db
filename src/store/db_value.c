/* db_value.c - parameters in PostgreSQL's binary form: network byte order,
 * times in microseconds since 2000. */

#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "store/db_private.h"

/* From the system catalogue (pg_type.dat); they never change. */
enum type {
	TYPE_BYTEA = 17,
	TYPE_SMALLINT = 21,
	TYPE_INTEGER = 23,
	TYPE_TEXT = 25,
	TYPE_TIMESTAMPTZ = 1184,
	TYPE_UUID = 2950,
};

static struct db_value
borrow(const void *bytes, size_t size, enum type type)
{
	struct db_value value = { .bytes = bytes, .type = type };

	/* The server takes no more than 1 GB in a field anyway. */
	value.size = size > INT_MAX ? INT_MAX : (int)size;
	return value;
}

static struct db_value
integer(int64_t number, int size, enum type type)
{
	struct db_value value = { .size = size, .type = type, .inside = true };
	uint64_t bits = (uint64_t)number;

	for (int i = size - 1; i >= 0; i--) {
		value.room[i] = (char)(bits & 0xff);
		bits >>= 8;
	}
	return value;
}

struct db_value
db_null(void)
{
	return (struct db_value){ 0 };
}

struct db_value
db_text(const char *text)
{
	return borrow(text, text != NULL ? strlen(text) : 0, TYPE_TEXT);
}

struct db_value
db_peer_text(const char *text, size_t limit)
{
	size_t size;

	if (text == NULL)
		return db_text(NULL);
	size = strlen(text);
	if (!text_is_utf8(text, size))
		return db_text(NULL);
	/* Back to the first byte of the character that is cut. */
	if (size > limit) {
		size = limit;
		while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--;
	}
	return borrow(text, size, TYPE_TEXT);
}

struct db_value
db_bytes(const void *bytes, size_t size)
{
	return borrow(bytes, size, TYPE_BYTEA);
}

struct db_value
db_id(const struct id *id)
{
	return borrow(id != NULL ? id->bytes : NULL, ID_SIZE, TYPE_UUID);
}

struct db_value
db_time(int64_t us)
{
	int64_t theirs;

	if (us == 0)
		return (struct db_value){ .type = TYPE_TIMESTAMPTZ };
	/* Beyond their range: their -infinity. */
	if (__builtin_sub_overflow(us, DB_EPOCH_US, &theirs))
		theirs = INT64_MIN;
	if (us == INT64_MAX)
		theirs = INT64_MAX;
	return integer(theirs, 8, TYPE_TIMESTAMPTZ);
}

struct db_value
db_int(int32_t value)
{
	return integer(value, 4, TYPE_INTEGER);
}

struct db_value
db_small(int16_t value)
{
	return integer(value, 2, TYPE_SMALLINT);
}
