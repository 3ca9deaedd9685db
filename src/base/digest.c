/* digest.c - SHA-256 and HMAC-SHA-256, as OpenSSL computes them. */

#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/digest.h"
#include "base/log.h"

static _Noreturn void
digest_refused(const char *what)
{
	log_error("could not compute %s with OpenSSL", what);
	abort();
}

void
digest_sha256(const void *bytes, size_t size,
    unsigned char digest[static DIGEST_SIZE])
{
	if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1)
		digest_refused("SHA-256");
}

void
digest_hmac(const void *key, size_t key_size, const void *bytes, size_t size,
    unsigned char digest[static DIGEST_SIZE])
{
	if (key_size > INT_MAX ||
	    HMAC(EVP_sha256(), key, (int)key_size, bytes, size, digest,
		NULL) == NULL)
		digest_refused("HMAC-SHA-256");
}
