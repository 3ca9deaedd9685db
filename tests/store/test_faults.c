/* test_faults.c - servers that die, freeze, come back or were never there. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "proxy.h"
#include "store/audit.h"
#include "store/logins.h"
#include "store/outage.h"
#include "store/sessions.h"
#include "store/statements.h"
#include "support.h"

#define SERVICE "postern_service"
#define LOGIN   "ann@example.org"

/* A pause of a second, and a busy machine. */
#define BACK_MS 3000

static enum store_result
find(struct db *db)
{
	const struct throttle_rule none = { .digest = NULL };
	struct login login;

	return store_login_find(db, LOGIN, NULL, NULL, &none, 1, &login);
}

static struct db *
open_through_by(const struct proxy *proxy,
    struct db *(*how)(const char *role, const char *more))
{
	char more[128];

	snprintf(more, sizeof(more), "host=%s", proxy_directory(proxy));
	return how(SERVICE, more);
}

static struct db *
open_through(const struct proxy *proxy)
{
	return open_through_by(proxy, open_db);
}

/* End a backend: when this returns, it has. */
static void
end_backend(int64_t pid)
{
	admin("SELECT pg_terminate_backend(%d, 10000)", (int)pid);
}

static void
pause_ms(int64_t ms)
{
	usleep((useconds_t)(ms * 1000));
}

/* Whether or not there is such an account, the database has answered. */
static bool
is_well(struct db *db)
{
	enum store_result result = find(db);

	return result == STORE_OK || result == STORE_NONE;
}

/* Call until it is well again; returns how long that took. */
static int64_t
recovers_within(struct db *db, int64_t limit_ms)
{
	int64_t began = running_ms();

	while (!is_well(db)) {
		if (since(began) > limit_ms)
			fail_msg("did not recover: %s", db_problem(db));
		pause_ms(20);
	}
	return since(began);
}

/* ---- round trips --------------------------------------------------------- */

static void
test_round_trips(void **state)
{
	struct proxy *proxy = proxy_start();
	struct db *db = open_through(proxy);
	struct id user = id_random();
	struct new_session session = { .user = user, .now_us = 1,
		.expires_us = 2, .session = id_random(), .event = id_random(),
		.login_key = LOGIN, .password_changed_us = PASSWORD_US };
	long rounds;

	(void)state;
	empty_tables();
	add_account(&user, LOGIN, "$s1$", ACCOUNT_CONFIRMED);
	/* Start-up (peer authentication asks nothing), and all statements. */
	assert_int_equal(db_ready(db), STORE_OK);
	assert_int_equal(proxy_rounds(proxy), 2);
	rounds = proxy_rounds(proxy);
	assert_int_equal(find(db), STORE_OK);
	assert_int_equal(proxy_rounds(proxy) - rounds, 1);
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_int_equal(proxy_rounds(proxy) - rounds, 2);
	assert_int_equal(proxy_connections(proxy), 1);
	db_close(db);
	proxy_stop(proxy);
	empty_tables();
}

static void
test_slow_line(void **state)
{
	struct proxy *proxy = proxy_start();
	struct db *db = open_through(proxy);

	(void)state;
	proxy_set(proxy, PROXY_DRIBBLE);
	assert_int_equal(db_ready(db), STORE_OK);
	assert_true(is_well(db));
	db_close(db);
	proxy_stop(proxy);
}

/* ---- a connection that breaks -------------------------------------------- */

/*
 * The connection is cut at every third byte of the exchange, one after the
 * other: the sign-in is acknowledged each time, and written once.
 */
