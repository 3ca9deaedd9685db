/* test_db.c - what db.h promises about statements and answers. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/logins.h"
#include "store/schema.h"
#include "store/statements.h"
#include "support.h"

/* ---- a server that refuses on demand ------------------------------------- */

/*
 * scratch.refuse(state) raises that SQLSTATE as long as the sequence, which no
 * rollback turns back, says so; then it answers 1.  DETAIL holds what must not
 * reach the log.
 */
static void
make_scratch(void)
{
	admin("DROP SCHEMA IF EXISTS scratch CASCADE; CREATE SCHEMA scratch;"
	      "CREATE SEQUENCE scratch.calls;"
	      "CREATE TABLE scratch.script (refusals integer);"
	      "CREATE FUNCTION scratch.refuse(state text) RETURNS integer "
	      "LANGUAGE plpgsql AS $$ BEGIN"
	      " IF nextval('scratch.calls') <="
	      "  (SELECT refusals FROM scratch.script) THEN"
	      "  RAISE EXCEPTION 'refused' USING ERRCODE = state,"
	      "   DETAIL = 'Key (email)=(hidden-value) is secret.';"
	      " END IF; RETURN 1; END $$;"
	      "CREATE TABLE scratch.late (i integer UNIQUE "
	      " DEFERRABLE INITIALLY DEFERRED);"
	      "CREATE TABLE scratch.shape (a integer);"
	      "GRANT USAGE ON SCHEMA scratch TO postern_service;"
	      "GRANT ALL ON ALL TABLES IN SCHEMA scratch TO postern_service;"
	      "GRANT ALL ON ALL SEQUENCES IN SCHEMA scratch TO "
	      " postern_service");
}

static void
refuse_times(int times)
{
	admin("TRUNCATE scratch.script; "
	      "INSERT INTO scratch.script VALUES (%d); "
	      "ALTER SEQUENCE scratch.calls RESTART", times);
}

static int64_t
calls(void)
{
	return admin_number("SELECT last_value FROM scratch.calls");
}

/* Tables of our own, to be prepared like the service's. */
static const struct db_statement table[] = {
	{ "refuse", "SELECT scratch.refuse($1)" },
	{ "shape", "SELECT * FROM scratch.shape" },
	{ "late", "INSERT INTO scratch.late VALUES ($1)" },
};

/* A handle with them; nothing is refused unless the test asks for it. */
static struct db *
open_scratch_for(bool prepare, int timeout_ms)
{
	const struct db_options options = {
		.program = "store-test",
		.statements = table,
		.statement_count = sizeof(table) / sizeof(table[0]),
		.prepare = prepare,
		.timeout_ms = timeout_ms,
	};

	refuse_times(0);
	return open_db_with("postern_service", "", &options);
}

static struct db *
open_scratch(bool prepare)
{
	return open_scratch_for(prepare, TIMEOUT_MS);
}

static enum store_result
ask(struct db *db, const char *state)
{
	const struct db_value values[] = { db_text(state) };
	struct db_rows *rows;
	enum store_result result;

	result = db_run(db, &table[0], values, 1, &rows);
	if (result == STORE_OK)
		assert_int_equal(db_get_int(rows, 0, 0), 1);
	else
		assert_null(rows);
	db_rows_free(rows);
	return result;
}

/* A server that ran into a limit of time is left alone for a moment. */
static void
let_rest(const char *state)
{
	if (strcmp(state, "57014") == 0 || strcmp(state, "55P03") == 0)
		usleep(250 * 1000);
}

/* It is run again and again, but not without a pause. */
static void
ask_until_the_deadline(struct db *hasty, const char *state)
{
	int64_t began, really_ms, lost_ms = 1;

	/* A machine that stands still has less of them. */
	for (int i = 0; i < TRIES && lost_ms > 0; i++) {
		refuse_times(1000000);
		began = running_ms();
		really_ms = clock_steady_ms();
		assert_int_equal(ask(hasty, state), STORE_UNAVAILABLE);
		really_ms = clock_steady_ms() - really_ms;
		lost_ms = really_ms - since(began);
		assert_true(since(began) < HASTY_MS + LATENESS_MS);
		assert_true(calls() <= 40);
		if (calls() >= 5)
			return;
	}
	fail_msg("run %d times until the deadline", (int)calls());
}

