/* test_response.c - answers, refusals and cookies as they go out. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "web/cookie.h"
#include "web/error.h"
#include "web/response.h"

/* A gateway that keeps what was sent, and counts the pieces. */
static char sent[8192];
static int pieces;

static int
keep(void *self, const void *bytes, size_t size)
{
	(void)self;
	assert_true(size < sizeof(sent));
	memcpy(sent, bytes, size);
	sent[size] = '\0';
	pieces++;
	return 0;
}

static const struct gateway gateway = { .write = keep };

static void
send_away(struct response *response)
{
	pieces = 0;
	assert_int_equal(response_send(response, &gateway), 0);
	assert_int_equal(pieces, 1);
	response_end(response);
}

static void
an_answer_is_one_piece(void **state)
{
	struct json_object *value = json_new_object();
	struct response response;

	(void)state;
	response_start(&response);
	response_header(&response, "X-One", "%d", 1);
	json_add_string(value, "a", "b/c");
	response_json(&response, 200, value);
	send_away(&response);
	assert_string_equal(sent,
	    "Status: 200 OK\r\n"
	    "Content-Length: 11\r\n"
	    "X-One: 1\r\n"
	    "Content-Type: application/json\r\n"
	    "\r\n"
	    "{\"a\":\"b/c\"}");
}

static void
an_answer_without_a_body_has_no_length(void **state)
{
	struct response response;

	(void)state;
	response_start(&response);
	response.status = 204;
	send_away(&response);
	assert_string_equal(sent, "Status: 204 No Content\r\n\r\n");
}

/* Run in a child, since it must not come back. */
static int
signal_of(void (*misdeed)(struct response *))
{
	struct response response;
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		response_start(&response);
		misdeed(&response);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
split_a_header(struct response *response)
{
	response_header(response, "Location", "%s", "/a\r\nSet-Cookie: b=c");
}

static void
overflow_the_head(struct response *response)
{
	for (int i = 0; i < 100; i++)
		response_header(response, "X-Long", "%060d", i);
}

static void
fill_the_head(struct response *response)
{
	/* "X: ", CR, LF and the NUL. */
	response_header(response, "X", "%0*d", RESPONSE_HEAD_SIZE - 6, 1);
}

static void
a_head_cannot_be_split_or_overflow(void **state)
{
	(void)state;
	assert_int_equal(signal_of(split_a_header), SIGABRT);
	assert_int_equal(signal_of(overflow_the_head), SIGABRT);
	assert_int_equal(signal_of(fill_the_head), 0);
}

static void
check_refusal(enum error error)
{
	struct response response;
	struct json_object *body;
	const char *why, *code;
	size_t size;

	response_start(&response);
	error_answer(&response, error, NULL);
	assert_in_range(response.status, 400, 503);
	assert_int_equal(response.status == 401,
	    strstr(response.head, "WWW-Authenticate: ") != NULL);
	assert_int_equal(response.status == 503,
	    strstr(response.head, "Retry-After: ") != NULL);

	body = json_parse(response.body, response.body_size, &why);
	assert_non_null(body);
	assert_int_equal(json_member_kind(body, "success"), JSON_BOOLEAN);
	code = json_member_string(body, "errorCode", &size);
	assert_non_null(code);
	assert_string_equal(code, response.error_code);
	assert_non_null(json_member_string(body, "message", &size));
	assert_int_equal(json_member_kind(body, "detail"), JSON_ABSENT);
	json_free(body);
	response_end(&response);
}

static void
every_refusal_is_a_row_of_the_table(void **state)
{
	(void)state;
	for (int i = 0; i < ERROR_COUNT; i++)
		check_refusal((enum error)i);
}

static void
a_refusal_may_have_details(void **state)
{
	struct json_object *detail = json_new_object();
	struct response response;

	(void)state;
	json_add_string(detail, "email", "is missing");
	response_start(&response);
	error_answer(&response, ERROR_INCOMPLETE_CREDENTIALS, detail);
	send_away(&response);
	assert_non_null(
	    strstr(sent, "\"errorCode\":\"INCOMPLETE_CREDENTIALS\""));
	assert_non_null(
	    strstr(sent, "\"detail\":{\"email\":\"is missing\"}}"));
}

static const char *
cookies(int mode, bool https)
{
	static char base[] = "/v2";
	const struct config config = { .base_path = base,
		.secure_cookies = mode };
	const struct request request = { .https = https };
	const struct session_tokens tokens = { .access = "a.b.c",
		.refresh = "r.s",
		.expires_in = 900,
		.refresh_seconds = 1209600 };
	struct response response;

	response_start(&response);
	cookie_set_session(&response, &config, &request, &tokens);
	response.status = 204;
	send_away(&response);
	return sent;
}

static const char secure[] =
    "Status: 204 No Content\r\n"
    "Set-Cookie: __Host-postern-access=a.b.c; Path=/; Max-Age=900; "
    "Secure; HttpOnly; SameSite=Lax\r\n"
    "Set-Cookie: __Secure-postern-refresh=r.s; Path=/v2/auth; "
    "Max-Age=1209600; Secure; HttpOnly; SameSite=Lax\r\n\r\n";

static const char plain[] =
    "Status: 204 No Content\r\n"
    "Set-Cookie: postern-access=a.b.c; Path=/; Max-Age=900; HttpOnly; "
    "SameSite=Lax\r\n"
    "Set-Cookie: postern-refresh=r.s; Path=/v2/auth; Max-Age=1209600; "
    "HttpOnly; SameSite=Lax\r\n\r\n";

static void
cookies_are_as_secure_as_the_way(void **state)
{
	(void)state;
	assert_string_equal(cookies(COOKIES_ALWAYS, false), secure);
	assert_string_equal(cookies(COOKIES_ALWAYS, true), secure);
	assert_string_equal(cookies(COOKIES_AUTO, true), secure);
	assert_string_equal(cookies(COOKIES_AUTO, false), plain);
	assert_string_equal(cookies(COOKIES_NEVER, true), plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_one_piece),
		cmocka_unit_test(an_answer_without_a_body_has_no_length),
		cmocka_unit_test(a_head_cannot_be_split_or_overflow),
		cmocka_unit_test(every_refusal_is_a_row_of_the_table),
		cmocka_unit_test(a_refusal_may_have_details),
		cmocka_unit_test(cookies_are_as_secure_as_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
