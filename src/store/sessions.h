/* sessions.h - sessions: one row each, keyed by user and session id. */

#ifndef POSTERN_STORE_SESSIONS_H
#define POSTERN_STORE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/email.h"
#include "base/ids.h"
#include "store/db.h"
#include "store/logins.h"
#include "store/throttle.h"

#define SESSION_ADDRESS_SIZE 46 /* text of an IPv6 address */
#define SESSION_DEVICE_SIZE  201 /* of the User-Agent, cut at a character */

/* As stored; the numbers are in the database and never change. */
enum session_ended {
	SESSION_ENDED_SIGN_OUT = 1,
	SESSION_ENDED_REUSE = 2,
	SESSION_ENDED_OPERATOR = 3,
	SESSION_ENDED_ACCOUNT = 4, /* password or status changed */
};

struct new_session {
	struct id user;
	struct id session;
	struct id event; /* of the audit row */
	struct id key;   /* the API key that opens it; nil: a person signs in */
	unsigned char digest[DIGEST_SIZE]; /* of the first refresh token */
	int64_t now_us;
	int64_t expires_us;
	const char *address; /* or NULL */
	const char *device;  /* or NULL */
	const struct throttle_rule *rule; /* whose failures are over; or NULL */
	const char *login_key;       /* whose password was checked; NULL: none was,
	                                an API key opens it */
	int64_t password_changed_us; /* that one's; 0: its time is not known */
};

/*
 * Write the session, the user's time of sign-in and the audit row in one
 * statement.  Sent twice it changes nothing more.  STORE_NONE, and nothing is
 * written, when the account is gone or not confirmed, its password is another
 * one by now, or the API key no longer stands; where one of them is being
 * changed at this very moment, this waits to see.  STORE_CONFLICT when so many
 * others failed meanwhile that it is locked; *locked_until_us (or NULL: not asked
 * for) says until when.  Address and device are cut to fit, and left out when they
 * are not UTF-8.
 */
enum store_result store_session_open(struct db *db,
    const struct new_session *session, int64_t *locked_until_us);

/* A refresh token that has been shown, and found genuine. */
struct session_shown {
	struct id user;
	struct id session;
	int32_t generation;
	unsigned char digest[DIGEST_SIZE];
	const unsigned char *next_digest; /* of the token that follows it; NULL:
	                                     do not rotate */
	int64_t now_us;
	int64_t fresh_since_us; /* now less the grace */
	int64_t idle_since_us;
	struct id event;     /* of the audit row, if there is one */
	const char *address; /* or NULL */
};

/* The session afterwards. */
struct session_state {
	char email[EMAIL_SIZE]; /* as the person wrote it */
	enum account_status status;
	int32_t generation;     /* of the token that is current now */
	int64_t rotated_us;
	int64_t expires_us;
	int64_t ended_us;       /* 0: has not ended */
	int ended_why;          /* enum session_ended, 0 when it has not */
	struct id key;          /* nil: a person signed in */
};

/*
 * Show a refresh token: one statement decides, so that of any number at once all
 * get the same answer.  Of a session that is live (not ended, expired or idle;
 * its account confirmed) the current token is rotated, once it is
 * older than the grace; it and, within the grace, its parent leave the session as
 * it is; an older one ends it, with an audit row.
 *
 * STORE_NONE: no such session.  A session that was over before is told, too.
 */
enum store_result store_session_show(struct db *db,
    const struct session_shown *shown, struct session_state *state);

/* A live session as its person sees it. */
struct session_view {
	struct id session;
	int64_t created_us;
	int64_t rotated_us; /* last refresh */
	int64_t expires_us;
	char address[SESSION_ADDRESS_SIZE];
	char device[SESSION_DEVICE_SIZE];
};

/* The live sessions of a user: `first`, if it is one, and then the newest.
 * `list` has room for `limit`; *count says how many came. */
enum store_result store_sessions_view(struct db *db, const struct id *user,
    const struct id *first, int64_t now_us, int64_t idle_since_us,
    size_t limit, struct session_view *list, size_t *count);

/* Somebody leaves. */
struct session_leave {
	struct id user;
	struct id session;
	struct id event; /* of the audit row */
	int64_t now_us;
	const char *address; /* or NULL */
};

/* End one session, with an audit row if it had not ended.  STORE_NONE: there is no
 * such session. */
enum store_result store_session_leave(struct db *db,
    const struct session_leave *leave);

/*
 * End all live sessions of the user, or (`keep_this`) all but the one that asks,
 * with one audit row if there were any.  *count says how many ended; their ids,
 * as far as there is room for `limit`, are in `list`.
 */
enum store_result store_sessions_leave(struct db *db,
    const struct session_leave *leave, bool keep_this, size_t limit,
    struct id *list, size_t *count);

#endif
