/* foreign_text.c - reading the parts of a verifier. */

#include <string.h>

#include "base/base64url.h"
#include "base/secret.h"
#include "hash/foreign_private.h"

#define DIGITS_MOST 9

bool
foreign_text_word(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

bool
foreign_text_number(const char **at, uint32_t *number)
{
	size_t length = strspn(*at, "0123456789");

	if (length == 0 || length > DIGITS_MOST)
		return false;
	if (length > 1 && **at == '0')
		return false;
	*number = 0;
	while (length-- > 0)
		*number = *number * 10 + (uint32_t)(*(*at)++ - '0');
	return true;
}

/* The character of base64url for one of base64; one that it has not for
 * one of base64url alone. */
static char
to_base64url(char c)
{
	switch (c) {
	case '+':
	case '.':
		return '-';
	case '/':
		return '_';
	case '-':
	case '_':
		return '\0';
	default:
		return c;
	}
}

/* The length of a text without its padding, which is whole or not there. */
static size_t
without_padding(const char *text, size_t length)
{
	size_t padding = 0;

	if (length % 4 != 0)
		return length;
	while (padding < 2 && padding < length &&
	       text[length - padding - 1] == '=')
		padding++;
	return length - padding;
}

bool
foreign_text_base64(const char **at, char end, unsigned char *bytes,
    size_t room, size_t *size)
{
	const char *behind = strchr(*at, end);
	char plain[FOREIGN_LENGTH_LIMIT];
	size_t length;
	ssize_t read;

	if (behind == NULL || (size_t)(behind - *at) > sizeof(plain))
		return false;
	length = without_padding(*at, (size_t)(behind - *at));
	for (size_t i = 0; i < length; i++)
		plain[i] = to_base64url((*at)[i]);
	read = base64url_decode(plain, length, bytes, room);
	secret_wipe(plain, length);
	if (read <= 0)
		return false;
	*size = (size_t)read;
	*at = behind;
	return true;
}

int
foreign_text_crypt_value(char c)
{
	static const char values[] = FOREIGN_TEXT_CRYPT;
	const char *found = memchr(values, c, sizeof(values) - 1);

	return found == NULL ? -1 : (int)(found - values);
}
