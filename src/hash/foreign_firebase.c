/* foreign_firebase.c - the scrypt of Firebase Authentication: its result is a key
 * that encrypts the project's own, the signer key. */

#include <errno.h>
#include <string.h>

#include "base/aes.h"
#include "base/secret.h"
#include "hash/foreign_private.h"

/* The separator stands behind the salt; one byte in all projects seen. */
static bool
take_salt(const char **at, const unsigned char *separator, size_t size,
    struct foreign *foreign)
{
	if (!foreign_text_base64(at, '$', foreign->salt,
		sizeof(foreign->salt) - size, &foreign->salt_size))
		return false;
	memcpy(foreign->salt + foreign->salt_size, separator, size);
	foreign->salt_size += size;
	return true;
}

/*
 * "v=1,n=14,r=8,p=1,ss=" + separator + ",sk=" + signer key + "$" + salt + "$" +
 * hash, as others write it who take people from there, too.  n is log2(N).
 */
enum foreign_state
foreign_firebase_parse(const char *rest, struct foreign *foreign)
{
	unsigned char separator[16];
	size_t size;

	foreign->scrypt.p = 1;
	if (!foreign_text_word(&rest, "v=1,n=") ||
	    !foreign_text_number(&rest, &foreign->scrypt.log2_n) ||
	    !foreign_text_word(&rest, ",r=") ||
	    !foreign_text_number(&rest, &foreign->scrypt.r) ||
	    !foreign_text_word(&rest, ",p=1,ss=") ||
	    !foreign_text_base64(&rest, ',', separator, sizeof(separator),
		&size) ||
	    !foreign_text_word(&rest, ",sk=") ||
	    !foreign_text_base64(&rest, '$', foreign->signer,
		sizeof(foreign->signer), &foreign->signer_size) ||
	    !foreign_text_word(&rest, "$") ||
	    !take_salt(&rest, separator, size, foreign) ||
	    !foreign_text_word(&rest, "$") ||
	    !foreign_text_base64(&rest, '\0', foreign->hash,
		sizeof(foreign->hash), &foreign->hash_size) ||
	    foreign->hash_size < FOREIGN_HASH_LEAST ||
	    foreign->hash_size != foreign->signer_size)
		return FOREIGN_DAMAGED;
	return foreign_scrypt_check(foreign);
}

/* A key is used for one message, so that its counter may begin at 0. */
int
foreign_firebase_derive(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	static const unsigned char counter[AES_BLOCK_SIZE];
	unsigned char key[FOREIGN_HASH_LIMIT];
	int error;

	error = foreign_scrypt_derive(foreign, password, key);
	if (error == 0 && aes_256_ctr(key, counter, foreign->signer,
			      foreign->signer_size, hash) != 0)
		error = ENOMEM;
	secret_wipe(key, sizeof(key));
	return error;
}