static void
cut_everywhere(enum proxy_side side)
{
	struct proxy *proxy = proxy_start();
	struct db *db = open_through(proxy);
	struct id user = id_random();
	struct new_session session = { .user = user, .now_us = 1,
		.expires_us = 2, .login_key = LOGIN,
		.password_changed_us = PASSWORD_US };
	long bytes, connections, cuts = 0;
	bool cut = true;

	empty_tables();
	add_account(&user, LOGIN, "$s1$", ACCOUNT_CONFIRMED);
	assert_int_equal(db_ready(db), STORE_OK);
	for (bytes = 0; cut; bytes += 3) {
		assert_true(bytes < 1000);
		session.session = id_random();
		session.event = id_random();
		connections = proxy_connections(proxy);
		proxy_cut_after(proxy, side, bytes);
		assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
		cut = proxy_has_cut(proxy);
		proxy_cut_after(proxy, side, -1);
		if (!cut)
			break;
		assert_int_equal(proxy_connections(proxy), connections + 1);
		cuts++;
		assert_int_equal(admin_number("SELECT count(*) FROM "
		    "postern.sessions"), cuts);
		assert_int_equal(admin_number("SELECT count(*) FROM "
		    "postern.audit_events"), cuts);
	}
	/* The exchange has more bytes than the shortest that is possible. */
	assert_true(bytes > 50);
	db_close(db);
	proxy_stop(proxy);
	empty_tables();
}

static void
test_answer_is_cut(void **state)
{
	(void)state;
	cut_everywhere(PROXY_TO_CLIENT);
}

static void
test_request_is_cut(void **state)
{
	(void)state;
	cut_everywhere(PROXY_TO_SERVER);
}

/* The same of a refusal: it is counted each time, and once. */
static void
cut_refusals_everywhere(enum proxy_side side)
{
	static const unsigned char digest[DIGEST_SIZE] = { 1 };
	const struct throttle_rule rule = { digest, 1000, 900, 86400, 1 };
	struct proxy *proxy = proxy_start();
	struct db *db = open_through(proxy);
	struct audit_event event = { .kind = AUDIT_SIGN_IN_REFUSED,
		.now_us = 1 };
	long bytes, calls = 0;
	bool cut = true;

	empty_tables();
	assert_int_equal(db_ready(db), STORE_OK);
	for (bytes = 0; cut; bytes += 3) {
		assert_true(bytes < 1000);
		event.event = id_random();
		proxy_cut_after(proxy, side, bytes);
		assert_int_equal(store_audit_refused(db, &event, &rule, true,
				     NULL),
		    STORE_OK);
		cut = proxy_has_cut(proxy);
		proxy_cut_after(proxy, side, -1);
		calls++;
		assert_int_equal(admin_number("SELECT failures "
		    "FROM postern.throttle"), calls);
		assert_int_equal(admin_number("SELECT count(*) FROM "
		    "postern.audit_events"), calls);
	}
	assert_true(bytes > 50);
	db_close(db);
	proxy_stop(proxy);
	empty_tables();
}

static void
test_answer_to_a_refusal_is_cut(void **state)
{
	(void)state;
	cut_refusals_everywhere(PROXY_TO_CLIENT);
}

static void
test_request_for_a_refusal_is_cut(void **state)
{
	(void)state;
	cut_refusals_everywhere(PROXY_TO_SERVER);
}

static void
test_start_is_cut(void **state)
{
	struct proxy *proxy = proxy_start();
	struct db *db;
	int64_t began_ms;
	long bytes;
	bool cut = true;

	(void)state;
	for (bytes = 0; cut; bytes += 37) {
		assert_true(bytes < 10000);
		db = open_through(proxy);
		proxy_cut_after(proxy, PROXY_TO_CLIENT, bytes);
		began_ms = clock_steady_ms();
		if (find(db) == STORE_UNAVAILABLE) {
			/* The next attempt, in 100 ms, finds it well. */
			recovers_within(db, 1000);
			assert_true(clock_steady_ms() - began_ms >= 60);
		}
		cut = proxy_has_cut(proxy);
		db_close(db);
	}
	proxy_cut_after(proxy, PROXY_TO_CLIENT, -1);
	assert_true(bytes > 300);
	proxy_stop(proxy);
}

static void
test_connection_is_ended_between_calls(void **state)
{
	struct db *db = open_db(SERVICE, "");
	int i;

	(void)state;
	/* SIGPIPE would end the program: nobody has asked to ignore it. */
	for (i = 0; i < 5; i++) {
		end_backend(backend_of(db));
		assert_true(is_well(db));
	}
	db_close(db);
}

