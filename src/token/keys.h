/* keys.h - the service's keys: those that sign access tokens, and the master
 * secret.  They live in a directory (key_dir.h); keys_admin.h changes it. */

#ifndef POSTERN_TOKEN_KEYS_H
#define POSTERN_TOKEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "token/key.h"
#include "token/key_dir.h"

enum key_state {
	KEY_PUBLISHED, /* in the JWKS, does not sign yet */
	KEY_SIGNING,   /* the one that signs now */
	KEY_STANDBY,   /* may sign, but a newer one does: it only verifies */
	KEY_RETIRED,   /* verifies what it signed until those tokens expire */
	KEY_GONE,      /* retired longer ago than any token can live */
};

/* What the master secret proves, each with a secret of its own. */
enum keys_purpose {
	KEYS_REFRESH_TOKEN,
	KEYS_DEVICE_TOKEN,
	KEYS_THROTTLE_ACCOUNT,
	KEYS_THROTTLE_DEVICE,
	KEYS_PURPOSES
};

struct keys;

/*
 * Open a key directory.  Returns NULL with a sentence in `why`: which file, what
 * is wrong.
 */
struct keys *keys_open(const char *dir, char why[static KEYS_WHY_SIZE]);

/* Wipes them; NULL does nothing. */
void keys_close(struct keys *keys);

/*
 * Follow changes made by posternctl: looks at keys.json, and reads the directory
 * again when it changed.  Called before each request, so that no worker meets a
 * token whose key it does not know yet.  A directory that cannot be read leaves
 * the keys as they were, is logged once, and tried again a second later.  Pointers
 * to keys taken before are void afterwards.
 */
void keys_refresh(struct keys *keys, int64_t now_us);

/* How often the directory was read: what was verified before a change may not be
 * any more. */
unsigned keys_readings(const struct keys *keys);

/* The key that signs at this time: the newest one whose sign_from has come and
 * which is not retired.  NULL when there is none. */
const struct key *keys_signing(const struct keys *keys, int64_t now_us);

/* All keys, newest first, by an index below their count; each verifies what it
 * signed until it is KEY_GONE. */
size_t keys_count(const struct keys *keys);
const struct key *keys_at(const struct keys *keys, size_t index);
enum key_state keys_state(const struct keys *keys, const struct key *key,
    int64_t now_us);
const char *key_state_name(enum key_state state);

/*
 * What only this server can compute of these bytes: their HMAC-SHA-256 under the
 * purpose's secret, HMAC-SHA-256(master, "refresh-token") and so on.  The caller
 * wipes it where it is a secret.
 */
void keys_prove(const struct keys *keys, enum keys_purpose purpose,
    const void *bytes, size_t size, unsigned char proof[static DIGEST_SIZE]);

/* Is this the proof of these bytes?  A wrong one takes as long as the right one. */
bool keys_is_proof(const struct keys *keys, enum keys_purpose purpose,
    const void *bytes, size_t size,
    const unsigned char shown[static DIGEST_SIZE]);

/* First byte of SHA-256 of the master secret: tells in a refresh token which
 * secret made it. */
unsigned char keys_master_id(const struct keys *keys);

#endif
