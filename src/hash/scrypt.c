/* scrypt.c - scrypt by libscrypt, and the form its results are stored in. */

#include <libscrypt.h>
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/hex.h"
#include "base/secret.h"
#include "hash/scrypt.h"

#define LOG2_N_MOST 20
#define R_MOST      32
#define P_MOST      16
#define MEMORY_MOST ((uint64_t)256 << 20)

/* The stored form: where each part begins, and how long the whole is. */
#define PREFIX      "$s1$"
#define COST_AT     (sizeof(PREFIX) - 1)
#define SALT_AT     (COST_AT + 6 + 1)
#define SALT_LENGTH 24
#define HASH_AT     (SALT_AT + SALT_LENGTH + 1)
#define HASH_LENGTH 88
#define TEXT_LENGTH (HASH_AT + HASH_LENGTH)

_Static_assert(TEXT_LENGTH < SCRYPT_STORED_SIZE, "the stored form has room");
_Static_assert(SCRYPT_SALT_SIZE % 3 == 1 && SCRYPT_HASH_SIZE % 3 == 1,
    "salt and hash end in two characters of padding");

bool
scrypt_cost_allowed(const struct scrypt_cost *cost)
{
	if (cost->log2_n < 1 || cost->log2_n > LOG2_N_MOST)
		return false;
	if (cost->r < 1 || cost->r > R_MOST)
		return false;
	if (cost->p < 1 || cost->p > P_MOST)
		return false;
	if (cost->log2_n >= 16 * cost->r)
		return false;
	return scrypt_memory(cost) <= MEMORY_MOST;
}

uint64_t
scrypt_memory(const struct scrypt_cost *cost)
{
	return (uint64_t)128 * cost->r << cost->log2_n;
}

int
scrypt_derive(const struct scrypt_cost *cost, const void *password, size_t size,
    const void *salt, size_t salt_size,
    unsigned char hash[static SCRYPT_HASH_SIZE])
{
	if (!scrypt_cost_allowed(cost))
		return -1;
	if (libscrypt_scrypt(password, size, salt, salt_size,
		(uint64_t)1 << cost->log2_n, cost->r, cost->p, hash,
		SCRYPT_HASH_SIZE) != 0)
		return -1;
	return 0;
}

/*
 * Base64 with padding is base64url with two other characters and "==" behind,
 * for sizes that leave one byte over; and that has a strict reader already.
 */
static void
base64_write(const void *bytes, size_t size, char *text)
{
	size_t length = base64url_encode(bytes, size, text);

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '-')
			text[i] = '+';
		else if (text[i] == '_')
			text[i] = '/';
	}
	memcpy(text + length, "==", sizeof("=="));
}

static int
base64_read(const char *text, size_t length, void *bytes, size_t size)
{
	char plain[HASH_LENGTH] = { 0 };
	ssize_t read;

	if (memcmp(text + length - 2, "==", 2) != 0)
		return -1;
	length -= 2;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '-' || text[i] == '_')
			return -1;
		plain[i] = text[i];
		if (text[i] == '+')
			plain[i] = '-';
		else if (text[i] == '/')
			plain[i] = '_';
	}
	read = base64url_decode(plain, length, bytes, size);
	secret_wipe(plain, sizeof(plain));
	return read == (ssize_t)size ? 0 : -1;
}

void
scrypt_format(const struct scrypt_stored *stored,
    char text[static SCRYPT_STORED_SIZE])
{
	const struct scrypt_cost *cost = &stored->cost;

	snprintf(text, SCRYPT_STORED_SIZE, PREFIX "%02x%02x%02x$",
	    cost->log2_n & 0xff, cost->r & 0xff, cost->p & 0xff);
	base64_write(stored->salt, SCRYPT_SALT_SIZE, text + SALT_AT);
	text[HASH_AT - 1] = '$';
	base64_write(stored->hash, SCRYPT_HASH_SIZE, text + HASH_AT);
}

/* Two lower-case hexadecimal digits; 0, which no cost may be, for others. */
static unsigned
hex_read(const char *text)
{
	return strspn(text, HEX_LOWER) < 2 ? 0 : (unsigned)hex_byte(text);
}

int
scrypt_parse(const char *text, struct scrypt_stored *stored)
{
	struct scrypt_stored parsed;
	int result = -1;

	if (strnlen(text, SCRYPT_STORED_SIZE) != TEXT_LENGTH)
		return -1;
	if (memcmp(text, PREFIX, COST_AT) != 0 || text[SALT_AT - 1] != '$' ||
	    text[HASH_AT - 1] != '$')
		return -1;

	parsed.cost.log2_n = hex_read(text + COST_AT);
	parsed.cost.r = hex_read(text + COST_AT + 2);
	parsed.cost.p = hex_read(text + COST_AT + 4);
	if (!scrypt_cost_allowed(&parsed.cost))
		return -1;
	if (base64_read(text + SALT_AT, SALT_LENGTH, parsed.salt,
		sizeof(parsed.salt)) == 0 &&
	    base64_read(text + HASH_AT, HASH_LENGTH, parsed.hash,
		sizeof(parsed.hash)) == 0) {
		*stored = parsed;
		result = 0;
	}
	secret_wipe(&parsed, sizeof(parsed));
	return result;
}
