/* proved.c - claims and their proof. */

#include "token/proved.h"

#include "base/secret.h"

#define VERSION 1

#define VERSION_AT 0
#define MASTER_AT  1

#define PROOF_LENGTH BASE64URL_LENGTH(DIGEST_SIZE)

void
proved_write(const struct keys *keys, const struct proved_form *form,
    unsigned char *bytes, char *token)
{
	char *dot = token + BASE64URL_LENGTH(form->claims_size);
	unsigned char proof[DIGEST_SIZE];

	bytes[VERSION_AT] = VERSION;
	bytes[MASTER_AT] = keys_master_id(keys);
	keys_prove(keys, form->purpose, bytes, form->proved_size, proof);
	base64url_encode(bytes, form->claims_size, token);
	*dot = '.';
	base64url_encode(proof, sizeof(proof), dot + 1);
	secret_wipe(proof, sizeof(proof));
}

/* Are these bytes, shown with this proof, a token of ours? */
static bool
is_genuine(const struct keys *keys, const struct proved_form *form,
    const unsigned char *bytes, const unsigned char shown[static DIGEST_SIZE])
{
	return bytes[VERSION_AT] == VERSION &&
	    bytes[MASTER_AT] == keys_master_id(keys) &&
	    keys_is_proof(keys, form->purpose, bytes, form->proved_size, shown);
}

bool
proved_read(const struct keys *keys, const struct proved_form *form,
    const char *token, size_t size, unsigned char *bytes)
{
	size_t length = BASE64URL_LENGTH(form->claims_size);
	unsigned char shown[DIGEST_SIZE];
	bool genuine;

	if (size != PROVED_LENGTH(form->claims_size) || token[length] != '.')
		return false;
	if (base64url_decode(token, length, bytes, form->claims_size) !=
	    (ssize_t)form->claims_size)
		return false;
	genuine = base64url_decode(token + length + 1, PROOF_LENGTH, shown,
		      sizeof(shown)) == sizeof(shown) &&
	    is_genuine(keys, form, bytes, shown);
	secret_wipe(shown, sizeof(shown));
	return genuine;
}
