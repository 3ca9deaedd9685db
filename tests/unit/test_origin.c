/* test_origin.c - which pages may act with a browser's cookies. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "web/origin.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define OWN   "login.example.org"
#define APP   "https://app.example.org"
#define LOCAL "http://localhost:3000"
#define EVIL  "https://evil.example.net"

static char origins[] = APP ", " LOCAL;
static const struct config config = { .allowed_origins = origins };

static void
a_browser_says_which_page_asks(void **state)
{
	static const struct {
		const char *site, *origin;
		bool https;
		bool may;
	} table[] = {
		/* what a browser of today says */
		{ "same-origin", "https://" OWN, true, true },
		{ "same-origin", NULL, true, true },
		{ "none", NULL, true, true },
		{ "same-site", APP, true, true },
		{ "cross-site", LOCAL, true, true },
		{ "same-site", "https://other.example.org", true, false },
		{ "cross-site", EVIL, true, false },
		{ "cross-site", "null", true, false },
		{ "cross-site", NULL, true, false },
		{ "same-site", NULL, true, false },
		/* a proxy may have changed Host: not asked where we know */
		{ "cross-site", "https://" OWN, true, false },
		{ "Same-Origin", "https://" OWN, true, false },
		{ "", "https://" OWN, true, false },
		/* Origin alone */
		{ NULL, "https://" OWN, true, true },
		{ NULL, "https://LOGIN.example.org", true, true },
		{ NULL, "https://" OWN, false, true },
		{ NULL, "http://" OWN, false, true },
		{ NULL, "http://" OWN, true, false },
		{ NULL, APP, true, true },
		{ NULL, EVIL, true, false },
		{ NULL, "null", true, false },
		{ NULL, "", true, false },
		{ NULL, OWN, true, false },
		{ NULL, "ftp://" OWN, false, false },
		{ NULL, "https://" OWN ":8443", true, false },
		{ NULL, "https://" OWN ".example.net", true, false },
		{ NULL, "https://x" OWN, true, false },
		{ NULL, "https://" OWN ", " APP, true, false },
		/* nothing */
		{ NULL, NULL, true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct request request = { .host = OWN,
			.origin = table[i].origin,
			.fetch_site = table[i].site,
			.https = table[i].https };

		if (origin_may_act(&config, &request) != table[i].may)
			fail_msg("row %zu", i);
	}
}

static void
without_a_host_nothing_is_our_own(void **state)
{
	const struct request request = { .origin = "https://" };

	(void)state;
	assert_false(origin_may_act(&config, &request));
}

static void
allowed_is_what_the_list_says_exactly(void **state)
{
	static const struct {
		const char *origin;
		bool allowed;
	} table[] = {
		{ APP, true },
		{ LOCAL, true },
		{ "HTTPS://App.Example.Org", true },
		{ "http://app.example.org", false },
		{ APP ":443", false },
		{ APP "/", false },
		{ APP ".evil.net", false },
		{ "https://", false },
		{ "http://localhost", false },
		{ "http://localhost:3001", false },
		{ APP ", " LOCAL, false },
		{ "", false },
		{ "null", false },
		{ "*", false },
		{ NULL, false },
	};
	static char nothing[] = "";
	const struct config none = { .allowed_origins = nothing };

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct request request = { .origin = table[i].origin };

		if (origin_is_allowed(&config, &request) != table[i].allowed)
			fail_msg("row %zu", i);
		assert_false(origin_is_allowed(&none, &request));
	}
}

static void
a_url_leads_to_an_allowed_origin_or_not(void **state)
{
	static const struct {
		const char *url;
		bool allowed;
	} table[] = {
		{ APP, true },
		{ APP "/", true },
		{ APP "/a?b=://c#d", true },
		{ APP "?a", true },
		{ APP "#a", true },
		{ LOCAL "/", true },
		{ "HTTPS://APP.example.org/", true },
		{ "", false },
		{ "https://", false },
		{ "://", false },
		{ "//app.example.org/", false },
		{ "app.example.org", false },
		{ "http://app.example.org/", false },
		{ APP ":8443/", false },
		{ APP "@evil.example.net/", false },
		{ APP ".evil.example.net/", false },
		{ APP "\\@evil.example.net/", false },
		{ APP "/a b", false },
		{ APP "/\ta", false },
		{ APP "/\x7f", false },
		{ APP "/\xc3\xa4", false },
		{ EVIL "/" APP, false },
		{ "javascript:" APP, false },
		{ "x:" APP, false },
	};
	char longest[400] = "https://";

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		if (origin_is_allowed_url(&config, table[i].url) !=
		    table[i].allowed)
			fail_msg("\"%s\"", table[i].url);
	memset(longest + 8, 'a', sizeof(longest) - 9);
	assert_false(origin_is_allowed_url(&config, longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_browser_says_which_page_asks),
		cmocka_unit_test(without_a_host_nothing_is_our_own),
		cmocka_unit_test(allowed_is_what_the_list_says_exactly),
		cmocka_unit_test(a_url_leads_to_an_allowed_origin_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
