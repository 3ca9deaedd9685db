/* fuzz_base64url.c - a text that is read is the text that its bytes make. */

#include <string.h>

#include "base/base64url.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(BASE64URL_LENGTH(size) + 1);
	uint8_t *bytes = malloc(size + 1);
	ssize_t decoded;

	MUST(text != NULL && bytes != NULL);
	decoded = base64url_decode((const char *)data, size, bytes, size);
	if (decoded != -1) {
		MUST(base64url_encode(bytes, (size_t)decoded, text) == size);
		MUST(memcmp(text, data, size) == 0);
		MUST(base64url_decode(text, size, bytes,
			 (size_t)decoded) == decoded);
	}

	/* and any bytes come back from their text */
	MUST(base64url_encode(data, size, text) == BASE64URL_LENGTH(size));
	MUST(base64url_decode(text, BASE64URL_LENGTH(size), bytes, size) ==
	    (ssize_t)size);
	MUST(memcmp(bytes, data, size) == 0);
	free(bytes);
	free(text);
	return 0;
}
