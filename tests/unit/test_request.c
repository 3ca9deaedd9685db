/* test_request.c - a web server's variables become a request, or do not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/request.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A gateway that hands out a body in pieces and may break off. */
struct peer {
	struct gateway gateway;
	const char *body;
	size_t size;
	bool breaks;
};

static ssize_t
peer_read(void *self, void *bytes, size_t size)
{
	struct peer *peer = self;
	size_t got = peer->size < 7 ? peer->size : 7;

	if (got > size)
		got = size;
	if (got == 0 && peer->breaks)
		return -1;
	memcpy(bytes, peer->body, got);
	peer->body += got;
	peer->size -= got;
	return (ssize_t)got;
}

static enum request_result
read_head(struct request *request, const char **params)
{
	static struct peer peer; /* outlives the request that points to it */

	peer = (struct peer){ .gateway = { .params = params } };
	return request_read(request, &peer.gateway);
}

static enum request_result
read_uri(struct request *request, const char *uri)
{
	static char line[4096];
	static const char *params[] = { "REQUEST_METHOD=GET", line,
		"REMOTE_ADDR=192.0.2.1", NULL };

	strcpy(line, "REQUEST_URI=");
	strcat(line, uri);
	return read_head(request, params);
}

static void
a_head_is_sorted_into_fields(void **state)
{
	const char *params[] = { "FCGI_ROLE=RESPONDER", "REQUEST_METHOD=POST",
		"REQUEST_URI=/v2/auth/sign-in?sessionId=a%2Bb&x",
		"REMOTE_ADDR=2001:db8::1", "CONTENT_TYPE=application/json",
		"HTTP_X_API_KEY=key", "HTTP_AUTHORIZATION=Bearer t",
		"HTTP_USER_AGENT=Browser/1", "HTTPS=on", "NO_EQUALS", "=empty",
		"HTTP_X_API_KEY=second", NULL };
	struct request request;
	char value[16];

	(void)state;
	assert_int_equal(read_head(&request, params), REQUEST_OK);
	assert_int_equal(request.method, METHOD_POST);
	assert_string_equal(request.path, "/v2/auth/sign-in");
	assert_string_equal(request.remote_addr, "2001:db8::1");
	assert_string_equal(request.api_key, "key");
	assert_string_equal(request.authorization, "Bearer t");
	assert_string_equal(request.device, "Browser/1");
	assert_true(request.https);
	assert_null(request.origin);
	assert_int_equal(
	    request_query(&request, "sessionId", value, sizeof(value)),
	    QUERY_FOUND);
	assert_string_equal(value, "a+b");
	request_end(&request);
}

/* It is somebody else's address, and there may be none. */
static void
an_authorizer_is_asked_about_anything(void **state)
{
	static const char *const uris[] = { "REQUEST_URI=//",
		"REQUEST_URI=/%00?sessionId=a", "REQUEST_URI=", "X=" };
	const char *params[] = { NULL, "HTTPS=on", "REMOTE_ADDR=nowhere",
		"HTTP_AUTHORIZATION=Bearer t", NULL };
	struct peer peer = { .gateway = { .params = params,
				 .authorizer = true } };
	struct request request;

	(void)state;
	for (size_t i = 0; i < COUNT(uris); i++) {
		params[0] = uris[i];
		assert_int_equal(request_read(&request, &peer.gateway),
		    REQUEST_OK);
		assert_true(request.authorizer);
		assert_true(request.https);
		assert_string_equal(request.path, "");
		assert_string_equal(request.query, "");
		assert_null(request.remote_addr);
		assert_string_equal(request.authorization, "Bearer t");
	}
	params[0] = "REQUEST_URI=/private/a%20b?sessionId=x";
	params[2] = "REQUEST_METHOD=PROPFIND";
	assert_int_equal(request_read(&request, &peer.gateway), REQUEST_OK);
	assert_string_equal(request.query, "");
	assert_string_equal(request.method_text, "PROPFIND");
	params[1] = "REMOTE_ADDR=192.0.2.1";
	assert_int_equal(request_read(&request, &peer.gateway), REQUEST_OK);
	assert_string_equal(request.path, "/private/a b");
}

