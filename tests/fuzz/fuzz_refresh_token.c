/* fuzz_refresh_token.c - a refresh token that is taken is the one that we make. */

#include "fuzz_keys.h"
#include "token/refresh_token.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char digest[DIGEST_SIZE], again[DIGEST_SIZE];
	char token[REFRESH_TOKEN_SIZE];
	struct refresh_claims claims;

	if (refresh_token_open(fuzz_keys(), (const char *)data, size, &claims,
		digest) != 0)
		return 0;
	refresh_token_issue(fuzz_keys(), &claims, token, again);
	MUST(size == strlen(token));
	MUST(memcmp(token, data, size) == 0);
	MUST(memcmp(digest, again, sizeof(digest)) == 0);
	return 0;
}
