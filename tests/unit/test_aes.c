/* test_aes.c - the counter mode, by NIST's example. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/aes.h"

/* NIST SP 800-38A, F.5.5; only two of its blocks, the second one cut. */
static const unsigned char key[AES_256_KEY_SIZE] = {
	0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0,
	0x85, 0x7d, 0x77, 0x81, 0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7,
	0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4,
};
static const unsigned char counter[AES_BLOCK_SIZE] = {
	0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb,
	0xfc, 0xfd, 0xfe, 0xff,
};
static const unsigned char plain[20] = {
	0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11,
	0x73, 0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57,
};
static const unsigned char cipher[20] = {
	0x60, 0x1e, 0xc3, 0x13, 0x77, 0x57, 0x89, 0xa5, 0xb7, 0xa7, 0xf5, 0x04,
	0xbb, 0xf3, 0xd2, 0x28, 0xf4, 0x43, 0xe3, 0xca,
};

static void
test_example(void **state)
{
	unsigned char out[sizeof(plain) + 1] = { 0 };

	(void)state;
	assert_int_equal(aes_256_ctr(key, counter, plain, sizeof(plain), out),
	    0);
	assert_memory_equal(out, cipher, sizeof(cipher));
	assert_int_equal(out[sizeof(plain)], 0);
	assert_int_equal(aes_256_ctr(key, counter, cipher, sizeof(cipher),
	    out), 0);
	assert_memory_equal(out, plain, sizeof(plain));
	assert_int_equal(aes_256_ctr(key, counter, plain, 0, out), 0);
}

static void
test_refused_size(void **state)
{
	unsigned char out[1];

	(void)state;
	if (SIZE_MAX > INT32_MAX)
		assert_int_equal(aes_256_ctr(key, counter, plain,
		    (size_t)1 << 31, out), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_refused_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
