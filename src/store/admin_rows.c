/* admin_rows.c - see admin_rows.h. */

#include "store/admin_rows.h"

size_t
admin_rows_within(const struct db_rows *rows, size_t limit)
{
	size_t count = db_rows_count(rows);

	return count < limit ? count : limit;
}
