/* key.h - one key that signs access tokens; the only home of OpenSSL's key
 * types. */

#ifndef POSTERN_TOKEN_KEY_H
#define POSTERN_TOKEN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* base64url of a SHA-256 thumbprint (RFC 7638), and NUL. */
#define KEY_ID_SIZE 44

/* A JWS signature: r and s of 32 bytes each, or Ed25519's 64 bytes. */
#define KEY_SIGNATURE_SIZE 64

enum key_algorithm {
	KEY_ES256, /* ECDSA, P-256, SHA-256 (RFC 7518 section 3.4) */
	KEY_EDDSA, /* Ed25519 (RFC 8037) */
};

struct json_object;
struct key_pair; /* OpenSSL's objects */

struct key {
	char kid[KEY_ID_SIZE];
	enum key_algorithm algorithm;
	int64_t created_us;
	int64_t sign_from_us;
	int64_t retired_us;    /* 0: not retired */
	struct key_pair *pair; /* NULL until made or loaded */
};

const char *key_algorithm_name(enum key_algorithm algorithm); /* "ES256" */

/* Read such a name; 0, or -1 when it is none. */
int key_algorithm_parse(const char *name, size_t size,
    enum key_algorithm *algorithm);

/* Make a new pair of key->algorithm, and the kid that belongs to it.  Returns 0,
 * or -1 when OpenSSL cannot (logged). */
int key_make(struct key *key);

/*
 * Take the pair from a private key in PEM (PKCS #8, not encrypted).  Returns
 * NULL; or what is wrong with it, a constant: it must be of key->algorithm, both
 * halves must belong together, and its thumbprint must be key->kid.
 */
const char *key_load(struct key *key, const char *pem, size_t size);

/* The private key as PKCS #8 PEM, with a NUL behind it, owned by the caller, who
 * wipes it; NULL when OpenSSL cannot (logged). */
char *key_pem(const struct key *key, size_t *size);

/* Free (and wipe) the pair; the rest stays.  Nothing when there is none. */
void key_release(struct key *key);

/*
 * The public half as a JWK with the members that a thumbprint is made of, in
 * their order: crv, kty, x, and y for P-256 (RFC 7638 section 3.2, RFC 8037
 * section 2).  Owned by the caller.  NULL when OpenSSL cannot.
 */
struct json_object *key_public(const struct key *key);

/* Sign bytes as JWS wants it.  Returns 0, or -1 when OpenSSL cannot (logged). */
int key_sign(const struct key *key, const void *bytes, size_t size,
    unsigned char signature[static KEY_SIGNATURE_SIZE]);

/* Is this the key's signature of these bytes? */
bool key_verify(const struct key *key, const void *bytes, size_t size,
    const unsigned char signature[static KEY_SIGNATURE_SIZE]);

#endif
