/* pbkdf2.c - PBKDF2 with HMAC-SHA-256, as OpenSSL computes it. */

#include <limits.h>

#include <openssl/evp.h>

#include "base/pbkdf2.h"

int
pbkdf2_sha256(const void *password, size_t size, const void *salt,
    size_t salt_size, int iterations, unsigned char *key, size_t key_size)
{
	if (size > INT_MAX || salt_size > INT_MAX || key_size > INT_MAX)
		return -1;
	if (iterations < 1 || key_size == 0)
		return -1;
	/* OpenSSL takes a NULL for something else than an empty string. */
	if (size == 0)
		password = "";
	if (salt_size == 0)
		salt = "";
	if (PKCS5_PBKDF2_HMAC(password, (int)size, salt, (int)salt_size,
		iterations, EVP_sha256(), (int)key_size, key) != 1)
		return -1;
	return 0;
}