static void
test_connection_is_ended_during_a_call(void **state)
{
	const struct db_options options = { .program = "store-test",
		.timeout_ms = 5000 };
	struct db *db = open_db_with(SERVICE, "", &options);
	struct db *killer = open_db_with("postgres", "", &options);
	char sql[128];
	pid_t pid;

	(void)state;
	snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(%d)",
	    (int)backend_of(db));
	pid = fork();
	if (pid == 0) {
		pause_ms(200);
		_exit(run_sql(killer, sql, NULL) == STORE_OK ? 0 : 1);
	}
	assert_int_equal(run_sql(db, "SELECT pg_sleep(0.5)", NULL), STORE_OK);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	db_close(db);
	db_close(killer);
}

/* ---- a server that does not answer --------------------------------------- */

/* Stop and continue processes by id; a test that fails leaves none stopped. */
static pid_t frozen;

static void
freeze(pid_t pid)
{
	assert_int_equal(kill(pid, SIGSTOP), 0);
	frozen = pid;
}

static void
thaw(void)
{
	if (frozen != 0)
		kill(frozen, SIGCONT);
	frozen = 0;
}

static int
thaw_after(void **state)
{
	(void)state;
	thaw();
	return 0;
}

static pid_t
postmaster(void)
{
	char path[256];
	char *text;
	size_t size;
	long pid;

	snprintf(path, sizeof(path), "%s/data/postmaster.pid",
	    setting("PGHOST"));
	text = file_read(path, 4096, &size);
	assert_non_null(text);
	pid = strtol(text, NULL, 10);
	free(text);
	assert_true(pid > 1);
	return (pid_t)pid;
}

/* When the last of those calls ended that took their whole deadline. */
static int64_t late_ms;

/* For a hasty handle. */
static void
assert_late(struct db *db)
{
	int64_t began = running_ms(), really_ms = clock_steady_ms();

	assert_int_equal(find(db), STORE_UNAVAILABLE);
	late_ms = clock_steady_ms();
	assert_true(late_ms - really_ms >= HASTY_MS - 5);
	assert_true(since(began) < HASTY_MS + LATENESS_MS);
}

/*
 * For 100 ms after that, others are told at once that there is no service.  False
 * when the machine may have let that moment go by.
 */
static bool
is_told_at_once(struct db *db)
{
	enum store_result result = find(db);
	int64_t after_ms = clock_steady_ms() - late_ms;

	if (after_ms >= 80)
		return false;
	assert_int_equal(result, STORE_UNAVAILABLE);
	return true;
}

static void
test_frozen_backend(void **state)
{
	struct db *db = open_hasty(SERVICE, "");
	bool told = false;
	int64_t backend;

	(void)state;
	for (int i = 0; i < TRIES && !told; i++) {
		backend = backend_of(db);
		freeze((pid_t)backend);
		assert_late(db);
		/* The half-read connection is left; another one serves, but
		 * not those who have waited behind this call. */
		told = is_told_at_once(db);
		recovers_within(db, BACK_MS);
		assert_int_not_equal(backend_of(db), backend);
		thaw();
	}
	assert_true(told);
	db_close(db);
}

/* Both times, those who come straight after are told at once. */
static bool
freeze_server(void)
{
	struct db *db = open_hasty(SERVICE, "");
	bool told;

	freeze(postmaster());
	assert_late(db);
	told = is_told_at_once(db);
	pause_ms(150);
	assert_late(db);
	told = is_told_at_once(db) && told;
	assert_non_null(strstr(db_problem(db), "in time"));
	thaw();
	recovers_within(db, BACK_MS);
	db_close(db);
	return told;
}

static void
test_frozen_server(void **state)
{
	bool told = false;

	(void)state;
	for (int i = 0; i < TRIES && !told; i++)
		told = freeze_server();
	assert_true(told);
}

static void
test_stalled_line(void **state)
{
	struct proxy *proxy = proxy_start();
	struct db *db = open_through_by(proxy, open_hasty);

	(void)state;
	assert_int_equal(db_ready(db), STORE_OK);
	proxy_set(proxy, PROXY_STALL);
	assert_late(db);
	pause_ms(150);
	assert_late(db);
	proxy_set(proxy, PROXY_PASS);
	recovers_within(db, BACK_MS);
	db_close(db);
	proxy_stop(proxy);
}

