/* refresh_token.c - refresh tokens: written, and recognised. */

#include <string.h>

#include "base/base64url.h"
#include "base/secret.h"
#include "token/refresh_token.h"

#define VERSION 1

/* Part 1's bytes. */
#define VERSION_AT    0
#define MASTER_AT     1
#define USER_AT       2
#define SESSION_AT    (USER_AT + ID_SIZE)
#define GENERATION_AT (SESSION_AT + ID_SIZE)
#define CLAIMS_SIZE   (GENERATION_AT + 4)

#define CLAIMS_LENGTH BASE64URL_LENGTH(CLAIMS_SIZE)
#define PROOF_LENGTH  BASE64URL_LENGTH(DIGEST_SIZE)
#define PROOF_AT      (CLAIMS_LENGTH + 1)
#define LENGTH        (PROOF_AT + PROOF_LENGTH)

_Static_assert(LENGTH + 1 == REFRESH_TOKEN_SIZE, "the header counted right");

static void
write_claims(const struct keys *keys, const struct refresh_claims *claims,
    unsigned char bytes[static CLAIMS_SIZE])
{
	bytes[VERSION_AT] = VERSION;
	bytes[MASTER_AT] = keys_master_id(keys);
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
	unsigned char bytes[CLAIMS_SIZE], proof[DIGEST_SIZE];

	write_claims(keys, claims, bytes);
	keys_prove(keys, KEYS_REFRESH_TOKEN, bytes, sizeof(bytes), proof);
	base64url_encode(bytes, sizeof(bytes), token);
	token[PROOF_AT - 1] = '.';
	base64url_encode(proof, sizeof(proof), token + PROOF_AT);
	digest_sha256(token, LENGTH, digest);
	secret_wipe(proof, sizeof(proof));
}

/* Are these bytes, shown with this proof, a token of ours? */
static bool
is_genuine(const struct keys *keys,
    const unsigned char bytes[static CLAIMS_SIZE],
    const unsigned char shown[static DIGEST_SIZE])
{
	return bytes[VERSION_AT] == VERSION &&
	       bytes[MASTER_AT] == keys_master_id(keys) &&
	       keys_is_proof(keys, KEYS_REFRESH_TOKEN, bytes, CLAIMS_SIZE, shown);
}

int
refresh_token_open(const struct keys *keys, const char *token, size_t size,
    struct refresh_claims *claims, unsigned char digest[static DIGEST_SIZE])
{
	unsigned char bytes[CLAIMS_SIZE], shown[DIGEST_SIZE];
	bool genuine;

	if (size != LENGTH || token[PROOF_AT - 1] != '.')
		return -1;
	if (base64url_decode(token, CLAIMS_LENGTH, bytes, sizeof(bytes)) !=
	    sizeof(bytes))
		return -1;
	genuine = base64url_decode(token + PROOF_AT, PROOF_LENGTH, shown,
		      sizeof(shown)) == sizeof(shown) &&
		  is_genuine(keys, bytes, shown);
	secret_wipe(shown, sizeof(shown));
	if (!genuine)
		return -1;
	read_claims(bytes, claims);
	digest_sha256(token, size, digest);
	return 0;
}
