/* email.c - e-mail addresses as names of accounts. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/email.h"
#include "base/normal.h"
#include "base/text.h"

#define LOCAL_LIMIT 64 /* bytes */
#define LABEL_LIMIT 63 /* characters; a DNS label holds so many bytes */

static bool
is_ascii_digit(uint32_t code)
{
	return code >= '0' && code <= '9';
}

static bool
is_ascii_letter(uint32_t code)
{
	return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}

/* May this character stand in a local part, dots aside? */
static bool
is_atom(uint32_t code)
{
	if (code >= 0x80)
		return text_is_graphic(code);
	return is_ascii_letter(code) || is_ascii_digit(code) ||
	    (code != 0 && strchr("!#$%&'*+-/=?^_`{|}~", (int)code) != NULL);
}

/* A dot-atom: atoms with single dots between them. */
static enum email_result
check_local(const char *text, size_t size)
{
	bool need_atom = true;
	uint32_t code;
	size_t length;

	if (size > LOCAL_LIMIT)
		return EMAIL_TOO_LONG;
	for (; size > 0; text += length, size -= length) {
		length = text_next(text, size, &code);
		if (length == 0)
			return EMAIL_NOT_AN_ADDRESS;
		if (code == '.' ? need_atom : !is_atom(code))
			return EMAIL_NOT_AN_ADDRESS;
		need_atom = code == '.';
	}
	return need_atom ? EMAIL_NOT_AN_ADDRESS : EMAIL_OK;
}

/* One label of a domain; *is_number tells whether it is digits alone. */
static enum email_result
check_label(const char *text, size_t size, bool *is_number)
{
	size_t characters = 0, length;
	uint32_t code;

	*is_number = true;
	if (size == 0 || text[0] == '-' || text[size - 1] == '-')
		return EMAIL_NOT_AN_ADDRESS;
	for (; size > 0; text += length, size -= length) {
		length = text_next(text, size, &code);
		if (length == 0)
			return EMAIL_NOT_AN_ADDRESS;
		if (code != '-' && !text_is_word(code))
			return EMAIL_NOT_AN_ADDRESS;
		if (characters == 0 && text_is_mark(code))
			return EMAIL_NOT_AN_ADDRESS;
		*is_number = *is_number && is_ascii_digit(code);
		characters++;
	}
	return characters > LABEL_LIMIT ? EMAIL_TOO_LONG : EMAIL_OK;
}

/* Two labels or more; an address of the Internet Protocol is no domain. */
static enum email_result
check_domain(const char *text, size_t size)
{
	const char *end = text + size, *dot;
	enum email_result result;
	bool is_number;
	int labels = 0;

	do {
		dot = memchr(text, '.', (size_t)(end - text));
		if (dot == NULL)
			dot = end;
		result = check_label(text, (size_t)(dot - text), &is_number);
		if (result != EMAIL_OK)
			return result;
		labels++;
		text = dot + 1;
	} while (dot < end);
	return labels < 2 || is_number ? EMAIL_NOT_AN_ADDRESS : EMAIL_OK;
}

enum email_result
email_canonical(const char *text, size_t size, char key[static EMAIL_SIZE])
{
	char folded[EMAIL_SIZE];
	enum email_result result;
	ssize_t length;
	const char *at;
	size_t local;

	if (size >= EMAIL_SIZE)
		return EMAIL_TOO_LONG;
	if (!text_is_utf8(text, size))
		return EMAIL_NOT_AN_ADDRESS;
	length = normal_lower_nfc(text, size, folded, sizeof(folded) - 1);
	if (length == -1)
		return EMAIL_TOO_LONG;
	at = memchr(folded, '@', (size_t)length);
	if (at == NULL)
		return EMAIL_NOT_AN_ADDRESS;

	/* A second "@" is refused as part of the domain. */
	local = (size_t)(at - folded);
	result = check_local(folded, local);
	if (result != EMAIL_OK)
		return result;
	result = check_domain(at + 1, (size_t)length - local - 1);
	if (result != EMAIL_OK)
		return result;

	memcpy(key, folded, (size_t)length);
	key[length] = '\0';
	return EMAIL_OK;
}

const char *
email_domain(const char *key)
{
	const char *at = strchr(key, '@');

	return at == NULL ? key + strlen(key) : at + 1;
}
