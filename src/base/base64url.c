/* base64url.c - base64url without padding. */

#include <stdint.h>

#include "base/base64url.h"

static const char alphabet[64] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t
base64url_encode(const void *bytes, size_t size, char *text)
{
	const unsigned char *in = bytes;
	size_t length = 0;
	uint32_t pending = 0;
	int bits = 0;

	for (size_t i = 0; i < size; i++) {
		pending = pending << 8 | in[i];
		for (bits += 8; bits >= 6; bits -= 6)
			text[length++] = alphabet[pending >> (bits - 6) & 63];
	}
	if (bits > 0)
		text[length++] = alphabet[pending << (6 - bits) & 63];
	text[length] = '\0';
	return length;
}

/* The six bits of a character, or -1. */
static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	return -1;
}

ssize_t
base64url_decode(const char *text, size_t length, void *bytes, size_t room)
{
	unsigned char *out = bytes;
	size_t size = 0;
	uint32_t pending = 0;
	int bits = 0, six;

	/* One character alone holds no byte; the rest is checked below. */
	if (length % 4 == 1 || length / 4 * 3 + length % 4 * 3 / 4 > room)
		return -1;
	for (size_t i = 0; i < length; i++) {
		six = sextet(text[i]);
		if (six == -1)
			return -1;
		pending = pending << 6 | (uint32_t)six;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[size++] = (unsigned char)(pending >> bits);
		}
	}

	/* Bits left over must be zero: one spelling for one byte string. */
	if ((pending & ((1U << bits) - 1)) != 0)
		return -1;
	return (ssize_t)size;
}