static void
methods_are_known_by_their_exact_names(void **state)
{
	static const struct {
		char line[32];
		enum request_method method;
	} table[] = {
		{ "REQUEST_METHOD=GET", METHOD_GET },
		{ "REQUEST_METHOD=HEAD", METHOD_GET },
		{ "REQUEST_METHOD=PUT", METHOD_PUT },
		{ "REQUEST_METHOD=DELETE", METHOD_DELETE },
		{ "REQUEST_METHOD=OPTIONS", METHOD_OPTIONS },
		{ "REQUEST_METHOD=post", METHOD_OTHER },
		{ "REQUEST_METHOD=POSTS", METHOD_OTHER },
		{ "REQUEST_METHOD=", METHOD_OTHER },
	};
	struct request request;
	char line[32];
	const char *params[] = { line, "REQUEST_URI=/", "REMOTE_ADDR=::1", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		strcpy(line, table[i].line);
		assert_int_equal(read_head(&request, params), REQUEST_OK);
		assert_int_equal(request.method, table[i].method);
	}
}

static void
half_a_head_is_no_request(void **state)
{
	const char *whole[] = { "REQUEST_METHOD=GET", "REQUEST_URI=/a",
		"REMOTE_ADDR=127.0.0.1", NULL };
	struct request request;

	(void)state;
	assert_int_equal(read_head(&request, whole), REQUEST_OK);
	for (int i = 0; i < 3; i++) {
		const char *params[] = { whole[0], whole[1], whole[2], NULL };

		params[i] = "OTHER=x";
		assert_int_equal(read_head(&request, params), REQUEST_INVALID);
	}
	whole[2] = "REMOTE_ADDR=localhost";
	assert_int_equal(read_head(&request, whole), REQUEST_INVALID);
	assert_null(request.remote_addr);
	whole[2] = "REMOTE_ADDR=";
	assert_int_equal(read_head(&request, whole), REQUEST_INVALID);
}

static void
two_addresses_in_one_request_are_none(void **state)
{
	const char *params[] = { "REQUEST_METHOD=GET", "REQUEST_URI=/a",
		"REMOTE_ADDR=127.0.0.1", "REQUEST_URI=/a", NULL };
	struct request request;

	(void)state;
	assert_int_equal(read_head(&request, params), REQUEST_OK);
	params[3] = "REQUEST_URI=/b";
	assert_int_equal(read_head(&request, params), REQUEST_BAD_PATH);
	assert_string_equal(request.path, "");
}

static void
paths_are_decoded_once_or_refused(void **state)
{
	static const struct {
		const char *uri;
		const char *path; /* NULL: refused */
	} table[] = {
		{ "/", "/" },
		{ "/v2/auth/sign-in", "/v2/auth/sign-in" },
		{ "/v2/auth/sign%2din", "/v2/auth/sign-in" },
		{ "/a/", "/a/" },
		{ "/a%2525", "/a%25" },
		{ "/a?b/../c", "/a" },
		{ "/%c3%a9", "/\xc3\xa9" },
		{ "/...", "/..." },
		{ "/.well-known/x", "/.well-known/x" },
		{ "", NULL },
		{ "a", NULL },
		{ "http://host/a", "/a" },
		{ "HTTPS://host:443/a%62?c/..", "/ab" },
		{ "http://", NULL },
		{ "http://host", NULL },
		{ "http://host?/a", NULL },
		{ "http://host//a", NULL },
		{ "http:///a", "/a" },
		{ "http:/a", NULL },
		{ "ftp://host/a", NULL },
		{ "//a", NULL },
		{ "/a//b", NULL },
		{ "/a/./b", NULL },
		{ "/a/..", NULL },
		{ "/a/%2e%2e/b", NULL },
		{ "/a%2Fb", NULL },
		{ "/a%5cb", NULL },
		{ "/a%00", NULL },
		{ "/a%0a", NULL },
		{ "/a\x01", NULL },
		{ "/a%", NULL },
		{ "/a%4", NULL },
		{ "/a%zz", NULL },
	};
	struct request request;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		enum request_result result = read_uri(&request, table[i].uri);

		if (result != (table[i].path ? REQUEST_OK : REQUEST_BAD_PATH))
			fail_msg("\"%s\" gave %d", table[i].uri, result);
		assert_string_equal(request.path,
		    table[i].path ? table[i].path : "");
	}
}

