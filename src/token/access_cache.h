/* access_cache.h - access tokens that this worker has verified not long ago: a
 * signature costs more than all the rest of a check. */

#ifndef POSTERN_TOKEN_ACCESS_CACHE_H
#define POSTERN_TOKEN_ACCESS_CACHE_H

#include "token/access_token.h"

struct access_cache;

/* Of a fixed size; one belongs to one worker, its issuer and its audience.  Never
 * NULL; freeing NULL does nothing. */
struct access_cache *access_cache_new(void);
void access_cache_free(struct access_cache *cache);

/*
 * As access_token_verify(), which it asks about a token that it does not know.
 * Known are tokens that were good, by their SHA-256; their time is looked at
 * anew, and all are forgotten when the keys were read again.
 */
enum access_token_result access_cache_verify(struct access_cache *cache,
    const struct keys *keys, const char *issuer, const char *audience,
    const char *token, size_t size, int64_t now_us,
    struct access_claims *claims);

#endif
