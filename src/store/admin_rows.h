/* admin_rows.h - what the administration's typed functions share. */

#ifndef POSTERN_STORE_ADMIN_ROWS_H
#define POSTERN_STORE_ADMIN_ROWS_H

#include <stddef.h>

#include "base/digest.h"
#include "store/db.h"

/* How many rows there are, and never more than asked for. */
size_t admin_rows_within(const struct db_rows *rows, size_t limit);

/* Copy a digest; zeros for anything else. */
void admin_rows_digest(const struct db_rows *rows, size_t row, int column,
    unsigned char digest[static DIGEST_SIZE]);

#endif
