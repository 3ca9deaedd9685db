/* device_token.c - device tokens: written, and recognised. */

#include "token/device_token.h"

#include <string.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/secret.h"

#define VERSION 1

/* Part 1's bytes, and behind them what the proof covers, too. */
#define VERSION_AT  0
#define MASTER_AT   1
#define DEVICE_AT   2
#define ISSUED_AT   (DEVICE_AT + ID_SIZE)
#define CLAIMS_SIZE (ISSUED_AT + 8)
#define ACCOUNT_AT  CLAIMS_SIZE
#define PROVED_SIZE (ACCOUNT_AT + DIGEST_SIZE)

#define CLAIMS_LENGTH BASE64URL_LENGTH(CLAIMS_SIZE)
#define PROOF_LENGTH  BASE64URL_LENGTH(DIGEST_SIZE)
#define PROOF_AT      (CLAIMS_LENGTH + 1)
#define LENGTH        (PROOF_AT + PROOF_LENGTH)

_Static_assert(LENGTH + 1 == DEVICE_TOKEN_SIZE, "the header counted right");

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
	unsigned char bytes[PROVED_SIZE], proof[DIGEST_SIZE];

	bytes[VERSION_AT] = VERSION;
	bytes[MASTER_AT] = keys_master_id(keys);
	memcpy(bytes + DEVICE_AT, device->bytes, ID_SIZE);
	write_time(now_us, bytes + ISSUED_AT);
	memcpy(bytes + ACCOUNT_AT, account, DIGEST_SIZE);
	keys_prove(keys, KEYS_DEVICE_TOKEN, bytes, sizeof(bytes), proof);

	base64url_encode(bytes, CLAIMS_SIZE, token);
	token[PROOF_AT - 1] = '.';
	base64url_encode(proof, sizeof(proof), token + PROOF_AT);
	secret_wipe(proof, sizeof(proof));
}

/* Are these bytes, shown with this proof, a token of ours? */
static bool
is_genuine(const struct keys *keys,
    const unsigned char bytes[static PROVED_SIZE],
    const unsigned char shown[static DIGEST_SIZE])
{
	return bytes[VERSION_AT] == VERSION &&
	       bytes[MASTER_AT] == keys_master_id(keys) &&
	       keys_is_proof(keys, KEYS_DEVICE_TOKEN, bytes, PROVED_SIZE, shown);
}

int
device_token_open(const struct keys *keys, const char *token, size_t size,
    const unsigned char account[static DIGEST_SIZE], int64_t now_us,
    int64_t life_us, struct id *device)
{
	unsigned char bytes[PROVED_SIZE], shown[DIGEST_SIZE];
	int64_t issued_us;
	bool genuine;

	if (size != LENGTH || token[PROOF_AT - 1] != '.')
		return -1;
	if (base64url_decode(token, CLAIMS_LENGTH, bytes, CLAIMS_SIZE) !=
	    CLAIMS_SIZE)
		return -1;
	memcpy(bytes + ACCOUNT_AT, account, DIGEST_SIZE);
	genuine = base64url_decode(token + PROOF_AT, PROOF_LENGTH, shown,
		      sizeof(shown)) == sizeof(shown) &&
		  is_genuine(keys, bytes, shown);
	secret_wipe(shown, sizeof(shown));
	if (!genuine)
		return -1;
	issued_us = read_time(bytes + ISSUED_AT);
	if (issued_us > now_us + SKEW_US || issued_us < now_us - life_us)
		return -1;
	memcpy(device->bytes, bytes + DEVICE_AT, ID_SIZE);
	return 0;
}
