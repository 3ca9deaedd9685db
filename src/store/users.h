/* users.h - accounts by user id, beside the session that asks. */

#ifndef POSTERN_STORE_USERS_H
#define POSTERN_STORE_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/email.h"
#include "base/ids.h"
#include "store/db.h"
#include "store/logins.h"

struct user_row {
	char email[EMAIL_SIZE]; /* as the person wrote it */
	enum account_status status;
	bool session_stands;    /* it has neither ended nor expired */
};

/*
 * Find a user and, in the same round trip, whether one of its sessions stands:
 * `session` NULL asks about none.  A session that was not refreshed since
 * `idle_since_us` has expired.  STORE_NONE: there is no such user.
 */
enum store_result store_user_find(struct db *db, const struct id *user,
    const struct id *session, int64_t now_us, int64_t idle_since_us,
    struct user_row *row);

#endif
