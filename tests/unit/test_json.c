/* JSON in and out, and what is left of a password in memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/secret.h"
#include "skip.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct json_object *
parse(const char *text)
{
	const char *why = "untouched";
	struct json_object *value = json_parse(text, strlen(text), &why);

	if (value == NULL)
		fail_msg("%s: %s", text, why);
	assert_null(why);
	return value;
}

/* What json_text() makes of a text. */
static void
assert_becomes(const char *text, const char *expected)
{
	struct json_object *value = parse(text);
	const char *made;
	size_t size;

	made = json_text(value, &size);
	assert_string_equal(made, expected);
	assert_int_equal(size, strlen(expected));
	json_free(value);
}

static void
test_parse(void **state)
{
	(void)state;
	assert_becomes("{}", "{}");
	assert_becomes(" [ 1 , -2 , true , null ] ", "[1,-2,true,null]");
	assert_becomes("{\"a\":{\"b\":[{}]}}", "{\"a\":{\"b\":[{}]}}");
	assert_becomes("\"a/b\"", "\"a/b\"");
	assert_becomes("\"\\/\\u0041\\u00e4\\ud83d\\ude00\"",
	    "\"/A\xc3\xa4\xf0\x9f\x98\x80\"");
	assert_becomes("\"\\u0000\\u001f\\n\\\"\\\\\"",
	    "\"\\u0000\\u001f\\n\\\"\\\\\"");
	assert_becomes("12", "12");
	assert_becomes("1.50", "1.50");
	assert_becomes("1e999", "1e999");
	assert_becomes("[-0.0,1e999]", "[-0.0,1e999]");
	assert_becomes("-9223372036854775808", "-9223372036854775808");
	assert_becomes("true", "true");
	assert_becomes("false", "false");
}

static void
test_deepest(void **state)
{
	char text[2 * JSON_DEPTH_LIMIT + 2] = "";

	(void)state;
	memset(text, '[', JSON_DEPTH_LIMIT);
	text[JSON_DEPTH_LIMIT] = '1';
	memset(text + JSON_DEPTH_LIMIT + 1, ']', JSON_DEPTH_LIMIT);
	assert_becomes(text, text);
}

static void
test_parse_refuses(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "null", "null alone" },
		{ " null ", "null alone" },
		{ "", "something else where a value belongs" },
		{ "{\"a\":1,\"a\":1}",
		    "a name that stands twice in one object" },
		{ "[{\"b\":[{\"a\":1,\"c\":2,\"a\":3}]}]",
		    "a name that stands twice in one object" },
		/* one name in two spellings */
		{ "{\"password\":1,\"p\\u0061ssword\":2}",
		    "a name that stands twice in one object" },
		{ "{\"\":1,\"\":2}",
		    "a name that stands twice in one object" },
		{ "{\"a\":1}x", "something behind the value" },
		{ "{\"a\":\"\\ud800\"}", "half of a surrogate pair" },
		{ "{\"a\\u0000\":1}", "a name with U+0000" },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		why = NULL;
		assert_null(json_parse(bad[i].text, strlen(bad[i].text),
		    &why));
		assert_string_equal(why, bad[i].why);
	}
}

/* One name in two objects is no repetition. */
static void
test_same_name_elsewhere(void **state)
{
	(void)state;
	assert_becomes("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}",
	    "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}");
}

static void
test_size_counts(void **state)
{
	struct json_object *value;
	const char *why;
	size_t size;

	(void)state;
	value = json_parse("12345", 3, &why);
	assert_non_null(value);
	assert_string_equal(json_text(value, &size), "123");
	json_free(value);
	assert_null(json_parse("{}}", 3, &why));
	value = json_parse("{}}", 2, &why);
	assert_non_null(value);
	json_free(value);
	assert_null(json_parse("{}", (size_t)INT32_MAX, &why));
	assert_string_equal(why, "too long");
}

static void
test_kinds(void **state)
{
	struct json_object *value = parse(
	    "{\"null\":null,\"bool\":false,\"int\":1,\"real\":1.5,"
	    "\"text\":\"\",\"list\":[],\"thing\":{}}");
	struct json_object *list = json_member(value, "list");

	(void)state;
	assert_int_equal(json_kind(value), JSON_OBJECT);
	assert_int_equal(json_kind(list), JSON_ARRAY);
	assert_int_equal(json_kind(NULL), JSON_NULL);
	assert_int_equal(json_member_kind(value, "null"), JSON_NULL);
	assert_int_equal(json_member_kind(value, "bool"), JSON_BOOLEAN);
	assert_int_equal(json_member_kind(value, "int"), JSON_NUMBER);
	assert_int_equal(json_member_kind(value, "real"), JSON_NUMBER);
	assert_int_equal(json_member_kind(value, "text"), JSON_STRING);
	assert_int_equal(json_member_kind(value, "list"), JSON_ARRAY);
	assert_int_equal(json_member_kind(value, "thing"), JSON_OBJECT);
	assert_int_equal(json_member_kind(value, "Text"), JSON_ABSENT);
	assert_int_equal(json_member_kind(value, ""), JSON_ABSENT);
	assert_int_equal(json_member_kind(list, "text"), JSON_ABSENT);
	assert_int_equal(json_member_kind(NULL, "text"), JSON_ABSENT);
	json_free(value);
}