static void
test_sqlstates(void **state)
{
	/* How often the statement is run when it is refused for ever (0: until
	 * the deadline), what comes of that, and what if it is refused once. */
	static const struct {
		const char *state;
		int runs;
		enum store_result always, once;
	} cases[] = {
		{ "23505", 1, STORE_CONFLICT, STORE_CONFLICT },
		{ "23503", 1, STORE_CONFLICT, STORE_CONFLICT },
		{ "23514", 1, STORE_FAILED, STORE_FAILED },
		{ "42501", 1, STORE_FAILED, STORE_FAILED },
		{ "P0001", 1, STORE_FAILED, STORE_FAILED },
		{ "08P01", 1, STORE_FAILED, STORE_FAILED },
		{ "57P01", 2, STORE_UNAVAILABLE, STORE_OK },
		{ "57P02", 2, STORE_UNAVAILABLE, STORE_OK },
		{ "57P03", 2, STORE_UNAVAILABLE, STORE_OK },
		{ "08006", 2, STORE_UNAVAILABLE, STORE_OK },
		{ "08000", 2, STORE_UNAVAILABLE, STORE_OK },
		{ "26000", 2, STORE_FAILED, STORE_OK },
		{ "42P05", 2, STORE_FAILED, STORE_OK },
		{ "0A000", 2, STORE_FAILED, STORE_OK },
		{ "40001", 0, STORE_UNAVAILABLE, STORE_OK },
		{ "40P01", 0, STORE_UNAVAILABLE, STORE_OK },
		{ "53100", 1, STORE_UNAVAILABLE, STORE_UNAVAILABLE },
		{ "53200", 1, STORE_UNAVAILABLE, STORE_UNAVAILABLE },
		{ "53300", 1, STORE_UNAVAILABLE, STORE_UNAVAILABLE },
		{ "58030", 1, STORE_UNAVAILABLE, STORE_UNAVAILABLE },
		{ "57014", 1, STORE_UNAVAILABLE, STORE_UNAVAILABLE },
		{ "55P03", 1, STORE_UNAVAILABLE, STORE_UNAVAILABLE },
		{ "42P01", 1, STORE_FAILED, STORE_FAILED },
		{ "25006", 1, STORE_UNAVAILABLE, STORE_UNAVAILABLE },
	};
	struct db *db = open_scratch(true);
	struct db *hasty = open_scratch_for(true, HASTY_MS);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refuse_times(1000000);
		if (cases[i].runs != 0) {
			assert_int_equal(ask(db, cases[i].state),
			    cases[i].always);
			assert_int_equal(calls(), cases[i].runs);
		} else {
			ask_until_the_deadline(hasty, cases[i].state);
		}
		refuse_times(1);
		let_rest(cases[i].state);
		assert_int_equal(ask(db, cases[i].state), cases[i].once);
		/* Whatever it was, the next statement finds a connection. */
		let_rest(cases[i].state);
		assert_int_equal(ask(db, cases[i].state), STORE_OK);
	}
	db_close(hasty);
	db_close(db);
}

static void
test_problem_and_log_hold_no_values(void **state)
{
	struct db *db = open_scratch(true);
	char *log;

	(void)state;
	log_to_file();
	refuse_times(1);
	assert_int_equal(ask(db, "P0001"), STORE_FAILED);
	assert_string_equal(db_problem(db), "refused (SQLSTATE P0001)");
	log = log_text();
	assert_non_null(strstr(log,
	    "could not run \"refuse\": refused (SQLSTATE P0001)"));
	assert_null(strstr(log, "hidden-value"));
	free(log);
	db_close(db);
}

/* What goes wrong again and again is told once; something else, too. */
static void
test_log_is_not_flooded(void **state)
{
	struct db *db = open_scratch(true);
	char *log;

	(void)state;
	log_to_file();
	refuse_times(1000000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(db, "53100"), STORE_UNAVAILABLE);
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(db, "42501"), STORE_FAILED);
	log = log_text();
	assert_int_equal(count_words(log, "SQLSTATE 53100"), 1);
	assert_int_equal(count_words(log, "SQLSTATE 42501"), 1);
	assert_int_equal(count_words(log, "could not run"), 2);
	free(log);
	db_close(db);
}

