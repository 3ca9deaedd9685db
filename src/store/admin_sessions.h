/* admin_sessions.h - sessions listed, ended and swept: posternctl only. */

#ifndef POSTERN_STORE_ADMIN_SESSIONS_H
#define POSTERN_STORE_ADMIN_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/email.h"
#include "base/ids.h"
#include "store/db.h"
#include "store/sessions.h"

struct session_row {
	struct id user;
	struct id session;
	int64_t created_us;
	int64_t rotated_us; /* last refresh */
	int64_t expires_us;
	int64_t ended_us;   /* 0: has not ended */
	int ended_why;      /* enum session_ended, 0 when it has not */
	int64_t generation; /* how often its refresh token was replaced */
	char address[SESSION_ADDRESS_SIZE];
	char device[SESSION_DEVICE_SIZE];
	char login_key[EMAIL_SIZE]; /* the user's, "" when there is none */
};

/* Which sessions, in the order of user and id. */
struct session_query {
	const struct id *user; /* NULL: everybody's */
	struct id after_user;  /* where the page before ended; nil at first */
	struct id after_session;
	int64_t live_at_us;    /* 0: those that are over, too */
	int64_t idle_since_us; /* not refreshed since: no longer live */
	size_t limit;
};

/* `list` has room for query->limit; *count says how many came. */
enum store_result store_session_list(struct db *db,
    const struct session_query *query, struct session_row *list,
    size_t *count);

/*
 * End one session.  `user` NULL: of whomever, which reads the whole table.
 * *ended_us tells when it ended: now, or some time before.  STORE_NONE: there is
 * no such session.
 */
enum store_result store_session_end(struct db *db, const struct id *user,
    const struct id *session, int64_t now_us, int64_t *ended_us);

/* End all live sessions of a user; *ended is how many. */
enum store_result store_session_end_all(struct db *db, const struct id *user,
    int64_t now_us, int64_t *ended);

#endif