/* ---- many who share what they know --------------------------------------- */

#define MANY 8

/* Handles of one outage, as the workers of a pool have them. */
struct crowd {
	struct outage outage;
	struct proxy *proxy;
	struct db *dbs[MANY];
};

static void
crowd_open(struct crowd *crowd)
{
	const struct db_options options = {
		.program = "store-test",
		.statements = statements,
		.statement_count = STATEMENT_COUNT,
		.prepare = true,
		.timeout_ms = HASTY_MS,
		.outage = &crowd->outage,
	};
	char more[128];

	*crowd = (struct crowd){ .proxy = proxy_start() };
	snprintf(more, sizeof(more), "host=%s",
	    proxy_directory(crowd->proxy));
	for (int i = 0; i < MANY; i++) {
		crowd->dbs[i] = open_db_with(SERVICE, more, &options);
		assert_int_equal(db_ready(crowd->dbs[i]), STORE_OK);
	}
}

static void
crowd_close(struct crowd *crowd)
{
	for (int i = 0; i < MANY; i++)
		db_close(crowd->dbs[i]);
	proxy_stop(crowd->proxy);
}

/* Each asks once, one after the other. */
static void
all_ask_in_vain(struct crowd *crowd, int first)
{
	for (int i = 0; i < MANY; i++)
		assert_int_equal(find(crowd->dbs[(first + i) % MANY]),
		    STORE_UNAVAILABLE);
}

/* The first three find out for all; then one does, now and then. */
static void
test_silence_is_shared(void **state)
{
	struct crowd crowd;

	(void)state;
	crowd_open(&crowd);
	proxy_set(crowd.proxy, PROXY_STALL);
	all_ask_in_vain(&crowd, 0);
	assert_int_equal(crowd.outage.late, 3);
	pause_ms(1000);
	all_ask_in_vain(&crowd, 5);
	assert_true(outage_is_silence(&crowd.outage));

	proxy_set(crowd.proxy, PROXY_PASS);
	for (int i = MANY - 1; i >= 0; i--)
		recovers_within(crowd.dbs[i], BACK_MS);
	assert_false(outage_is_silence(&crowd.outage));
	/* Connected again have those who were late, four or a few more on a
	 * machine that stands still, and nobody else. */
	assert_in_range(proxy_connections(crowd.proxy), MANY + 4, 2 * MANY - 1);
	crowd_close(&crowd);
}

/* A slow one among others that are answered concerns nobody else. */
static void
test_late_ones_between_others(void **state)
{
	struct crowd crowd;

	(void)state;
	crowd_open(&crowd);
	for (int i = 0; i < 4; i++) {
		proxy_set(crowd.proxy, PROXY_STALL);
		assert_late(crowd.dbs[i]);
		assert_int_equal(crowd.outage.late, 1);
		proxy_set(crowd.proxy, PROXY_PASS);
		recovers_within(crowd.dbs[7], BACK_MS);
		assert_int_equal(crowd.outage.late, 0);
	}
	crowd_close(&crowd);
}

/* Who waits for a lock, or as here for time, hears from the server that it took too
 * long: not silence, but an answer. */
static void
test_slow_ones_are_no_silence(void **state)
{
	struct crowd crowd;
	bool told = false;
	int64_t began;

	(void)state;
	crowd_open(&crowd);
	for (int i = 0; i < TRIES && !told; i++) {
		recovers_within(crowd.dbs[0], BACK_MS);
		began = clock_steady_ms();
		assert_int_equal(run_sql(crowd.dbs[0], "SELECT pg_sleep(30)",
		    NULL), STORE_UNAVAILABLE);
		told = clock_steady_ms() - began < HASTY_MS - 5;
	}
	assert_true(told);
	assert_int_equal(crowd.outage.late, 0);
	crowd_close(&crowd);
}

/* A broken connection and then a server that keeps silent: one deadline. */
static void
test_lost_then_late(void **state)
{
	struct proxy *proxy = proxy_start();
	struct db *db = open_through_by(proxy, open_hasty);

	(void)state;
	assert_int_equal(db_ready(db), STORE_OK);
	end_backend(backend_of(db));
	proxy_set(proxy, PROXY_STALL);
	assert_late(db);
	db_close(db);
	proxy_stop(proxy);
}

