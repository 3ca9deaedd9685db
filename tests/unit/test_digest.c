/* The published examples. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"

static const char *
hex(const unsigned char digest[static DIGEST_SIZE])
{
	static char text[DIGEST_SIZE * 2 + 1];

	for (size_t i = 0; i < DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

/* FIPS 180-4, examples of SHA-256. */
static void
test_sha256(void **state)
{
	unsigned char digest[DIGEST_SIZE];
	const char *two_blocks = "abcdbcdecdefdefgefghfghighij"
				 "hijkijkljklmklmnlmnomnopnopq";

	(void)state;
	digest_sha256("", 0, digest);
	assert_string_equal(hex(digest), "e3b0c44298fc1c149afbf4c8996fb92427ae"
					 "41e4649b934ca495991b7852b855");
	digest_sha256("abc", 3, digest);
	assert_string_equal(hex(digest), "ba7816bf8f01cfea414140de5dae2223b003"
					 "61a396177a9cb410ff61f20015ad");
	digest_sha256(two_blocks, strlen(two_blocks), digest);
	assert_string_equal(hex(digest), "248d6a61d20638b8e5c026930c3e6039a33c"
					 "e45964ff2167f6ecedd419db06c1");
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void
test_hmac(void **state)
{
	unsigned char digest[DIGEST_SIZE], key[131];
	const char *long_key =
	    "Test Using Larger Than Block-Size Key - Hash Key First";

	(void)state;
	memset(key, 0x0b, 20);
	digest_hmac(key, 20, "Hi There", 8, digest);
	assert_string_equal(hex(digest), "b0344c61d8db38535ca8afceaf0bf12b881d"
					 "c200c9833da726e9376c2e32cff7");
	digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, digest);
	assert_string_equal(hex(digest), "5bdcc146bf60754e6a042426089575c75a00"
					 "3f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac(key, sizeof(key), long_key, strlen(long_key), digest);
	assert_string_equal(hex(digest), "60e431591ee0b67f0d8a26aacbf5b77f8e0b"
					 "c6213728c5140546040f0ee37f54");
}

static void
test_hmac_of_nothing(void **state)
{
	unsigned char digest[DIGEST_SIZE];

	(void)state;
	digest_hmac("", 0, "", 0, digest);
	assert_string_equal(hex(digest), "b613679a0814d9ec772f95d778c35fc5ff16"
					 "97c493715653c6c712144292c5ad");
}

/* The key is as good as new each time, whatever was computed before. */
static void
test_hmac_with_kept_key(void **state)
{
	struct digest_key *key = digest_key_new("Jefe", 4);
	unsigned char digest[DIGEST_SIZE], expected[DIGEST_SIZE];
	const char *texts[] = { "what do ya want for nothing?", "", "a" };

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		const char *text = texts[i % 3];

		digest_hmac("Jefe", 4, text, strlen(text), expected);
		digest_hmac_with(key, text, strlen(text), digest);
		assert_memory_equal(digest, expected, sizeof(digest));
	}
	digest_hmac_with(key, texts[0], strlen(texts[0]), digest);
	assert_string_equal(hex(digest), "5bdcc146bf60754e6a042426089575c75a00"
					 "3f089d2739839dec58b964ec3843");
	digest_key_free(key);
	digest_key_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hmac_of_nothing),
		cmocka_unit_test(test_hmac_with_kept_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
