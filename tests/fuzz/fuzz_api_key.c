/* fuzz_api_key.c - an API key that is read has this one spelling. */

#include <string.h>

#include "fuzz.h"
#include "token/api_key.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[API_KEY_SIZE];
	struct api_key key;

	if (api_key_parse((const char *)data, size, &key) != 0)
		return 0;
	MUST(size == API_KEY_SIZE - 1);
	MUST(key.kind == API_KEY_PUBLISHABLE || !id_is_nil(&key.user));

	/* Another key of this kind and these ids begins alike. */
	api_key_make(&key, text);
	MUST(memcmp(text, data, 47) == 0);
	return 0;
}