static void
test_statement_that_takes_too_long(void **state)
{
	struct db *db = open_hasty(SERVICE, "");
	int64_t began = running_ms(), really_ms = clock_steady_ms();

	(void)state;
	assert_int_equal(run_sql(db, "SELECT pg_sleep(30)", NULL),
	    STORE_UNAVAILABLE);
	assert_true(clock_steady_ms() - really_ms >=
	    HASTY_MS - HASTY_MS / 10 - 50);
	assert_true(since(began) < HASTY_MS + LATENESS_MS);
	/* The server ends it: no lock outlives the caller. */
	while (
	    admin_number("SELECT count(*) FROM "
			 "pg_catalog.pg_stat_activity WHERE state = 'active' "
			 "AND application_name = 'store-test'") > 0) {
		assert_true(since(began) < HASTY_MS + 5 * LATENESS_MS);
		pause_ms(20);
	}
	db_close(db);
}

/* Run SQL in a transaction that stays open until somebody waits for a lock.
 * Returns, once it has run, whoever holds it. */
static pid_t
hold(const char *sql)
{
	const struct db_options options = { .program = "store-holder",
		.timeout_ms = TIMEOUT_MS };
	char script[1024];
	pid_t pid;

	snprintf(script, sizeof(script),
	    "%s; DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_catalog.pg_locks "
	    "WHERE NOT granted) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$",
	    sql);
	pid = fork();
	if (pid == 0) {
		struct db *holder = open_db_with("postern_admin", "",
		    &options);

		_exit(db_script(holder, script) == STORE_OK ? 0 : 1);
	}
	while (admin_number("SELECT count(*) FROM pg_catalog.pg_stat_activity "
			    "WHERE application_name = 'store-holder' "
			    "AND wait_event = 'PgSleep'") == 0 &&
	       waitpid(pid, NULL, WNOHANG) == 0)
		pause_ms(10);
	return pid;
}

struct change {
	const char *sql;
	enum store_result result; /* of opening a session meanwhile */
};

/* Whoever opens a session waits for a change that is under way, and is then
 * judged by what it left. */
static void
try_during(struct new_session *session, const struct change *change)
{
	struct db *db = open_db(SERVICE, "");
	int status;
	pid_t pid;

	session->session = session->event = id_random();
	session->now_us = 1;
	session->expires_us = 2;
	empty_tables();
	add_account(&session->user, LOGIN, "$s1$", ACCOUNT_CONFIRMED);
	admin("INSERT INTO postern.api_keys VALUES (%s, %s, "
	      "decode(repeat('ab', 32), 'hex'), 1, '', now())",
	    sql_id(&session->user), sql_id(&session->key));
	assert_int_equal(db_ready(db), STORE_OK);
	pid = hold(change->sql);
	if (store_session_open(db, session, NULL) != change->result)
		fail_msg("%s", change->sql);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions"),
	    change->result == STORE_OK);
	db_close(db);
	empty_tables();
}

static void
test_sign_in_during_a_change(void **state)
{
	static const struct change table[] = {
		{ "UPDATE postern.users SET status = 5", STORE_NONE },
		{ "UPDATE postern.logins SET status = 3; "
		  "UPDATE postern.users SET status = 3", STORE_NONE },
		{ "UPDATE postern.logins SET pw_hash = 'new', "
		  "pw_changed_at = now(); UPDATE postern.users SET status = 0",
		    STORE_NONE },
		{ "DELETE FROM postern.logins; DELETE FROM postern.users",
		    STORE_NONE },
		/* The same password at another cost. */
		{ "UPDATE postern.logins SET pw_hash = 'new'", STORE_OK },
	};
	struct new_session session = { .user = id_random(),
		.login_key = LOGIN, .password_changed_us = PASSWORD_US };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		try_during(&session, &table[i]);
}

