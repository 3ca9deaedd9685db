/* admin_sweep.c - see admin_sweep.h. */

#include "store/admin_sweep.h"

#include "store/admin_statements.h"

static enum store_result
sweep_step(struct db *db, enum admin_statement statement, int64_t before_us,
    size_t limit, struct sweep *sweep)
{
	const struct db_value values[] = {
		db_id(&sweep->user),
		db_id(&sweep->row),
		db_time(before_us),
		db_int((int32_t)limit),
	};
	struct db_rows *rows;
	enum store_result result;
	int64_t seen = 0;

	result = db_run(db, &admin_statements[statement], values, 4, &rows);
	if (result != STORE_OK)
		return result;
	if (db_rows_count(rows) == 1) {
		sweep->user = db_get_id(rows, 0, 0);
		sweep->row = db_get_id(rows, 0, 1);
		seen = db_get_int(rows, 0, 2);
		sweep->removed += db_get_int(rows, 0, 3);
	}
	db_rows_free(rows);
	sweep->seen += seen;
	sweep->done = seen < (int64_t)limit;
	return STORE_OK;
}

enum store_result
store_session_sweep(struct db *db, int64_t before_us, size_t limit,
    struct sweep *sweep)
{
	return sweep_step(db, ADMIN_SESSION_SWEEP, before_us, limit, sweep);
}

enum store_result
store_audit_sweep(struct db *db, int64_t before_us, size_t limit,
    struct sweep *sweep)
{
	return sweep_step(db, ADMIN_AUDIT_SWEEP, before_us, limit, sweep);
}

enum store_result
store_throttle_sweep(struct db *db, int64_t before_us, size_t limit,
    struct sweep *sweep)
{
	const struct db_value values[] = {
		db_bytes(sweep->digest, sizeof(sweep->digest)),
		db_time(before_us),
		db_int((int32_t)limit),
	};
	struct db_rows *rows;
	enum store_result result;
	int64_t seen = 0;

	result = db_run(db, &admin_statements[ADMIN_THROTTLE_SWEEP], values, 3,
	    &rows);
	if (result != STORE_OK)
		return result;
	if (db_rows_count(rows) == 1) {
		db_copy_bytes(rows, 0, 0, sweep->digest, DIGEST_SIZE);
		seen = db_get_int(rows, 0, 1);
		sweep->removed += db_get_int(rows, 0, 2);
	}
	db_rows_free(rows);
	sweep->seen += seen;
	sweep->done = seen < (int64_t)limit;
	return STORE_OK;
}
