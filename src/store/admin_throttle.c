/* admin_throttle.c - see admin_throttle.h. */

#include "store/admin_throttle.h"

#include "store/admin_statements.h"

static void
row_read(const struct db_rows *rows, size_t at, struct throttle_row *row)
{
	db_copy_bytes(rows, at, 0, row->digest, DIGEST_SIZE);
	row->failures = db_get_int(rows, at, 1);
	row->failed_us = db_get_time(rows, at, 2);
	row->locked_until_us = db_get_time(rows, at, 3);
}

/* Both statements have the same first parameters and columns. */
static enum store_result
read_rows(struct db *db, enum admin_statement statement,
    const struct throttle_rule *rule, size_t limit, struct throttle_row *list,
    size_t *count)
{
	const struct db_value values[] = {
		db_bytes(rule->digest, DIGEST_SIZE),
		db_int(rule->free_failures),
		db_int(rule->most_seconds),
		db_time(rule->now_us),
		db_int((int32_t)limit),
	};
	size_t given = statement == ADMIN_THROTTLE_LIST ? 5 : 4;
	struct db_rows *rows;
	enum store_result result;

	result = db_list(db, &admin_statements[statement], values, given, limit,
	    &rows, count);
	for (size_t i = 0; i < *count; i++)
		row_read(rows, i, &list[i]);
	db_rows_free(rows);
	return result;
}

enum store_result
store_throttle_find(struct db *db, const struct throttle_rule *rule,
    struct throttle_row *row)
{
	size_t count;
	enum store_result result = read_rows(db, ADMIN_THROTTLE_FIND, rule, 1,
	    row, &count);

	return result == STORE_OK && count == 0 ? STORE_NONE : result;
}

enum store_result
store_throttle_list(struct db *db, const struct throttle_rule *rule,
    size_t limit, struct throttle_row *list, size_t *count)
{
	return read_rows(db, ADMIN_THROTTLE_LIST, rule, limit, list, count);
}

enum store_result
store_throttle_clear(struct db *db,
    const unsigned char digest[static DIGEST_SIZE], int64_t *failures)
{
	const struct db_value value = db_bytes(digest, DIGEST_SIZE);
	struct db_rows *rows;
	enum store_result result;

	*failures = 0;
	result = db_find(db, &admin_statements[ADMIN_THROTTLE_CLEAR], &value, 1,
	    &rows);
	if (result != STORE_OK)
		return result;
	*failures = db_get_int(rows, 0, 0);
	db_rows_free(rows);
	return STORE_OK;
}