static void
test_member_string(void **state)
{
	struct json_object *value = parse(
	    "{\"a\":\"right\\u0000x\",\"e\":\"\",\"n\":1,\"z\":null,"
	    "\"l\":[\"x\"]}");
	size_t size = 77;
	const char *text;

	(void)state;
	text = json_member_string(value, "a", &size);
	assert_non_null(text);
	assert_int_equal(size, 7);
	assert_memory_equal(text, "right\0x", 7);
	text = json_member_string(value, "e", &size);
	assert_non_null(text);
	assert_int_equal(size, 0);
	size = 77;
	assert_null(json_member_string(value, "n", &size));
	assert_null(json_member_string(value, "z", &size));
	assert_null(json_member_string(value, "l", &size));
	assert_null(json_member_string(value, "absent", &size));
	assert_null(json_member_string(json_member(value, "l"), "a", &size));
	assert_null(json_member_string(NULL, "a", &size));
	assert_int_equal(size, 77);
	json_free(value);
}

static void
test_member_int(void **state)
{
	static const char *const none[] = { "real", "whole", "power", "text",
		"truth", "nothing", "list", "absent", "zero.0" };
	struct json_object *value = parse(
	    "{\"most\":9223372036854775807,\"least\":-9223372036854775808,"
	    "\"zero\":-0,\"real\":1.5,\"whole\":1.0,\"power\":1e3,"
	    "\"text\":\"1\",\"truth\":true,\"nothing\":null,\"list\":[1],"
	    "\"zero.0\":-0.0}");
	int64_t number = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++)
		if (json_member_int(value, none[i], &number))
			fail_msg("%s is an integer", none[i]);
	assert_false(json_member_int(NULL, "zero", &number));
	assert_int_equal(number, 77);
	assert_true(json_member_int(value, "most", &number));
	assert_true(number == INT64_MAX);
	assert_true(json_member_int(value, "least", &number));
	assert_true(number == INT64_MIN);
	assert_true(json_member_int(value, "zero", &number));
	assert_true(number == 0);
	json_free(value);
}

static void
test_arrays(void **state)
{
	struct json_object *value = parse("{\"l\":[{\"a\":1},null],\"t\":\"\"}");
	struct json_object *list = json_member(value, "l");
	int64_t number = 0;

	(void)state;
	assert_int_equal(json_array_length(list), 2);
	assert_true(json_member_int(json_array_item(list, 0), "a", &number));
	assert_null(json_array_item(list, 1));
	assert_null(json_array_item(list, 2));
	assert_null(json_array_item(list, SIZE_MAX));
	assert_null(json_member(value, "t"));
	assert_int_equal(json_array_length(value), 0);
	assert_int_equal(json_array_length(NULL), 0);
	assert_null(json_array_item(value, 0));
	json_free(value);
}

static void
test_build(void **state)
{
	struct json_object *object = json_new_object();
	struct json_object *list = json_new_array();
	const char *text;
	size_t size;

	(void)state;
	json_add_string(object, "text", "a\"b/c\n\xc3\xa4");
	json_add_bytes(object, "bytes", "x\0y", 3);
	json_add_int(object, "int", INT64_MIN);
	json_add_bool(object, "bool", true);
	json_add_null(object, "null");
	json_append_string(list, "one");
	json_append(list, json_new_object());
	json_add(object, "list", list);
	text = json_text(object, &size);
	assert_string_equal(text,
	    "{\"text\":\"a\\\"b/c\\n\xc3\xa4\",\"bytes\":\"x\\u0000y\","
	    "\"int\":-9223372036854775808,\"bool\":true,\"null\":null,"
	    "\"list\":[\"one\",{}]}");
	assert_int_equal(size, strlen(text));

	/* a second time, and after a change */
	json_add_int(object, "more", 1);
	text = json_text(object, &size);
	assert_non_null(strstr(text, ",\"more\":1}"));
	assert_memory_equal(text, "{\"text\"", 7);
	json_free(object);
}

static void
test_build_mends(void **state)
{
	struct json_object *list = json_new_array();
	size_t size;

	(void)state;
	json_append_string(list, "a\xff" "b");
	assert_string_equal(json_text(list, &size),
	    "[\"a\xef\xbf\xbd" "b\"]");
	json_free(list);
}

static void
test_pretty(void **state)
{
	struct json_object *object = json_new_object();
	const char *text;

	(void)state;
	json_add_int(object, "a", 1);
	json_add_string(object, "b", "/");
	text = json_pretty(object);
	assert_non_null(strchr(text, '\n'));
	assert_non_null(strstr(text, "\"/\""));
	json_free(object);
	json_free(NULL);
}

