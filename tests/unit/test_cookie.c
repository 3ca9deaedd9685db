/* test_cookie.c - cookies are read back, or refused, never guessed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/cookie.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LINE_LIMIT 4

/* Read the access cookie, over plain HTTP, from Cookie lines as they come. */
static enum cookie_result
read_lines(const char *const *lines, char *value, size_t room)
{
	const struct config config = { .secure_cookies = COOKIES_AUTO };
	const char *params[LINE_LIMIT + 1] = { NULL };
	const struct gateway gateway = { .params = params };
	const struct request request = { .gateway = &gateway };

	for (size_t i = 0; i < LINE_LIMIT && lines[i] != NULL; i++)
		params[i] = lines[i];
	return cookie_access(&config, &request, value, room);
}

#define L(text) "HTTP_COOKIE=" text

static void
a_cookie_is_found_among_others(void **state)
{
	static const struct {
		const char *lines[LINE_LIMIT];
		const char *value;
	} table[] = {
		{ { L("postern-access=t") }, "t" },
		{ { L("a=1; postern-access=t; b=2") }, "t" },
		{ { L("a=1;postern-access=t;b=2") }, "t" },
		{ { L(" \t;; postern-access=t \t;") }, "t" },
		{ { L("postern-access=") }, "" },
		{ { L("postern-access=t=u") }, "t=u" },
		{ { L("postern-access=\"t\"") }, "\"t\"" },
		{ { L("postern-access=t,u") }, "t,u" },
		{ { L("postern-access=1234567") }, "1234567" },
		/* Cookie lines joined by the web server, or not */
		{ { L("postern-access=t, b=2") }, "t" },
		{ { L("a=1"), L("postern-access=t"), L("b=2") }, "t" },
		{ { "REQUEST_METHOD=GET", L("postern-access=t") }, "t" },
		/* twice the same, as a browser with two paths sends it */
		{ { L("postern-access=t; postern-access=t") }, "t" },
		{ { L("postern-access=t"), L("postern-access=t") }, "t" },
	};
	char value[8];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (read_lines(table[i].lines, value, sizeof(value)) !=
		    COOKIE_FOUND)
			fail_msg("row %zu", i);
		assert_string_equal(value, table[i].value);
	}
}

static void
another_name_is_another_cookie(void **state)
{
	static const char *const table[][LINE_LIMIT] = {
		{ NULL },
		{ L("") },
		{ L("postern-access") },
		{ L("postern-access-2=t") },
		{ L("xpostern-access=t") },
		{ L("Postern-Access=t") },
		{ L("postern-access =t") },
		{ L("__Host-postern-access=t") },
		{ L("postern-refresh=t") },
		{ L("a=postern-access=t") },
		{ L("a=1,postern-access=t") },
		{ "HTTP_COOKIE2=postern-access=t" },
		{ "HTTP_X_COOKIE=postern-access=t" },
		{ "HTTP_COOKIE" },
	};
	char value[8] = "before";

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (read_lines(table[i], value, sizeof(value)) !=
		    COOKIE_ABSENT)
			fail_msg("row %zu", i);
		assert_string_equal(value, "");
	}
}

static void
what_cannot_be_told_is_refused(void **state)
{
	static const char *const table[][LINE_LIMIT] = {
		{ L("postern-access=t; postern-access=u") },
		{ L("postern-access=t; postern-access=") },
		{ L("postern-access=; postern-access=t") },
		{ L("postern-access=t; postern-access=u; postern-access=t") },
		{ L("postern-access=t"), L("postern-access=tt") },
		/* a second line, or a value of somebody's choice */
		{ L("a=1, postern-access=t") },
		{ L("postern-access=t; a=1, postern-access=t") },
		{ L("a=1, b=2, postern-access=t; postern-access=t") },
		{ L("postern-access=12345678") },
	};
	char value[8] = "before";

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (read_lines(table[i], value, sizeof(value)) != COOKIE_BAD)
			fail_msg("row %zu", i);
		assert_string_equal(value, "");
	}
}

/* A name without its prefix can be set by a neighbouring host. */
static void
only_the_name_that_would_be_set_counts(void **state)
{
	const char *params[] = { L("postern-access=p; postern-refresh=q; "
				   "__Host-postern-access=s; "
				   "__Secure-postern-refresh=t"),
		NULL };
	const struct gateway gateway = { .params = params };
	static const struct {
		enum config_cookies mode;
		bool https;
		const char *access, *refresh;
	} table[] = {
		{ COOKIES_AUTO, false, "p", "q" },
		{ COOKIES_AUTO, true, "s", "t" },
		{ COOKIES_ALWAYS, false, "s", "t" },
		{ COOKIES_NEVER, true, "p", "q" },
	};
	char value[8];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct config config = { .secure_cookies =
						   table[i].mode };
		const struct request request = { .gateway = &gateway,
			.https = table[i].https };

		assert_int_equal(cookie_access(&config, &request, value,
				     sizeof(value)),
		    COOKIE_FOUND);
		assert_string_equal(value, table[i].access);
		assert_int_equal(cookie_refresh(&config, &request, value,
				     sizeof(value)),
		    COOKIE_FOUND);
		assert_string_equal(value, table[i].refresh);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cookie_is_found_among_others),
		cmocka_unit_test(another_name_is_another_cookie),
		cmocka_unit_test(what_cannot_be_told_is_refused),
		cmocka_unit_test(only_the_name_that_would_be_set_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
