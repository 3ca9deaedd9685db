/* sessions.c - sessions, one row each. */

#include "store/sessions.h"
#include "store/statements.h"

enum store_result
store_session_open(struct db *db, const struct new_session *session)
{
	const struct db_value values[] = {
		db_id(&session->user),
		db_id(&session->session),
		db_bytes(session->digest, sizeof(session->digest)),
		db_time(session->now_us),
		db_time(session->expires_us),
		db_peer_text(session->address, SESSION_ADDRESS_SIZE - 1),
		db_peer_text(session->device, SESSION_DEVICE_SIZE - 1),
		db_id(&session->event),
	};
	enum store_result result;
	struct db_rows *rows;

	result = db_run(db, &statements[STATEMENT_SIGN_IN], values, 8, &rows);
	if (result != STORE_OK)
		return result;
	if (db_rows_count(rows) == 0)
		result = STORE_NONE;
	db_rows_free(rows);
	return result;
}