static void
a_path_fits_or_is_refused(void **state)
{
	struct request request;
	char uri[REQUEST_PATH_SIZE + 1];

	(void)state;
	memset(uri, 'a', sizeof(uri));
	uri[0] = '/';
	uri[REQUEST_PATH_SIZE - 1] = '\0';
	assert_int_equal(read_uri(&request, uri), REQUEST_OK);
	uri[REQUEST_PATH_SIZE - 1] = 'a';
	uri[REQUEST_PATH_SIZE] = '\0';
	assert_int_equal(read_uri(&request, uri), REQUEST_BAD_PATH);
}

static void
query_parameters_are_found_once_or_refused(void **state)
{
	static const struct {
		const char *uri;
		enum request_query result;
		const char *value;
	} table[] = {
		{ "/a", QUERY_ABSENT, NULL },
		{ "/a?", QUERY_ABSENT, NULL },
		{ "/a?id", QUERY_BAD, NULL },
		{ "/a?id=", QUERY_BAD, NULL },
		{ "/a?idx=1&xid=2", QUERY_ABSENT, NULL },
		{ "/a?id=1", QUERY_FOUND, "1" },
		{ "/a?x=2&id=a+b%20c&y", QUERY_FOUND, "a b c" },
		{ "/a?&&id=1&&", QUERY_FOUND, "1" },
		{ "/a?id=1&id=1", QUERY_BAD, NULL },
		{ "/a?id=%00", QUERY_BAD, NULL },
		{ "/a?id=%4", QUERY_BAD, NULL },
		{ "/a?id=%0d", QUERY_BAD, NULL },
		{ "/a?id=1234567", QUERY_FOUND, "1234567" },
		{ "/a?id=12345678", QUERY_BAD, NULL },
	};
	struct request request;
	char value[8];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		enum request_query result;

		assert_int_equal(read_uri(&request, table[i].uri), REQUEST_OK);
		result = request_query(&request, "id", value, sizeof(value));
		if (result != table[i].result)
			fail_msg("\"%s\" gave %d", table[i].uri, result);
		if (table[i].value != NULL)
			assert_string_equal(value, table[i].value);
	}
}

static void
a_device_is_safe_text(void **state)
{
	char line[512];
	const char *params[] = { "REQUEST_METHOD=GET", "REQUEST_URI=/",
		"REMOTE_ADDR=::1", line, NULL };
	struct request request;

	(void)state;
	strcpy(line, "HTTP_USER_AGENT=a\tb\xff");
	assert_int_equal(read_head(&request, params), REQUEST_OK);
	assert_string_equal(request.device, "a?b?");

	strcpy(line, "HTTP_USER_AGENT=\xc3\xa9");
	assert_int_equal(read_head(&request, params), REQUEST_OK);
	assert_string_equal(request.device, "\xc3\xa9");

	/* Cut before a character that would be halved. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "HTTP_USER_AGENT=", 16);
	strcpy(line + 16 + REQUEST_DEVICE_SIZE - 2, "\xc3\xa9zz");
	assert_int_equal(read_head(&request, params), REQUEST_OK);
	assert_int_equal(strlen(request.device), REQUEST_DEVICE_SIZE - 2);

	/* The others stay what they were. */
	memcpy(line + 16, "\xc3\xa9", 2);
	strcpy(line + 16 + REQUEST_DEVICE_SIZE - 4, "\xf0\x9f\x98\x80");
	assert_int_equal(read_head(&request, params), REQUEST_OK);
	assert_int_equal(strlen(request.device), REQUEST_DEVICE_SIZE - 4);
	assert_memory_equal(request.device, "\xc3\xa9x", 3);
}

static enum request_result
read_body(struct request *request, const char *length, struct peer *peer,
    size_t limit)
{
	char line[64] = "OTHER=";
	const char *params[] = { "REQUEST_METHOD=POST", "REQUEST_URI=/",
		"REMOTE_ADDR=::1", line, NULL };

	if (length != NULL) {
		strcpy(line, "CONTENT_LENGTH=");
		strcat(line, length);
	}
	peer->gateway = (struct gateway){ .params = params,
		.read = peer_read,
		.self = peer };
	assert_int_equal(request_read(request, &peer->gateway), REQUEST_OK);
	return request_read_body(request, limit);
}

