/* secret.c - chance, comparison and wiping, as OpenSSL does them. */

#include <limits.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/log.h"
#include "base/secret.h"

void
secret_random(void *bytes, size_t size)
{
	/* Reseeds itself after a fork, so siblings never draw the same. */
	if (size <= INT_MAX && RAND_bytes(bytes, (int)size) == 1)
		return;
	log_error("could not draw random bytes from OpenSSL");
	abort();
}

void
secret_wipe(void *bytes, size_t size)
{
	if (size > 0)
		OPENSSL_cleanse(bytes, size);
}

bool
secret_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}
