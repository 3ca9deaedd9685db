/* account.h - accounts under administration: what a password and a name may be,
 * and what follows when a password or a status changes. */

#ifndef POSTERN_ACTS_ACCOUNT_H
#define POSTERN_ACTS_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acts/account_status.h"
#include "hash/password.h"
#include "store/logins.h"

/* ---- rules; these ask nobody --------------------------------------------- */

/* May this be what people call somebody: something to see, in at most
 * ACCOUNT_NAME_SIZE - 1 bytes of UTF-8 without control characters? */
bool account_name_is_good(const char *name, size_t size);

enum account_password {
	ACCOUNT_PASSWORD_OK,
	ACCOUNT_PASSWORD_EMPTY,
	ACCOUNT_PASSWORD_SHORT,
	ACCOUNT_PASSWORD_LONG,       /* over PASSWORD_SIZE_LIMIT bytes */
	ACCOUNT_PASSWORD_HAS_NUL,    /* no sign-in takes U+0000 */
	ACCOUNT_PASSWORD_NOT_UTF8,
	ACCOUNT_PASSWORD_NOT_HASHED, /* memory is out */
};

/*
 * May this be a password?  At least `min_length` characters (code points as
 * typed), at most PASSWORD_SIZE_LIMIT bytes before and after normalisation.
 */
enum account_password account_password_check(const char *password,
    size_t size, int min_length);

/* Check as above and make the verifier, which the caller wipes.  Wants
 * password_init(). */
enum account_password account_password_hash(const char *password, size_t size,
    int min_length, char verifier[static PASSWORD_VERIFIER_SIZE]);

/* ---- acts ---------------------------------------------------------------- */

struct db;

/*
 * Make an account.  `key` is canonical, `email` as it was typed; `name` may be
 * NULL, and `verifier` NULL gives it no password.  *user is its new id.
 * STORE_CONFLICT: somebody has the address.
 */
enum store_result account_add(struct db *db, const char *key,
    const char *email, const char *name, const char *verifier,
    enum account_status status, int64_t now_us, struct id *user);

struct account_outcome {
	enum account_status before;
	enum account_status after;
	int64_t sessions_ended;
};

/*
 * Set a password; every session ends, since whoever holds one may be the reason
 * for the new password.  STORE_NONE: nobody has the address.  STORE_CONFLICT:
 * others keep changing this account at the same time.  *outcome is what has been
 * done, when the answer is OK.
 */
enum store_result account_set_password(struct db *db, const char *key,
    const char *verifier, bool force_change, int64_t now_us,
    struct account_outcome *outcome);

/* Set a status; sessions end when it does not keep them.  Answers as above. */
enum store_result account_set_status(struct db *db, const char *key,
    enum account_status status, int64_t now_us,
    struct account_outcome *outcome);

#endif
