/* admin_audit.h - audit rows read back: posternctl only. */

#ifndef POSTERN_STORE_ADMIN_AUDIT_H
#define POSTERN_STORE_ADMIN_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"
#include "store/audit.h"
#include "store/db.h"
#include "store/sessions.h"

#define AUDIT_REASON_SIZE 65

struct audit_row {
	struct id event;
	struct id session; /* nil: none */
	int64_t at_us;
	enum audit_kind kind;
	char address[SESSION_ADDRESS_SIZE];
	char reason[AUDIT_REASON_SIZE];
};

/*
 * The newest events of a user (nil: those that belong to nobody), older than
 * `before` if it is not NULL.  `list` has room for `limit`; *count says how many
 * came.
 */
enum store_result store_audit_list(struct db *db, const struct id *user,
    const struct id *before, size_t limit, struct audit_row *list,
    size_t *count);

#endif
