/* users.c - accounts by user id. */

#include <string.h>

#include "base/log.h"
#include "store/statements.h"
#include "store/users.h"

enum column {
	COLUMN_EMAIL,
	COLUMN_STATUS,
	COLUMN_SESSION_STANDS,
};

static enum store_result
read_row(const struct db_rows *rows, struct user_row *row)
{
	if (!db_copy_text(rows, 0, COLUMN_EMAIL, row->email,
		sizeof(row->email)) ||
	    !store_status_read(rows, COLUMN_STATUS, &row->status)) {
		log_error("could not read a user from the database: its "
		    "address or status is none");
		return STORE_FAILED;
	}
	row->session_stands = db_get_bool(rows, 0, COLUMN_SESSION_STANDS);
	return STORE_OK;
}

enum store_result
store_user_find(struct db *db, const struct id *user,
    const struct id *session, int64_t now_us, int64_t idle_since_us,
    struct user_row *row)
{
	const struct db_value values[] = { db_id(user), db_id(session),
		db_time(now_us), db_time(idle_since_us) };
	enum store_result result;
	struct db_rows *rows;

	memset(row, 0, sizeof(*row));
	result = db_find(db, &statements[STATEMENT_USER_FIND], values, 4, &rows);
	if (result != STORE_OK)
		return result;
	result = read_row(rows, row);
	db_rows_free(rows);
	return result;
}
