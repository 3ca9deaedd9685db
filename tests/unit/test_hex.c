/* Two hexadecimal digits, and everything that looks like them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

static void
test_every_byte(void **state)
{
	char text[3];

	(void)state;
	for (int i = 0; i < 256; i++) {
		snprintf(text, sizeof(text), "%02x", i);
		assert_int_equal(hex_byte(text), i);
		assert_int_equal(strspn(text, HEX_LOWER), 2);
		snprintf(text, sizeof(text), "%02X", i);
		assert_int_equal(hex_byte(text), i);
	}
	assert_int_equal(hex_byte("aF"), 0xaf);
}

static void
test_no_digit(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	(void)state;
	for (int c = 1; c < 256; c++) {
		const char first[] = { (char)c, '0', '\0' };
		const char second[] = { '0', (char)c, '\0' };

		if (strchr(digits, c) != NULL)
			continue;
		assert_int_equal(hex_byte(first), -1);
		assert_int_equal(hex_byte(second), -1);
	}
}

/* Where a text ends, nothing behind is read: a checker of memory would tell. */
static void
test_end_of_text(void **state)
{
	char *end = malloc(1), *digit = malloc(2);

	(void)state;
	assert_non_null(end);
	assert_non_null(digit);
	end[0] = '\0';
	memcpy(digit, "7", 2);
	assert_int_equal(hex_byte(end), -1);
	assert_int_equal(hex_byte(digit), -1);
	free(end);
	free(digit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_no_digit),
		cmocka_unit_test(test_end_of_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
