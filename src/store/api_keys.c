/* api_keys.c - API keys by owner and id. */

#include <string.h>

#include "base/log.h"
#include "store/api_keys.h"
#include "store/statements.h"

enum column {
	COLUMN_SECRET_HASH,
	COLUMN_SCOPE,
	COLUMN_EXPIRES_AT,
	COLUMN_REVOKED_AT,
	COLUMN_LAST_USED_AT,
};

/* As stored. */
enum scope { SCOPE_PUBLISHABLE = 0, SCOPE_SECRET = 1 };

static enum store_result
read_row(const struct db_rows *rows, struct api_key_row *row)
{
	int64_t scope = db_get_int(rows, 0, COLUMN_SCOPE);

	if (!db_copy_bytes(rows, 0, COLUMN_SECRET_HASH, row->digest,
		DIGEST_SIZE) ||
	    (scope != SCOPE_PUBLISHABLE && scope != SCOPE_SECRET)) {
		log_error("could not read an API key from the database: its "
		    "digest or scope is none");
		return STORE_FAILED;
	}
	row->secret = scope == SCOPE_SECRET;
	row->expires_us = db_get_time(rows, 0, COLUMN_EXPIRES_AT);
	row->revoked_us = db_get_time(rows, 0, COLUMN_REVOKED_AT);
	row->last_used_us = db_get_time(rows, 0, COLUMN_LAST_USED_AT);
	return STORE_OK;
}

enum store_result
store_api_key_find(struct db *db, const struct id *user, const struct id *key,
    struct api_key_row *row)
{
	const struct db_value values[] = { db_id(user), db_id(key) };
	enum store_result result;
	struct db_rows *rows;

	memset(row, 0, sizeof(*row));
	result = db_find(db, &statements[STATEMENT_API_KEY_FIND], values, 2,
	    &rows);
	if (result != STORE_OK)
		return result;
	result = read_row(rows, row);
	db_rows_free(rows);
	return result;
}

enum store_result
store_api_key_used(struct db *db, const struct id *user, const struct id *key,
    int64_t now_us)
{
	const struct db_value values[] = { db_id(user), db_id(key),
		db_time(now_us) };

	return db_run(db, &statements[STATEMENT_API_KEY_USED], values, 3, NULL);
}
