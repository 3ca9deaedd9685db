/* support.h - what the store's tests share: handles on the private cluster that
 * tests/store/run has started, and questions to it. */

#ifndef POSTERN_TESTS_STORE_SUPPORT_H
#define POSTERN_TESTS_STORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/db.h"

/* The deadline of most tests: a machine may be busy, or stand still for seconds. */
#define TIMEOUT_MS 10000

/* Of those that let it go by. */
#define HASTY_MS 800

/* How much later than the deadline an answer may come. */
#define LATENESS_MS 1000

/* How often that is tried which the machine, if it stands still, may spoil. */
#define TRIES 10

/* A handle as `role`, with the service's statements; `more` is added to the
 * connection string. */
struct db *open_db(const char *role, const char *more);
struct db *open_hasty(const char *role, const char *more);

/* The same, with other options.  Their conninfo is ignored. */
struct db *open_db_with(const char *role, const char *more,
    const struct db_options *options);

/* A handle as the service has it, for tests that wait for each other. */
struct db *open_service(bool prepare);

/*
 * Two rows of a table of tests: once with prepared statements and once without,
 * as *state says.  begin() empties all tables, and opens the service's handle.
 */
#define TWICE(test)                                \
	{ #test, test, set_up_twice, NULL, NULL }, \
	{ #test " (unprepared)", test, set_up_twice, NULL, NULL }

int set_up_twice(void **state);
struct db *begin(void **state);

/* Run SQL as the superuser; the test fails when the server refuses. */
void admin(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The number that a query gives the superuser. */
int64_t admin_number(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Run SQL without a table or parameters; the number in its first field. */
enum store_result run_sql(struct db *db, const char *sql, int64_t *number);

/* The process that serves a handle's connection. */
int64_t backend_of(struct db *db);

/* Empty all tables of the schema. */
void empty_tables(void);

/* An account that may sign in; its password was set at PASSWORD_US. */
#define PASSWORD_US INT64_C(1767323045678901) /* 2026-01-02 03:04:05.678901Z */
void add_account(const struct id *user, const char *login_key,
    const char *verifier, int status);

/* "'...'::uuid" for SQL text; good until the 8th next call. */
const char *sql_id(const struct id *id);

/* Run a program of the test's own; the test fails when it does. */
void run_program(const char *const argv[]);

/*
 * A clock that stands still while the machine does: what must not take longer is
 * counted by it, and what must not be shorter, by clock_steady_ms().
 */
int64_t running_ms(void);

/* Milliseconds since `began` (running_ms). */
int64_t since(int64_t began_ms);

/* The log goes to a file from here on; what it holds (to be freed). */
void log_to_file(void);
char *log_text(void);

/* How often a word stands in a text. */
size_t count_words(const char *text, const char *word);

void log_to_stderr(void);

/* An environment variable that tests/store/run sets. */
const char *setting(const char *name);

#endif
