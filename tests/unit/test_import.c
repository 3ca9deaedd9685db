/* test_import.c - files of people: who is read, what is refused and where, and that
 * one mistake costs one line. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acts/import.h"
#include "acts/import_file.h"
#include "acts/import_window.h"
#include "base/memory.h"

#define HASH "$2b$04$crWLbFL6YIc4sZz6wtcbHu4Juqb91c5yRJPzxyu7W8EnhMdcCMXuO"

static const struct import_rules strict = { ACCOUNT_CONFIRMED, false,
	64 << 20 };
static const struct import_rules lenient = { ACCOUNT_UNCONFIRMED, true,
	64 << 20 };

/* A stream of these bytes; the caller closes it and frees *bytes. */
static FILE *
stream_of(const char *text, size_t size, char **bytes)
{
	FILE *stream;

	*bytes = memory_text_part(text, size);
	stream = fmemopen(*bytes, size, "r");
	assert_non_null(stream);
	return stream;
}

/* What a file comes to, a line each: "LINE KEY HASH? STATUS NAME" or "LINE: why";
 * or only why. */
static void
expect(const char *text, const struct import_rules *rules, const char *expected)
{
	char result[4096], why[IMPORT_WHY_SIZE], *bytes;
	FILE *stream = stream_of(text, strlen(text), &bytes);
	struct import_file *file = import_file_open(stream, rules, why);
	struct import_person person;
	enum import_result read;
	size_t used = 0;

	snprintf(result, sizeof(result), "%s", file == NULL ? why : "");
	while (file != NULL &&
	       (read = import_file_next(file, &person)) != IMPORT_END) {
		assert_int_not_equal(read, IMPORT_BROKEN);
		used += (size_t)snprintf(result + used, sizeof(result) - used,
		    read == IMPORT_PERSON ? "%d %s %s %d %s\n" : "%d: %s\n",
		    (int)person.line,
		    read == IMPORT_PERSON ? person.login_key : person.why,
		    person.verifier[0] != '\0' ? "hash" : "none",
		    (int)person.status, person.name);
	}
	assert_string_equal(result, expected);
	if (file != NULL)
		assert_int_equal(import_file_position(file), strlen(text));
	import_file_close(file);
	fclose(stream);
	free(bytes);
}

static void
test_csv(void **state)
{
	(void)state;
	expect("email,hash,status,name\n"
	       "Ann@Example.org," HASH ",disabled,Ann\n"
	       "bob@example.org,,,\n"
	       "\"carl@example.org\",\"" HASH "\",FORCE_CHANGE_PASSWORD,"
	       "\"Carl \"\"C\"\", of D\"\r\n"
	       "dora@example.org," HASH ",External-Provider,D\xc3\xb6ra",
	    &strict,
	    "2 ann@example.org hash 5 Ann\n"
	    "3 bob@example.org none 0 \n"
	    "4 carl@example.org hash 2 Carl \"C\", of D\n"
	    "5 dora@example.org hash 4 D\xc3\xb6ra\n");
	/* Headings in another order, and less of them. */
	expect("Name,EMAIL\nAnn,ann@example.org\n", &strict,
	    "2 ann@example.org none 0 Ann\n");
	expect("\xef\xbb\xbf"
	       "email\r\nann@example.org\r\n",
	    &strict, "2 ann@example.org none 0 \n");
	expect("email\n", &strict, "");
}

static void
test_json(void **state)
{
	(void)state;
	expect("{\"email\":\"Ann@example.org\",\"hash\":\"" HASH "\","
	       "\"status\":\"disabled\",\"displayName\":\"Ann\"}\n"
	       "\n \t\r\n"
	       "{\"name\":null,\"email\":\"b\\u00f6b@example.org\","
	       "\"passwordHash\":null}\r\n"
	       "{\"email\":\"carl@example.org\"}",
	    &lenient,
	    "1 ann@example.org hash 5 Ann\n"
	    "4 b\xc3\xb6"
	    "b@example.org none 1 \n"
	    "5 carl@example.org none 1 \n");
}

static void
test_refused_lines_of_csv(void **state)
{
	(void)state;
	expect("email,hash,status,name\n"
	       ",,,\n"
	       "nobody,,,\n"
	       "ann@example.org,secret,,\n"
	       "ann@example.org,$2b$31$abcdefghijklmnopqrstu."
	       "abcdefghijklmnopqrstuvwxyzABCDE,,\n"
	       "ann@example.org,$2b$04$abc,,\n"
	       "ann@example.org,,sleepy,\n"
	       "ann@example.org,,disabled\n"
	       "ann@example.org,,,,\n"
	       "ann@example.org,,,\"a\nb\"\n"
	       "ann@example.org,,,  \n"
	       "ann@example.org,,,\xff\n"
	       "\xff@example.org,,,\n"
	       "\n"
	       "ann@example.org,a\"b,,\n"
	       "\"ann@example.org,,,\n"
	       "ann@example.org,,,\n",
	    &strict,
	    "2: there is no e-mail address\n"
	    "3: what should be the e-mail address is none\n"
	    "4: the hash cannot be used: it is of no known form\n"
	    "5: the hash cannot be used: checking it would take too much time, "
	    "or more memory than hash_other_mib\n"
	    "6: the hash cannot be used: it is cut off or garbled\n"
	    "7: there is no such status\n"
	    "8: there are 3 fields instead of 4\n"
	    "9: there are 5 fields instead of 4\n"
	    "10: the name is too long or no text\n"
	    "12: the name is too long or no text\n"
	    "13: the name is too long or no text\n"
	    "14: what should be the e-mail address is none\n"
	    "16: there is a quote in a field without quotes\n"
	    "17: a quote is not closed\n"
	    "18 ann@example.org none 0 \n");
}

