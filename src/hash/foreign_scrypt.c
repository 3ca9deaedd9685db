/* foreign_scrypt.c - scrypt in the forms of others. */

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "hash/foreign_private.h"

/* better-auth's salt is 16 bytes in hexadecimal. */
#define HEX_SALT_LENGTH 32

enum foreign_state
foreign_scrypt_check(struct foreign *foreign)
{
	const struct scrypt_cost *cost = &foreign->scrypt;

	if (cost->log2_n == 0 || cost->r == 0 || cost->p == 0)
		return FOREIGN_DAMAGED;
	if (!scrypt_cost_allowed(cost))
		return FOREIGN_TOO_COSTLY;
	foreign->memory = scrypt_memory(cost);
	return foreign->memory * cost->p > FOREIGN_WORK_MOST
		   ? FOREIGN_TOO_COSTLY
		   : FOREIGN_READABLE;
}

/*
 * "ln=16,r=8,p=1$" + salt + "$" + hash: passlib, and others who follow the PHC
 * string format.  The hash has one of the usual sizes, since one that was cut off
 * would still match.
 */
enum foreign_state
foreign_scrypt_parse_phc(const char *rest, struct foreign *foreign)
{
	if (!foreign_text_word(&rest, "ln=") ||
	    !foreign_text_number(&rest, &foreign->scrypt.log2_n) ||
	    !foreign_text_word(&rest, ",r=") ||
	    !foreign_text_number(&rest, &foreign->scrypt.r) ||
	    !foreign_text_word(&rest, ",p=") ||
	    !foreign_text_number(&rest, &foreign->scrypt.p) ||
	    !foreign_text_word(&rest, "$") ||
	    !foreign_text_base64(&rest, '$', foreign->salt,
		sizeof(foreign->salt), &foreign->salt_size) ||
	    !foreign_text_word(&rest, "$") ||
	    !foreign_text_base64(&rest, '\0', foreign->hash, SCRYPT_HASH_SIZE,
		&foreign->hash_size) ||
	    (foreign->hash_size != 32 && foreign->hash_size != 64))
		return FOREIGN_DAMAGED;
	return foreign_scrypt_check(foreign);
}

/* `count` characters of crypt(3), the lowest six bits first; false when one is
 * another character or there is more in them than 32 bits. */
static bool
take_low_first(const char **at, int count, uint32_t *number)
{
	uint64_t bits = 0;
	int value;

	for (int i = 0; i < count; i++, (*at)++) {
		value = foreign_text_crypt_value(**at);
		if (value < 0)
			return false;
		bits |= (uint64_t)value << 6 * i;
	}
	*number = (uint32_t)bits;
	return bits <= UINT32_MAX;
}

/* 43 characters to 32 bytes, the lowest first: ten times three, then two. */
static bool
take_low_first_hash(const char **at, struct foreign *foreign)
{
	uint32_t bits;
	size_t size = 0, count;

	while (size < 32) {
		count = size < 30 ? 3 : 2;
		if (!take_low_first(at, (int)count + 1, &bits) ||
		    bits >> 8 * count != 0)
			return false;
		for (; count > 0; count--, bits >>= 8)
			foreign->hash[size++] = bits & 0xff;
	}
	foreign->hash_size = size;
	return **at == '\0';
}

/* log2(N) in one character, r and p in five each, salt + "$" + hash: libsodium
 * and crypt(5).  The salt is its text. */
enum foreign_state
foreign_scrypt_parse_7(const char *rest, struct foreign *foreign)
{
	size_t salt;

	if (!take_low_first(&rest, 1, &foreign->scrypt.log2_n) ||
	    !take_low_first(&rest, 5, &foreign->scrypt.r) ||
	    !take_low_first(&rest, 5, &foreign->scrypt.p))
		return FOREIGN_DAMAGED;
	salt = strspn(rest, FOREIGN_TEXT_CRYPT);
	if (salt == 0 || salt > sizeof(foreign->salt) || rest[salt] != '$')
		return FOREIGN_DAMAGED;
	memcpy(foreign->salt, rest, salt);
	foreign->salt_size = salt;
	rest += salt + 1;
	if (!take_low_first_hash(&rest, foreign))
		return FOREIGN_DAMAGED;
	return foreign_scrypt_check(foreign);
}

/* Salt + ":" + hash.  The salt is its text again; the cost is always this. */
enum foreign_state
foreign_scrypt_parse_better_auth(const char *rest, struct foreign *foreign)
{
	if (strspn(rest, HEX_LOWER) != HEX_SALT_LENGTH ||
	    rest[HEX_SALT_LENGTH] != ':')
		return FOREIGN_UNKNOWN;
	memcpy(foreign->salt, rest, HEX_SALT_LENGTH);
	foreign->salt_size = HEX_SALT_LENGTH;
	rest += HEX_SALT_LENGTH + 1;
	if (strspn(rest, HEX_LOWER) != 2 * SCRYPT_HASH_SIZE ||
	    rest[2 * SCRYPT_HASH_SIZE] != '\0')
		return FOREIGN_UNKNOWN;
	for (size_t i = 0; i < SCRYPT_HASH_SIZE; i++)
		foreign->hash[i] = (unsigned char)hex_byte(rest + 2 * i);
	foreign->hash_size = SCRYPT_HASH_SIZE;
	foreign->scrypt = (struct scrypt_cost){ .log2_n = 14, .r = 16, .p = 1 };
	return foreign_scrypt_check(foreign);
}

/* A shorter hash is the beginning of a longer one, since scrypt ends in
 * PBKDF2 with one round and its blocks are of 32 bytes. */
int
foreign_scrypt_derive(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	if (scrypt_derive(&foreign->scrypt, password->text, password->size,
		foreign->salt, foreign->salt_size, hash) != 0)
		return ENOMEM;
	return 0;
}
