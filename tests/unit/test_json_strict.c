/* What is JSON, and what only looks like it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/json_strict.h"

#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))
#define BYTES(text)  text, sizeof(text) - 1
#define NO_WORD      "a word that is not true, false or null"
#define NO_VALUE     "something else where a value belongs"
#define BEHIND       "something behind the value"
#define NO_DIGITS    "a number without the digits it needs"
#define NO_ESCAPE    "an escape that JSON does not have"
#define HALF         "half of a surrogate pair"
#define NO_NAME      "a name that is not a string"
#define NO_COLON     "a name without a colon behind it"
#define OPEN_STRING  "a string without its end"
#define OPEN_OBJECT  "an object without its end"
#define OPEN_ARRAY   "an array without its end"
#define CONTROL      "a control character in a string"
#define LEADING_ZERO "a number that begins with 0"
#define TOO_LARGE    "an integer beyond 64 bits"
#define NO_CODE      "\\u without four digits"
#define NOT_UTF8     "not UTF-8"

/* Accepted texts, and how many members they have. */
static const struct {
	const char *text;
	size_t size;
	size_t members;
} good[] = {
	{ BYTES("null"), 0 },
	{ BYTES("true"), 0 },
	{ BYTES("false"), 0 },
	{ BYTES("0"), 0 },
	{ BYTES("-0"), 0 },
	{ BYTES("-1"), 0 },
	{ BYTES("10"), 0 },
	{ BYTES("0.5"), 0 },
	{ BYTES("-0.0"), 0 },
	{ BYTES("1e0"), 0 },
	{ BYTES("1E+2"), 0 },
	{ BYTES("0e-1"), 0 },
	{ BYTES("1.5e-007"), 0 },
	{ BYTES("1e999"), 0 },
	{ BYTES("9223372036854775807"), 0 },
	{ BYTES("-9223372036854775808"), 0 },
	{ BYTES("9223372036854775808.0"), 0 },
	{ BYTES("9223372036854775808e1"), 0 },
	{ BYTES("\"\""), 0 },
	{ BYTES("\"a\""), 0 },
	{ BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), 0 },
	{ BYTES("\"\\u0041\\u00e4\\u20AC\\uABCD\\uefef\""), 0 },
	{ BYTES("\"\\u0000\""), 0 },
	{ BYTES("\"\\ud83d\\ude00\""), 0 },
	{ BYTES("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""), 0 },
	{ BYTES("\"\\ud7ff\\ue000\\uffff\""), 0 },
	{ BYTES("\"\\\\ud800\""), 0 }, /* a backslash, then letters */
	{ BYTES("\"\x7f\""), 0 },      /* DEL is no control character here */
	{ BYTES("\"\xc2\x80\xe2\x80\xa8\xf4\x8f\xbf\xbf\""), 0 },
	{ BYTES("\"\xef\xbb\xbf\""), 0 },
	{ BYTES("\"// /* no comment */\""), 0 },
	{ BYTES("[]"), 0 },
	{ BYTES("[ ]"), 0 },
	{ BYTES("[1,2 , 3]"), 0 },
	{ BYTES("[[],[[]],{}]"), 0 },
	{ BYTES("[null,true,false,\"x\",1,{}]"), 0 },
	{ BYTES("{}"), 0 },
	{ BYTES("{ }"), 0 },
	{ BYTES("{\"\":0}"), 1 },
	{ BYTES("{\"a\":1,\"b\":{\"c\":[{\"d\":2}]}}"), 4 },
	{ BYTES("{\"a\":1,\"a\":2}"), 2 }, /* counted; json.c refuses it */
	{ BYTES(" \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n1 \t\r\n} \t\r\n"), 1 },
	{ BYTES("{\"a\\u0041\":\"b\"}"), 1 },
	{ BYTES("{\"p\\u00e4ss\":\"b\"}"), 1 },
};

/* Refused texts, and the reason. */
static const struct {
	const char *text;
	size_t size;
	const char *why;
} bad[] = {
	/* nothing, or too much */
	{ BYTES(""), NO_VALUE },
	{ BYTES(" "), NO_VALUE },
	{ BYTES("\n\n"), NO_VALUE },
	{ BYTES("1 2"), BEHIND },
	{ BYTES("{}{}"), BEHIND },
	{ BYTES("{}x"), BEHIND },
	{ BYTES("[] ,"), BEHIND },
	{ BYTES("\"a\"\"b\""), BEHIND },
	{ BYTES("{}\0"), BEHIND },
	{ BYTES("{}\0{}"), BEHIND },
	{ BYTES("{}]"), BEHIND },
	{ BYTES("]"), NO_VALUE },
	{ BYTES("}"), NO_VALUE },
	{ BYTES(","), NO_VALUE },
	{ BYTES(":"), NO_VALUE },
	/* white space that JSON does not have */
	{ BYTES("\v1"), NO_VALUE },
	{ BYTES("\f1"), NO_VALUE },
	{ BYTES("\0" "1"), NO_VALUE },
	{ BYTES("\xc2\xa0" "1"), NO_VALUE },
	{ BYTES("\xe2\x80\xa8" "1"), NO_VALUE },
	{ BYTES("\xef\xbb\xbf{}"), NO_VALUE }, /* byte order mark */
	/* comments */
	{ BYTES("/* x */ 1"), NO_VALUE },
	{ BYTES("// x\n1"), NO_VALUE },
	{ BYTES("# x\n1"), NO_VALUE },
	{ BYTES("1 /* x */"), BEHIND },
	{ BYTES("{}//"), BEHIND },
	{ BYTES("{}#"), BEHIND },
	{ BYTES("[1/**/]"), OPEN_ARRAY },
	{ BYTES("{/**/}"), NO_NAME },
	/* words */
	{ BYTES("nul"), NO_WORD },
	{ BYTES("nULL"), NO_WORD },
	{ BYTES("NULL"), NO_VALUE },
	{ BYTES("True"), NO_VALUE },
	{ BYTES("tru"), NO_WORD },
	{ BYTES("truE"), NO_WORD },
	{ BYTES("falsE"), NO_WORD },
	{ BYTES("nan"), NO_WORD },
	{ BYTES("NaN"), NO_VALUE },
	{ BYTES("Infinity"), NO_VALUE },
	{ BYTES("-Infinity"), NO_DIGITS },
	{ BYTES("-NaN"), NO_DIGITS },
	{ BYTES("undefined"), NO_VALUE },
	{ BYTES("truetrue"), BEHIND },
	{ BYTES("nullx"), BEHIND },
	{ BYTES("a"), NO_VALUE },
	/* numbers */
	{ BYTES("-"), NO_DIGITS },
	{ BYTES("+1"), NO_VALUE },
	{ BYTES("--1"), NO_DIGITS },
	{ BYTES("- 1"), NO_DIGITS },
	{ BYTES("01"), LEADING_ZERO },
	{ BYTES("-01"), LEADING_ZERO },
	{ BYTES("00"), LEADING_ZERO },
	{ BYTES("-00"), LEADING_ZERO },
	{ BYTES("012.5"), LEADING_ZERO },
	{ BYTES("1."), NO_DIGITS },
	{ BYTES(".5"), NO_VALUE },
	{ BYTES("-.5"), NO_DIGITS },
	{ BYTES("1.e1"), NO_DIGITS },
	{ BYTES("1e"), NO_DIGITS },
	{ BYTES("1e+"), NO_DIGITS },
	{ BYTES("1e-"), NO_DIGITS },
	{ BYTES("1e+-1"), NO_DIGITS },
	{ BYTES("1e1.5"), BEHIND },
	{ BYTES("1.2.3"), BEHIND },
	{ BYTES("1_000"), BEHIND },
	{ BYTES("1,000"), BEHIND },
	{ BYTES("0x1F"), BEHIND },
	{ BYTES("1a"), BEHIND },
	{ BYTES("1-2"), BEHIND },
	{ BYTES("\xef\xbc\x91"), NO_VALUE }, /* a full-width digit */
	{ BYTES("9223372036854775808"), TOO_LARGE },
	{ BYTES("-9223372036854775809"), TOO_LARGE },
	{ BYTES("18446744073709551616"), TOO_LARGE },
	{ BYTES("[100000000000000000000000000]"), TOO_LARGE },
	/* strings */
	{ BYTES("\""), OPEN_STRING },
	{ BYTES("\"a"), OPEN_STRING },
	{ BYTES("\"a\\\""), OPEN_STRING },
	{ BYTES("\"\\"), NO_ESCAPE },
	{ BYTES("'a'"), NO_VALUE },
	{ BYTES("`a`"), NO_VALUE },
	{ BYTES("\"\n\""), CONTROL },
	{ BYTES("\"\t\""), CONTROL },
	{ BYTES("\"\0\""), CONTROL },
	{ BYTES("\"\x1f\""), CONTROL },
	{ BYTES("\"\x1b[2J\""), CONTROL },
	{ BYTES("\"\\\n\""), NO_ESCAPE },
	{ BYTES("\"\\\0\""), NO_ESCAPE },
	{ BYTES("\"\\a\""), NO_ESCAPE },
	{ BYTES("\"\\'\""), NO_ESCAPE },
	{ BYTES("\"\\v\""), NO_ESCAPE },
	{ BYTES("\"\\0\""), NO_ESCAPE },
	{ BYTES("\"\\x41\""), NO_ESCAPE },
	{ BYTES("\"\\U0041\""), NO_ESCAPE },
	{ BYTES("\"\\u\""), NO_CODE },
	{ BYTES("\"\\u004\""), NO_CODE },
	{ BYTES("\"\\u00g1\""), NO_CODE },
	{ BYTES("\"\\u+041\""), NO_CODE },
	{ BYTES("\"\\u 041\""), NO_CODE },
	{ BYTES("\"\\u{41}\""), NO_CODE },
	{ BYTES("\"\\u00"), NO_CODE },
	{ BYTES("\"\\ud800\""), HALF },
	{ BYTES("\"\\udbff\""), HALF },
	{ BYTES("\"\\udc00\""), HALF },
	{ BYTES("\"\\uDFFF\""), HALF },
	{ BYTES("\"\\ud800x\""), HALF },
	{ BYTES("\"\\ud800\\n\""), HALF },
	{ BYTES("\"\\ud800\\u0041\""), HALF },
	{ BYTES("\"\\ud800\\ud800\""), HALF },
	{ BYTES("\"\\ud800\\ud800\\udc00\""), HALF },
	{ BYTES("\"\\udc00\\ud800\""), HALF },
	{ BYTES("\"\\ud83d\\ude00\\ude00\""), HALF },
	{ BYTES("\"\\ud800\\"), HALF },
	{ BYTES("\"\\ud800\\u"), NO_CODE },
	{ BYTES("\"\\ud800\\udc0\""), NO_CODE },
	/* arrays */
	{ BYTES("["), NO_VALUE },
	{ BYTES("[1"), OPEN_ARRAY },
	{ BYTES("[1,"), NO_VALUE },
	{ BYTES("[1,]"), NO_VALUE },
	{ BYTES("[,1]"), NO_VALUE },
	{ BYTES("[,]"), NO_VALUE },
	{ BYTES("[1,,2]"), NO_VALUE },
	{ BYTES("[1 2]"), OPEN_ARRAY },
	{ BYTES("[1;2]"), OPEN_ARRAY },
	{ BYTES("[1}"), OPEN_ARRAY },
	{ BYTES("[\"a\":1]"), OPEN_ARRAY },
	{ BYTES("[[[]]"), OPEN_ARRAY },
	/* objects */
	{ BYTES("{"), NO_NAME },
	{ BYTES("{\"a\""), NO_COLON },
	{ BYTES("{\"a\":"), NO_VALUE },
	{ BYTES("{\"a\":1"), OPEN_OBJECT },
	{ BYTES("{\"a\":1,"), NO_NAME },
	{ BYTES("{\"a\":1,}"), NO_NAME },
	{ BYTES("{,\"a\":1}"), NO_NAME },
	{ BYTES("{,}"), NO_NAME },
	{ BYTES("{\"a\":1,,\"b\":2}"), NO_NAME },
	{ BYTES("{\"a\":1 \"b\":2}"), OPEN_OBJECT },
	{ BYTES("{\"a\" 1}"), NO_COLON },
	{ BYTES("{\"a\",1}"), NO_COLON },
	{ BYTES("{\"a\"=1}"), NO_COLON },
	{ BYTES("{\"a\":}"), NO_VALUE },
	{ BYTES("{\"a\":1]"), OPEN_OBJECT },
	{ BYTES("{a:1}"), NO_NAME },
	{ BYTES("{'a':1}"), NO_NAME },
	{ BYTES("{1:1}"), NO_NAME },
	{ BYTES("{null:1}"), NO_NAME },
	{ BYTES("{\"a\":1:2}"), OPEN_OBJECT },
	{ BYTES("{\"a\"}"), NO_COLON },
	{ BYTES("{[]:1}"), NO_NAME },
	{ BYTES("{\"password\\u0000x\":1}"), "a name with U+0000" },
	{ BYTES("{\"a\":{\"\\u0000\":1}}"), "a name with U+0000" },
	{ BYTES("{\"\\ud800\":1}"), HALF },
	/* UTF-8 */
	{ BYTES("\"\xff\""), NOT_UTF8 },
	{ BYTES("\"\xe4\""), NOT_UTF8 },
	{ BYTES("\"\xc0\x80\""), NOT_UTF8 },
	{ BYTES("\"\xc0\xa2"), NOT_UTF8 },        /* an overlong quote */
	{ BYTES("\"\xed\xa0\x80\""), NOT_UTF8 },  /* a surrogate */
	{ BYTES("\"\xf4\x90\x80\x80\""), NOT_UTF8 },
	{ BYTES("\"\xe2\x82\""), NOT_UTF8 },
	{ BYTES("{}\xff"), NOT_UTF8 },
	{ BYTES("\xff\xfe{\0}\0"), NOT_UTF8 },    /* UTF-16 */
	{ BYTES("{\0}\0"), NO_NAME },
};

static void
test_accepted(void **state)
{
	const char *why;
	size_t members;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		members = 77;
		why = json_strict(good[i].text, good[i].size, &members);
		if (why != NULL)
			fail_msg("%s: %s", good[i].text, why);
		assert_int_equal(members, good[i].members);
	}
}

