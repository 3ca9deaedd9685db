/* access_cache.c - access tokens that this worker has verified not long ago. */

#include "token/access_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/memory.h"
#include "base/secret.h"

/* A token's digest chooses its slot, where the later one wins: 190 KB in all. */
#define SLOTS 512

struct slot {
	unsigned char digest[DIGEST_SIZE];
	struct access_claims claims; /* expires 0: the slot is free */
};

struct access_cache {
	unsigned readings; /* of the keys, when these were verified */
	struct slot slots[SLOTS];
};

struct access_cache *
access_cache_new(void)
{
	return memory_zeroed(1, sizeof(struct access_cache));
}

void
access_cache_free(struct access_cache *cache)
{
	if (cache == NULL)
		return;
	secret_wipe(cache, sizeof(*cache));
	free(cache);
}

/* A key may be there no more. */
static void
follow_keys(struct access_cache *cache, const struct keys *keys)
{
	if (cache->readings == keys_readings(keys))
		return;
	secret_wipe(cache->slots, sizeof(cache->slots));
	cache->readings = keys_readings(keys);
}

enum access_token_result
access_cache_verify(struct access_cache *cache, const struct keys *keys,
    const char *issuer, const char *audience, const char *token, size_t size,
    int64_t now_us, struct access_claims *claims)
{
	unsigned char digest[DIGEST_SIZE];
	enum access_token_result result;
	struct slot *slot;

	follow_keys(cache, keys);
	digest_sha256(token, size, digest);
	slot = &cache->slots[(digest[0] << 8 | digest[1]) % SLOTS];
	if (now_us / CLOCK_SECOND_US < slot->claims.expires &&
	    secret_equal(slot->digest, digest, sizeof(digest))) {
		*claims = slot->claims;
		return ACCESS_TOKEN_OK;
	}
	result = access_token_verify(keys, issuer, audience, token, size,
	    now_us, claims);
	if (result == ACCESS_TOKEN_OK) {
		memcpy(slot->digest, digest, sizeof(digest));
		slot->claims = *claims;
	}
	return result;
}
