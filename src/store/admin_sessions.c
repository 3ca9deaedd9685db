/* admin_sessions.c - see admin_sessions.h. */

#include "store/admin_sessions.h"

#include "store/admin_statements.h"

static void
row_read(const struct db_rows *rows, size_t at, struct session_row *row)
{
	row->user = db_get_id(rows, at, 0);
	row->session = db_get_id(rows, at, 1);
	row->created_us = db_get_time(rows, at, 2);
	row->rotated_us = db_get_time(rows, at, 3);
	row->expires_us = db_get_time(rows, at, 4);
	row->ended_us = db_get_time(rows, at, 5);
	row->ended_why = (int)db_get_int(rows, at, 6);
	row->generation = db_get_int(rows, at, 7);
	db_copy_text(rows, at, 8, row->address, sizeof(row->address));
	db_copy_text(rows, at, 9, row->device, sizeof(row->device));
	db_copy_text(rows, at, 10, row->login_key, sizeof(row->login_key));
}

static enum store_result
query_run(struct db *db, const struct session_query *query,
    struct db_rows **rows, size_t *count)
{
	const struct id *first = query->user;
	enum admin_statement statement = ADMIN_SESSION_LIST;

	if (first == NULL) {
		first = &query->after_user;
		statement = ADMIN_SESSION_LIST_ALL;
	}

	const struct db_value values[] = {
		db_id(first),
		db_id(&query->after_session),
		db_time(query->live_at_us),
		db_time(query->idle_since_us),
		db_int((int32_t)query->limit),
	};

	return db_list(db, &admin_statements[statement], values, 5, query->limit,
	    rows, count);
}

enum store_result
store_session_list(struct db *db, const struct session_query *query,
    struct session_row *list, size_t *count)
{
	struct db_rows *rows;
	enum store_result result;

	result = query_run(db, query, &rows, count);
	for (size_t i = 0; i < *count; i++)
		row_read(rows, i, &list[i]);
	db_rows_free(rows);
	return result;
}

enum store_result
store_session_end(struct db *db, const struct id *user,
    const struct id *session, int64_t now_us, int64_t *ended_us)
{
	const struct db_value one[] = {
		db_id(user != NULL ? user : &id_nil),
		db_id(session),
		db_time(now_us),
	};
	struct db_rows *rows;
	enum store_result result;

	*ended_us = 0;
	if (user != NULL)
		result = db_find(db, &admin_statements[ADMIN_SESSION_END], one,
		    3, &rows);
	else
		result = db_find(db, &admin_statements[ADMIN_SESSION_END_ANY],
		    one + 1, 2, &rows);
	if (result != STORE_OK)
		return result;
	*ended_us = db_get_time(rows, 0, 0);
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_session_end_all(struct db *db, const struct id *user, int64_t now_us,
    int64_t *ended)
{
	const struct db_value values[] = { db_id(user), db_time(now_us) };
	struct db_rows *rows;
	enum store_result result;

	*ended = 0;
	result = db_run(db, &admin_statements[ADMIN_SESSION_END_ALL], values,
	    2, &rows);
	if (result != STORE_OK)
		return result;
	*ended = (int64_t)db_rows_count(rows);
	db_rows_free(rows);
	return STORE_OK;
}
