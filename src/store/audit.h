/* audit.h - what happened, to whom, from where; append only. */

#ifndef POSTERN_STORE_AUDIT_H
#define POSTERN_STORE_AUDIT_H

#include <stdbool.h>

#include "base/ids.h"
#include "store/db.h"
#include "store/throttle.h"

/* As stored; the numbers are in the database and never change. */
enum audit_kind {
	AUDIT_SIGN_IN = 1,
	AUDIT_SIGN_IN_REFUSED = 2,
	AUDIT_TOKEN_REUSED = 3,
	AUDIT_SIGN_OUT = 4,
};

struct audit_event {
	struct id event;     /* version 7 */
	struct id user;      /* id_nil: not known */
	enum audit_kind kind;
	int64_t now_us;
	const char *address; /* or NULL */
	const char *reason;  /* a word of ours, or NULL; never what was typed */
};

/*
 * Write that a sign-in was refused, and count it: one failure more when the
 * password was `wrong`, and none from here on when it was right.  Sent twice it
 * counts once.  STORE_CONFLICT: by now it is locked (sent twice, it may be by this
 * very failure), so the caller must not tell whether the password was right;
 * *locked_until_us (or NULL: not asked for) says until when, 0 for a first lock of
 * that very moment.
 */
enum store_result store_audit_refused(struct db *db,
    const struct audit_event *event, const struct throttle_rule *rule,
    bool wrong, int64_t *locked_until_us);

#endif
