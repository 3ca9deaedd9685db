/* digest.h - SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). */

#ifndef POSTERN_BASE_DIGEST_H
#define POSTERN_BASE_DIGEST_H

#include <stddef.h>

#define DIGEST_SIZE 32

/*
 * The calls write DIGEST_SIZE bytes and cannot fail for any input a caller
 * may hold; should OpenSSL refuse (no memory, broken provider) the process
 * logs the reason and aborts, because nothing it decides can be trusted.  For
 * processes of one thread.
 */
void digest_sha256(const void *bytes, size_t size,
    unsigned char digest[static DIGEST_SIZE]);

void digest_hmac(const void *key, size_t key_size, const void *bytes,
    size_t size, unsigned char digest[static DIGEST_SIZE]);

/* A key for many HMACs, which then cost a sixth; never NULL.  Freeing wipes it, and
 * does nothing for NULL. */
struct digest_key;
struct digest_key *digest_key_new(const void *key, size_t size);
void digest_key_free(struct digest_key *key);

void digest_hmac_with(const struct digest_key *key, const void *bytes,
    size_t size, unsigned char digest[static DIGEST_SIZE]);

#endif
