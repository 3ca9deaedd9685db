/* audit.c - what happened, to whom, from where. */

#include "store/audit.h"
#include "store/sessions.h"
#include "store/statements.h"

enum store_result
store_audit_add(struct db *db, const struct audit_event *event)
{
	const struct db_value values[] = {
		db_id(&event->user),
		db_id(&event->event),
		db_time(event->now_us),
		db_small((int16_t)event->kind),
		db_peer_text(event->address, SESSION_ADDRESS_SIZE - 1),
		db_text(event->reason),
	};

	return db_run(db, &statements[STATEMENT_AUDIT_ADD], values, 6, NULL);
}
