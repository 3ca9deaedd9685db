/* admin_rows.h - what the administration's typed functions share. */

#ifndef POSTERN_STORE_ADMIN_ROWS_H
#define POSTERN_STORE_ADMIN_ROWS_H

#include <stddef.h>

#include "store/db.h"

/* How many rows there are, and never more than asked for. */
size_t admin_rows_within(const struct db_rows *rows, size_t limit);

#endif
