/* test_record.c - what may be given to libfcgi, and what may not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records.h"
#include "web/record.h"

#define BODY_LIMIT 100

static struct records request;
static struct record_scan scan;

static enum record_result
look(void)
{
	record_start(&scan, BODY_LIMIT);
	return record_scan(&scan, request.bytes, request.size);
}

static void
assert_bad(const char *why)
{
	assert_int_equal(look(), RECORD_BAD);
	assert_string_equal(scan.why, why);
}

static void
test_whole(void **state)
{
	(void)state;
	records_request(&request, 0, "{\"a\":1}");
	assert_int_equal(look(), RECORD_WHOLE);
	assert_false(scan.authorizer);
	assert_int_equal(scan.body_size, 7);
	assert_int_equal(scan.seen, request.size);
}

static void
test_no_body(void **state)
{
	(void)state;
	records_request(&request, 0, "");
	assert_int_equal(look(), RECORD_WHOLE);
	assert_int_equal(scan.body_size, 0);
}

static void
test_nothing_yet(void **state)
{
	(void)state;
	request.size = 0;
	assert_int_equal(look(), RECORD_MORE);
}

/* However the bytes arrive, the answer is the same. */
static void
test_byte_by_byte(void **state)
{
	enum record_result result;

	(void)state;
	records_request(&request, 0, "{\"email\":\"a@b.c\"}");
	record_start(&scan, BODY_LIMIT);
	for (size_t size = 0; size < request.size; size++) {
		unsigned char *part = malloc(size + 1);

		/* A block of its own, so that a look beyond it is seen. */
		memcpy(part, request.bytes, size);
		result = record_scan(&scan, part, size);
		free(part);
		assert_int_equal(result, RECORD_MORE);
	}
	assert_int_equal(record_scan(&scan, request.bytes, request.size),
	    RECORD_WHOLE);
	assert_int_equal(scan.body_size, 17);
}

static void
test_padding(void **state)
{
	(void)state;
	request.size = 0;
	records_begin(&request, RESPONDER, 0);
	records_header(&request, PARAMS, 1, 2, 5);
	records_bytes(&request, "\0\0xxxxx", 7);
	records_add(&request, PARAMS, "", 0);
	records_header(&request, STDIN, 1, 3, 5);
	records_bytes(&request, "abcxxxxx", 8);
	assert_int_equal(look(), RECORD_MORE);
	records_header(&request, STDIN, 1, 0, 255);
	assert_int_equal(look(), RECORD_MORE);
	memset(request.bytes + request.size, 7, 255);
	request.size += 255;
	assert_int_equal(look(), RECORD_WHOLE);
	assert_int_equal(scan.body_size, 3);
}

/* libfcgi would take it for records of the request. */
static void
test_padding_that_is_not_skipped(void **state)
{
	static const char *why = "padding where none is skipped";

	(void)state;
	records_head(&request, RESPONDER, 0);
	request.bytes[6] = 255;
	assert_bad(why);

	records_head(&request, AUTHORIZER, 0);
	records_header(&request, PARAMS, 1, 0, 1);
	assert_bad(why);
}

/* A pair may be cut by records at any byte, also within its lengths. */
static void
test_pairs_cut_by_records(void **state)
{
	char value[300];
	static struct records pair;

	(void)state;
	memset(value, 'v', sizeof(value));
	request.size = pair.size = 0;
	records_length(&pair, 4);
	records_length(&pair, sizeof(value));
	records_bytes(&pair, "NAME", 4);
	records_bytes(&pair, value, sizeof(value));
	records_length(&pair, 0);
	records_length(&pair, 0);
	records_begin(&request, RESPONDER, 0);
	for (size_t i = 0; i < pair.size; i++)
		records_add(&request, PARAMS, pair.bytes + i, 1);
	records_add(&request, PARAMS, "", 0);
	records_add(&request, STDIN, "", 0);
	assert_int_equal(look(), RECORD_WHOLE);
}

