/* schema.c - the version of the schema that the database holds. */

#include "store/schema.h"
#include "store/statements.h"

/* "undefined_table": nobody has migrated yet. */
#define NO_SUCH_TABLE "42P01"

enum store_result
store_schema_version(struct db *db, int *version)
{
	enum store_result result;
	struct db_rows *rows;

	*version = 0;
	result = db_run_unless(db, &statements[STATEMENT_SCHEMA_VERSION], NULL,
	    0, NO_SUCH_TABLE, &rows);
	if (result == STORE_NONE)
		return STORE_OK;
	if (result != STORE_OK)
		return result;
	*version = (int)db_get_int(rows, 0, 0);
	db_rows_free(rows);
	return STORE_OK;
}
