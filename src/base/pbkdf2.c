/* pbkdf2.c - PBKDF2 with HMAC, as OpenSSL computes it. */

#include <limits.h>

#include <openssl/evp.h>

#include "base/pbkdf2.h"

static int
derive(const EVP_MD *digest, const void *password, size_t size,
    const void *salt, size_t salt_size, int iterations, unsigned char *key,
    size_t key_size)
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
		iterations, digest, (int)key_size, key) != 1)
		return -1;
	return 0;
}

int
pbkdf2_sha256(const void *password, size_t size, const void *salt,
    size_t salt_size, int iterations, unsigned char *key, size_t key_size)
{
	return derive(EVP_sha256(), password, size, salt, salt_size, iterations,
	    key, key_size);
}

int
pbkdf2_sha512(const void *password, size_t size, const void *salt,
    size_t salt_size, int iterations, unsigned char *key, size_t key_size)
{
	return derive(EVP_sha512(), password, size, salt, salt_size, iterations,
	    key, key_size);
}
