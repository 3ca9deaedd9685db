/* schema.h - which version of the schema this program is written for. */

#ifndef POSTERN_STORE_SCHEMA_H
#define POSTERN_STORE_SCHEMA_H

#include "store/db.h"

/* A numbered file of sql/, built into the program. */
struct migration {
	int number;       /* 1, 2, ... without a gap */
	const char *name; /* "0001_initial.sql" */
	const char *sql;
};

extern const struct migration migrations[];
extern const int migration_count; /* also the version this program needs */

/* The version in the database; 0 when there is no schema yet.  The handle's
 * table of statements may be another one. */
enum store_result store_schema_version(struct db *db, int *version);

#endif
