/* jwks.h - the public keys, for those who verify access tokens by themselves: a
 * JWK Set (RFC 7517 section 5). */

#ifndef POSTERN_TOKEN_JWKS_H
#define POSTERN_TOKEN_JWKS_H

#include <stdint.h>

#include "token/keys.h"

struct json_object;

/*
 * {"keys":[...]}, newest first: the keys that verify and those that will sign
 * one day, without their private halves.  The same keys give the same text.
 * Owned by the caller.  NULL when OpenSSL cannot (logged).
 */
struct json_object *jwks_new(const struct keys *keys, int64_t now_us);

#endif
