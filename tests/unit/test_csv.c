/* test_csv.c - comma-separated values: what is a record, and what is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"

#define BEHIND   "there is text behind a closing quote"
#define OPEN     "a quote is not closed"
#define IN_PLAIN "there is a quote in a field without quotes"

/* The fields of the first record with "|" between them, and what is left; or
 * why it is bad. */
static const struct {
	const char *text, *fields, *rest, *why;
} cases[] = {
	{ "a,b,c\nd", "a|b|c", "d", NULL },
	{ "a,b,c\r\nd", "a|b|c", "d", NULL },
	{ "a", "a", "", NULL },
	{ "a\n", "a", "", NULL },
	{ "\na", "", "a", NULL },
	{ "\r\na", "", "a", NULL },
	{ ",\n", "|", "", NULL },
	{ ",,", "||", "", NULL },
	{ " a , b \n", " a | b ", "", NULL },
	{ "a\rb,c\n", "a\rb|c", "", NULL },
	{ "a\r", "a\r", "", NULL },
	{ "\"a\",\"b\"\nc", "a|b", "c", NULL },
	{ "\"a,b\",c\n", "a,b|c", "", NULL },
	{ "\"a\"\"b\",c\n", "a\"b|c", "", NULL },
	{ "\"\"\"\"\n", "\"", "", NULL },
	{ "\"\",\"\"\n", "|", "", NULL },
	{ "\"a\nb\",c\nd", "a\nb|c", "d", NULL },
	{ "\"a\r\nb\"\r\nd", "a\r\nb", "d", NULL },
	{ "\"a\"", "a", "", NULL },
	{ "x,\"a\"\r\n", "x|a", "", NULL },

	{ "a\"b,c\nd", NULL, "d", IN_PLAIN },
	{ "a,b\"\nd", NULL, "d", IN_PLAIN },
	{ " \"a\"\nd", NULL, "d", IN_PLAIN },
	{ "\"a\"b,c\nd", NULL, "d", BEHIND },
	{ "\"a\" ,c\nd", NULL, "d", BEHIND },
	{ "\"a\"\rb\nd", NULL, "d", BEHIND },
	{ "\"a\"\r", NULL, "", BEHIND },
	{ "\"a,b\nc,d\n", NULL, "c,d\n", OPEN },
	{ "\"a\"\",b\nc,d\n", NULL, "c,d\n", OPEN },
	{ "x,\"a", NULL, "", OPEN },
	{ "\"", NULL, "", OPEN },
};

static void
expect_fields(const struct csv_record *record, const char *fields)
{
	char joined[256];
	size_t size = 0;

	for (size_t i = 0; i < record->count; i++) {
		if (i > 0)
			joined[size++] = '|';
		memcpy(joined + size, record->fields[i].text,
		    record->fields[i].size);
		size += record->fields[i].size;
	}
	joined[size] = '\0';
	assert_string_equal(joined, fields);
}

static void
test_cases(void **state)
{
	struct csv_record record;
	const char *why;
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = memory_text(cases[i].text);
		enum csv_result result =
		    csv_take(text, strlen(text), true, &record, &used, &why);

		if (cases[i].why != NULL) {
			assert_int_equal(result, CSV_BAD);
			assert_string_equal(why, cases[i].why);
		} else {
			assert_int_equal(result, CSV_RECORD);
			assert_null(why);
			expect_fields(&record, cases[i].fields);
		}
		assert_string_equal(cases[i].text + used, cases[i].rest);
		free(text);
	}
}

/* Whatever arrives by pieces is read as if it had come at once. */
static void
test_by_pieces(void **state)
{
	struct csv_record record;
	const char *why;
	size_t used, size;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = memory_text(cases[i].text);
		enum csv_result result = CSV_MORE;

		for (size = 1; size <= strlen(cases[i].text); size++) {
			/* A quote that is not closed needs all to be seen. */
			result =
			    csv_take(text, size, false, &record, &used, &why);
			if (result != CSV_MORE)
				break;
			assert_string_equal(text, cases[i].text);
		}
		if (result == CSV_RECORD)
			expect_fields(&record, cases[i].fields);
		if (result == CSV_BAD)
			assert_string_equal(why, cases[i].why);
		if (result != CSV_MORE)
			assert_string_equal(cases[i].text + used,
			    cases[i].rest);
		free(text);
	}
}

static void
test_too_many_fields(void **state)
{
	char text[CSV_FIELDS_LIMIT + 3];
	struct csv_record record;
	const char *why;
	size_t used;

	(void)state;
	memset(text, ',', sizeof(text));
	text[CSV_FIELDS_LIMIT - 1] = '\n';
	assert_int_equal(
	    csv_take(text, sizeof(text), true, &record, &used, &why),
	    CSV_RECORD);
	assert_int_equal(record.count, CSV_FIELDS_LIMIT);

	memset(text, ',', sizeof(text));
	text[CSV_FIELDS_LIMIT] = '\n';
	assert_int_equal(
	    csv_take(text, sizeof(text), true, &record, &used, &why), CSV_BAD);
	assert_string_equal(why, "there are too many fields");
	assert_int_equal(used, CSV_FIELDS_LIMIT + 1);
}

static void
test_nul_is_a_byte(void **state)
{
	char text[] = "a\0b,\"c\0\"\n";
	struct csv_record record;
	const char *why;
	size_t used;

	(void)state;
	assert_int_equal(
	    csv_take(text, sizeof(text) - 1, true, &record, &used, &why),
	    CSV_RECORD);
	assert_int_equal(record.count, 2);
	assert_int_equal(record.fields[0].size, 3);
	assert_int_equal(record.fields[1].size, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_by_pieces),
		cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_nul_is_a_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
