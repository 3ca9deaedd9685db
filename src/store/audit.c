/* audit.c - what happened, to whom, from where. */

#include "store/audit.h"

#include "base/clock.h"
#include "store/sessions.h"
#include "store/statements.h"

/* Of the answer to sign_in_refused. */
enum column {
	COLUMN_COUNTED,
	COLUMN_ENDS,
};

enum store_result
store_audit_refused(struct db *db, const struct audit_event *event,
    const struct throttle_rule *rule, bool wrong, int64_t *locked_until_us)
{
	const struct db_value values[] = {
		db_id(&event->user),
		db_id(&event->event),
		db_time(event->now_us),
		db_small((int16_t)event->kind),
		db_peer_text(event->address, SESSION_ADDRESS_SIZE - 1),
		db_text(event->reason),
		db_bytes(rule->digest, DIGEST_SIZE),
		db_int(wrong),
		db_int(rule->free_failures),
		db_int(rule->most_seconds),
		db_time(rule->now_us),
		db_time(rule->now_us - rule->quiet_seconds * CLOCK_SECOND_US),
	};
	enum store_result result;
	struct db_rows *rows;

	result = db_run(db, &statements[STATEMENT_SIGN_IN_REFUSED], values,
	    sizeof(values) / sizeof(values[0]), &rows);
	if (result != STORE_OK)
		return result;
	if (!db_get_bool(rows, 0, COLUMN_COUNTED)) {
		result = STORE_CONFLICT;
		if (locked_until_us != NULL)
			*locked_until_us = db_get_time(rows, 0, COLUMN_ENDS);
	}
	db_rows_free(rows);
	return result;
}
