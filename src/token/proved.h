/* proved.h - the form that refresh tokens and device tokens share: two base64url
 * parts and a dot.
 *
 *   part 1  claims: version (1 byte), master id (1), and what the token says
 *   part 2  HMAC-SHA-256 of the claims, and of what else is to be proved, under a
 *           derived server secret */

#ifndef POSTERN_TOKEN_PROVED_H
#define POSTERN_TOKEN_PROVED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base64url.h"
#include "base/digest.h"
#include "token/keys.h"

/* Where a token's own claims begin. */
#define PROVED_CLAIMS_AT 2

/* Characters of a token with so many bytes of claims. */
#define PROVED_LENGTH(claims_size) \
	(BASE64URL_LENGTH(claims_size) + 1 + BASE64URL_LENGTH(DIGEST_SIZE))

/* A kind of token. */
struct proved_form {
	enum keys_purpose purpose;
	size_t claims_size; /* from the version on */
	size_t proved_size; /* the same, or more: what is proved, and not told */
};

/* Write the token, of PROVED_LENGTH characters and NUL.  `bytes` are the form's
 * proved_size; version and master id are filled in.  Cannot fail. */
void proved_write(const struct keys *keys, const struct proved_form *form,
    unsigned char *bytes, char *token);

/*
 * Is this a token that we wrote?  If so, its claims are in `bytes`, behind which
 * the caller has put what else was proved.  The comparison takes constant time.
 */
bool proved_read(const struct keys *keys, const struct proved_form *form,
    const char *token, size_t size, unsigned char *bytes);

#endif
