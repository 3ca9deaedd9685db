/* admin_api_keys.h - API keys made, listed and revoked: posternctl only. */

#ifndef POSTERN_STORE_ADMIN_API_KEYS_H
#define POSTERN_STORE_ADMIN_API_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/email.h"
#include "base/ids.h"
#include "store/db.h"

#define API_KEY_NAME_SIZE 201 /* as sql/ has it, and a byte more */

struct new_api_key {
	struct id user; /* nil: belongs to nobody */
	struct id key;
	unsigned char digest[DIGEST_SIZE];
	bool secret;    /* scope: secret, else publishable */
	const char *name; /* at most API_KEY_NAME_SIZE - 1 bytes of UTF-8 */
	int64_t now_us;
	int64_t expires_us; /* 0: never */
};

enum store_result store_api_key_add(struct db *db,
    const struct new_api_key *key);

struct api_key_info {
	struct id user;
	struct id key;
	bool secret;
	char name[API_KEY_NAME_SIZE];
	int64_t created_us;
	int64_t expires_us;   /* 0: never */
	int64_t last_used_us; /* 0: never */
	int64_t revoked_us;   /* 0: not revoked */
	char login_key[EMAIL_SIZE]; /* the owner's, "" when there is none */
};

/*
 * A page of keys in the order of owner and id: all of them, or (`user` not NULL)
 * one owner's; those behind `after_user` and `after_key`, nil at first.  `list`
 * has room for `limit`; *count says how many came.
 */
enum store_result store_api_key_list(struct db *db, const struct id *user,
    const struct id *after_user, const struct id *after_key, size_t limit,
    struct api_key_info *list, size_t *count);

/* Revoke a key, and end the sessions that it opened or is opening.  *revoked_us
 * tells when it was: now, or some time before.  STORE_NONE: there is no such
 * key. */
enum store_result store_api_key_revoke(struct db *db, const struct id *key,
    int64_t now_us, int64_t *revoked_us);

/* How many keys stand: neither revoked nor expired. */
enum store_result store_api_key_count(struct db *db, int64_t now_us,
    int64_t *count);

#endif
