/* logins.h - who an e-mail address belongs to: the one read of a sign-in. */

#ifndef POSTERN_STORE_LOGINS_H
#define POSTERN_STORE_LOGINS_H

#include "base/email.h"
#include "base/ids.h"
#include "store/db.h"
#include "store/throttle.h"

/* As stored; the numbers are in the database and never change. */
enum account_status {
	ACCOUNT_CONFIRMED = 0,
	ACCOUNT_UNCONFIRMED = 1,
	ACCOUNT_FORCE_CHANGE_PASSWORD = 2,
	ACCOUNT_RESET_REQUIRED = 3,
	ACCOUNT_EXTERNAL_PROVIDER = 4, /* signs in elsewhere */
	ACCOUNT_DISABLED = 5,
};

#define LOGIN_VERIFIER_SIZE 512

struct login {
	struct id user;
	char email[EMAIL_SIZE];             /* as the person wrote it */
	char verifier[LOGIN_VERIFIER_SIZE]; /* "": has no password */
	int64_t password_changed_us;        /* 0: never */
	enum account_status status;
	bool key_stands; /* the API key asked about is not revoked nor over */
	int64_t locked_until_us; /* by the throttle; 0: not locked */
};

/*
 * Find a login by its canonical key.  In the same round trip, ask whether an
 * API key that the caller remembers still stands: `key_user` and `key` (NULL:
 * there is none to ask about, key_stands is true); and whether the throttle has
 * locked.  STORE_NONE when nobody has the address; these two are answered then,
 * too.  The caller wipes the login.
 */
enum store_result store_login_find(struct db *db, const char *login_key,
    const struct id *key_user, const struct id *key,
    const struct throttle_rule *rule, int64_t now_us, struct login *login);

/* A status in the first row of a result, for the typed files of store/; false:
 * there is no such status. */
bool store_status_read(const struct db_rows *rows, int column,
    enum account_status *status);

/* Put a better verifier in place of the one just checked; STORE_NONE when it
 * has changed meanwhile. */
enum store_result store_login_rehash(struct db *db, const char *login_key,
    const char *old_verifier, const char *new_verifier);

#endif
