/* admin_rows.c - see admin_rows.h. */

#include "store/admin_rows.h"

#include <stdio.h>

void
admin_rows_text(const struct db_rows *rows, size_t row, int column,
    char *text, size_t room)
{
	const char *field = db_get_text(rows, row, column);

	snprintf(text, room, "%s", field != NULL ? field : "");
}

size_t
admin_rows_within(const struct db_rows *rows, size_t limit)
{
	size_t count = db_rows_count(rows);

	return count < limit ? count : limit;
}
