/* aes.c - AES in counter mode, as OpenSSL computes it. */

#include "base/aes.h"

#include <limits.h>

#include <openssl/evp.h>

int
aes_256_ctr(const unsigned char key[static AES_256_KEY_SIZE],
    const unsigned char counter[static AES_BLOCK_SIZE], const void *in,
    size_t size, void *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int result = -1, written;

	if (context != NULL && size <= INT_MAX &&
	    EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key,
		counter) == 1 &&
	    EVP_EncryptUpdate(context, out, &written, in, (int)size) == 1)
		result = 0;
	EVP_CIPHER_CTX_free(context); /* and wipe what it held */
	return result;
}