/* ---- what stays in memory ------------------------------------------------ */

/*
 * Where a needle lies in the heap, freed blocks included.  It is given masked, so
 * that this test makes no copy of it.  -1: no heap to look at (sanitizers and
 * valgrind have their own).
 */
static int
count_in_heap(const unsigned char *masked, size_t size)
{
	static unsigned char heap[4 << 20];
	unsigned long from = 0, to = 0;
	char line[512];
	int found = 0, memory;
	FILE *maps = fopen("/proc/self/maps", "r");
	size_t at, i;
	ssize_t got;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (strstr(line, "[heap]") != NULL) {
			from = strtoul(line, NULL, 16);
			to = strtoul(strchr(line, '-') + 1, NULL, 16);
			break;
		}
	fclose(maps);
	if (from == 0 || to - from > sizeof(heap))
		return -1;
	memory = open("/proc/self/mem", O_RDONLY);
	if (memory == -1)
		return -1;
	got = pread(memory, heap, to - from, (off_t)from);
	close(memory);
	if (got != (ssize_t)(to - from))
		return -1;
	for (at = 0; at + size <= (size_t)got; at++) {
		for (i = 0; i < size; i++)
			if ((heap[at + i] ^ 0x55) != masked[i])
				break;
		found += i == size;
	}
	memset(heap, 0, sizeof(heap));
	return found;
}

/* Sixteen characters of the secret, which is longer than any first buffer. */
#define PIECE  16
#define PIECES 64

static void
make_secret(char text[static PIECE * PIECES + 1],
    unsigned char masked[static PIECE])
{
	static const char digits[] = "0123456789abcdef";

	secret_random(masked, PIECE);
	for (int i = 0; i < PIECE; i++)
		masked[i] = (unsigned char)(digits[masked[i] & 15] ^ 0x55);
	for (int i = 0; i < PIECE * PIECES; i++)
		text[i] = (char)(masked[i % PIECE] ^ 0x55);
	text[PIECE * PIECES] = '\0';
}

static void
test_nothing_stays_of_what_was_read(void **state)
{
	char secret[PIECE * PIECES + 1], text[PIECE * PIECES + 100];
	unsigned char masked[PIECE];
	struct json_object *value;
	int size;

	(void)state;
	make_secret(secret, masked);
	size = snprintf(text, sizeof(text), "{\"password\":\"%s\"}", secret);
	value = parse(text);
	secret_wipe(secret, sizeof(secret));
	secret_wipe(text, (size_t)size);
	if (count_in_heap(masked, PIECE) <= 0) {
		json_free(value);
		skip_because("a sanitizer or valgrind keeps its heap elsewhere");
	}
	json_free(value);
	assert_int_equal(count_in_heap(masked, PIECE), 0);
}

/* And nothing when the text is refused at its end. */
static void
test_nothing_stays_of_what_was_refused(void **state)
{
	char secret[PIECE * PIECES + 1], text[PIECE * PIECES + 100];
	unsigned char masked[PIECE];
	const char *why;
	int size;

	(void)state;
	make_secret(secret, masked);
	size = snprintf(text, sizeof(text), "{\"b\":1,\"a\":\"%s\",\"b\":2}",
	    secret);
	assert_null(json_parse(text, (size_t)size, &why));
	secret_wipe(secret, sizeof(secret));
	secret_wipe(text, (size_t)size);
	assert_true(count_in_heap(masked, PIECE) <= 0);
}

/* Holes between blocks, so that a buffer that grows has to move. */
#define HOLES 8

static void
make_holes(void *walls[static HOLES])
{
	void *holes[HOLES];

	for (int i = 0; i < HOLES; i++) {
		holes[i] = malloc((size_t)48 << i);
		walls[i] = malloc(24);
	}
	for (int i = 0; i < HOLES; i++)
		free(holes[i]);
}

static void
test_nothing_stays_of_what_was_written(void **state)
{
	char secret[PIECE * PIECES + 1];
	struct json_object *object = json_new_object();
	unsigned char masked[PIECE];
	void *walls[HOLES];
	char name[16];
	size_t size;

	(void)state;
	make_secret(secret, masked);
	for (int i = 0; i < PIECES; i++) {
		snprintf(name, sizeof(name), "%d", i);
		json_add_bytes(object, name, secret + i * PIECE, PIECE);
	}
	secret_wipe(secret, sizeof(secret));
	make_holes(walls);
	assert_true(strlen(json_text(object, &size)) > PIECE * PIECES);
	json_free(object);
	for (int i = 0; i < HOLES; i++)
		free(walls[i]);
	assert_true(count_in_heap(masked, PIECE) <= 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_deepest),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_same_name_elsewhere),
		cmocka_unit_test(test_size_counts),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_member_string),
		cmocka_unit_test(test_member_int),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_build_mends),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_nothing_stays_of_what_was_read),
		cmocka_unit_test(test_nothing_stays_of_what_was_refused),
		cmocka_unit_test(test_nothing_stays_of_what_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
