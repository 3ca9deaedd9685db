/* fuzz_email.c - a key is short, clean, and its own key. */

#include <string.h>

#include "base/email.h"
#include "base/text.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char key[EMAIL_SIZE], again[EMAIL_SIZE];
	size_t length;

	if (email_canonical((const char *)data, size, key) != EMAIL_OK)
		return 0;
	length = strlen(key);
	MUST(length < EMAIL_SIZE);
	MUST(text_is_utf8(key, length));
	MUST(strcspn(key, " \t\r\n\"<>(),;:\\[]") == length);
	MUST(strchr(key, '@') == strrchr(key, '@'));
	MUST(strchr(email_domain(key), '.') != NULL);
	MUST(email_canonical(key, length, again) == EMAIL_OK);
	MUST(strcmp(key, again) == 0);
	return 0;
}