static void
test_authorizer_needs_no_stdin(void **state)
{
	(void)state;
	records_head(&request, AUTHORIZER, 0);
	assert_int_equal(look(), RECORD_MORE);
	records_add(&request, PARAMS, "", 0);
	assert_int_equal(look(), RECORD_WHOLE);
	assert_true(scan.authorizer);
}

static void
test_body_at_its_limit(void **state)
{
	char body[BODY_LIMIT + 2];

	(void)state;
	memset(body, 'b', sizeof(body));
	body[BODY_LIMIT] = '\0';
	records_request(&request, 0, body);
	assert_int_equal(look(), RECORD_WHOLE);
	assert_int_equal(scan.body_size, BODY_LIMIT);

	body[BODY_LIMIT] = 'b';
	body[BODY_LIMIT + 1] = '\0';
	records_request(&request, 0, body);
	assert_int_equal(look(), RECORD_LARGE);
	assert_int_equal(scan.body_size, BODY_LIMIT + 1);
}

/* Known once a byte too many is there, long before the record is whole. */
static void
test_large_body_is_known_early(void **state)
{
	(void)state;
	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "", 0);
	records_add(&request, STDIN, "0123456789", 10);
	records_header(&request, STDIN, 1, 65535, 0);
	assert_int_equal(look(), RECORD_MORE);
	memset(request.bytes + request.size, 'b', BODY_LIMIT - 10);
	request.size += BODY_LIMIT - 10;
	assert_int_equal(look(), RECORD_MORE);
	request.bytes[request.size++] = 'b';
	assert_int_equal(look(), RECORD_LARGE);
	assert_int_equal(scan.body_size, BODY_LIMIT + 1);
}

static void
test_not_fastcgi(void **state)
{
	(void)state;
	request.size = 0;
	records_bytes(&request, "GET / HTTP/1.1\r\n", 16);
	assert_bad("bytes that are not FastCGI");
	request.size = 1;
	assert_bad("bytes that are not FastCGI");
	request.bytes[0] = 0;
	assert_bad("bytes that are not FastCGI");
}

static void
test_bad_beginnings(void **state)
{
	(void)state;
	request.size = 0;
	records_begin(&request, FILTER, 0);
	assert_bad("a role that is neither responder nor authorizer");
	request.size = 0;
	records_begin(&request, 0, 0);
	assert_bad("a role that is neither responder nor authorizer");
	request.size = 0;
	records_add(&request, BEGIN_REQUEST, "\0\1\0\0\0\0\0\0\0", 9);
	assert_bad("a first record of the wrong size");
	request.size = 0;
	records_add(&request, BEGIN_REQUEST, "\0\1", 2);
	assert_bad("a first record of the wrong size");
	request.size = 0;
	records_add(&request, PARAMS, "", 0);
	assert_bad("a record that does not belong there");
	request.size = 0;
	records_header(&request, BEGIN_REQUEST, 0, 8, 0);
	records_bytes(&request, "\0\1\0\0\0\0\0\0", 8);
	assert_bad("a management record");
	request.size = 0;
	records_header(&request, GET_VALUES, 0, 0, 0);
	assert_bad("a management record");
}

/* A record of each kind that no web server sends there, at each of the
 * places. */
