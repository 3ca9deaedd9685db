/* The text is the one that json.c makes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"

/* An object with all kinds of members, in two ways. */
static void
assert_same(const char *text, int64_t number)
{
	struct json_object *object = json_new_object();
	struct json_object *array = json_new_array();
	struct json_write write;
	char made[4096];
	const char *expected;
	size_t size;

	json_add_string(object, "a", text);
	json_add_int(object, "number", number);
	json_append_string(array, text);
	json_add(object, "list", array);
	json_add_string(object, "last", "");
	expected = json_text(object, &size);

	json_write_begin(&write, made, sizeof(made));
	json_write_string(&write, "a", text);
	json_write_int(&write, "number", number);
	json_write_strings(&write, "list", text);
	json_write_string(&write, "last", "");
	assert_int_equal(json_write_end(&write), size);
	assert_string_equal(made, expected);
	json_free(object);
}

static void
test_as_json_text(void **state)
{
	(void)state;
	assert_same("", 0);
	assert_same("plain text / with \x7f", -1);
	assert_same("\"quoted\" and \\", INT64_MAX);
	assert_same("\b\f\n\r\t", INT64_MIN);
	assert_same("Stra\xc3\x9f"
		    "e \xe2\x82\xac \xf0\x9f\x98\x80",
	    12);
	assert_same("\xff broken \xc3", 1);
	assert_same("\xed\xa0\x80 \xf0\x9f\x98", 1);
}

/* Each byte alone and between others. */
static void
test_each_byte(void **state)
{
	char text[4] = "axb";

	(void)state;
	for (int c = 1; c < 256; c++) {
		text[1] = (char)c;
		assert_same(text, c);
		assert_same(text + 1, c);
	}
}

static void
test_empty(void **state)
{
	struct json_write write;
	char made[3];

	(void)state;
	json_write_begin(&write, made, sizeof(made));
	assert_int_equal(json_write_end(&write), 2);
	assert_string_equal(made, "{}");
}

static size_t
write_in(char *text, size_t room)
{
	struct json_write write;

	json_write_begin(&write, text, room);
	json_write_string(&write, "a", "b\n");
	json_write_int(&write, "c", 10);
	return json_write_end(&write);
}

/* In less room than it needs, it says so and stays inside. */
static void
test_room(void **state)
{
	static const char expected[] = "{\"a\":\"b\\n\",\"c\":10}";
	char made[sizeof(expected) + 1];

	(void)state;
	for (size_t room = 0; room < sizeof(expected); room++) {
		memset(made, '#', sizeof(made));
		assert_int_equal(write_in(made, room), 0);
		for (size_t i = room; i < sizeof(made); i++)
			assert_int_equal(made[i], '#');
	}
	memset(made, '#', sizeof(made));
	assert_int_equal(write_in(made, sizeof(expected)),
	    sizeof(expected) - 1);
	assert_string_equal(made, expected);
	assert_int_equal(made[sizeof(expected)], '#');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_json_text),
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
