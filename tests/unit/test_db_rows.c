/* test_db_rows.c - a database is not believed: fields of the wrong width, rows
 * and columns that are not there, text that is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/db_private.h"

#define COLUMN_COUNT 2

/* One row: the field to be read, and NULL. */
static struct db_rows *
make_rows(const char *bytes, int size)
{
	char names[COLUMN_COUNT][8] = { "field", "null" };
	PGresAttDesc columns[COLUMN_COUNT];
	PGresult *result;
	char *copy = NULL;

	memset(columns, 0, sizeof(columns));
	columns[0].name = names[0];
	columns[1].name = names[1];
	result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	assert_non_null(result);
	assert_true(PQsetResultAttrs(result, COLUMN_COUNT, columns));
	if (size >= 0) {
		copy = malloc((size_t)size + 1);
		assert_non_null(copy);
		memcpy(copy, bytes, (size_t)size);
	}
	assert_true(PQsetvalue(result, 0, 0, copy, size));
	assert_true(PQsetvalue(result, 0, 1, NULL, -1));
	free(copy);
	return db_rows_new(result);
}

static void
test_integers(void **state)
{
	static const struct {
		const char *bytes;
		int size;
		int64_t number;
	} cases[] = {
		{ "\x00\x01", 2, 1 },
		{ "\xff\xfe", 2, -2 },
		{ "\x7f\xff\xff\xff", 4, INT32_MAX },
		{ "\x80\x00\x00\x00", 4, INT32_MIN },
		{ "\x7f\xff\xff\xff\xff\xff\xff\xff", 8, INT64_MAX },
		{ "\x80\x00\x00\x00\x00\x00\x00\x00", 8, INT64_MIN },
		/* no numbers */
		{ "", 0, 0 },
		{ "\x01", 1, 0 },
		{ "\x01\x01\x01", 3, 0 },
		{ "\x01\x01\x01\x01\x01\x01\x01\x01\x01", 9, 0 },
	};
	struct db_rows *rows;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rows = make_rows(cases[i].bytes, cases[i].size);
		assert_true(db_get_int(rows, 0, 0) == cases[i].number);
		assert_int_equal(db_get_int(rows, 0, 1), 0);
		db_rows_free(rows);
	}
}

static void
test_times(void **state)
{
	static const struct {
		const char *bytes;
		int size;
		int64_t us;
	} cases[] = {
		{ "\x00\x00\x00\x00\x00\x00\x00\x01", 8, DB_EPOCH_US + 1 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8, DB_EPOCH_US - 1 },
		{ "\x7f\xff\xff\xff\xff\xff\xff\xff", 8, INT64_MAX },
		/* beyond our range, not beyond theirs */
		{ "\x7f\xff\xff\xff\xff\xff\xff\x00", 8, INT64_MAX },
		{ "\x80\x00\x00\x00\x00\x00\x00\x00", 8, INT64_MIN },
		{ "\x00\x00\x00\x01", 4, 0 },
		{ "", 0, 0 },
	};
	struct db_rows *rows;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rows = make_rows(cases[i].bytes, cases[i].size);
		assert_true(db_get_time(rows, 0, 0) == cases[i].us);
		assert_int_equal(db_get_time(rows, 0, 1), 0);
		db_rows_free(rows);
	}
}

static void
test_ids(void **state)
{
	static const char sixteen[] = "0123456789abcdef";
	struct db_rows *rows = make_rows(sixteen, 16);
	struct id id = db_get_id(rows, 0, 0);

	(void)state;
	assert_memory_equal(id.bytes, sixteen, 16);
	id = db_get_id(rows, 0, 1);
	assert_true(id_is_nil(&id));
	db_rows_free(rows);

	rows = make_rows(sixteen, 15);
	id = db_get_id(rows, 0, 0);
	assert_true(id_is_nil(&id));
	db_rows_free(rows);
	rows = make_rows(sixteen, 17);
	id = db_get_id(rows, 0, 0);
	assert_true(id_is_nil(&id));
	db_rows_free(rows);
}

static void
test_booleans(void **state)
{
	struct db_rows *rows = make_rows("\x01", 1);

	(void)state;
	assert_true(db_get_bool(rows, 0, 0));
	assert_false(db_get_bool(rows, 0, 1));
	db_rows_free(rows);
	rows = make_rows("\0", 1);
	assert_false(db_get_bool(rows, 0, 0));
	db_rows_free(rows);
	rows = make_rows("\x01\x01", 2);
	assert_false(db_get_bool(rows, 0, 0));
	db_rows_free(rows);
}

