/* test_device_token.c - a device is known again, by its account and in time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "temp_keys.h"
#include "token/device_token.h"

#define LENGTH  (DEVICE_TOKEN_SIZE - 1)
#define NOW_US  INT64_C(1780272000123456)
#define LIFE_US (365 * 86400 * CLOCK_SECOND_US)

/* Two servers, each with a master secret. */
static struct keys *ours, *theirs;
static unsigned char ann[DIGEST_SIZE], bob[DIGEST_SIZE];

static int
start(void **state)
{
	(void)state;
	ours = temp_keys_new();
	theirs = temp_keys_new();
	digest_sha256("ann", 3, ann);
	digest_sha256("bob", 3, bob);
	return ours != NULL && theirs != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	keys_close(ours);
	keys_close(theirs);
	return 0;
}

static int
open_at(const char *token, int64_t now_us)
{
	struct id device;

	return device_token_open(ours, token, strlen(token), ann, now_us,
	    LIFE_US, &device);
}

static void
test_comes_back(void **state)
{
	struct id device = id_random(), again;
	char token[DEVICE_TOKEN_SIZE];

	(void)state;
	device_token_issue(ours, &device, ann, NOW_US, token);
	assert_int_equal(strlen(token), LENGTH);
	assert_int_equal(device_token_open(ours, token, LENGTH, ann, NOW_US,
			     LIFE_US, &again),
	    0);
	assert_true(id_equal(&device, &again));
}

static void
test_only_for_its_account_and_server(void **state)
{
	struct id device = id_random(), again;
	char token[DEVICE_TOKEN_SIZE];

	(void)state;
	device_token_issue(ours, &device, ann, NOW_US, token);
	assert_int_equal(device_token_open(ours, token, LENGTH, bob, NOW_US,
			     LIFE_US, &again),
	    -1);
	assert_int_equal(device_token_open(theirs, token, LENGTH, ann, NOW_US,
			     LIFE_US, &again),
	    -1);
}

static void
test_only_in_its_time(void **state)
{
	struct id device = id_random();
	char token[DEVICE_TOKEN_SIZE];

	(void)state;
	device_token_issue(ours, &device, ann, NOW_US, token);
	assert_int_equal(open_at(token, NOW_US + LIFE_US), 0);
	assert_int_equal(open_at(token, NOW_US + LIFE_US + 1), -1);
	/* Another host's clock may be a minute behind. */
	assert_int_equal(open_at(token, NOW_US - 60 * CLOCK_SECOND_US), 0);
	assert_int_equal(open_at(token, NOW_US - 60 * CLOCK_SECOND_US - 1),
	    -1);
}

/* The token of each time and device is another one, and tells no account. */
static void
test_layout(void **state)
{
	unsigned char bytes[26];
	struct id device = id_random();
	char token[DEVICE_TOKEN_SIZE], other[DEVICE_TOKEN_SIZE];

	(void)state;
	device_token_issue(ours, &device, ann, NOW_US, token);
	device_token_issue(ours, &device, bob, NOW_US, other);
	assert_memory_equal(token, other, 36);
	assert_memory_not_equal(token + 36, other + 36, 43);
	assert_int_equal(base64url_decode(token, 35, bytes, sizeof(bytes)),
	    sizeof(bytes));
	assert_int_equal(bytes[0], 1);
	assert_int_equal(bytes[1], keys_master_id(ours));
	assert_memory_equal(bytes + 2, device.bytes, ID_SIZE);
	assert_memory_equal(bytes + 18,
	    "\x00\x06\x53\x25\xe0\x2b\xc2\x40", 8);
}

/* Every other spelling is refused: each character changed, left out, added. */
static void
test_what_was_changed_is_refused(void **state)
{
	struct id device = id_random();
	char token[DEVICE_TOKEN_SIZE], changed[DEVICE_TOKEN_SIZE + 1];

	(void)state;
	device_token_issue(ours, &device, ann, NOW_US, token);
	for (size_t at = 0; at < LENGTH; at++) {
		for (int flip = 1; flip < 128; flip <<= 1) {
			memcpy(changed, token, sizeof(token));
			changed[at] = (char)(changed[at] ^ flip);
			assert_int_equal(open_at(changed, NOW_US), -1);
		}
		memcpy(changed, token, at);
		memcpy(changed + at, token + at + 1, LENGTH - at);
		assert_int_equal(open_at(changed, NOW_US), -1);
		memcpy(changed + at, token + at, LENGTH - at + 1);
		memmove(changed + at + 1, changed + at, LENGTH - at + 1);
		assert_int_equal(open_at(changed, NOW_US), -1);
	}
	assert_int_equal(open_at("", NOW_US), -1);
	assert_int_equal(open_at(".", NOW_US), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_only_for_its_account_and_server),
		cmocka_unit_test(test_only_in_its_time),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_what_was_changed_is_refused),
	};

	return cmocka_run_group_tests(tests, start, end);
}