static void
test_notices_are_for_debugging(void **state)
{
	struct db *db = open_scratch(true);
	char *log;

	(void)state;
	log_to_file();
	assert_int_equal(db_script(db, "DO $$ BEGIN RAISE WARNING 'heed this' "
	    "USING DETAIL = 'hidden-value'; END $$"), STORE_OK);
	log = log_text();
	assert_non_null(strstr(log, "heed this"));
	assert_null(strstr(log, "hidden-value"));
	free(log);
	db_close(db);
}

/* The server says INSERT 0 1 before it finds, at the commit, that it cannot. */
static void
test_commit_may_still_fail(void **state)
{
	const struct db_value values[] = { db_int(7) };
	struct db *db = open_scratch(true);

	(void)state;
	assert_int_equal(db_run(db, &table[2], values, 1, NULL), STORE_OK);
	assert_int_equal(db_run(db, &table[2], values, 1, NULL),
	    STORE_CONFLICT);
	assert_int_equal(admin_number("SELECT count(*) FROM scratch.late"), 1);
	db_close(db);
}

/* ---- statements ---------------------------------------------------------- */

static void
test_forgotten_statements_are_prepared_again(void **state)
{
	struct db *db = open_scratch(true);
	int64_t backend;

	(void)state;
	assert_int_equal(db_ready(db), STORE_OK);
	backend = backend_of(db);
	assert_int_equal(db_script(db, "DISCARD ALL"), STORE_OK);
	assert_int_equal(ask(db, ""), STORE_OK);
	assert_int_equal(backend_of(db), backend);
	db_close(db);
}

static void
test_find_tells_that_there_is_none(void **state)
{
	const struct db_value refused = db_text("42501");
	struct db *db = open_scratch(true);
	struct db_rows *rows;

	(void)state;
	admin("TRUNCATE scratch.shape");
	assert_int_equal(db_find(db, &table[1], NULL, 0, &rows), STORE_NONE);
	assert_null(rows);
	assert_int_equal(db_find(db, &table[1], NULL, 0, NULL), STORE_NONE);
	admin("INSERT INTO scratch.shape VALUES (1)");
	assert_int_equal(db_find(db, &table[1], NULL, 0, NULL), STORE_OK);
	assert_int_equal(db_find(db, &table[1], NULL, 0, &rows), STORE_OK);
	assert_int_equal(db_get_int(rows, 0, 0), 1);
	db_rows_free(rows);
	refuse_times(1);
	assert_int_equal(db_find(db, &table[0], &refused, 1, &rows),
	    STORE_FAILED);
	assert_null(rows);
	db_close(db);
}

static void
test_table_changes_under_a_plan(void **state)
{
	struct db *db = open_scratch(true);
	struct db_rows *rows;
	int64_t backend;

	(void)state;
	admin("TRUNCATE scratch.shape; INSERT INTO scratch.shape VALUES (1)");
	assert_int_equal(db_run(db, &table[1], NULL, 0, NULL), STORE_OK);
	backend = backend_of(db);
	admin("ALTER TABLE scratch.shape ALTER a TYPE bigint");
	assert_int_equal(db_run(db, &table[1], NULL, 0, &rows), STORE_OK);
	assert_int_equal(db_get_int(rows, 0, 0), 1);
	db_rows_free(rows);
	assert_int_equal(backend_of(db), backend);
	db_close(db);
}

static void
test_pooler_that_cannot_prepare(void **state)
{
	struct db *db = open_scratch(false);
	int64_t number = -1;

	(void)state;
	assert_int_equal(db_ready(db), STORE_OK);
	assert_int_equal(ask(db, ""), STORE_OK);
	assert_int_equal(run_sql(db, "SELECT count(*) FROM "
	    "pg_catalog.pg_prepared_statements", &number), STORE_OK);
	assert_int_equal(number, 0);
	/* Nor would it take start-up options. */
	assert_int_equal(run_sql(db, "SELECT count(*) FROM "
	    "pg_catalog.pg_settings WHERE name = 'statement_timeout' "
	    "AND source = 'client'", &number), STORE_OK);
	assert_int_equal(number, 0);
	db_close(db);
}