static void
test_refused(void **state)
{
	const char *why;
	size_t members;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		why = json_strict(bad[i].text, bad[i].size, &members);
		if (why == NULL || strcmp(why, bad[i].why) != 0)
			fail_msg("%s: %s", bad[i].text,
			    why == NULL ? "accepted" : why);
	}
}

/* No text ends well when it is cut; the size counts, not a NUL. */
static void
test_cut(void **state)
{
	static const char text[] = "{\"a\":[1,\"b\\u00e4\\ud83d\\ude00\","
				   "{\"c\":null}],\"d\":true}";
	size_t members;

	(void)state;
	assert_null(json_strict(text, sizeof(text) - 1, &members));
	assert_int_equal(members, 3);
	for (size_t size = 0; size < sizeof(text) - 1; size++)
		assert_non_null(json_strict(text, size, &members));
}

/* `open` so many times, something, `close` as often. */
static const char *
nested(int levels, const char *open, const char *inner, const char *close,
    size_t *members)
{
	static char text[1024];
	int used = 0;

	for (int i = 0; i < levels; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used,
		    "%s", open);
	used += snprintf(text + used, sizeof(text) - (size_t)used, "%s",
	    inner);
	for (int i = 0; i < levels; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used,
		    "%s", close);
	return json_strict(text, (size_t)used, members);
}

static void
test_depth(void **state)
{
	const int limit = JSON_DEPTH_LIMIT;
	size_t members;

	(void)state;
	assert_null(nested(limit, "[", "", "]", &members));
	assert_null(nested(limit, "[", "1", "]", &members));
	assert_null(nested(limit, "{\"a\":", "1", "}", &members));
	assert_int_equal(members, limit);
	assert_string_equal(nested(limit + 1, "[", "", "]", &members),
	    "too many levels");
	assert_string_equal(nested(limit + 1, "{\"a\":", "1", "}", &members),
	    "too many levels");
	assert_string_equal(nested(limit, "[", "{}", "]", &members),
	    "too many levels");
	assert_null(nested(limit / 2, "[{\"a\":", "1", "}]", &members));
	assert_non_null(nested(limit / 2, "[{\"a\":", "[]", "}]", &members));
}

/* Many brackets without an end take no stack. */
static void
test_deep(void **state)
{
	static char text[1 << 20];
	size_t members;

	(void)state;
	memset(text, '[', sizeof(text));
	assert_string_equal(json_strict(text, sizeof(text), &members),
	    "too many levels");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
