/* test_cors.c - what answers say to browsers about pages of other origins. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/cors.h"

#define APP "https://app.example.org"

static char origins[] = APP ",http://localhost:3000";
static const struct config config = { .allowed_origins = origins };

/* The head that is written for a request of this page. */
static const char *
head_for(const struct config *used, const char *origin, bool authorizer)
{
	static struct response response;
	const struct request request = { .origin = origin,
		.authorizer = authorizer };

	response_start(&response);
	cors_head(used, &request, &response);
	response.head[response.head_size] = '\0';
	return response.head;
}

static void
an_allowed_page_may_read(void **state)
{
	(void)state;
	assert_string_equal(head_for(&config, APP, false),
	    "Vary: Origin\r\n"
	    "Access-Control-Allow-Origin: " APP "\r\n"
	    "Access-Control-Allow-Credentials: true\r\n"
	    "Access-Control-Expose-Headers: X-Request-Id, Retry-After\r\n");
}

static void
any_other_page_may_not(void **state)
{
	static const char *const others[] = { NULL, "", "null", "*",
		"https://evil.example.net", APP ".evil.example.net", APP ":444",
		"http://app.example.org", APP ", http://localhost:3000" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(head_for(&config, others[i], false),
		    "Vary: Origin\r\n");
}

static void
without_the_setting_nothing_is_said(void **state)
{
	static char nothing[] = "";
	const struct config none = { .allowed_origins = nothing };

	(void)state;
	assert_string_equal(head_for(&none, APP, false), "");
	assert_string_equal(head_for(&config, APP, true), "");
}

static void
a_preflight_is_known(void **state)
{
	static const struct {
		enum request_method method;
		const char *origin, *asked;
		bool is;
	} table[] = {
		{ METHOD_OPTIONS, APP, "POST", true },
		{ METHOD_OPTIONS, APP, "", true },
		{ METHOD_OPTIONS, APP, NULL, false },
		{ METHOD_OPTIONS, NULL, "POST", false },
		{ METHOD_OPTIONS, "https://evil.example.net", "POST", false },
		{ METHOD_POST, APP, "POST", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct request request = { .method = table[i].method,
			.origin = table[i].origin,
			.preflight_method = table[i].asked };

		if (cors_is_preflight(&config, &request) != table[i].is)
			fail_msg("row %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_allowed_page_may_read),
		cmocka_unit_test(any_other_page_may_not),
		cmocka_unit_test(without_the_setting_nothing_is_said),
		cmocka_unit_test(a_preflight_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