static void
test_key_opens_a_session_during_a_change(void **state)
{
	static const struct change table[] = {
		{ "UPDATE postern.users SET status = 5", STORE_NONE },
		{ "UPDATE postern.api_keys SET revoked_at = now()",
		    STORE_NONE },
		{ "DELETE FROM postern.api_keys; DELETE FROM postern.users",
		    STORE_NONE },
		/* It was used. */
		{ "UPDATE postern.api_keys SET last_used_at = now()",
		    STORE_OK },
	};
	struct new_session session = { .user = id_random(),
		.key = id_random() };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		try_during(&session, &table[i]);
}

/* ---- a server that is not there ------------------------------------------ */

static void
cluster(const char *command)
{
	const char *const argv[] = { setting("PRIVATE_POSTGRES"), command,
		setting("PGHOST"), NULL };

	run_program(argv);
}

static int
start_after(void **state)
{
	(void)state;
	cluster("start");
	return 0;
}

static void
test_server_stops_and_starts(void **state)
{
	struct db *db = open_db(SERVICE, "");
	int64_t began_ms, took_ms;
	char *log;
	int i;

	(void)state;
	log_to_file();
	assert_int_equal(db_ready(db), STORE_OK);
	cluster("stop");
	/* A flood asks a dead server now and then, and tells it once in 10 s. */
	began_ms = clock_steady_ms();
	for (i = 0, took_ms = 0;
	     took_ms < 1500 || (i <= 10000 && took_ms < 9000); i++) {
		assert_int_equal(find(db), STORE_UNAVAILABLE);
		took_ms = clock_steady_ms() - began_ms;
	}
	assert_true(i > 10000);
	log = log_text();
	assert_in_range(count_words(log, "could not connect"), 1,
	    1 + took_ms / 10000);
	free(log);
	cluster("start");
	assert_true(recovers_within(db, BACK_MS) < BACK_MS);
	log = log_text();
	assert_int_equal(count_words(log, "the database is back"), 1);
	free(log);
	db_close(db);
}

static void
test_server_restarts_between_calls(void **state)
{
	struct db *db = open_db(SERVICE, "");

	(void)state;
	assert_int_equal(db_ready(db), STORE_OK);
	cluster("restart");
	assert_true(is_well(db));
	db_close(db);
}

static void
test_server_has_no_room(void **state)
{
	struct db *db = open_db(SERVICE, "");

	(void)state;
	admin("ALTER ROLE postern_service CONNECTION LIMIT 0");
	assert_int_equal(find(db), STORE_UNAVAILABLE);
	assert_int_equal(db_ready(db), STORE_UNAVAILABLE);
	assert_non_null(strstr(db_problem(db), "too many connections"));
	admin("ALTER ROLE postern_service CONNECTION LIMIT -1");
	recovers_within(db, BACK_MS);
	db_close(db);
}

static void
test_nobody_at_all(void **state)
{
	struct db *db = open_db(SERVICE, "host=/nonexistent");

	(void)state;
	assert_int_equal(db_ready(db), STORE_UNAVAILABLE);
	assert_int_equal(db_script(db, "SELECT 1"), STORE_UNAVAILABLE);
	assert_int_equal(find(db), STORE_UNAVAILABLE);
	db_close(db);
	db = open_db(SERVICE, "host=127.0.0.1 port=1");
	assert_int_equal(find(db), STORE_UNAVAILABLE);
	db_close(db);
}

/* ---- several servers ----------------------------------------------------- */

/* Half of it goes to a host that keeps silent. */
#define PATIENT_MS 4000

static struct db *
open_patient(const char *more)
{
	const struct db_options options = {
		.program = "store-test",
		.statements = statements,
		.statement_count = STATEMENT_COUNT,
		.prepare = true,
		.timeout_ms = PATIENT_MS,
	};

	return open_db_with(SERVICE, more, &options);
}

static void
test_first_host_is_silent(void **state)
{
	struct proxy *silent = proxy_start();
	int64_t began, really_ms;
	char more[256];
	struct db *db;

	(void)state;
	proxy_set(silent, PROXY_STALL);
	snprintf(more, sizeof(more), "host=%s,%s port=5432",
	    proxy_directory(silent), setting("PGHOST"));
	db = open_patient(more);
	began = running_ms();
	really_ms = clock_steady_ms();
	assert_true(is_well(db));
	assert_true(clock_steady_ms() - really_ms >= PATIENT_MS / 2 - 5);
	assert_true(since(began) < PATIENT_MS);
	/* The one that was good is asked first the next time. */
	end_backend(backend_of(db));
	began = running_ms();
	assert_true(is_well(db));
	assert_true(since(began) < PATIENT_MS / 2 - 50);
	assert_int_equal(proxy_connections(silent), 1);
	db_close(db);
	proxy_stop(silent);
}

