/* Which addresses name an account, and which of them the same. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/email.h"
#include "base/text.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define TEN         "aaaaaaaaaa"
#define SIXTY       TEN TEN TEN TEN TEN TEN

/* An address and its key. */
static const struct {
	const char *text, *key;
} good[] = {
	{ "user@example.org", "user@example.org" },
	{ "User.Name@Example.ORG", "user.name@example.org" },
	{ "a@b.co", "a@b.co" },
	{ "first.last+tag@sub.domain.example", 
	    "first.last+tag@sub.domain.example" },
	{ "o'neil@example.org", "o'neil@example.org" },
	{ "!#$%&'*+-/=?^_`{|}~@example.org",
	    "!#$%&'*+-/=?^_`{|}~@example.org" },
	{ "-@example.org", "-@example.org" },
	{ "1@2.example", "1@2.example" },
	{ "a@1.2.3.4e", "a@1.2.3.4e" },
	{ "a@xn--bcher-kva.example", "a@xn--bcher-kva.example" },
	{ "a@b--c.example", "a@b--c.example" },
	{ SIXTY "1234@example.org", SIXTY "1234@example.org" },
	{ "a@" SIXTY "123.example", "a@" SIXTY "123.example" },
	/* UTF-8: composed and decomposed, upper and lower case */
	{ "J\xc3\x96RG@b\xc3\xbc" "cher.example",
	    "j\xc3\xb6rg@b\xc3\xbc" "cher.example" },
	{ "jo\xcc\x88rg@bu\xcc\x88" "cher.example",
	    "j\xc3\xb6rg@b\xc3\xbc" "cher.example" },
	{ "\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.\xe5\xb9\xbf",
	    "\xe7\x94\xa8\xe6\x88\xb7@\xe4\xbe\x8b\xe5\xad\x90.\xe5\xb9\xbf" },
	{ "\xf0\x9f\x98\x80@example.org", "\xf0\x9f\x98\x80@example.org" },
};

static const char *const bad[] = {
	"",
	"@",
	".",
	"user",
	"user@",
	"@example.org",
	"user@example",
	"user@@example.org",
	"user@name@example.org",
	/* dots */
	".user@example.org",
	"user.@example.org",
	"us..er@example.org",
	"user@.example.org",
	"user@example.org.",
	"user@example..org",
	"user@.",
	/* labels */
	"user@-example.org",
	"user@example-.org",
	"user@example.-org",
	"user@exam_ple.org",
	"user@exam!ple.org",
	"user@127.0.0.1",
	"user@[127.0.0.1]",
	"user@[IPv6:::1]",
	"user@example.123",
	"user@example.org:25",
	"user@example.org/x",
	/* forms that mail knows and accounts do not */
	"\"user\"@example.org",
	"\"us er\"@example.org",
	"user(comment)@example.org",
	"<user@example.org>",
	"User <user@example.org>",
	"user@example.org,other@example.org",
	"us\\er@example.org",
	"us;er@example.org",
	"us:er@example.org",
	/* white space and controls */
	" user@example.org",
	"user@example.org ",
	"us er@example.org",
	"user @example.org",
	"user@ example.org",
	"user@example.org\n",
	"us\ter@example.org",
	"us\x7f" "er@example.org",
	"user@example.org\r\nBcc: x@example.org",
	"us\xc2\x85" "er@example.org",     /* a C1 control */
	"us\xc2\xa0" "er@example.org",     /* no-break space */
	"us\xe3\x80\x80" "er@example.org", /* ideographic space */
	/* what nobody sees, or what turns the text around */
	"us\xc2\xad" "er@example.org",     /* soft hyphen */
	"us\xe2\x80\x8b" "er@example.org", /* zero-width space */
	"us\xe2\x80\x8d" "er@example.org",
	"us\xe2\x80\xae" "er@example.org", /* right-to-left override */
	"us\xef\xbb\xbf" "er@example.org", /* byte order mark */
	"us\xee\x80\x80" "er@example.org", /* private use */
	"us\xef\xbf\xbf" "er@example.org", /* no character */
	/* full-width signs that some take for the ASCII ones */
	"user\xef\xbc\xa0" "example.org",
	"user@example\xef\xbc\x8e" "org",
	"user@example\xe3\x80\x82" "org",
	/* a mark with nothing to stand on */
	"user@\xcc\x88" "example.org",
	"user@exam.\xcc\x88org",
	"user@exam\xf0\x9f\x98\x80.org",
	/* not UTF-8 */
	"us\xff" "er@example.org",
	"us\xe4" "er@example.org",
	"user@ex\xc0\xae.org",
	"user@\xed\xa0\x80.org",
};

