/* admin_accounts.h - accounts, written and listed: posternctl only. */

#ifndef POSTERN_STORE_ADMIN_ACCOUNTS_H
#define POSTERN_STORE_ADMIN_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/email.h"
#include "base/ids.h"
#include "store/db.h"
#include "store/logins.h"

struct new_account {
	struct id user;
	const char *login_key; /* canonical */
	const char *email;     /* as the person wrote it */
	const char *name;      /* at most ACCOUNT_NAME_SIZE - 1 bytes; or NULL */
	const char *verifier;  /* NULL: no password */
	enum account_status status;
	int64_t now_us;
};

#define ACCOUNT_NAME_SIZE 201 /* as sql/ has it, and a byte more */

/* Make login and user together.  STORE_CONFLICT: somebody has the address. */
enum store_result store_account_add(struct db *db,
    const struct new_account *account);

/*
 * Make many at once: all or, unless OK, none.  Those whose address somebody has
 * already are left out, and was_there[i] says so.
 */
enum store_result store_account_add_many(struct db *db,
    const struct new_account *accounts, size_t count, bool *was_there);

/* Make none; only say whose address somebody has. */
enum store_result store_account_find_many(struct db *db,
    const struct new_account *accounts, size_t count, bool *was_there);

struct account_row {
	struct id user;
	char login_key[EMAIL_SIZE];
	char email[EMAIL_SIZE];
	enum account_status status;
	bool has_password;
	int64_t created_us;
	int64_t password_changed_us; /* 0: never */
};

struct account_detail {
	struct account_row row;
	char name[ACCOUNT_NAME_SIZE];       /* "": has none */
	char verifier[LOGIN_VERIFIER_SIZE]; /* "": has no password */
	int64_t last_sign_in_us;            /* 0: never */
	int64_t live_sessions;
	int64_t active_api_keys;
};

/*
 * Find one account; a session not refreshed since `idle_since_us` is not live.
 * The caller wipes the detail's verifier.
 */
enum store_result store_account_find(struct db *db, const char *login_key,
    int64_t now_us, int64_t idle_since_us, struct account_detail *detail);

/*
 * A page of accounts in the order of their keys: those behind `after` ("" is the
 * start), of one status or (-1) any.  `list` has room for `limit`; *count says
 * how many came.
 */
enum store_result store_account_list(struct db *db, const char *after,
    int status, size_t limit, struct account_row *list, size_t *count);

struct account_change {
	struct id user;
	const char *login_key;
	enum account_status before; /* what the caller saw */
	enum account_status after;
	const char *verifier;       /* NULL: keeps the password */
	bool end_sessions;
	int64_t now_us;
};

/*
 * Change status and, when given, password in both tables, and end the live
 * sessions, if wanted; *sessions_ended is how many.  STORE_NONE when the account
 * has another status by now, or is gone.
 */
enum store_result store_account_change(struct db *db,
    const struct account_change *change, int64_t *sessions_ended);

/* Remove an account with its sessions, also those that are being opened, and API
 * keys, and tell how many of each; audit rows stay.  OK, too, when there was
 * nothing left to remove. */
enum store_result store_account_delete(struct db *db, const char *login_key,
    const struct id *user, int64_t *sessions, int64_t *api_keys);

#endif