static void
test_refused_lines_of_json(void **state)
{
	(void)state;
	expect(
	    "{}\n"
	    "{\"email\":5}\n"
	    "{\"email\":[\"ann@example.org\"]}\n"
	    "{\"email\":\"ann@example.org\",\"password\":\"secret\"}\n"
	    "{\"email\":\"ann@example.org\",\"age\":5}\n"
	    "{\"email\":\"ann@example.org\",\"name\":\"A\","
	    "\"displayName\":\"B\"}\n"
	    "{\"email\":\"ann@example.org\",\"hash\":\"" HASH "\\u0000\"}\n"
	    "{\"email\":\"ann@example.org\",\"status\":\"disabled\\u0000\"}\n"
	    "{\"email\":\"ann@example.org\",\"email\":\"bob@example.org\"}\n"
	    "[]\n"
	    "null\n"
	    "{\"email\":\"ann@example.org\"\n"
	    "{\"email\":\"ann@example.org\"}\n",
	    &strict,
	    "1: there is no e-mail address\n"
	    "2: a member is no string\n"
	    "3: a member is no string\n"
	    "4: passwords are not taken, only their hashes (field \"hash\")\n"
	    "5: there is no field \"age\"\n"
	    "6: two members have the same meaning\n"
	    "7: the hash cannot be used: it is of no known form\n"
	    "8: there is no such status\n"
	    "9: the line is not JSON: a name that stands twice in one object\n"
	    "10: the line is no JSON object\n"
	    "11: the line is not JSON: null alone\n"
	    "12: the line is not JSON: an object without its end\n"
	    "13 ann@example.org none 0 \n");
}

static void
test_headings(void **state)
{
	(void)state;
	expect("\n", &strict, "there is nothing in it");
	expect("Email;Hash\na;b\n", &strict,
	    "there is no field \"Email;Hash\"");
	expect("hash\nx\n", &strict,
	    "no column is called \"email\"; is it CSV with commas?");
	expect("ann@example.org,x\n", &lenient,
	    "no column is called \"email\"; is it CSV with commas?");
	expect("email,Password\n", &strict,
	    "passwords are not taken, only their hashes (field \"hash\")");
	expect("email,hash,passwordHash\n", &strict,
	    "two columns have the same meaning");
	expect("email,\"hash\n", &strict, "a quote is not closed");
	expect("email,\xff\n", &strict, "one of the fields is unknown");
	expect("[{\"email\":\"ann@example.org\"}]", &strict,
	    "it is a JSON array; wanted is one object a line");
}

static void
test_unknown_fields_are_ignored_where_wished(void **state)
{
	(void)state;
	expect("id,email,address,password\n"
	       "1,ann@example.org,\"A Street\n1000 Town\n\",secret\n"
	       "2,bob@example.org,,\n",
	    &lenient, "2 ann@example.org none 1 \n5 bob@example.org none 1 \n");
	expect("{\"id\":1,\"email\":\"ann@example.org\",\"roles\":[1,2]}",
	    &lenient, "1 ann@example.org none 1 \n");
}

/* ---- sizes --------------------------------------------------------------- */

#define LINE "ann@example.org,\n"

/* A heading, `filler` bytes of one name, and two more people. */
static char *
with_long_line(size_t filler, size_t *size)
{
	static const char before[] = "email,name\n";
	char *text = memory_zeroed(filler + 128, 1);
	size_t used = strlen(before);

	memcpy(text, before, used);
	memset(text + used, 'x', filler);
	used += filler;
	memcpy(text + used, "\n" LINE LINE, 1 + 2 * strlen(LINE));
	*size = used + 1 + 2 * strlen(LINE);
	return text;
}

