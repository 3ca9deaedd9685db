/* api_key.c - API keys: made, and taken apart. */

#include <assert.h>
#include <string.h>

#include "base/base64url.h"
#include "base/secret.h"
#include "token/api_key.h"

/* "pk.", 43 characters, ".", 43 characters. */
#define SECRET_SIZE 32
#define PART_LENGTH BASE64URL_LENGTH(SECRET_SIZE)
#define IDS_AT      3
#define SECRET_AT   (IDS_AT + PART_LENGTH + 1)
#define LENGTH      (SECRET_AT + PART_LENGTH)

_Static_assert(2 * ID_SIZE == SECRET_SIZE, "both parts are equally long");
_Static_assert(LENGTH + 1 == API_KEY_SIZE, "the header has counted right");

static const char *const prefixes[] = {
	[API_KEY_PUBLISHABLE] = "pk.",
	[API_KEY_SECRET] = "sk.",
};

void
api_key_make(struct api_key *key, char text[static API_KEY_SIZE])
{
	unsigned char ids[2 * ID_SIZE], secret[SECRET_SIZE];

	assert(key->kind == API_KEY_PUBLISHABLE || !id_is_nil(&key->user));
	memcpy(ids, key->user.bytes, ID_SIZE);
	memcpy(ids + ID_SIZE, key->key.bytes, ID_SIZE);
	secret_random(secret, sizeof(secret));

	memcpy(text, prefixes[key->kind], IDS_AT);
	base64url_encode(ids, sizeof(ids), text + IDS_AT);
	text[SECRET_AT - 1] = '.';
	base64url_encode(secret, sizeof(secret), text + SECRET_AT);
	digest_sha256(text, LENGTH, key->digest);
	secret_wipe(secret, sizeof(secret));
}

static int
read_kind(const char *text, enum api_key_kind *kind)
{
	if (memcmp(text, prefixes[API_KEY_PUBLISHABLE], IDS_AT) == 0)
		*kind = API_KEY_PUBLISHABLE;
	else if (memcmp(text, prefixes[API_KEY_SECRET], IDS_AT) == 0)
		*kind = API_KEY_SECRET;
	else
		return -1;
	return 0;
}

/* Is this base64url of as many bytes as a secret has? */
static bool
is_secret(const char *text)
{
	unsigned char secret[SECRET_SIZE];
	ssize_t size =
	    base64url_decode(text, PART_LENGTH, secret, sizeof(secret));

	secret_wipe(secret, sizeof(secret));
	return size == SECRET_SIZE;
}

int
api_key_parse(const char *text, size_t size, struct api_key *key)
{
	unsigned char ids[2 * ID_SIZE];
	struct api_key parsed;

	if (size != LENGTH || text[SECRET_AT - 1] != '.')
		return -1;
	if (read_kind(text, &parsed.kind) != 0)
		return -1;
	if (base64url_decode(text + IDS_AT, PART_LENGTH, ids, sizeof(ids)) !=
	    sizeof(ids))
		return -1;
	if (!is_secret(text + SECRET_AT))
		return -1;
	memcpy(parsed.user.bytes, ids, ID_SIZE);
	memcpy(parsed.key.bytes, ids + ID_SIZE, ID_SIZE);

	/* A secret key opens its owner's sessions, so it has one. */
	if (parsed.kind == API_KEY_SECRET && id_is_nil(&parsed.user))
		return -1;
	digest_sha256(text, size, parsed.digest);
	*key = parsed;
	return 0;
}
