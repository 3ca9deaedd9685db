/* UTF-8 and its normal forms. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/normal.h"
#include "base/text.h"

struct bytes {
	const char *bytes;
	size_t size;
};

#define BYTES(text) { text, sizeof(text) - 1 }
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct bytes good[] = {
	BYTES(""),
	BYTES("plain"),
	BYTES("with a \0 inside"),
	BYTES("\x7f"),
	BYTES("\xc2\x80"),         /* the first of two bytes */
	BYTES("\xdf\xbf"),
	BYTES("\xe0\xa0\x80"),     /* of three */
	BYTES("\xed\x9f\xbf"),     /* before the surrogates */
	BYTES("\xee\x80\x80"),     /* behind them */
	BYTES("\xef\xbf\xbf"),
	BYTES("\xf0\x90\x80\x80"), /* of four */
	BYTES("\xf4\x8f\xbf\xbf"), /* the last of all */
};

static const struct bytes bad[] = {
	BYTES("\x80"),             /* nothing that it continues */
	BYTES("a\xbf"),
	BYTES("\xc0\x80"),         /* NUL in two bytes */
	BYTES("\xc0\xaf"),         /* "/" in two bytes */
	BYTES("\xc1\xbf"),
	BYTES("\xe0\x80\xaf"),     /* and in three */
	BYTES("\xe0\x9f\xbf"),
	BYTES("\xf0\x80\x80\xaf"), /* and in four */
	BYTES("\xf0\x8f\xbf\xbf"),
	BYTES("\xed\xa0\x80"),     /* surrogates */
	BYTES("\xed\xbf\xbf"),
	BYTES("\xf4\x90\x80\x80"), /* beyond U+10FFFF */
	BYTES("\xf5\x80\x80\x80"),
	BYTES("\xf8\x88\x80\x80\x80"),
	BYTES("\xfe"),
	BYTES("\xff"),
	BYTES("\xc3"),             /* cut short */
	BYTES("\xe2\x82"),
	BYTES("\xf0\x9f\x98"),
	BYTES("\xc3(") ,
	BYTES("latin \xe4"),
};

static void
test_is_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(text_is_utf8(good[i].bytes, good[i].size));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (text_is_utf8(bad[i].bytes, bad[i].size))
			fail_msg("bad text %zu passed", i);
}

static void
test_is_ascii(void **state)
{
	(void)state;
	assert_true(text_is_ascii("", 0));
	assert_true(text_is_ascii("a\0\x7f", 3));
	assert_false(text_is_ascii("a\x80", 2));
	assert_false(text_is_ascii("\xff", 1));
}

static void
test_next(void **state)
{
	const char *text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
	uint32_t code = 77;

	(void)state;
	assert_int_equal(text_next(text, 10, &code), 1);
	assert_int_equal(code, 'a');
	assert_int_equal(text_next(text + 1, 9, &code), 2);
	assert_int_equal(code, 0xe4);
	assert_int_equal(text_next(text + 3, 7, &code), 3);
	assert_int_equal(code, 0x20ac);
	assert_int_equal(text_next(text + 6, 4, &code), 4);
	assert_int_equal(code, 0x1f600);
	assert_int_equal(text_next("\0", 1, &code), 1);
	assert_int_equal(code, 0);
}

static void
test_next_finds_none(void **state)
{
	uint32_t code = 77;

	(void)state;
	assert_int_equal(text_next("a", 0, &code), 0);
	assert_int_equal(text_next("\xe2\x82\xac", 2, &code), 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		if ((unsigned char)bad[i].bytes[0] >= 0x80)
			assert_int_equal(text_next(bad[i].bytes, bad[i].size,
					     &code), 0);
	assert_int_equal(code, 77);
}

static void
test_mend(void **state)
{
	char out[64];
	size_t size;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		size = text_mend(good[i].bytes, good[i].size, out);
		assert_int_equal(size, good[i].size);
		assert_memory_equal(out, good[i].bytes, size);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		size = text_mend(bad[i].bytes, bad[i].size, out);
		assert_true(text_is_utf8(out, size));
		assert_true(size <= 3 * bad[i].size);
	}
	size = text_mend("a\xff" "b\xc3", 4, out);
	assert_int_equal(size, 8);
	assert_memory_equal(out, "a\xef\xbf\xbd" "b\xef\xbf\xbd", 8);
}