static void
test_statement_the_server_refuses(void **state)
{
	static const struct db_statement mixed[] = {
		{ "good", "SELECT 1" },
		{ "bad", "SELECT nonsense" },
		{ "good_too", "SELECT 2" },
	};
	struct db_options options = { .program = "store-test",
		.statements = mixed, .statement_count = 3, .prepare = true,
		.timeout_ms = TIMEOUT_MS };
	struct db *db = open_db_with("postern_service", "", &options);
	struct db_rows *rows;
	char *log;

	(void)state;
	log_to_file();
	assert_int_equal(db_ready(db), STORE_FAILED);
	assert_non_null(strstr(db_problem(db), "42703"));
	log = log_text();
	assert_non_null(strstr(log, "could not prepare statement \"bad\""));
	free(log);
	/* The others are none the worse. */
	assert_int_equal(db_run(db, &mixed[0], NULL, 0, NULL), STORE_OK);
	assert_int_equal(db_run(db, &mixed[2], NULL, 0, &rows), STORE_OK);
	assert_int_equal(db_get_int(rows, 0, 0), 2);
	db_rows_free(rows);
	assert_int_equal(db_run(db, &mixed[1], NULL, 0, NULL), STORE_FAILED);
	assert_int_equal(db_ready(db), STORE_FAILED);
	db_close(db);

	/* Unless somebody is about to migrate. */
	options.awaits_schema = true;
	db = open_db_with("postern_service", "", &options);
	assert_int_equal(db_run(db, &mixed[1], NULL, 0, NULL),
	    STORE_UNAVAILABLE);
	assert_int_equal(db_run(db, &mixed[2], NULL, 0, NULL), STORE_OK);
	log = log_text();
	assert_non_null(strstr(log, "is the schema migrated?"));
	free(log);
	db_close(db);
}

/* A worker that started too early serves as soon as somebody has migrated. */
static void
test_schema_comes_later(void **state)
{
	struct db *db;
	int version = -1;

	(void)state;
	admin("DROP DATABASE IF EXISTS later");
	admin("CREATE DATABASE later OWNER postern_owner");
	db = open_db("postern_service", "dbname=later");
	assert_int_equal(db_ready(db), STORE_FAILED);
	assert_int_equal(store_schema_version(db, &version), STORE_OK);
	assert_int_equal(version, 0);

	{
		const struct db_options options = { .program = "store-test",
			.timeout_ms = 20000 };
		struct db *owner = open_db_with("postern_owner",
		    "dbname=later", &options);

		for (int i = 0; i < migration_count; i++)
			assert_int_equal(db_script(owner, migrations[i].sql),
			    STORE_OK);
		assert_int_equal(db_script(owner, "INSERT INTO "
		    "postern.schema_migrations VALUES (1, '', now())"),
		    STORE_OK);
		db_close(owner);
	}
	assert_int_equal(db_ready(db), STORE_OK);
	assert_int_equal(store_schema_version(db, &version), STORE_OK);
	assert_int_equal(version, 1);
	db_close(db);
	admin("DROP DATABASE later");
}

static void
test_too_many_parameters(void **state)
{
	struct db_value values[DB_VALUES_LIMIT + 1] = { 0 };
	struct db *db = open_scratch(true);

	(void)state;
	assert_int_equal(db_run(db, &table[0], values, DB_VALUES_LIMIT + 1,
	    NULL), STORE_FAILED);
	assert_int_equal(db_run(db, &table[0], values, 2, NULL), STORE_FAILED);
	assert_int_equal(ask(db, ""), STORE_OK);
	db_close(db);
}

static void
test_answer_that_is_no_answer(void **state)
{
	struct db *db = open_scratch(true);

	(void)state;
	/* Each would leave a connection that is not ready for the next. */
	assert_int_not_equal(run_sql(db, "COPY scratch.shape FROM STDIN", NULL),
	    STORE_OK);
	assert_int_not_equal(db_script(db, "COPY scratch.shape TO STDOUT"),
	    STORE_OK);
	assert_int_equal(db_script(db, ""), STORE_OK);
	assert_int_equal(ask(db, ""), STORE_OK);
	db_close(db);
}

/* ---- scripts ------------------------------------------------------------- */

