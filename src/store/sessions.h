/* sessions.h - sessions: one row each, keyed by user and session id. */

#ifndef POSTERN_STORE_SESSIONS_H
#define POSTERN_STORE_SESSIONS_H

#include "base/digest.h"
#include "base/ids.h"
#include "store/db.h"

#define SESSION_ADDRESS_SIZE 46 /* text of an IPv6 address */
#define SESSION_DEVICE_SIZE  201 /* of the User-Agent, cut at a character */

struct new_session {
	struct id user;
	struct id session;
	struct id event; /* of the audit row */
	unsigned char digest[DIGEST_SIZE]; /* of the first refresh token */
	int64_t now_us;
	int64_t expires_us;
	const char *address; /* or NULL */
	const char *device;  /* or NULL */
};

/*
 * Write the session, the user's time of sign-in and the audit row in one
 * statement.  Sent twice it changes nothing more.  STORE_NONE, and nothing is
 * written, when the account is gone or disabled.  Address and device are cut to
 * fit, and left out when they are not UTF-8.
 */
enum store_result store_session_open(struct db *db,
    const struct new_session *session);

#endif