static void
test_long_lines(void **state)
{
	static const size_t fillers[] = { IMPORT_RECORD_LIMIT - 2,
		IMPORT_RECORD_LIMIT - 1, IMPORT_RECORD_LIMIT,
		IMPORT_RECORD_LIMIT + 1, 2 * IMPORT_RECORD_LIMIT - 12,
		2 * IMPORT_RECORD_LIMIT, 10 * IMPORT_RECORD_LIMIT };
	struct import_person person;
	char why[IMPORT_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		size_t size;
		char *text = with_long_line(fillers[i], &size);
		FILE *stream = fmemopen(text, size, "r");
		struct import_file *file =
		    import_file_open(stream, &strict, why);

		assert_non_null(file);
		assert_int_equal(import_file_next(file, &person),
		    IMPORT_REFUSED);
		assert_int_equal(person.line, 2);
		assert_string_equal(person.why,
		    fillers[i] < IMPORT_RECORD_LIMIT
			? "there are 1 fields instead of 2"
			: "the line is too long");
		for (int j = 0; j < 2; j++) {
			assert_int_equal(import_file_next(file, &person),
			    IMPORT_PERSON);
			assert_int_equal(person.line, 3 + j);
		}
		assert_int_equal(import_file_next(file, &person), IMPORT_END);
		import_file_close(file);
		fclose(stream);
		free(text);
	}
}

/*
 * A field that is longer than any record, with lines in it that would do for one:
 * whoever typed them makes no account of them.
 */
static void
test_long_fields_of_several_lines(void **state)
{
	static const char head[] = "email,name\nann@example.org,\"";
	static const char planted[] = "\nroot@example.org,Root\n";
	static const char tail[] = "\"\nbob@example.org,Bob\n";
	const size_t fillers[] = { 0, IMPORT_RECORD_LIMIT - sizeof(head),
		IMPORT_RECORD_LIMIT, 3 * IMPORT_RECORD_LIMIT };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(fillers) / sizeof(fillers[0]); i++) {
		/* Before what was planted, and behind it. */
		size_t filler = fillers[i / 2],
		       before = i % 2 == 0 ? filler : 0;
		size_t behind = i % 2 == 0 ? IMPORT_RECORD_LIMIT : filler;
		char *text = memory_zeroed(1, before + behind + 200);
		char *at = stpcpy(text, head);

		memset(at, 'x', before);
		at = stpcpy(at + before, planted);
		memset(at, 'y', behind);
		stpcpy(at + behind, tail);
		expect(text, &strict,
		    before + behind < IMPORT_RECORD_LIMIT / 2
			? "2: the name is too long or no text\n"
			  "5 bob@example.org none 0 Bob\n"
			: "2: the record is too long, or a quote in it is not "
			  "closed; passed over up to line 4\n"
			  "5 bob@example.org none 0 Bob\n");
		free(text);
	}
}

/* Records lie across the ends of what is read at once; none is lost. */
static void
test_many_lines(void **state)
{
	const int count = 20000;
	char *text = memory_zeroed((size_t)count, 64), *at = text;
	struct import_person person;
	char why[IMPORT_WHY_SIZE], key[64];
	struct import_file *file;
	FILE *stream;

	(void)state;
	at += sprintf(at, "email,name\n");
	for (int i = 0; i < count; i++)
		at += sprintf(at,
		    i % 3 == 0 ? "\"p%d@example.org\",\"%.*s\"\r\n"
			       : "p%d@example.org,%.*s\n",
		    i, i % 17, "aaaaaaaaaaaaaaaaaaaa");
	stream = fmemopen(text, (size_t)(at - text), "r");
	file = import_file_open(stream, &strict, why);
	assert_non_null(file);
	for (int i = 0; i < count; i++) {
		assert_int_equal(import_file_next(file, &person),
		    IMPORT_PERSON);
		snprintf(key, sizeof(key), "p%d@example.org", i);
		assert_string_equal(person.login_key, key);
		assert_int_equal(person.line, i + 2);
		assert_int_equal(strlen(person.name), i % 17);
	}
	assert_int_equal(import_file_next(file, &person), IMPORT_END);
	import_file_close(file);
	fclose(stream);
	free(text);
}

static void
test_stream_that_breaks(void **state)
{
	char why[IMPORT_WHY_SIZE];
	FILE *stream = fopen("/proc/self", "r"); /* a directory */

	(void)state;
	assert_non_null(stream);
	assert_null(import_file_open(stream, &strict, why));
	assert_string_equal(why, "Is a directory");
	fclose(stream);
}

/* ---- nobody twice -------------------------------------------------------- */

static void
test_seen(void **state)
{
	struct import *import = import_new(NULL, true);
	struct import_person person = { .line = 0 };

	(void)state;
	for (int i = 1; i <= 10000; i++) {
		person.line = i;
		snprintf(person.login_key, sizeof(person.login_key),
		    "p%d@example.org", i);
		assert_int_equal(import_seen(import, &person), 0);
	}
	for (int i = 1; i <= 10000; i++) {
		person.line = 20000;
		snprintf(person.login_key, sizeof(person.login_key),
		    "p%d@example.org", i);
		assert_int_equal(import_seen(import, &person), i);
	}
	import_free(import);
	import_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_refused_lines_of_csv),
		cmocka_unit_test(test_refused_lines_of_json),
		cmocka_unit_test(test_headings),
		cmocka_unit_test(test_unknown_fields_are_ignored_where_wished),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_long_fields_of_several_lines),
		cmocka_unit_test(test_many_lines),
		cmocka_unit_test(test_stream_that_breaks),
		cmocka_unit_test(test_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
