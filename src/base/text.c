/* text.c - Unicode text, as libunistring knows it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/memory.h"
#include "base/secret.h"
#include "base/text.h"

/*
 * No character grows more in normalisation than this (U+FDFA: 3 bytes become
 * 33; lower case at most doubles before that).  A buffer of this size never
 * makes libunistring reallocate, which would leave a copy of a password in
 * freed memory.
 */
#define GROWTH 12

bool
text_is_utf8(const char *text, size_t size)
{
	return size == 0 || u8_check((const uint8_t *)text, size) == NULL;
}

bool
text_is_ascii(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

size_t
text_next(const char *text, size_t size, uint32_t *code)
{
	ucs4_t read;
	int length;

	if (size == 0)
		return 0;
	length = u8_mbtoucr(&read, (const uint8_t *)text, size);
	if (length <= 0)
		return 0;
	*code = read;
	return (size_t)length;
}

size_t
text_mend(const char *text, size_t size, char *out)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t used = 0, length;
	uint32_t code;

	while (size > 0) {
		length = text_next(text, size, &code);
		if (length > 0) {
			memcpy(out + used, text, length);
			used += length;
		} else {
			memcpy(out + used, replacement, 3);
			used += 3;
			length = 1;
		}
		text += length;
		size -= length;
	}
	return used;
}

bool
text_is_graphic(uint32_t code)
{
	return uc_is_general_category_withtable(code,
		   UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
		       UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_P |
		       UC_CATEGORY_MASK_S) &&
	    !uc_is_property_default_ignorable_code_point(code);
}

bool
text_is_word(uint32_t code)
{
	return uc_is_general_category_withtable(code,
		   UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
		       UC_CATEGORY_MASK_Nd) &&
	    !uc_is_property_default_ignorable_code_point(code);
}

bool
text_is_mark(uint32_t code)
{
	return uc_is_general_category_withtable(code, UC_CATEGORY_MASK_M);
}

/* What both forms share: which one it is, is all that differs. */
typedef uint8_t *text_form(const uint8_t *text, size_t size, uint8_t *work,
    size_t *length);

static uint8_t *
form_nfkc(const uint8_t *text, size_t size, uint8_t *work, size_t *length)
{
	return u8_normalize(UNINORM_NFKC, text, size, work, length);
}

static uint8_t *
form_lower_nfc(const uint8_t *text, size_t size, uint8_t *work,
    size_t *length)
{
	/* No language: a Turkish locale must not make other accounts. */
	return u8_tolower(text, size, NULL, UNINORM_NFC, work, length);
}

static ssize_t
text_transform(text_form *form, const char *text, size_t size, char *out,
    size_t room)
{
	size_t work_size, length;
	uint8_t *work, *result;
	ssize_t put = -1;

	if (size == 0)
		return 0;
	if (size > SIZE_MAX / GROWTH || !text_is_utf8(text, size))
		return -1;
	work_size = length = size * GROWTH;
	work = memory_zeroed(work_size, 1);
	result = form((const uint8_t *)text, size, work, &length);
	if (result == NULL && errno == ENOMEM)
		memory_exhausted();
	if (result != NULL && length <= room) {
		memcpy(out, result, length);
		put = (ssize_t)length;
	}
	if (result != NULL && result != work) {
		secret_wipe(result, length);
		free(result);
	}
	secret_wipe(work, work_size);
	free(work);
	return put;
}

ssize_t
text_nfkc(const char *text, size_t size, char *out, size_t room)
{
	return text_transform(form_nfkc, text, size, out, room);
}

ssize_t
text_lower_nfc(const char *text, size_t size, char *out, size_t room)
{
	return text_transform(form_lower_nfc, text, size, out, room);
}
