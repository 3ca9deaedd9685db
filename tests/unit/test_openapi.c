/* test_openapi.c - the document that travels inside the program. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "web/openapi.h"

/* The paths of a document are those of a base path. */
static void
check_under(const char *base_path, const char *sign_in)
{
	const char *why;
	size_t size;
	char *text = openapi_under(base_path, &size);
	struct json_object *document = json_parse(text, size, &why);
	struct json_object *paths = json_member(document, "paths");

	assert_non_null(document);
	assert_int_equal(strlen(text), size);
	assert_int_equal(json_member_kind(paths, sign_in), JSON_OBJECT);
	assert_int_equal(json_member_kind(paths, "/.well-known/jwks.json"),
	    JSON_OBJECT);
	json_free(document);
	free(text);
}

static void
its_paths_are_those_of_the_base_path(void **state)
{
	(void)state;
	check_under("/v2", "/v2/auth/sign-in");
	check_under("", "/auth/sign-in");
	check_under("/login/v2", "/login/v2/auth/sign-in");
	check_under("/v2/v2", "/v2/v2/auth/sign-in");
}

static void
at_the_usual_base_path_it_is_the_file(void **state)
{
	size_t size;
	char *text = openapi_under("/v2", &size);

	(void)state;
	assert_string_equal(text, openapi_text);
	free(text);
}

static void
no_path_of_the_file_is_left(void **state)
{
	size_t size;
	char *text = openapi_under("/elsewhere", &size);

	(void)state;
	assert_null(strstr(text, "/v2"));
	assert_non_null(strstr(openapi_text, "/v2/"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_paths_are_those_of_the_base_path),
		cmocka_unit_test(at_the_usual_base_path_it_is_the_file),
		cmocka_unit_test(no_path_of_the_file_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
