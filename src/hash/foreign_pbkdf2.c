/* foreign_pbkdf2.c - PBKDF2 as Django and passlib write it. */

#include <errno.h>
#include <string.h>

#include "base/pbkdf2.h"
#include "hash/foreign_private.h"

#define SHA256_SIZE 32
#define SHA512_SIZE 64
#define ROUNDS_MOST 4000000

static enum foreign_state
check(const struct foreign *foreign, size_t hash_size)
{
	if (foreign->passes == 0 || foreign->hash_size != hash_size)
		return FOREIGN_DAMAGED;
	return foreign->passes > ROUNDS_MOST ? FOREIGN_TOO_COSTLY
					     : FOREIGN_READABLE;
}

/* "600000$" + salt + "$" + hash; the salt is its text. */
enum foreign_state
foreign_pbkdf2_parse_django(const char *rest, struct foreign *foreign)
{
	size_t salt;

	if (!foreign_text_number(&rest, &foreign->passes) ||
	    !foreign_text_word(&rest, "$"))
		return FOREIGN_DAMAGED;
	salt = strcspn(rest, "$");
	if (salt == 0 || salt > sizeof(foreign->salt))
		return FOREIGN_DAMAGED;
	memcpy(foreign->salt, rest, salt);
	foreign->salt_size = salt;
	rest += salt;
	if (!foreign_text_word(&rest, "$") ||
	    !foreign_text_base64(&rest, '\0', foreign->hash,
		sizeof(foreign->hash), &foreign->hash_size))
		return FOREIGN_DAMAGED;
	return check(foreign, SHA256_SIZE);
}

/* "29000$" + salt + "$" + hash; the salt is base64, too. */
static enum foreign_state
parse_passlib(const char *rest, size_t hash_size, struct foreign *foreign)
{
	if (!foreign_text_number(&rest, &foreign->passes) ||
	    !foreign_text_word(&rest, "$") ||
	    !foreign_text_base64(&rest, '$', foreign->salt,
		sizeof(foreign->salt), &foreign->salt_size) ||
	    !foreign_text_word(&rest, "$") ||
	    !foreign_text_base64(&rest, '\0', foreign->hash,
		sizeof(foreign->hash), &foreign->hash_size))
		return FOREIGN_DAMAGED;
	return check(foreign, hash_size);
}

enum foreign_state
foreign_pbkdf2_parse_sha256(const char *rest, struct foreign *foreign)
{
	return parse_passlib(rest, SHA256_SIZE, foreign);
}

enum foreign_state
foreign_pbkdf2_parse_sha512(const char *rest, struct foreign *foreign)
{
	return parse_passlib(rest, SHA512_SIZE, foreign);
}

int
foreign_pbkdf2_derive_sha256(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	return pbkdf2_sha256(password->text, password->size, foreign->salt,
		   foreign->salt_size, (int)foreign->passes, hash,
		   SHA256_SIZE) == 0
		   ? 0
		   : EINVAL;
}

int
foreign_pbkdf2_derive_sha512(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	return pbkdf2_sha512(password->text, password->size, foreign->salt,
		   foreign->salt_size, (int)foreign->passes, hash,
		   SHA512_SIZE) == 0
		   ? 0
		   : EINVAL;
}
