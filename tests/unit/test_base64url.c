/* One byte string has one spelling, and nothing else is read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/base64url.h"

struct pair {
	const char *bytes;
	const char *text;
};

/* RFC 4648 section 10, without the padding. */
static const struct pair pairs[] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "-_-_" },
};

static void
test_encode(void **state)
{
	char text[32];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		length = base64url_encode(pairs[i].bytes,
		    strlen(pairs[i].bytes), text);
		assert_string_equal(text, pairs[i].text);
		assert_int_equal(length, strlen(text));
		assert_int_equal(length,
		    BASE64URL_LENGTH(strlen(pairs[i].bytes)));
	}
}

static void
test_decode(void **state)
{
	char bytes[32];
	ssize_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		size = base64url_decode(pairs[i].text, strlen(pairs[i].text),
		    bytes, sizeof(bytes));
		assert_int_equal(size, strlen(pairs[i].bytes));
		assert_memory_equal(bytes, pairs[i].bytes, (size_t)size);
	}
}

static void
test_every_length_comes_back(void **state)
{
	unsigned char bytes[256], back[256];
	char text[BASE64URL_LENGTH(256) + 1];
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 167 + 13);
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		length = base64url_encode(bytes, size, text);
		assert_int_equal(length, BASE64URL_LENGTH(size));
		assert_int_equal(base64url_decode(text, length, back, size),
		    size);
		assert_memory_equal(back, bytes, size);
	}
}

static void
test_refused(void **state)
{
	static const char *const texts[] = {
		"Z", "Zm9vY",        /* a length that no bytes have */
		"Zg==", "Zm8=", "=", /* padding */
		"Zh", "Zm9",         /* stray bits behind the last byte */
		"+A", "/A", "Zm+v",  /* the other alphabet */
		" Zg", "Zg ", "Z g", "Zm8\n", "Z\tg",
		"Zm.v", "Zm9v\x80", "\xc3\xa4-A",
	};
	char bytes[32];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (base64url_decode(texts[i], strlen(texts[i]), bytes,
			sizeof(bytes)) != -1)
			fail_msg("\"%s\" was read", texts[i]);
	assert_int_equal(base64url_decode("Z\0AA", 4, bytes, 32), -1);
}

/* One of the last characters decides: of all 64, only those whose low bits are
 * zero may stand there. */
static void
test_one_spelling(void **state)
{
	char text[3] = "A", bytes[2];
	int accepted = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		text[1] = (char)c;
		accepted += base64url_decode(text, 2, bytes, 2) == 1;
	}
	assert_int_equal(accepted, 4);
}

static void
test_room(void **state)
{
	char bytes[4] = "....";

	(void)state;
	assert_int_equal(base64url_decode("Zm9v", 4, bytes, 2), -1);
	assert_int_equal(base64url_decode("Zm9vYg", 6, bytes, 3), -1);
	assert_memory_equal(bytes, "....", 4);
	assert_int_equal(base64url_decode("Zm9v", 4, bytes, 3), 3);
	assert_memory_equal(bytes, "foo.", 4);
	assert_int_equal(base64url_decode("", 0, bytes, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_every_length_comes_back),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
