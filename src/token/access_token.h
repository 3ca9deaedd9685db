/* access_token.h - access tokens: JWTs signed as JWS compact (RFC 7515, 7519)
 * in the profile of RFC 9068. */

#ifndef POSTERN_TOKEN_ACCESS_TOKEN_H
#define POSTERN_TOKEN_ACCESS_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/email.h"
#include "base/ids.h"
#include "token/keys.h"

/* Room for a token with the longest e-mail address and the longest issuer and
 * audience that settings may have, 255 bytes of JSON each; and NUL. */
#define ACCESS_TOKEN_SIZE 2048

#define ACCESS_METHOD_SIZE 16

struct access_claims {
	struct id subject;  /* sub: the user */
	struct id session;  /* sid */
	struct id token;    /* jti */
	int64_t issued;     /* iat, seconds */
	int64_t expires;    /* exp, seconds */
	char email[EMAIL_SIZE];
	char method[ACCESS_METHOD_SIZE]; /* the one value of amr: "pwd" (RFC
	                                    8176), "apikey" */
};

enum access_token_result {
	ACCESS_TOKEN_OK,
	ACCESS_TOKEN_EXPIRED, /* genuine, but its time is over */
	ACCESS_TOKEN_INVALID, /* anything else */
};

/*
 * Sign claims with the key that signs now: header typ "at+jwt", alg, kid; claims
 * iss, aud, sub, sid, iat, exp, jti, amr, email.  Returns 0; -1 when no key signs
 * now, OpenSSL fails, or issuer and audience are too long (logged).
 */
int access_token_issue(const struct keys *keys, const char *issuer,
    const char *audience, const struct access_claims *claims, int64_t now_us,
    char token[static ACCESS_TOKEN_SIZE]);

/*
 * Verify a token: size first, then the header, signature, iss, aud, the form of
 * each claim, exp (no leeway: one clock).  The header must be, byte for byte,
 * the one that access_token_issue() writes for a key we have: it is compared and
 * not parsed, so typ, alg and kid leave nothing to interpret (RFC 8725 sections
 * 3.1 and 3.11).  Claims are written for OK and EXPIRED.  Nothing is logged.
 */
enum access_token_result access_token_verify(const struct keys *keys,
    const char *issuer, const char *audience, const char *token, size_t size,
    int64_t now_us, struct access_claims *claims);

#endif
