/* normal.c - one form of texts that look the same, by libunistring. */

#include "base/normal.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unicase.h>
#include <uninorm.h>

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

/* What both forms share: which one it is, is all that differs. */
typedef uint8_t *normal_form(const uint8_t *text, size_t size, uint8_t *work,
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
transform(normal_form *form, const char *text, size_t size, char *out,
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
normal_nfkc(const char *text, size_t size, char *out, size_t room)
{
	return transform(form_nfkc, text, size, out, room);
}

ssize_t
normal_lower_nfc(const char *text, size_t size, char *out, size_t room)
{
	return transform(form_lower_nfc, text, size, out, room);
}
