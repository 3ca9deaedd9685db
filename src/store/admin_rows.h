/* admin_rows.h - what the administration's typed functions share. */

#ifndef POSTERN_STORE_ADMIN_ROWS_H
#define POSTERN_STORE_ADMIN_ROWS_H

#include <stddef.h>

#include "store/db.h"

/* Copy a text field, cut to the room; SQL NULL gives "". */
void admin_rows_text(const struct db_rows *rows, size_t row, int column,
    char *text, size_t room);

/* How many rows there are, and never more than asked for. */
size_t admin_rows_within(const struct db_rows *rows, size_t limit);

#endif
