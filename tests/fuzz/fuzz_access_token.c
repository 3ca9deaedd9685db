/* fuzz_access_token.c - any text as a token, and any text as the claims of one
 * that is rightly signed. */

#include "base/base64url.h"
#include "fuzz_keys.h"
#include "token/access_token.h"

#define ISSUER   "https://id.example.org"
#define AUDIENCE "https://api.example.org"

static enum access_token_result
verify(const char *token, size_t size, struct access_claims *claims)
{
	return access_token_verify(fuzz_keys(), ISSUER, AUDIENCE, token, size,
	    FUZZ_NOW_US, claims);
}

/* What was accepted can be issued, and comes back. */
static void
check(const char *token, size_t size)
{
	struct access_claims claims, again;
	enum access_token_result result = verify(token, size, &claims);
	char issued[ACCESS_TOKEN_SIZE];

	if (result == ACCESS_TOKEN_INVALID)
		return;
	MUST(claims.email[0] != '\0' && claims.method[0] != '\0');
	MUST((claims.expires > FUZZ_NOW_US / 1000000) ==
	     (result == ACCESS_TOKEN_OK));

	/* Characters may be escaped where they were not: then it may be too
	 * long. */
	if (access_token_issue(fuzz_keys(), ISSUER, AUDIENCE, &claims,
		FUZZ_NOW_US, issued) != 0)
		return;
	MUST(verify(issued, strlen(issued), &again) == result);
	MUST(id_equal(&claims.subject, &again.subject));
	MUST(id_equal(&claims.session, &again.session));
	MUST(id_equal(&claims.token, &again.token));
	MUST(claims.issued == again.issued && claims.expires == again.expires);
	MUST(strcmp(claims.email, again.email) == 0);
	MUST(strcmp(claims.method, again.method) == 0);
}

static void
check_signed(const uint8_t *claims, size_t size)
{
	static const char header[] =
	    "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"" FUZZ_KID "\"}";
	unsigned char signature[KEY_SIGNATURE_SIZE];
	char token[ACCESS_TOKEN_SIZE];
	size_t length;

	if (BASE64URL_LENGTH(size) + 256 > sizeof(token))
		return;
	length = base64url_encode(header, strlen(header), token);
	token[length++] = '.';
	length += base64url_encode(claims, size, token + length);
	MUST(key_sign(keys_at(fuzz_keys(), 0), token, length, signature) == 0);
	token[length++] = '.';
	length +=
	    base64url_encode(signature, sizeof(signature), token + length);
	check(token, length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check((const char *)data, size);
	check_signed(data, size);
	return 0;
}
