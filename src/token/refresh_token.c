/* refresh_token.c - refresh tokens: written, and recognised. */

#include <string.h>

#include "token/proved.h"
#include "token/refresh_token.h"

#define USER_AT       PROVED_CLAIMS_AT
#define SESSION_AT    (USER_AT + ID_SIZE)
#define GENERATION_AT (SESSION_AT + ID_SIZE)
#define CLAIMS_SIZE   (GENERATION_AT + 4)

_Static_assert(PROVED_LENGTH(CLAIMS_SIZE) + 1 == REFRESH_TOKEN_SIZE,
    "the header counted right");

static const struct proved_form form = {
	.purpose = KEYS_REFRESH_TOKEN,
	.claims_size = CLAIMS_SIZE,
	.proved_size = CLAIMS_SIZE,
};

static void
write_claims(const struct refresh_claims *claims,
    unsigned char bytes[static CLAIMS_SIZE])
{
	memcpy(bytes + USER_AT, claims->user.bytes, ID_SIZE);
	memcpy(bytes + SESSION_AT, claims->session.bytes, ID_SIZE);
	for (int i = 0; i < 4; i++)
		bytes[GENERATION_AT + i] =
		    (unsigned char)(claims->generation >> (24 - 8 * i));
}

static void
read_claims(const unsigned char bytes[static CLAIMS_SIZE],
    struct refresh_claims *claims)
{
	memcpy(claims->user.bytes, bytes + USER_AT, ID_SIZE);
	memcpy(claims->session.bytes, bytes + SESSION_AT, ID_SIZE);
	claims->generation = 0;
	for (int i = 0; i < 4; i++)
		claims->generation =
		    claims->generation << 8 | bytes[GENERATION_AT + i];
}

void
refresh_token_issue(const struct keys *keys,
    const struct refresh_claims *claims, char token[static REFRESH_TOKEN_SIZE],
    unsigned char digest[static DIGEST_SIZE])
{
	unsigned char bytes[CLAIMS_SIZE];

	write_claims(claims, bytes);
	proved_write(keys, &form, bytes, token);
	digest_sha256(token, REFRESH_TOKEN_SIZE - 1, digest);
}

int
refresh_token_open(const struct keys *keys, const char *token, size_t size,
    struct refresh_claims *claims, unsigned char digest[static DIGEST_SIZE])
{
	unsigned char bytes[CLAIMS_SIZE];

	if (!proved_read(keys, &form, token, size, bytes))
		return -1;
	read_claims(bytes, claims);
	digest_sha256(token, size, digest);
	return 0;
}
