/* pbkdf2.h - PBKDF2 with HMAC (RFC 8018 section 5.2), by OpenSSL. */

#ifndef POSTERN_BASE_PBKDF2_H
#define POSTERN_BASE_PBKDF2_H

#include <stddef.h>

/*
 * Derive `key_size` bytes (1 or more) from a counted password and salt, either
 * of which may be empty.  Returns 0; or -1 when a size is above INT_MAX, the
 * key or the iterations (1 or more) are none, or OpenSSL fails.  Nothing is
 * logged.
 */
int pbkdf2_sha256(const void *password, size_t size, const void *salt,
    size_t salt_size, int iterations, unsigned char *key, size_t key_size);
int pbkdf2_sha512(const void *password, size_t size, const void *salt,
    size_t salt_size, int iterations, unsigned char *key, size_t key_size);

#endif
