/* aes.h - AES in counter mode (NIST SP 800-38A section 6.5), by OpenSSL. */

#ifndef POSTERN_BASE_AES_H
#define POSTERN_BASE_AES_H

#include <stddef.h>

#define AES_256_KEY_SIZE 32
#define AES_BLOCK_SIZE   16

/*
 * Encrypt, or decrypt, which is the same, `size` bytes from `in` to `out`; these
 * do not overlap.  `counter` is that of the first block.  Returns 0; or -1 when
 * the size is above INT_MAX or OpenSSL fails.  Nothing is logged.
 */
int aes_256_ctr(const unsigned char key[static AES_256_KEY_SIZE],
    const unsigned char counter[static AES_BLOCK_SIZE], const void *in,
    size_t size, void *out);

#endif