static void
a_body_is_as_long_as_it_says(void **state)
{
	static const struct {
		const char *length;
		const char *body;
		bool breaks;
		enum request_result result;
	} table[] = {
		{ "20", "01234567890123456789", false, REQUEST_OK },
		{ NULL, "01234567890123456789", false, REQUEST_OK },
		{ "", "01234567890123456789", false, REQUEST_OK },
		{ "0", "", false, REQUEST_OK },
		{ NULL, "", false, REQUEST_OK },
		{ "19", "01234567890123456789", false, REQUEST_INVALID },
		{ "21", "01234567890123456789", false, REQUEST_INVALID },
		{ "0", "0", false, REQUEST_INVALID },
		{ "20", "01234567890123456789", true, REQUEST_INVALID },
		{ NULL, "0123", true, REQUEST_INVALID },
		{ "32", "", false, REQUEST_INVALID },
		{ "33", "", false, REQUEST_TOO_LARGE },
		{ "99999999999999999999999", "", false, REQUEST_TOO_LARGE },
		{ NULL, "01234567890123456789012345678901", false,
		    REQUEST_OK },
		{ NULL, "012345678901234567890123456789012", false,
		    REQUEST_TOO_LARGE },
		{ "-1", "", false, REQUEST_INVALID },
		{ "+1", "1", false, REQUEST_INVALID },
		{ "1 ", "1", false, REQUEST_INVALID },
		{ "0x1", "1", false, REQUEST_INVALID },
	};
	struct request request;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		size_t size = strlen(table[i].body);
		struct peer peer = { .body = table[i].body,
			.size = size,
			.breaks = table[i].breaks };
		enum request_result result =
		    read_body(&request, table[i].length, &peer, 32);

		if (result != table[i].result)
			fail_msg("row %zu gave %d", i, result);
		if (result == REQUEST_OK) {
			assert_int_equal(request.body_size, size);
			assert_string_equal(request.body, table[i].body);
		}
		request_end(&request);
	}
}

static void
a_body_that_broke_off_is_wiped_too(void **state)
{
	struct peer peer = { .body = "secret", .size = 6, .breaks = true };
	struct request request;

	(void)state;
	assert_int_equal(read_body(&request, "32", &peer, 32), REQUEST_INVALID);
	assert_int_equal(request.body_size, 0);
	assert_memory_equal(request.body, "secret", 6);
	assert_true(request.body_room >= 6);
	request_end(&request);
}

static void
only_json_in_utf8_is_json(void **state)
{
	static const struct {
		const char *type;
		bool json;
	} table[] = {
		{ "application/json", true },
		{ "Application/JSON", true },
		{ "application/json; charset=utf-8", true },
		{ "application/json;charset=\"UTF-8\"", true },
		{ "application/json ; x=y", true },
		{ "application/json; charset=utf-16", false },
		{ "application/json; charset=utf-8x", false },
		{ "application/json; charset=latin1", false },
		{ "application/jsonp", false },
		{ "application/json,text/plain", false },
		{ "text/json", false },
		{ "", false },
	};
	struct request request = { 0 };

	(void)state;
	assert_false(request_is_json(&request));
	for (size_t i = 0; i < COUNT(table); i++) {
		request.content_type = table[i].type;
		if (request_is_json(&request) != table[i].json)
			fail_msg("\"%s\"", table[i].type);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_sorted_into_fields),
		cmocka_unit_test(an_authorizer_is_asked_about_anything),
		cmocka_unit_test(methods_are_known_by_their_exact_names),
		cmocka_unit_test(half_a_head_is_no_request),
		cmocka_unit_test(two_addresses_in_one_request_are_none),
		cmocka_unit_test(paths_are_decoded_once_or_refused),
		cmocka_unit_test(a_path_fits_or_is_refused),
		cmocka_unit_test(query_parameters_are_found_once_or_refused),
		cmocka_unit_test(a_device_is_safe_text),
		cmocka_unit_test(a_body_is_as_long_as_it_says),
		cmocka_unit_test(a_body_that_broke_off_is_wiped_too),
		cmocka_unit_test(only_json_in_utf8_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
