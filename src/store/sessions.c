/* sessions.c - sessions, one row each. */

#include <string.h>

#include "base/log.h"
#include "store/sessions.h"
#include "store/statements.h"

/* Of the answer to sign_in. */
enum open_column {
	COLUMN_OPENED,
	COLUMN_LOCK_ENDS,
};

enum store_result
store_session_open(struct db *db, const struct new_session *session,
    int64_t *locked_until_us)
{
	static const struct throttle_rule none = { .digest = NULL };
	const struct throttle_rule *rule =
	    session->rule != NULL ? session->rule : &none;
	const struct db_value values[] = {
		db_id(&session->user),
		db_id(&session->session),
		db_bytes(session->digest, sizeof(session->digest)),
		db_time(session->now_us),
		db_time(session->expires_us),
		db_peer_text(session->address, SESSION_ADDRESS_SIZE - 1),
		db_peer_text(session->device, SESSION_DEVICE_SIZE - 1),
		db_id(&session->event),
		db_id(id_is_nil(&session->key) ? NULL : &session->key),
		db_bytes(rule->digest, DIGEST_SIZE),
		db_int(rule->free_failures),
		db_int(rule->most_seconds),
		db_time(rule->now_us),
		db_time(session->password_changed_us),
		db_text(session->login_key),
	};
	enum store_result result;
	struct db_rows *rows;

	result = db_run(db, &statements[STATEMENT_SIGN_IN], values,
	    sizeof(values) / sizeof(values[0]), &rows);
	if (result != STORE_OK)
		return result;
	if (!db_is_null(rows, 0, COLUMN_LOCK_ENDS)) {
		result = STORE_CONFLICT;
		if (locked_until_us != NULL)
			*locked_until_us =
			    db_get_time(rows, 0, COLUMN_LOCK_ENDS);
	} else if (!db_get_bool(rows, 0, COLUMN_OPENED)) {
		result = STORE_NONE;
	}
	db_rows_free(rows);
	return result;
}

enum state_column {
	COLUMN_EMAIL,
	COLUMN_STATUS,
	COLUMN_GENERATION,
	COLUMN_ROTATED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_ENDED_AT,
	COLUMN_ENDED_WHY,
	COLUMN_KEY_ID,
};

static enum store_result
read_state(const struct db_rows *rows, struct session_state *state)
{
	if (!db_copy_text(rows, 0, COLUMN_EMAIL, state->email,
		sizeof(state->email)) ||
	    !store_status_read(rows, COLUMN_STATUS, &state->status)) {
		log_error("could not read a session from the database: its "
		    "user's address or status is none");
		return STORE_FAILED;
	}
	state->generation = (int32_t)db_get_int(rows, 0, COLUMN_GENERATION);
	state->rotated_us = db_get_time(rows, 0, COLUMN_ROTATED_AT);
	state->expires_us = db_get_time(rows, 0, COLUMN_EXPIRES_AT);
	state->ended_us = db_get_time(rows, 0, COLUMN_ENDED_AT);
	state->ended_why = (int)db_get_int(rows, 0, COLUMN_ENDED_WHY);
	state->key = db_get_id(rows, 0, COLUMN_KEY_ID);
	return STORE_OK;
}

enum store_result
store_session_show(struct db *db, const struct session_shown *shown,
    struct session_state *state)
{
	const struct db_value values[] = {
		db_id(&shown->user),
		db_id(&shown->session),
		db_int(shown->generation),
		db_bytes(shown->digest, sizeof(shown->digest)),
		db_bytes(shown->next_digest, DIGEST_SIZE),
		db_time(shown->now_us),
		db_time(shown->fresh_since_us),
		db_time(shown->idle_since_us),
		db_id(&shown->event),
		db_peer_text(shown->address, SESSION_ADDRESS_SIZE - 1),
	};
	enum store_result result;
	struct db_rows *rows;

	memset(state, 0, sizeof(*state));
	result = db_find(db, &statements[STATEMENT_SESSION_REFRESH], values, 10,
	    &rows);
	if (result != STORE_OK)
		return result;
	result = read_state(rows, state);
	db_rows_free(rows);
	return result;
}

enum view_column {
	COLUMN_SID,
	COLUMN_CREATED_AT,
	COLUMN_REFRESHED_AT,
	COLUMN_ENDS_AT,
	COLUMN_ADDRESS,
	COLUMN_DEVICE,
};

static void
read_view(const struct db_rows *rows, size_t at, struct session_view *view)
{
	view->session = db_get_id(rows, at, COLUMN_SID);
	view->created_us = db_get_time(rows, at, COLUMN_CREATED_AT);
	view->rotated_us = db_get_time(rows, at, COLUMN_REFRESHED_AT);
	view->expires_us = db_get_time(rows, at, COLUMN_ENDS_AT);
	/* What does not fit, no constraint has let in: it is shown cut. */
	(void)db_copy_text(rows, at, COLUMN_ADDRESS, view->address,
	    sizeof(view->address));
	(void)db_copy_text(rows, at, COLUMN_DEVICE, view->device,
	    sizeof(view->device));
}

enum store_result
store_sessions_view(struct db *db, const struct id *user,
    const struct id *first, int64_t now_us, int64_t idle_since_us,
    size_t limit, struct session_view *list, size_t *count)
{
	const struct db_value values[] = {
		db_id(user),
		db_id(first),
		db_time(now_us),
		db_time(idle_since_us),
		db_int((int32_t)limit),
	};
	enum store_result result;
	struct db_rows *rows;

	result = db_list(db, &statements[STATEMENT_SESSIONS_VIEW], values, 5,
	    limit, &rows, count);
	for (size_t i = 0; i < *count; i++)
		read_view(rows, i, &list[i]);
	db_rows_free(rows);
	return result;
}

enum store_result
store_session_leave(struct db *db, const struct session_leave *leave)
{
	const struct db_value values[] = {
		db_id(&leave->user),
		db_id(&leave->session),
		db_time(leave->now_us),
		db_id(&leave->event),
		db_peer_text(leave->address, SESSION_ADDRESS_SIZE - 1),
	};

	return db_find(db, &statements[STATEMENT_SESSION_LEAVE], values, 5,
	    NULL);
}

enum store_result
store_sessions_leave(struct db *db, const struct session_leave *leave,
    bool keep_this, size_t limit, struct id *list, size_t *count)
{
	const struct db_value values[] = {
		db_id(&leave->user),
		db_id(&leave->session),
		db_time(leave->now_us),
		db_id(&leave->event),
		db_peer_text(leave->address, SESSION_ADDRESS_SIZE - 1),
		db_id(keep_this ? &leave->session : NULL),
	};
	enum store_result result;
	struct db_rows *rows;

	*count = 0;
	result = db_run(db, &statements[STATEMENT_SESSIONS_LEAVE], values, 6,
	    &rows);
	if (result != STORE_OK)
		return result;
	*count = db_rows_count(rows);
	for (size_t i = 0; i < *count && i < limit; i++)
		list[i] = db_get_id(rows, i, 0);
	db_rows_free(rows);
	return STORE_OK;
}
