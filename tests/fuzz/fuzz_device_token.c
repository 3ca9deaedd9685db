/* fuzz_device_token.c - a device token that is taken is one that we made. */

#include "fuzz_keys.h"
#include "token/device_token.h"

#define LIFE_US (INT64_C(365) * 86400 * 1000000)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char account[DIGEST_SIZE] = { 1, 2, 3 };
	char token[DEVICE_TOKEN_SIZE];
	struct id device;

	if (device_token_open(fuzz_keys(), (const char *)data, size, account,
		FUZZ_NOW_US, LIFE_US, &device) != 0)
		return 0;
	/* The seeds' tokens are of one time; no other one can be made. */
	device_token_issue(fuzz_keys(), &device, account,
	    FUZZ_NOW_US - 1000000, token);
	MUST(size == strlen(token));
	MUST(memcmp(token, data, size) == 0);
	return 0;
}
