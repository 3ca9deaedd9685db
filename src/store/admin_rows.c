/* admin_rows.c - see admin_rows.h. */

#include "store/admin_rows.h"

#include <string.h>

size_t
admin_rows_within(const struct db_rows *rows, size_t limit)
{
	size_t count = db_rows_count(rows);

	return count < limit ? count : limit;
}

void
admin_rows_digest(const struct db_rows *rows, size_t row, int column,
    unsigned char digest[static DIGEST_SIZE])
{
	const unsigned char *bytes;
	size_t size;

	memset(digest, 0, DIGEST_SIZE);
	bytes = db_get_bytes(rows, row, column, &size);
	if (bytes != NULL && size == DIGEST_SIZE)
		memcpy(digest, bytes, DIGEST_SIZE);
}