static void
test_kinds(void **state)
{
	static const uint32_t seen[] = { 'a', '0', '!', 0xe4, 0x20ac, 0x5b57,
		0x1f600, 0x301 };
	static const uint32_t unseen[] = { 0, ' ', 0x7f, 0x85, 0xa0, 0xad,
		0x200b, 0x200d, 0x2028, 0x202e, 0x2066, 0xd800,
		0xe000, 0xfeff, 0xfe0f, 0x115f, 0x34f, 0xe0041, 0x378, 0x10ffff };

	(void)state;
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_true(text_is_graphic(seen[i]));
	for (size_t i = 0; i < COUNT(unseen); i++)
		if (text_is_graphic(unseen[i]) || text_is_word(unseen[i]))
			fail_msg("U+%04X can be seen", unseen[i]);
	assert_true(text_is_word('a'));
	assert_true(text_is_word('7'));
	assert_true(text_is_word(0x301));
	assert_true(text_is_word(0x5b57));
	assert_false(text_is_word('-'));
	assert_false(text_is_word('.'));
	assert_false(text_is_word(0x3002)); /* an ideographic full stop */
	assert_false(text_is_word(0xff0e)); /* a full-width one */
	assert_false(text_is_word(0x2044)); /* a slash */
	assert_false(text_is_word(0x1f600));
	assert_true(text_is_mark(0x301));
	assert_false(text_is_mark('a'));

	assert_int_equal(text_columns('a'), 1);
	assert_int_equal(text_columns(0xe4), 1);
	assert_int_equal(text_columns(0x301), 0);
	assert_int_equal(text_columns(0x6771), 2);
	assert_int_equal(text_columns('\n'), 1);
}

static void
assert_form(ssize_t (*form)(const char *, size_t, char *, size_t),
    const char *from, size_t from_size, const char *to, size_t to_size)
{
	char out[256];

	assert_int_equal(form(from, from_size, out, sizeof(out)), to_size);
	assert_memory_equal(out, to, to_size);
}

#define FORM(form, from, to) \
	assert_form(form, from, sizeof(from) - 1, to, sizeof(to) - 1)

static void
test_nfkc(void **state)
{
	(void)state;
	FORM(normal_nfkc, "", "");
	FORM(normal_nfkc, "Plain ASCII stays", "Plain ASCII stays");
	/* an umlaut of two characters, and of one */
	FORM(normal_nfkc, "a\xcc\x88", "\xc3\xa4");
	FORM(normal_nfkc, "\xc3\xa4", "\xc3\xa4");
	/* a ligature; full width; the order of marks */
	FORM(normal_nfkc, "\xef\xac\x81", "fi");
	FORM(normal_nfkc, "\xef\xbc\xa1", "A");
	FORM(normal_nfkc, "q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87");
	/* nothing is cut at a NUL */
	FORM(normal_nfkc, "a\0a\xcc\x88", "a\0\xc3\xa4");
}

static void
test_lower_nfc(void **state)
{
	(void)state;
	FORM(normal_lower_nfc, "", "");
	FORM(normal_lower_nfc, "MiXed.Case", "mixed.case");
	FORM(normal_lower_nfc, "A\xcc\x88", "\xc3\xa4");
	FORM(normal_lower_nfc, "\xc3\x84", "\xc3\xa4");
	/* compatibility forms stay what they are */
	FORM(normal_lower_nfc, "\xef\xac\x81", "\xef\xac\x81");
	/* the I of no language */
	FORM(normal_lower_nfc, "I", "i");
	FORM(normal_lower_nfc, "A\0B", "a\0b");
}

/* The longest that a character becomes (U+FDFA), many times over. */
static void
test_growth(void **state)
{
	char from[300], out[3300];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i += 3)
		memcpy(from + i, "\xef\xb7\xba", 3);
	assert_int_equal(normal_nfkc(from, sizeof(from), out, sizeof(out)),
	    3300);
	assert_int_equal(normal_nfkc(from, sizeof(from), out,
			     sizeof(out) - 1), -1);
}

static void
test_forms_refuse(void **state)
{
	char out[4] = "....";

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(normal_nfkc(bad[i].bytes, bad[i].size, out, 4),
		    -1);
		assert_int_equal(normal_lower_nfc(bad[i].bytes, bad[i].size,
				     out, 4), -1);
	}
	assert_int_equal(normal_nfkc("12345", 5, out, 4), -1);
	assert_int_equal(normal_lower_nfc("12345", 5, out, 4), -1);
	assert_memory_equal(out, "....", 4);
	assert_int_equal(normal_nfkc("1234", 4, out, 4), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_utf8),
		cmocka_unit_test(test_is_ascii),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_next_finds_none),
		cmocka_unit_test(test_mend),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_nfkc),
		cmocka_unit_test(test_lower_nfc),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_forms_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
