/* digest.h - SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). */

#ifndef POSTERN_BASE_DIGEST_H
#define POSTERN_BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_SIZE 32

/*
 * Both calls write DIGEST_SIZE bytes and cannot fail for any input a caller
 * may hold; should OpenSSL refuse (no memory, broken provider) the process
 * logs the reason and aborts, because nothing it decides can be trusted.
 */
void digest_sha256(const void *bytes, size_t size,
    unsigned char digest[static DIGEST_SIZE]);

void digest_hmac(const void *key, size_t key_size, const void *bytes,
    size_t size, unsigned char digest[static DIGEST_SIZE]);

#endif