static void
test_text_and_bytes(void **state)
{
	struct db_rows *rows = make_rows("a\0b", 3);
	unsigned char bytes[4] = "xxxx";

	(void)state;
	assert_null(db_get_text(rows, 0, 0)); /* it would be cut */
	assert_true(db_copy_bytes(rows, 0, 0, bytes, 3));
	assert_memory_equal(bytes, "a\0bx", 4);
	assert_false(db_copy_bytes(rows, 0, 0, bytes, 2));
	assert_memory_equal(bytes, "\0\0bx", 4);
	assert_false(db_copy_bytes(rows, 0, 0, bytes, 4));
	assert_memory_equal(bytes, "\0\0\0\0", 4);
	assert_null(db_get_text(rows, 0, 1));
	assert_false(db_copy_bytes(rows, 0, 1, bytes, 4));
	db_rows_free(rows);

	rows = make_rows("", 0);
	assert_string_equal(db_get_text(rows, 0, 0), "");
	assert_true(db_copy_bytes(rows, 0, 0, bytes, 0));
	db_rows_free(rows);
}

static void
test_what_is_not_there(void **state)
{
	static const struct {
		size_t row;
		int column;
	} cases[] = { { 1, 0 }, { 0, 2 }, { 0, -1 }, { SIZE_MAX, 0 },
		{ (size_t)1 << 32, 0 } };
	struct db_rows *rows = make_rows("\0\0\0\x07", 4);
	unsigned char bytes[4];
	size_t i;

	(void)state;
	assert_int_equal(db_get_int(rows, 0, 0), 7);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t row = cases[i].row;
		const int column = cases[i].column;

		assert_true(db_is_null(rows, row, column));
		assert_null(db_get_text(rows, row, column));
		assert_false(db_copy_bytes(rows, row, column, bytes, 4));
		assert_int_equal(db_get_int(rows, row, column), 0);
		assert_int_equal(db_get_time(rows, row, column), 0);
		assert_false(db_get_bool(rows, row, column));
	}
	db_rows_free(rows);
}

static void
test_no_result_at_all(void **state)
{
	struct db_rows *rows = db_rows_new(NULL);

	(void)state;
	assert_int_equal(db_rows_count(rows), 0);
	assert_true(db_is_null(rows, 0, 0));
	db_rows_free(rows);
	db_rows_free(NULL);
}

/* ---- parameters ---------------------------------------------------------- */

static void
assert_room(struct db_value value, const char *bytes, int size)
{
	assert_true(value.inside);
	assert_int_equal(value.size, size);
	assert_memory_equal(value.room, bytes, (size_t)size);
}

static void
test_numbers_are_sent_in_network_order(void **state)
{
	(void)state;
	assert_room(db_int(1), "\0\0\0\x01", 4);
	assert_room(db_int(INT32_MIN), "\x80\0\0\0", 4);
	assert_room(db_small(-2), "\xff\xfe", 2);
	assert_room(db_time(DB_EPOCH_US), "\0\0\0\0\0\0\0\0", 8);
	assert_room(db_time(DB_EPOCH_US - 1),
	    "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	assert_room(db_time(INT64_MAX), "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
	assert_room(db_time(INT64_MIN), "\x80\0\0\0\0\0\0\0", 8);
}

static void
assert_null_value(struct db_value value)
{
	assert_false(value.inside);
	assert_null(value.bytes);
}

static void
test_null(void **state)
{
	(void)state;
	assert_null_value(db_null());
	assert_null_value(db_time(0));
	assert_null_value(db_text(NULL));
	assert_null_value(db_bytes(NULL, 0));
	assert_null_value(db_id(NULL));
	assert_null_value(db_peer_text(NULL, 10));
	assert_null_value(db_peer_text("\xc3", 10));
}

static void
assert_cut(const char *text, size_t limit, int size)
{
	struct db_value value = db_peer_text(text, limit);

	assert_ptr_equal(value.bytes, text);
	assert_int_equal(value.size, size);
}

static void
test_what_a_peer_says_is_cut_at_a_character(void **state)
{
	(void)state;
	assert_cut("", 0, 0);
	assert_cut("abc", 3, 3);
	assert_cut("abc", 2, 2);
	assert_cut("abc", 0, 0);
	assert_cut("\xc3\xa9", 2, 2);
	assert_cut("\xc3\xa9", 1, 0);
	assert_cut("a\xf0\x9f\x98\x80", 5, 5);
	assert_cut("a\xf0\x9f\x98\x80", 4, 1);
	assert_cut("a\xf0\x9f\x98\x80", 2, 1);
	assert_cut("a\xf0\x9f\x98\x80z", 5, 5);
}

static int
set_up(void **state)
{
	(void)state;
	/* The complaints are meant. */
	return log_open("/dev/null", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_text_and_bytes),
		cmocka_unit_test(test_what_is_not_there),
		cmocka_unit_test(test_no_result_at_all),
		cmocka_unit_test(test_numbers_are_sent_in_network_order),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_what_a_peer_says_is_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