static void
test_script_is_one_transaction(void **state)
{
	struct db *db = open_scratch(true);

	(void)state;
	admin("TRUNCATE scratch.shape");
	assert_int_equal(db_script(db, "INSERT INTO scratch.shape VALUES (1);"
	    "INSERT INTO scratch.shape VALUES (2)"), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM scratch.shape"), 2);
	assert_int_equal(db_script(db, "INSERT INTO scratch.shape VALUES (3);"
	    "SELECT 1 / 0; INSERT INTO scratch.shape VALUES (4)"),
	    STORE_FAILED);
	assert_non_null(strstr(db_problem(db), "22012"));
	assert_int_equal(db_script(db, "INSERT INTO scratch.late VALUES (8);"
	    "INSERT INTO scratch.late VALUES (8)"), STORE_CONFLICT);
	assert_int_equal(admin_number("SELECT count(*) FROM scratch.shape"), 2);
	db_close(db);
}

static void
test_script_leaves_nothing_open(void **state)
{
	struct db *db = open_scratch(true);

	(void)state;
	admin("TRUNCATE scratch.shape");
	assert_int_equal(db_script(db, "BEGIN; "
	    "INSERT INTO scratch.shape VALUES (1)"), STORE_OK);
	assert_int_equal(db_script(db, "BEGIN; SELECT 1 / 0"), STORE_FAILED);
	assert_int_equal(ask(db, ""), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM scratch.shape"), 0);
	db_close(db);
}

/* ---- values and fields --------------------------------------------------- */

static void
test_values_come_back(void **state)
{
	static const struct db_statement echo = { "echo",
		"SELECT $1::text, $2::bytea, $3::uuid, $4::timestamptz, "
		"$5::integer, $6::smallint, $7::text, $8::timestamptz, "
		"extract(epoch FROM $4::timestamptz)::bigint, true, false" };
	static const unsigned char bytes[] = { 0, 1, 0xff, 0 };
	const int64_t us = INT64_C(1780272000123456);
	const struct id id = id_random();
	const struct db_value values[] = { db_text("naïve"),
		db_bytes(bytes, sizeof(bytes)), db_id(&id), db_time(us),
		db_int(-2147483647 - 1), db_small(-2), db_text(NULL),
		db_time(0) };
	struct db *db = open_scratch(true);
	unsigned char back[sizeof(bytes)];
	struct db_rows *rows;
	struct id id_back;

	(void)state;
	assert_int_equal(db_run(db, &echo, values, 8, &rows), STORE_OK);
	assert_int_equal(db_rows_count(rows), 1);
	assert_string_equal(db_get_text(rows, 0, 0), "naïve");
	assert_true(db_copy_bytes(rows, 0, 1, back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	id_back = db_get_id(rows, 0, 2);
	assert_true(id_equal(&id_back, &id));
	assert_true(db_get_time(rows, 0, 3) == us);
	assert_true(db_get_int(rows, 0, 4) == INT32_MIN);
	assert_int_equal(db_get_int(rows, 0, 5), -2);
	assert_true(db_is_null(rows, 0, 6));
	assert_null(db_get_text(rows, 0, 6));
	assert_int_equal(db_get_time(rows, 0, 7), 0);
	assert_int_equal(db_get_int(rows, 0, 8), us / CLOCK_SECOND_US);
	assert_true(db_get_bool(rows, 0, 9));
	assert_false(db_get_bool(rows, 0, 10));
	db_rows_free(rows);
	db_close(db);
}

static void
test_times_at_the_edge(void **state)
{
	static const struct db_statement echo = { "echo",
		"SELECT $1::timestamptz, 'infinity'::timestamptz, "
		"'-infinity'::timestamptz, '1999-12-31T23:59:59.999999Z'"
		"::timestamptz, $1 = 'infinity', $2 = '-infinity'" };
	const struct db_value values[] = { db_time(INT64_MAX),
		db_time(INT64_MIN) };
	struct db *db = open_scratch(true);
	struct db_rows *rows;

	(void)state;
	assert_int_equal(db_run(db, &echo, values, 2, &rows), STORE_OK);
	assert_true(db_get_time(rows, 0, 0) == INT64_MAX);
	assert_true(db_get_time(rows, 0, 1) == INT64_MAX);
	assert_true(db_get_time(rows, 0, 2) == INT64_MIN);
	assert_true(db_get_time(rows, 0, 3) == INT64_C(946684799999999));
	assert_true(db_get_bool(rows, 0, 4));
	assert_true(db_get_bool(rows, 0, 5));
	db_rows_free(rows);
	db_close(db);
}

static void
test_many_rows(void **state)
{
	static const struct db_statement many = { "many",
		"SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) i" };
	struct db *db = open_scratch(true);
	struct db_rows *rows;
	size_t i;

	(void)state;
	assert_int_equal(db_run(db, &many, NULL, 0, &rows), STORE_OK);
	assert_int_equal(db_rows_count(rows), 5000);
	for (i = 0; i < 5000; i++)
		assert_int_equal(db_get_int(rows, i, 0), i + 1);
	db_rows_free(rows);
	db_close(db);
}

/* Larger than any socket buffer: sent in parts, under the deadline. */
static void
test_large_parameter(void **state)
{
	static const struct db_statement length = { "length",
		"SELECT length($1)" };
	const size_t size = (size_t)8 << 20;
	unsigned char *bytes = calloc(1, size);
	const struct db_value values[] = { db_bytes(bytes, size) };
	const struct db_options options = { .program = "store-test",
		.timeout_ms = 20000 };
	struct db *db = open_db_with("postern_service", "", &options);
	struct db_rows *rows;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(db_run(db, &length, values, 1, &rows), STORE_OK);
	assert_int_equal(db_get_int(rows, 0, 0), size);
	db_rows_free(rows);
	db_close(db);
	free(bytes);
}

/* ---- the connection string ----------------------------------------------- */

static void
test_connection_string_that_is_none(void **state)
{
	const struct db_options options = { .conninfo = "hunter2 = = x",
		.program = "store-test", .timeout_ms = TIMEOUT_MS };
	struct db *db;
	char *log;

	(void)state;
	log_to_file();
	db = db_open(&options);
	assert_int_equal(db_ready(db), STORE_FAILED);
	assert_int_equal(run_sql(db, "SELECT 1", NULL), STORE_FAILED);
	assert_int_equal(db_script(db, "SELECT 1"), STORE_FAILED);
	assert_non_null(strstr(db_problem(db), "connection string"));
	log = log_text();
	assert_null(strstr(log, "hunter2"));
	free(log);
	db_close(db);
}

static void
test_our_defaults_give_way(void **state)
{
	struct db *db = open_db("postern_service", "");
	struct db *other = open_db("postern_service",
	    "application_name=theirs options='-c statement_timeout=1234'");
	int64_t number = 0;

	(void)state;
	assert_int_equal(run_sql(db, "SELECT setting::integer FROM "
	    "pg_catalog.pg_settings WHERE name = 'statement_timeout'",
	    &number), STORE_OK);
	assert_int_equal(number, TIMEOUT_MS - TIMEOUT_MS / 10);
	assert_int_equal(run_sql(other, "SELECT setting::integer FROM "
	    "pg_catalog.pg_settings WHERE name = 'statement_timeout'",
	    &number), STORE_OK);
	assert_int_equal(number, 1234);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "pg_catalog.pg_stat_activity WHERE application_name IN "
	    "('store-test', 'theirs')"), 2);
	db_close(db);
	db_close(other);
}

static int
set_up(void **state)
{
	(void)state;
	log_to_file();
	make_scratch();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sqlstates),
		cmocka_unit_test(test_problem_and_log_hold_no_values),
		cmocka_unit_test(test_log_is_not_flooded),
		cmocka_unit_test(test_notices_are_for_debugging),
		cmocka_unit_test(test_commit_may_still_fail),
		cmocka_unit_test(test_forgotten_statements_are_prepared_again),
		cmocka_unit_test(test_find_tells_that_there_is_none),
		cmocka_unit_test(test_table_changes_under_a_plan),
		cmocka_unit_test(test_pooler_that_cannot_prepare),
		cmocka_unit_test(test_statement_the_server_refuses),
		cmocka_unit_test(test_schema_comes_later),
		cmocka_unit_test(test_too_many_parameters),
		cmocka_unit_test(test_answer_that_is_no_answer),
		cmocka_unit_test(test_script_is_one_transaction),
		cmocka_unit_test(test_script_leaves_nothing_open),
		cmocka_unit_test(test_values_come_back),
		cmocka_unit_test(test_times_at_the_edge),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_large_parameter),
		cmocka_unit_test(test_connection_string_that_is_none),
		cmocka_unit_test(test_our_defaults_give_way),
	};

	return cmocka_run_group_tests_name("store db", tests, set_up, NULL);
}
