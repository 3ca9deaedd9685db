/* api_keys.h - API keys by owner and id. */

#ifndef POSTERN_STORE_API_KEYS_H
#define POSTERN_STORE_API_KEYS_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/ids.h"
#include "store/db.h"

struct api_key_row {
	unsigned char digest[DIGEST_SIZE];
	bool secret;          /* scope: secret, else publishable */
	int64_t expires_us;   /* 0: never */
	int64_t revoked_us;   /* 0: not revoked */
	int64_t last_used_us; /* 0: never */
};

/* STORE_NONE: no such key.  A row that is revoked or over is found, too. */
enum store_result store_api_key_find(struct db *db, const struct id *user,
    const struct id *key, struct api_key_row *row);

/* Note that a key was used; callers do so at most hourly.  STORE_OK whether or
 * not there was anything to note. */
enum store_result store_api_key_used(struct db *db, const struct id *user,
    const struct id *key, int64_t now_us);

#endif
