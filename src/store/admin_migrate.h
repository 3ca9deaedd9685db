/* admin_migrate.h - migrations, applied: posternctl only. */

#ifndef POSTERN_STORE_ADMIN_MIGRATE_H
#define POSTERN_STORE_ADMIN_MIGRATE_H

#include <stdint.h>

#include "store/db.h"
#include "store/schema.h"

/*
 * Apply one migration as postern_owner: its statements and its row in
 * postern.schema_migrations are one transaction.  The row's primary key is the
 * lock: of two people at once, one waits for the other and then gets CONFLICT or
 * (of the first migration, whose tables are in the way) FAILED, and finds the
 * version in the database raised.
 */
enum store_result store_migration_apply(struct db *db,
    const struct migration *migration, int64_t now_us);

#endif
