/* keys.h - the key directory: keys that sign access tokens, and the master
 * secret.  OpenSSL's key types stay inside token/. */

#ifndef POSTERN_TOKEN_KEYS_H
#define POSTERN_TOKEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* base64url of a SHA-256 thumbprint (RFC 7638), and NUL. */
#define KEY_ID_SIZE 44
#define KEYS_WHY_SIZE 512
#define MASTER_SECRET_SIZE 32

/*
 * The directory (mode 0700) holds:
 *   keys.json    the list: kid, alg, created, sign_from, retired (RFC 3339)
 *   <kid>.pem    one private key each, PKCS #8, mode 0600
 *   master.key   the master secret, base64url of 32 bytes, mode 0600
 * A directory or file that others may write, or read where it is secret, is
 * refused.
 */

enum key_algorithm {
	KEY_ES256, /* ECDSA P-256 (RFC 7518 3.4) */
	KEY_EDDSA, /* Ed25519 (RFC 8037) */
};

enum key_state {
	KEY_PUBLISHED, /* in the JWKS, does not sign yet */
	KEY_SIGNING,   /* the one that signs now */
	KEY_STANDBY,   /* may sign, but a newer one does: it only verifies */
	KEY_RETIRED,   /* verifies what it signed until those tokens expire */
	KEY_GONE,      /* retired longer ago than any token lives */
};

struct evp_pkey_st; /* EVP_PKEY */

struct key {
	char kid[KEY_ID_SIZE];
	enum key_algorithm algorithm;
	struct evp_pkey_st *pkey;
	int64_t created_us;
	int64_t sign_from_us;
	int64_t retired_us; /* 0: not retired */
};

struct keys;

/*
 * Open a key directory.  Returns NULL with a sentence in `why`: which file, what
 * is wrong.  `token_seconds` is the longest life of an access token, which tells
 * when a retired key is gone.
 */
struct keys *keys_open(const char *dir, int token_seconds,
    char why[static KEYS_WHY_SIZE]);
void keys_close(struct keys *keys);

/*
 * Follow changes made by posternctl: looks at keys.json at most once a second
 * and reads the directory again when it changed.  A directory that cannot be
 * read leaves the keys as they were, and is logged once.  Pointers to keys taken
 * before are void afterwards.
 */
void keys_refresh(struct keys *keys, int64_t now_us);

/* The key that signs at this time: the newest one whose sign_from has come and
 * which is not retired.  NULL when there is none. */
const struct key *keys_signing(const struct keys *keys, int64_t now_us);

/* The key that may verify a token with this kid now, or NULL. */
const struct key *keys_verifying(const struct keys *keys, const char *kid,
    size_t kid_size, int64_t now_us);

/* All keys, newest first. */
size_t keys_count(const struct keys *keys);
const struct key *keys_at(const struct keys *keys, size_t index);
enum key_state keys_state(const struct keys *keys, const struct key *key,
    int64_t now_us);
const char *key_algorithm_name(enum key_algorithm algorithm); /* "ES256" */
const char *key_state_name(enum key_state state);

/*
 * A secret of its own for each purpose, derived from the master secret:
 * HMAC-SHA-256(master, label).  The caller wipes it.
 */
void keys_derive(const struct keys *keys, const char *label,
    unsigned char secret[static MASTER_SECRET_SIZE]);

/* First byte of SHA-256 of the master secret: tells in a refresh token which
 * secret made it. */
unsigned char keys_master_id(const struct keys *keys);

/* ---- administration; used by posternctl only ---- */

/* Make the directory with a master secret, if they are not there.  0 or -1. */
int keys_init(const char *dir, char why[static KEYS_WHY_SIZE]);

/* Make a key that signs from `sign_from_us` on.  0 and its kid, or -1. */
int keys_new(const char *dir, enum key_algorithm algorithm, int64_t now_us,
    int64_t sign_from_us, char kid[static KEY_ID_SIZE],
    char why[static KEYS_WHY_SIZE]);

/*
 * Retire a key at a time; refused when no other key would sign then.  Keys that
 * are gone are removed by keys_prune() (returns how many, or -1).
 */
int keys_retire(const char *dir, const char *kid, int64_t when_us,
    char why[static KEYS_WHY_SIZE]);
int keys_prune(const char *dir, int token_seconds, int64_t now_us,
    char why[static KEYS_WHY_SIZE]);

#endif
