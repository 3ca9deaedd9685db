/* support.c - handles, questions to the server, the log as a file. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/shared.h"
#include "store/statements.h"
#include "support.h"

#define SQL_SIZE 4096

const char *
setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail_msg("%s is not set: run tests/store/run", name);
	return value;
}

/* ---- time ---------------------------------------------------------------- */

#define TICK_MS    10
#define STOPPED_MS 100 /* later than this is no slow tick */

/* A process that ticks; what comes late is time that the machine did not give. */
struct ticks {
	_Atomic int64_t last_ms, lost_ms;
};

static _Noreturn void
tick_on(struct ticks *ticks, pid_t parent)
{
	int64_t late_ms, now_ms;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent) {
		usleep(TICK_MS * 1000);
		now_ms = clock_steady_ms();
		late_ms = now_ms - ticks->last_ms - TICK_MS;
		if (late_ms > STOPPED_MS)
			ticks->lost_ms += late_ms;
		ticks->last_ms = now_ms;
	}
	_exit(0);
}

static struct ticks *
start_ticks(void)
{
	struct ticks *ticks = shared_new(sizeof(*ticks));
	pid_t parent = getpid(), pid;

	assert_non_null(ticks);
	ticks->last_ms = clock_steady_ms();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		tick_on(ticks, parent);
	return ticks;
}

int64_t
running_ms(void)
{
	static struct ticks *ticks;
	int64_t now_ms;

	if (ticks == NULL)
		ticks = start_ticks();
	now_ms = clock_steady_ms();
	while (ticks->last_ms < now_ms)
		usleep(1000);
	return now_ms - ticks->lost_ms;
}

int64_t
since(int64_t began_ms)
{
	return running_ms() - began_ms;
}

/* ---- handles ------------------------------------------------------------- */

struct db *
open_db_with(const char *role, const char *more,
    const struct db_options *options)
{
	/* The handle borrows the string; no test has more than ten. */
	static char conninfo[10][512];
	static unsigned next;
	struct db_options copy = *options;
	char *text = conninfo[next++ % 10];

	setting("PGHOST");
	snprintf(text, sizeof(conninfo[0]), "user=%s %s", role, more);
	copy.conninfo = text;
	return db_open(&copy);
}

static struct db *
open_with_timeout(const char *role, const char *more, int timeout_ms)
{
	const struct db_options options = {
		.program = "store-test",
		.statements = statements,
		.statement_count = STATEMENT_COUNT,
		.prepare = true,
		.timeout_ms = timeout_ms,
	};

	return open_db_with(role, more, &options);
}

struct db *
open_db(const char *role, const char *more)
{
	return open_with_timeout(role, more, TIMEOUT_MS);
}

struct db *
open_hasty(const char *role, const char *more)
{
	return open_with_timeout(role, more, HASTY_MS);
}

struct db *
open_service(bool prepare)
{
	const struct db_options options = {
		.program = "store-test",
		.statements = statements,
		.statement_count = STATEMENT_COUNT,
		.prepare = prepare,
		.timeout_ms = 10000,
	};

	return open_db_with("postern_service", "", &options);
}

int
set_up_twice(void **state)
{
	static const bool prepares[] = { true, false };
	static unsigned count;

	log_to_file();
	*state = (void *)(uintptr_t)&prepares[count++ % 2];
	return 0;
}

struct db *
begin(void **state)
{
	empty_tables();
	return open_service(*(const bool *)*state);
}

/* One connection for all that the superuser does; it outlives restarts. */
static struct db *
superuser(void)
{
	static const struct db_options options = {
		.conninfo = "user=postgres",
		.program = "store-admin",
		.timeout_ms = 20000,
	};
	static struct db *db;

	setting("PGHOST");
	if (db == NULL)
		db = db_open(&options);
	return db;
}

/* ---- questions ----------------------------------------------------------- */

void
admin(const char *format, ...)
{
	char sql[SQL_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	/* A script is not sent again; so find a lost connection before. */
	run_sql(superuser(), "SELECT 1", NULL);
	if (db_script(superuser(), sql) != STORE_OK)
		fail_msg("%s: %s", sql, db_problem(superuser()));
}

enum store_result
run_sql(struct db *db, const char *sql, int64_t *number)
{
	const struct db_statement statement = { "ad_hoc", sql };
	enum store_result result;
	struct db_rows *rows;

	result = db_run(db, &statement, NULL, 0, &rows);
	if (result != STORE_OK)
		return result;
	if (number != NULL)
		*number = db_get_int(rows, 0, 0);
	db_rows_free(rows);
	return STORE_OK;
}

int64_t
admin_number(const char *format, ...)
{
	char sql[SQL_SIZE];
	va_list arguments;
	int64_t number = 0;

	va_start(arguments, format);
	vsnprintf(sql, sizeof(sql), format, arguments);
	va_end(arguments);
	if (run_sql(superuser(), sql, &number) != STORE_OK)
		fail_msg("%s: %s", sql, db_problem(superuser()));
	return number;
}

int64_t
backend_of(struct db *db)
{
	int64_t pid = 0;

	assert_int_equal(run_sql(db, "SELECT pg_backend_pid()", &pid),
	    STORE_OK);
	return pid;
}

void
empty_tables(void)
{
	admin("TRUNCATE postern.logins, postern.users, postern.sessions, "
	      "postern.api_keys, postern.audit_events, postern.throttle");
}

const char *
sql_id(const struct id *id)
{
	static char texts[8][ID_TEXT_SIZE + sizeof("''::uuid")];
	static unsigned next;
	char *text = texts[next++ % 8];
	char plain[ID_TEXT_SIZE];

	id_format(id, plain);
	snprintf(text, sizeof(texts[0]), "'%s'::uuid", plain);
	return text;
}

void
add_account(const struct id *user, const char *login_key, const char *verifier,
    int status)
{
	admin("INSERT INTO postern.logins VALUES ('%s', %s, 'As.%s', '%s', "
	      "'2026-01-02 03:04:05.678901Z', %d, now()); "
	      "INSERT INTO postern.users VALUES (%s, '%s', 'As.%s', %d, NULL, "
	      "now())",
	    login_key, sql_id(user), login_key, verifier, status, sql_id(user),
	    login_key, login_key, status);
}

void
run_program(const char *const argv[])
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		/* Standard output is TAP. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_true(pid > 0);
	while (waitpid(pid, &status, 0) == -1)
		assert_int_equal(errno, EINTR);
	if (status != 0)
		fail_msg("%s %s failed", argv[0], argv[1]);
}

/* ---- the log ------------------------------------------------------------- */

static const char *
log_path(void)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/test-log.%d", setting("TMPDIR"),
	    (int)getpid());
	return path;
}

void
log_to_file(void)
{
	unlink(log_path());
	assert_int_equal(log_open(log_path(), LOG_FORMAT_PLAIN,
	    LOG_LEVEL_DEBUG), 0);
}

char *
log_text(void)
{
	size_t size;
	char *text;

	text = file_read(log_path(), 1 << 20, &size);
	assert_non_null(text);
	return text;
}

size_t
count_words(const char *text, const char *word)
{
	size_t count = 0;

	while ((text = strstr(text, word)) != NULL) {
		count++;
		text++;
	}
	return count;
}

void
log_to_stderr(void)
{
	log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
}