static const char *const too_long[] = {
	SIXTY "12345@example.org",
	"a@" SIXTY "1234.example",
	/* 64 characters, but twice as many bytes */
	"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" SIXTY "@example.org",
};

static void
test_good(void **state)
{
	char key[EMAIL_SIZE], again[EMAIL_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (email_canonical(good[i].text, strlen(good[i].text),
			key) != EMAIL_OK)
			fail_msg("\"%s\" was refused", good[i].text);
		assert_string_equal(key, good[i].key);
		/* a key is its own key */
		assert_int_equal(email_canonical(key, strlen(key), again),
		    EMAIL_OK);
		assert_string_equal(again, key);
	}
}

static void
test_bad(void **state)
{
	char key[EMAIL_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (email_canonical(bad[i], strlen(bad[i]), key) !=
		    EMAIL_NOT_AN_ADDRESS)
			fail_msg("\"%s\" was not refused", bad[i]);
	assert_string_equal(key, "untouched");
}

static void
test_too_long(void **state)
{
	char key[EMAIL_SIZE] = "untouched";

	(void)state;
	for (size_t i = 0; i < COUNT(too_long); i++)
		if (email_canonical(too_long[i], strlen(too_long[i]), key) !=
		    EMAIL_TOO_LONG)
			fail_msg("\"%s\" was not too long", too_long[i]);
	assert_string_equal(key, "untouched");
}

/* An address of `size` bytes in labels of 40. */
static void
fill_address(char *text, size_t size)
{
	memset(text, 'a', size);
	text[1] = '@';
	for (size_t i = 40; i + 2 < size; i += 40)
		text[i] = '.';
	text[size - 3] = '.';
}

static void
test_longest(void **state)
{
	char text[300], key[EMAIL_SIZE];

	(void)state;
	fill_address(text, 254);
	assert_int_equal(email_canonical(text, 254, key), EMAIL_OK);
	assert_int_equal(strlen(key), 254);
	fill_address(text, 255);
	assert_int_equal(email_canonical(text, 255, key), EMAIL_TOO_LONG);
	memset(text, 'a', sizeof(text));
	assert_int_equal(email_canonical(text, sizeof(text), key),
	    EMAIL_TOO_LONG);
}

/* Where the lower case takes more bytes (U+023A: 2 become 3), the key counts. */
static void
test_key_outgrows(void **state)
{
	char text[254], key[EMAIL_SIZE];

	(void)state;
	fill_address(text, sizeof(text));
	memcpy(text + 3, "\xc8\xba", 2);
	assert_int_equal(email_canonical(text, sizeof(text), key),
	    EMAIL_TOO_LONG);
}

static void
test_size_counts(void **state)
{
	static const char cut[] = "user@example.org\0@evil.example";
	char key[EMAIL_SIZE];

	(void)state;
	assert_int_equal(email_canonical("user@example.orgX", 16, key),
	    EMAIL_OK);
	assert_string_equal(key, "user@example.org");
	assert_int_equal(email_canonical(cut, sizeof(cut) - 1, key),
	    EMAIL_NOT_AN_ADDRESS);
	assert_int_equal(email_canonical("us\0er@example.org", 17, key),
	    EMAIL_NOT_AN_ADDRESS);
	assert_int_equal(email_canonical("user@example.org\0", 17, key),
	    EMAIL_NOT_AN_ADDRESS);
}

static void
test_domain(void **state)
{
	(void)state;
	assert_string_equal(email_domain("user@example.org"), "example.org");
	assert_string_equal(email_domain("no address"), "");
}

/* Every single byte in a local part: what passes is an atom. */
static void
test_every_byte(void **state)
{
	const char *signs = "!#$%&'*+-/=?^_`{|}~";
	char text[] = "a?b@example.org", key[EMAIL_SIZE];
	enum email_result expected;

	(void)state;
	for (int c = 0; c < 256; c++) {
		text[1] = (char)c;
		expected = EMAIL_NOT_AN_ADDRESS;
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '.' ||
		    (c != 0 && strchr(signs, c) != NULL))
			expected = EMAIL_OK;
		assert_int_equal(email_canonical(text, sizeof(text) - 1, key),
		    expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_key_outgrows),
		cmocka_unit_test(test_size_counts),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
