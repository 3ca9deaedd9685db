/* api_key.h - API keys: static secrets for programs.
 *
 *   pk.<ids>.<secret>   publishable: may sign in and refresh
 *   sk.<ids>.<secret>   secret: may open sessions too
 *
 * <ids> is base64url of the owner's and the key's id (32 bytes), <secret> of 32
 * random bytes; the database holds the SHA-256 of the whole text. */

#ifndef POSTERN_TOKEN_API_KEY_H
#define POSTERN_TOKEN_API_KEY_H

#include <stddef.h>

#include "base/digest.h"
#include "base/ids.h"

/* 2 + 1 + 43 + 1 + 43 characters and NUL. */
#define API_KEY_SIZE 91

enum api_key_kind {
	API_KEY_PUBLISHABLE,
	API_KEY_SECRET,
};

struct api_key {
	enum api_key_kind kind;
	struct id user; /* id_nil: belongs to nobody (publishable only) */
	struct id key;
	unsigned char digest[DIGEST_SIZE];
};

/* Draw a secret for key->kind, user (a secret key must have one) and key; write
 * the text (the caller shows it once and wipes it) and key->digest. */
void api_key_make(struct api_key *key, char text[static API_KEY_SIZE]);

/* Take a text apart and digest it.  Returns 0, or -1 when it is not of the form;
 * whether it is genuine only the database knows. */
int api_key_parse(const char *text, size_t size, struct api_key *key);

#endif
