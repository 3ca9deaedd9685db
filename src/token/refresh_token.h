/* refresh_token.h - refresh tokens: two base64url parts and a dot.
 *
 *   part 1  version (1 byte), master id (1), user (16), session (16),
 *           generation (4, big-endian)
 *   part 2  HMAC-SHA-256 of part 1's bytes under a derived server secret
 *
 * A forgery is refused without asking the database, which holds only the SHA-256
 * of the current token: reading the database gives nobody a token (RFC 9700
 * section 4.14). */

#ifndef POSTERN_TOKEN_REFRESH_TOKEN_H
#define POSTERN_TOKEN_REFRESH_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ids.h"
#include "token/keys.h"

/* 51 + 1 + 43 characters and NUL. */
#define REFRESH_TOKEN_SIZE 96

struct refresh_claims {
	struct id user;
	struct id session;
	uint32_t generation; /* 0 at sign-in, one more at each rotation */
};

/* Write the token of these claims and its SHA-256.  Cannot fail. */
void refresh_token_issue(const struct keys *keys,
    const struct refresh_claims *claims, char token[static REFRESH_TOKEN_SIZE],
    unsigned char digest[static DIGEST_SIZE]);

/*
 * Is this a token that we made?  Returns 0 with claims and digest, or -1; the
 * comparison takes constant time.  Says nothing about the session's state.
 */
int refresh_token_open(const struct keys *keys, const char *token, size_t size,
    struct refresh_claims *claims, unsigned char digest[static DIGEST_SIZE]);

#endif
