/* foreign_crypt.c - bcrypt, SHA-crypt and yescrypt, the forms of crypt(5); the
 * only home of libxcrypt. */

#include <crypt.h>
#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "hash/foreign_private.h"

_Static_assert(FOREIGN_CRYPT_LONGEST == CRYPT_MAX_PASSPHRASE_SIZE - 1,
    "as long as libxcrypt takes them");

#define BCRYPT_COST_LEAST  4
#define BCRYPT_COST_MOST   15
#define BCRYPT_SALT_LENGTH 22
#define BCRYPT_HASH_LENGTH 31
#define BCRYPT_LOOKS_AT    72 /* bytes of a password */

/* Fewer rounds are refused by libxcrypt; more are a matter of seconds, since each
 * takes as long as the password is. */
#define SHA_ROUNDS_LEAST 1000
#define SHA_ROUNDS_MOST  1000000
#define SHA_SALT_MOST    16
#define SHA256_LENGTH    43
#define SHA512_LENGTH    86

#define YESCRYPT_SALT_MOST 86
#define YESCRYPT_LENGTH    43

/* What libxcrypt takes in a salt (crypt(5)) although few have it there. */
#define SALT_CHARACTERS FOREIGN_TEXT_CRYPT "\"#%&'()+,-<=>?@[]^_`{|}~"

/* The hash is the end of the text, and compared as text: libxcrypt reads the rest
 * by itself.  (It may spell a salt of bcrypt in another way than it was given.) */
static enum foreign_state
take_hash(const char *text, size_t length, struct foreign *foreign)
{
	if (strlen(text) != length ||
	    strspn(text, FOREIGN_TEXT_CRYPT) != length)
		return FOREIGN_DAMAGED;
	memcpy(foreign->hash, text, length);
	foreign->hash_size = length;
	return FOREIGN_READABLE;
}

/* "12$" + salt + hash. */
enum foreign_state
foreign_crypt_parse_bcrypt(const char *rest, struct foreign *foreign)
{
	int tens = rest[0] - '0', ones = tens < 0 ? -1 : rest[1] - '0';
	int cost = tens * 10 + ones;

	if (tens < 0 || tens > 3 || ones < 0 || ones > 9 || rest[2] != '$')
		return FOREIGN_DAMAGED;
	rest += 3;
	if (cost < BCRYPT_COST_LEAST || cost > 31 ||
	    strspn(rest, FOREIGN_TEXT_CRYPT) < BCRYPT_SALT_LENGTH)
		return FOREIGN_DAMAGED;
	if (cost > BCRYPT_COST_MOST)
		return FOREIGN_TOO_COSTLY;
	return take_hash(rest + BCRYPT_SALT_LENGTH, BCRYPT_HASH_LENGTH,
	    foreign);
}

/* ["rounds=5000$"] + salt + "$" + hash. */
static enum foreign_state
parse_sha(const char *rest, size_t length, struct foreign *foreign)
{
	uint32_t rounds = SHA_ROUNDS_LEAST;
	size_t salt;

	if (foreign_text_word(&rest, "rounds=") &&
	    (!foreign_text_number(&rest, &rounds) ||
		!foreign_text_word(&rest, "$")))
		return FOREIGN_DAMAGED;
	salt = strspn(rest, SALT_CHARACTERS);
	if (rounds < SHA_ROUNDS_LEAST || salt > SHA_SALT_MOST ||
	    rest[salt] != '$')
		return FOREIGN_DAMAGED;
	if (rounds > SHA_ROUNDS_MOST)
		return FOREIGN_TOO_COSTLY;
	return take_hash(rest + salt + 1, length, foreign);
}

enum foreign_state
foreign_crypt_parse_sha256(const char *rest, struct foreign *foreign)
{
	return parse_sha(rest, SHA256_LENGTH, foreign);
}

enum foreign_state
foreign_crypt_parse_sha512(const char *rest, struct foreign *foreign)
{
	return parse_sha(rest, SHA512_LENGTH, foreign);
}

/* A number of yescrypt's that has one character: 1 to 48, else 0. */
static unsigned
short_number(char c)
{
	int value = foreign_text_crypt_value(c);

	return value < 0 || value > 47 ? 0 : (unsigned)value + 1;
}

/* Are these characters whole bytes, with nothing in the bits left over?  They
 * hold the lowest bits first. */
static bool
is_whole(const char *text, size_t length)
{
	static const int last_most[4] = { 63, -1, 3, 15 };

	return foreign_text_crypt_value(text[length - 1]) <=
	       last_most[length % 4];
}

/*
 * "j" + log2(N) + r + "$" + salt + "$" + hash.  yescrypt knows more flavours and
 * numbers; these are the ones that crypt_gensalt() makes.
 */
enum foreign_state
foreign_crypt_parse_yescrypt(const char *rest, struct foreign *foreign)
{
	unsigned log2_n, r;
	size_t salt;

	if (!foreign_text_word(&rest, "j"))
		return FOREIGN_DAMAGED;
	log2_n = short_number(rest[0]);
	r = log2_n == 0 ? 0 : short_number(rest[1]);
	if (r == 0 || rest[2] != '$')
		return FOREIGN_DAMAGED;
	rest += 3;
	salt = strspn(rest, FOREIGN_TEXT_CRYPT);
	if (salt == 0 || salt > YESCRYPT_SALT_MOST || rest[salt] != '$' ||
	    !is_whole(rest, salt))
		return FOREIGN_DAMAGED;
	if (log2_n > 20)
		return FOREIGN_TOO_COSTLY;
	foreign->memory = (uint64_t)128 * r << log2_n;
	return take_hash(rest + salt + 1, YESCRYPT_LENGTH, foreign);
}

/* The whole verifier is its own setting. */
int
foreign_crypt_derive(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	struct crypt_data data = { 0 };
	const char *made;
	size_t length;
	int error = EINVAL;

	made = crypt_rn(password->text, foreign->text, &data, sizeof(data));
	length = made == NULL ? 0 : strlen(made);
	if (made == NULL && errno == ENOMEM)
		error = ENOMEM;
	if (length > foreign->hash_size) {
		memcpy(hash, made + length - foreign->hash_size,
		    foreign->hash_size);
		error = 0;
	}
	secret_wipe(&data, sizeof(data));
	return error;
}

/* As all of bcrypt do; so that the longest passwords pass libxcrypt's limit. */
int
foreign_crypt_derive_bcrypt(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	if (password->size > BCRYPT_LOOKS_AT)
		password->text[BCRYPT_LOOKS_AT] = '\0';
	return foreign_crypt_derive(foreign, password, hash);
}