static void
test_bad_records(void **state)
{
	static const struct {
		unsigned type, id;
		const char *why;
	} records[] = {
		{ GET_VALUES, 0, "a management record" },
		{ 200, 0, "a management record" },
		{ BEGIN_REQUEST, 1, "a record that does not belong there" },
		{ BEGIN_REQUEST, 2, "two requests on one connection" },
		{ PARAMS, 2, "two requests on one connection" },
		{ STDIN, 256, "two requests on one connection" },
		{ ABORT_REQUEST, 1, "an aborted request" },
		{ END_REQUEST, 1, "a record that does not belong there" },
		{ DATA, 1, "a record that does not belong there" },
		{ 200, 1, "a record that does not belong there" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		records_head(&request, RESPONDER, 0);
		records_header(&request, records[i].type, records[i].id, 0, 0);
		assert_bad(records[i].why);

		records_head(&request, RESPONDER, 0);
		records_add(&request, PARAMS, "", 0);
		records_add(&request, STDIN, "abc", 3);
		records_header(&request, records[i].type, records[i].id, 0, 0);
		assert_bad(records[i].why);
	}
}

static void
test_stdin_before_the_parameters_end(void **state)
{
	(void)state;
	records_head(&request, RESPONDER, 0);
	records_add(&request, STDIN, "", 0);
	assert_bad("a record that does not belong there");
}

static void
test_parameters_after_their_end(void **state)
{
	(void)state;
	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "", 0);
	records_param(&request, "REMOTE_ADDR", "127.0.0.1");
	assert_bad("a record that does not belong there");
}

static void
test_parameters_cut_off(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} ends[] = {
		{ "\3", 1 },             /* no second length */
		{ "\x80\0", 2 },         /* half a length */
		{ "\3\x80\0\0", 4 },     /* half of the second */
		{ "\3\3", 2 },           /* lengths alone */
		{ "\3\3abcde", 7 },      /* a byte short */
		{ "\0\1", 2 },           /* no value */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		records_head(&request, RESPONDER, 0);
		records_add(&request, PARAMS, ends[i].bytes, ends[i].size);
		records_add(&request, PARAMS, "", 0);
		assert_bad("a parameter that is cut off");
	}
}

static void
test_parameters_too_long(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} lengths[] = {
		{ "\xff\xff\xff\xff", 4 },
		{ "\x80\1\0\1", 4 },
		{ "\0\xff\xff\xff\xff", 5 },
		{ "\x80\1\0\0\1", 5 }, /* each within, both not */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		records_head(&request, RESPONDER, 0);
		records_add(&request, PARAMS, lengths[i].bytes,
		    lengths[i].size);
		assert_bad("a parameter that is too long");
	}
}

static void
test_parameter_with_a_nul(void **state)
{
	(void)state;
	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "\1\3Aa\0b", 6);
	assert_bad("a parameter with a NUL");
	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "\2\1A\0b", 5);
	assert_bad("a parameter with a NUL");
}

static void
test_too_many_parameters(void **state)
{
	static char value[30000];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	records_head(&request, RESPONDER, 0);
	records_param(&request, "A", value);
	records_param(&request, "B", value);
	assert_int_equal(look(), RECORD_MORE);
	records_header(&request, PARAMS, 1, 10000, 0);
	assert_bad("too many parameters");
}

/* Nothing behind a whole request is looked at. */
static void
test_what_follows(void **state)
{
	size_t size;

	(void)state;
	records_request(&request, KEEP_CONNECTION, "x");
	size = request.size;
	records_bytes(&request, "\0\0\0\0\0\0\0\0\0", 9);
	assert_int_equal(look(), RECORD_WHOLE);
	assert_int_equal(scan.seen, size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_padding_that_is_not_skipped),
		cmocka_unit_test(test_pairs_cut_by_records),
		cmocka_unit_test(test_authorizer_needs_no_stdin),
		cmocka_unit_test(test_body_at_its_limit),
		cmocka_unit_test(test_large_body_is_known_early),
		cmocka_unit_test(test_not_fastcgi),
		cmocka_unit_test(test_bad_beginnings),
		cmocka_unit_test(test_bad_records),
		cmocka_unit_test(test_stdin_before_the_parameters_end),
		cmocka_unit_test(test_parameters_after_their_end),
		cmocka_unit_test(test_parameters_cut_off),
		cmocka_unit_test(test_parameters_too_long),
		cmocka_unit_test(test_parameter_with_a_nul),
		cmocka_unit_test(test_too_many_parameters),
		cmocka_unit_test(test_what_follows),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
