/* device_token.c - device tokens: written, and recognised. */

#include "token/device_token.h"

#include <string.h>

#include "base/clock.h"
#include "token/proved.h"

#define DEVICE_AT   PROVED_CLAIMS_AT
#define ISSUED_AT   (DEVICE_AT + ID_SIZE)
#define CLAIMS_SIZE (ISSUED_AT + 8)
#define ACCOUNT_AT  CLAIMS_SIZE
#define PROVED_SIZE (ACCOUNT_AT + DIGEST_SIZE)

_Static_assert(PROVED_LENGTH(CLAIMS_SIZE) + 1 == DEVICE_TOKEN_SIZE,
    "the header counted right");

/* The account is proved, and not told. */
static const struct proved_form form = {
	.purpose = KEYS_DEVICE_TOKEN,
	.claims_size = CLAIMS_SIZE,
	.proved_size = PROVED_SIZE,
};

/* Another host of ours may be a little ahead. */
#define SKEW_US (60 * CLOCK_SECOND_US)

static void
write_time(int64_t us, unsigned char bytes[static 8])
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)us >> (56 - 8 * i));
}

static int64_t
read_time(const unsigned char bytes[static 8])
{
	uint64_t us = 0;

	for (int i = 0; i < 8; i++)
		us = us << 8 | bytes[i];
	return (int64_t)us;
}

void
device_token_issue(const struct keys *keys, const struct id *device,
    const unsigned char account[static DIGEST_SIZE], int64_t now_us,
    char token[static DEVICE_TOKEN_SIZE])
{
	unsigned char bytes[PROVED_SIZE];

	memcpy(bytes + DEVICE_AT, device->bytes, ID_SIZE);
	write_time(now_us, bytes + ISSUED_AT);
	memcpy(bytes + ACCOUNT_AT, account, DIGEST_SIZE);
	proved_write(keys, &form, bytes, token);
}

int
device_token_open(const struct keys *keys, const char *token, size_t size,
    const unsigned char account[static DIGEST_SIZE], int64_t now_us,
    int64_t life_us, struct id *device)
{
	unsigned char bytes[PROVED_SIZE];
	int64_t issued_us;

	memcpy(bytes + ACCOUNT_AT, account, DIGEST_SIZE);
	if (!proved_read(keys, &form, token, size, bytes))
		return -1;
	issued_us = read_time(bytes + ISSUED_AT);
	if (issued_us > now_us + SKEW_US || issued_us < now_us - life_us)
		return -1;
	memcpy(device->bytes, bytes + DEVICE_AT, ID_SIZE);
	return 0;
}