static void
test_first_host_is_dead(void **state)
{
	char more[256];
	struct db *db;

	(void)state;
	snprintf(more, sizeof(more), "host=/nonexistent,127.0.0.1,%s "
	    "port=5432,1,5432", setting("PGHOST"));
	db = open_db(SERVICE, more);
	assert_true(is_well(db));
	db_close(db);
	/* Lists that do not fit together are libpq's to refuse. */
	snprintf(more, sizeof(more), "host=/nonexistent,%s port=1,2,3",
	    setting("PGHOST"));
	db = open_db(SERVICE, more);
	assert_int_equal(find(db), STORE_UNAVAILABLE);
	db_close(db);
}

static void
test_host_that_only_reads(void **state)
{
	struct audit_event event = { .event = id_random(),
		.kind = AUDIT_SIGN_IN_REFUSED, .now_us = 1 };
	const struct throttle_rule none = { .digest = NULL };
	struct db *db = open_db(SERVICE, "");
	int64_t backend;
	char more[256];

	(void)state;
	/* One host: reads are served, writes come again later. */
	backend = backend_of(db);
	admin("ALTER ROLE postern_service SET default_transaction_read_only "
	      "TO on");
	end_backend(backend);
	assert_true(is_well(db));
	assert_int_equal(store_audit_refused(db, &event, &none, false, NULL),
	    STORE_UNAVAILABLE);
	assert_non_null(strstr(db_problem(db), "25006"));
	db_close(db);

	/* Of several, one that writes is wanted. */
	snprintf(more, sizeof(more), "host=%s,%s", setting("PGHOST"),
	    setting("PGHOST"));
	db = open_db(SERVICE, more);
	assert_int_equal(find(db), STORE_UNAVAILABLE);
	admin("ALTER ROLE postern_service "
	      "RESET default_transaction_read_only");
	recovers_within(db, BACK_MS);
	assert_int_equal(store_audit_refused(db, &event, &none, false, NULL),
	    STORE_OK);
	db_close(db);
}

static int
set_up(void **state)
{
	(void)state;
	log_to_file();
	empty_tables();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_slow_line),
		cmocka_unit_test(test_answer_is_cut),
		cmocka_unit_test(test_request_is_cut),
		cmocka_unit_test(test_answer_to_a_refusal_is_cut),
		cmocka_unit_test(test_request_for_a_refusal_is_cut),
		cmocka_unit_test(test_start_is_cut),
		cmocka_unit_test(test_connection_is_ended_between_calls),
		cmocka_unit_test(test_connection_is_ended_during_a_call),
		cmocka_unit_test_teardown(test_frozen_backend, thaw_after),
		cmocka_unit_test_teardown(test_frozen_server, thaw_after),
		cmocka_unit_test(test_stalled_line),
		cmocka_unit_test(test_silence_is_shared),
		cmocka_unit_test(test_late_ones_between_others),
		cmocka_unit_test(test_slow_ones_are_no_silence),
		cmocka_unit_test(test_lost_then_late),
		cmocka_unit_test(test_statement_that_takes_too_long),
		cmocka_unit_test(test_sign_in_during_a_change),
		cmocka_unit_test(test_key_opens_a_session_during_a_change),
		cmocka_unit_test_teardown(test_server_stops_and_starts,
		    start_after),
		cmocka_unit_test(test_server_restarts_between_calls),
		cmocka_unit_test(test_server_has_no_room),
		cmocka_unit_test(test_nobody_at_all),
		cmocka_unit_test(test_first_host_is_silent),
		cmocka_unit_test(test_first_host_is_dead),
		cmocka_unit_test(test_host_that_only_reads),
	};

	return cmocka_run_group_tests_name("store faults", tests, set_up, NULL);
}
