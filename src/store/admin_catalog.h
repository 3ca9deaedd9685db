/* admin_catalog.h - what the database itself tells: who we are there, which
 * roles and privileges there are.  Works without a schema; posternctl only. */

#ifndef POSTERN_STORE_ADMIN_CATALOG_H
#define POSTERN_STORE_ADMIN_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/db.h"

#define CATALOG_NAME_SIZE 64 /* PostgreSQL's NAMEDATALEN */

struct catalog_standing {
	char role[CATALOG_NAME_SIZE]; /* whom we connected as */
	char database[CATALOG_NAME_SIZE];
	char server[CATALOG_NAME_SIZE]; /* version */
	int64_t clock_us;               /* the server's time */
	bool read_only;                 /* a standby */
	bool superuser;
};

enum store_result store_catalog_standing(struct db *db,
    struct catalog_standing *standing);

/* Which of the three roles of sql/roles.sql do not exist; "" where all do. */
struct catalog_missing_roles {
	char names[64];
	char remedy[256]; /* SQL for a superuser */
};

enum store_result store_catalog_missing_roles(struct db *db,
    struct catalog_missing_roles *missing);

/*
 * May migrations run: may we act as postern_owner, and may that role create the
 * schema here?  STORE_FAILED when the role does not exist.
 */
enum store_result store_catalog_may_migrate(struct db *db, bool *is_owner,
    bool *owner_may_create);

/* May we write accounts?  STORE_FAILED when there is no schema. */
enum store_result store_catalog_may_administer(struct db *db, bool *may);

/* Privileges of the role we connected as that are not as they should be. */
struct catalog_misfit {
	bool lacking;    /* else it has what the service must not have */
	char grant[256]; /* "DELETE, UPDATE (email, name) on users", or what leads
	                    to more: "the role postern_admin" */
};

/* Compare with what postern_service needs, of a table with one entry.  `list` has
 * room for `limit`. */
enum store_result store_catalog_privileges(struct db *db,
    struct catalog_misfit *list, size_t limit, size_t *count);

#endif
