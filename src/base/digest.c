/* digest.c - SHA-256 and HMAC-SHA-256, as OpenSSL computes them. */

#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"

struct digest_key {
	EVP_MAC_CTX *mac; /* with the key in it, as good as new for each use */
};

static _Noreturn void
digest_refused(const char *what)
{
	log_error("could not compute %s with OpenSSL", what);
	abort();
}

/* To find an algorithm costs OpenSSL more than to hash a token: it is found once
 * in the life of the process. */
static const EVP_MD *
sha256(void)
{
	static EVP_MD *found;

	if (found == NULL)
		found = EVP_MD_fetch(NULL, OSSL_DIGEST_NAME_SHA2_256, NULL);
	return found;
}

static EVP_MAC *
hmac(void)
{
	static EVP_MAC *found;

	if (found == NULL)
		found = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	return found;
}

void
digest_sha256(const void *bytes, size_t size,
    unsigned char digest[static DIGEST_SIZE])
{
	const EVP_MD *algorithm = sha256();

	if (algorithm == NULL ||
	    EVP_Digest(bytes, size, digest, NULL, algorithm, NULL) != 1)
		digest_refused("SHA-256");
}

struct digest_key *
digest_key_new(const void *key, size_t size)
{
	struct digest_key *made = memory_zeroed(1, sizeof(*made));
	char name[] = OSSL_DIGEST_NAME_SHA2_256;
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};

	if (hmac() != NULL)
		made->mac = EVP_MAC_CTX_new(hmac());
	if (made->mac == NULL ||
	    EVP_MAC_init(made->mac, key, size, parameters) != 1)
		digest_refused("HMAC-SHA-256");
	return made;
}

void
digest_key_free(struct digest_key *key)
{
	if (key != NULL)
		EVP_MAC_CTX_free(key->mac);
	free(key);
}

void
digest_hmac_with(const struct digest_key *key, const void *bytes, size_t size,
    unsigned char digest[static DIGEST_SIZE])
{
	size_t written;

	/* Without a key: once more with the one it has. */
	if (EVP_MAC_init(key->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(key->mac, bytes, size) != 1 ||
	    EVP_MAC_final(key->mac, digest, &written, DIGEST_SIZE) != 1)
		digest_refused("HMAC-SHA-256");
}

void
digest_hmac(const void *key, size_t key_size, const void *bytes, size_t size,
    unsigned char digest[static DIGEST_SIZE])
{
	struct digest_key *once = digest_key_new(key, key_size);

	digest_hmac_with(once, bytes, size, digest);
	digest_key_free(once);
}
