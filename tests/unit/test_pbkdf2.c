/* test_pbkdf2.c - PBKDF2 as RFC 7914 section 11 has it, the same with SHA-512, and
 * its refusals. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pbkdf2.h"

static const unsigned char once[64] = {
	0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f, 0xec, 0x16, 0x91, 0xc2,
	0x25, 0x44, 0xb6, 0x05, 0xf9, 0x41, 0x85, 0x21, 0x6d, 0xde, 0x04, 0x65,
	0xe6, 0x8b, 0x9d, 0x57, 0xc2, 0x0d, 0xac, 0xbc, 0x49, 0xca, 0x9c, 0xcc,
	0xf1, 0x79, 0xb6, 0x45, 0x99, 0x16, 0x64, 0xb3, 0x9d, 0x77, 0xef, 0x31,
	0x7c, 0x71, 0xb8, 0x45, 0xb1, 0xe3, 0x0b, 0xd5, 0x09, 0x11, 0x20, 0x41,
	0xd3, 0xa1, 0x97, 0x83,
};

static const unsigned char often[64] = {
	0x4d, 0xdc, 0xd8, 0xf6, 0x0b, 0x98, 0xbe, 0x21, 0x83, 0x0c, 0xee, 0x5e,
	0xf2, 0x27, 0x01, 0xf9, 0x64, 0x1a, 0x44, 0x18, 0xd0, 0x4c, 0x04, 0x14,
	0xae, 0xff, 0x08, 0x87, 0x6b, 0x34, 0xab, 0x56, 0xa1, 0xd4, 0x25, 0xa1,
	0x22, 0x58, 0x33, 0x54, 0x9a, 0xdb, 0x84, 0x1b, 0x51, 0xc9, 0xb3, 0x17,
	0x6a, 0x27, 0x2b, 0xde, 0xbb, 0xa1, 0xd0, 0x78, 0x47, 0x8f, 0x62, 0xb3,
	0x97, 0xf3, 0x3c, 0x8d,
};

static void
test_vectors(void **state)
{
	unsigned char key[64];

	(void)state;
	assert_int_equal(
	    pbkdf2_sha256("passwd", 6, "salt", 4, 1, key, sizeof(key)), 0);
	assert_memory_equal(key, once, sizeof(key));
	assert_int_equal(
	    pbkdf2_sha256("Password", 8, "NaCl", 4, 80000, key, sizeof(key)),
	    0);
	assert_memory_equal(key, often, sizeof(key));
}

/* The longer inputs of RFC 6070, with the other digest; the key is what Python's
 * hashlib makes of them. */
static void
test_sha512(void **state)
{
	static const unsigned char expected[64] = {
		0x8c, 0x05, 0x11, 0xf4, 0xc6, 0xe5, 0x97, 0xc6, 0xac, 0x63,
		0x15, 0xd8, 0xf0, 0x36, 0x2e, 0x22, 0x5f, 0x3c, 0x50, 0x14,
		0x95, 0xba, 0x23, 0xb8, 0x68, 0xc0, 0x05, 0x17, 0x4d, 0xc4,
		0xee, 0x71, 0x11, 0x5b, 0x59, 0xf9, 0xe6, 0x0c, 0xd9, 0x53,
		0x2f, 0xa3, 0x3e, 0x0f, 0x75, 0xae, 0xfe, 0x30, 0x22, 0x5c,
		0x58, 0x3a, 0x18, 0x6c, 0xd8, 0x2b, 0xd4, 0xda, 0xea, 0x97,
		0x24, 0xa3, 0xd3, 0xb8,
	};
	unsigned char key[64];

	(void)state;
	assert_int_equal(
	    pbkdf2_sha512("passwordPASSWORDpassword", 24,
	        "saltSALTsaltSALTsaltSALTsaltSALTsalt", 36, 4096, key,
	        sizeof(key)), 0);
	assert_memory_equal(key, expected, sizeof(key));
}

static void
test_shorter_key_is_the_beginning(void **state)
{
	unsigned char key[2] = { 0, 0xee };

	(void)state;
	assert_int_equal(pbkdf2_sha256("passwd", 6, "salt", 4, 1, key, 1), 0);
	assert_int_equal(key[0], once[0]);
	assert_int_equal(key[1], 0xee);
}

static void
test_nothing_is_cut_at_a_nul(void **state)
{
	unsigned char whole[32], cut[32];

	(void)state;
	assert_int_equal(pbkdf2_sha256("a\0b", 3, "s", 1, 1, whole, 32), 0);
	assert_int_equal(pbkdf2_sha256("a", 1, "s", 1, 1, cut, 32), 0);
	assert_memory_not_equal(whole, cut, 32);
	assert_int_equal(pbkdf2_sha256("a", 1, "s\0t", 3, 1, whole, 32), 0);
	assert_memory_not_equal(whole, cut, 32);
}

static void
test_empty_is_empty(void **state)
{
	unsigned char null[32], text[32];

	(void)state;
	assert_int_equal(pbkdf2_sha256(NULL, 0, NULL, 0, 1, null, 32), 0);
	assert_int_equal(pbkdf2_sha256("a", 0, "b", 0, 1, text, 32), 0);
	assert_memory_equal(null, text, 32);
}

static void
test_refusals(void **state)
{
	unsigned char key[32];

	(void)state;
	assert_int_equal(pbkdf2_sha256("a", 1, "b", 1, 0, key, 32), -1);
	assert_int_equal(pbkdf2_sha256("a", 1, "b", 1, -1, key, 32), -1);
	assert_int_equal(pbkdf2_sha256("a", 1, "b", 1, 1, key, 0), -1);
	assert_int_equal(pbkdf2_sha256("a", SIZE_MAX, "b", 1, 1, key, 32), -1);
	assert_int_equal(pbkdf2_sha256("a", 1, "b", SIZE_MAX, 1, key, 32), -1);
	assert_int_equal(pbkdf2_sha256("a", 1, "b", 1, 1, key, SIZE_MAX), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_sha512),
		cmocka_unit_test(test_shorter_key_is_the_beginning),
		cmocka_unit_test(test_nothing_is_cut_at_a_nul),
		cmocka_unit_test(test_empty_is_empty),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
