/* test_throttle.c - failures counted, locked for and forgotten, by statements that
 * run side by side. */

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/audit.h"
#include "store/logins.h"
#include "store/sessions.h"
#include "store/statements.h"
#include "store/throttle.h"
#include "support.h"

#define LOGIN    "ann@example.org"
#define VERIFIER "$s1$0a0801$c2FsdA==$aGFzaA=="
#define START_US INT64_C(1780272000000000)
#define SECOND   CLOCK_SECOND_US

static const unsigned char digest[DIGEST_SIZE] = "a digest of 32 bytes, of whom?..";
static const unsigned char another[DIGEST_SIZE] = { 1 };

static const struct throttle_rule rule = { digest, 5, 900, 86400, 0 };
static const struct throttle_rule another_rule = { another, 5, 900, 86400, 0 };
static const struct throttle_rule no_rule = { NULL, 5, 900, 86400, 0 };

/* What the last attempt that met a lock was told of its end. */
static int64_t told_until_us;

/* ---- an attempt, step by step -------------------------------------------- */

static struct throttle_rule
at(const struct throttle_rule *by, int64_t now_us)
{
	struct throttle_rule now = *by;

	now.now_us = now_us;
	return now;
}

static enum store_result
refuse(struct db *db, const struct throttle_rule *by, bool wrong,
    int64_t now_us)
{
	const struct throttle_rule now = at(by, now_us);
	const struct audit_event event = {
		.event = id_ordered(now_us),
		.kind = AUDIT_SIGN_IN_REFUSED,
		.now_us = now_us,
		.reason = "wrong_password",
	};

	return store_audit_refused(db, &event, &now, wrong, &told_until_us);
}

static enum store_result
open_session(struct db *db, const struct id *user,
    const struct throttle_rule *by, int64_t now_us)
{
	const struct throttle_rule now = at(by, now_us);
	const struct new_session session = {
		.user = *user,
		.session = id_ordered(now_us),
		.event = id_ordered(now_us),
		.now_us = now_us,
		.expires_us = now_us + SECOND,
		.rule = by->digest != NULL ? &now : NULL,
		.login_key = LOGIN,
		.password_changed_us = PASSWORD_US,
	};

	return store_session_open(db, &session, &told_until_us);
}

/* Microseconds that it is still locked for. */
static int64_t
locked_for(struct db *db, const struct throttle_rule *by, int64_t now_us)
{
	const struct throttle_rule now = at(by, now_us);
	struct login login;
	enum store_result found = store_login_find(db, LOGIN, NULL, NULL, &now,
	    now_us, &login);

	assert_true(found == STORE_OK || found == STORE_NONE);
	return login.locked_until_us == 0 ? 0 :
					    login.locked_until_us - now_us;
}

static void
fail_times(struct db *db, int times, int64_t now_us)
{
	for (int i = 0; i < times; i++)
		assert_int_equal(refuse(db, &rule, true, now_us), STORE_OK);
}

static int64_t
failures(void)
{
	return admin_number("SELECT coalesce(sum(failures), -1) "
			    "FROM postern.throttle");
}

/* ---- one after the other ------------------------------------------------- */

static void
test_five_are_free(void **state)
{
	struct db *db = begin(state);
	int64_t now_us = START_US;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(locked_for(db, &rule, now_us), 0);
		assert_int_equal(refuse(db, &rule, true, now_us), STORE_OK);
		assert_int_equal(failures(), i + 1);
		now_us += 10000;
	}
	now_us -= 10000;
	assert_int_equal(locked_for(db, &rule, now_us), SECOND);
	assert_int_equal(locked_for(db, &rule, now_us + SECOND - 1), 1);
	assert_int_equal(locked_for(db, &rule, now_us + SECOND), 0);
	/* Nobody else is locked. */
	assert_int_equal(locked_for(db, &another_rule, now_us), 0);
	assert_int_equal(locked_for(db, &no_rule, now_us), 0);
	db_close(db);
}

static void
test_each_lock_is_twice_as_long(void **state)
{
	struct db *db = begin(state);
	int64_t now_us = START_US, wait_us = SECOND;

	fail_times(db, 5, now_us);
	for (int i = 0; i < 14; i++) {
		assert_int_equal(locked_for(db, &rule, now_us), wait_us);
		now_us += wait_us;
		assert_int_equal(locked_for(db, &rule, now_us), 0);
		assert_int_equal(refuse(db, &rule, true, now_us), STORE_OK);
		wait_us = wait_us * 2 < 900 * SECOND ? wait_us * 2 :
						       900 * SECOND;
	}
	assert_int_equal(wait_us, 900 * SECOND);
	/* However many there were. */
	admin("UPDATE postern.throttle SET failures = 2147483647");
	assert_int_equal(locked_for(db, &rule, now_us), 900 * SECOND);
	db_close(db);
}

static void
test_a_lock_is_not_lengthened(void **state)
{
	struct db *db = begin(state);

	fail_times(db, 5, START_US);
	for (int i = 1; i < 10; i++)
		assert_int_equal(refuse(db, &rule, true, START_US + i),
		    STORE_CONFLICT);
	assert_int_equal(locked_for(db, &rule, START_US), SECOND);
	assert_int_equal(failures(), 5);
	/* A worker whose attempt began before the lock. */
	assert_int_equal(refuse(db, &rule, true, START_US - SECOND),
	    STORE_CONFLICT);
	assert_int_equal(locked_for(db, &rule, START_US), SECOND);
	db_close(db);
}

/* An attempt that took long does not turn the time back. */
static void
test_a_late_failure_shortens_no_lock(void **state)
{
	struct db *db = begin(state);

	fail_times(db, 4, START_US);
	assert_int_equal(refuse(db, &rule, true, START_US - 3 * SECOND),
	    STORE_OK);
	assert_int_equal(locked_for(db, &rule, START_US), SECOND);
	db_close(db);
}

static void
test_a_quiet_count_begins_anew(void **state)
{
	struct db *db = begin(state);
	int64_t now_us = START_US;

	fail_times(db, 5, now_us);
	now_us += 86400 * SECOND;
	assert_int_equal(refuse(db, &rule, true, now_us), STORE_OK);
	assert_int_equal(failures(), 6);
	now_us += 86400 * SECOND + 1;
	assert_int_equal(refuse(db, &rule, true, now_us), STORE_OK);
	assert_int_equal(failures(), 1);
	db_close(db);
}

static void
test_one_free_failure(void **state)
{
	const struct throttle_rule strict = { digest, 1, 2, 60, 0 };
	struct db *db = begin(state);
	int64_t now_us = START_US;

	assert_int_equal(refuse(db, &strict, true, now_us), STORE_OK);
	assert_int_equal(locked_for(db, &strict, now_us), SECOND);
	now_us += SECOND;
	assert_int_equal(refuse(db, &strict, true, now_us), STORE_OK);
	assert_int_equal(locked_for(db, &strict, now_us), 2 * SECOND);
	now_us += 2 * SECOND;
	assert_int_equal(refuse(db, &strict, true, now_us), STORE_OK);
	assert_int_equal(locked_for(db, &strict, now_us), 2 * SECOND);
	db_close(db);
}

static void
test_a_success_forgives(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	fail_times(db, 4, START_US);
	assert_int_equal(open_session(db, &user, &rule, START_US), STORE_OK);
	assert_int_equal(failures(), 0);
	fail_times(db, 4, START_US);
	assert_int_equal(locked_for(db, &rule, START_US), 0);
	/* A right password that does not get in for its account's status. */
	assert_int_equal(refuse(db, &rule, false, START_US), STORE_OK);
	assert_int_equal(failures(), 0);
	/* Another's success forgives nothing. */
	fail_times(db, 4, START_US);
	assert_int_equal(open_session(db, &user, &another_rule, START_US),
	    STORE_OK);
	assert_int_equal(open_session(db, &user, &no_rule, START_US),
	    STORE_OK);
	assert_int_equal(failures(), 4);
	db_close(db);
}

static void
test_nobody_gets_through_a_lock(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	fail_times(db, 5, START_US);
	assert_int_equal(open_session(db, &user, &rule, START_US),
	    STORE_CONFLICT);
	assert_int_equal(refuse(db, &rule, false, START_US), STORE_CONFLICT);
	assert_int_equal(failures(), 5);
	assert_int_equal(
	    admin_number("SELECT count(*) FROM postern.sessions"), 0);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.users "
				      "WHERE last_sign_in_at IS NOT NULL"),
	    0);
	/* Once it is over, and for who is not counted. */
	assert_int_equal(open_session(db, &user, &no_rule, START_US),
	    STORE_OK);
	assert_int_equal(open_session(db, &user, &rule, START_US + SECOND),
	    STORE_OK);
	assert_int_equal(failures(), 0);
	db_close(db);
}

/* Whoever meets a lock that was made meanwhile learns when it ends. */
static void
test_the_end_of_a_lock_is_told(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	int64_t now_us = START_US + 7 * SECOND;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	fail_times(db, 1, START_US);
	admin("UPDATE postern.throttle SET failures = 11");
	for (int wrong = 0; wrong <= 1; wrong++) {
		told_until_us = 0;
		assert_int_equal(refuse(db, &rule, wrong, now_us),
		    STORE_CONFLICT);
		assert_int_equal(told_until_us, START_US + 64 * SECOND);
	}
	told_until_us = 0;
	assert_int_equal(open_session(db, &user, &rule, now_us),
	    STORE_CONFLICT);
	assert_int_equal(told_until_us, START_US + 64 * SECOND);
	assert_int_equal(failures(), 11);
	db_close(db);
}

/* A disabled account is told from a locked one. */
static void
test_no_account(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();

	fail_times(db, 2, START_US);
	assert_int_equal(open_session(db, &user, &rule, START_US), STORE_NONE);
	fail_times(db, 5, START_US);
	assert_int_equal(open_session(db, &user, &rule, START_US),
	    STORE_CONFLICT);
	db_close(db);
}

static void
test_without_a_rule_nothing_is_counted(void **state)
{
	struct db *db = begin(state);

	for (int i = 0; i < 20; i++)
		assert_int_equal(refuse(db, &no_rule, true, START_US),
		    STORE_OK);
	assert_int_equal(failures(), -1);
	assert_int_equal(
	    admin_number("SELECT count(*) FROM postern.audit_events"), 20);
	db_close(db);
}

/* The whole statement sent again, as after a lost connection. */
static void
test_sent_twice(void **state)
{
	const struct throttle_rule now = at(&rule, START_US);
	struct db *db = begin(state);
	struct audit_event event = {
		.event = id_ordered(START_US),
		.kind = AUDIT_SIGN_IN_REFUSED,
		.now_us = START_US,
	};

	assert_int_equal(store_audit_refused(db, &event, &now, true, NULL),
	    STORE_OK);
	assert_int_equal(store_audit_refused(db, &event, &now, true, NULL),
	    STORE_OK);
	assert_int_equal(failures(), 1);
	assert_int_equal(
	    admin_number("SELECT count(*) FROM postern.audit_events"), 1);
	/* The one that locks says so when it comes again: rather that than to
	 * tell that the password was wrong, where another one had locked. */
	fail_times(db, 3, START_US);
	event.event = id_ordered(START_US);
	assert_int_equal(store_audit_refused(db, &event, &now, true, NULL),
	    STORE_OK);
	assert_int_equal(store_audit_refused(db, &event, &now, true, NULL),
	    STORE_CONFLICT);
	assert_int_equal(failures(), 5);
	assert_int_equal(locked_for(db, &rule, START_US), SECOND);
	db_close(db);
}

/* ---- side by side -------------------------------------------------------- */

enum { GUESSERS = 12, GUESSES = 8 };

/* Each guesser has read an unlocked count, and finds out at the same time that
 * his guesses are wrong.  Returns how many he gets told. */
static int
guess(int start_fd)
{
	struct db *db = open_service(true);
	char go;
	int told = 0;

	if (db_ready(db) != STORE_OK || locked_for(db, &rule, START_US) != 0 ||
	    read(start_fd, &go, 1) != 0)
		return 100;
	for (int i = 0; i < GUESSES; i++)
		switch (refuse(db, &rule, true, START_US)) {
		case STORE_OK:
			told++;
			break;
		case STORE_CONFLICT:
			if (told_until_us != START_US + SECOND)
				return 100;
			break;
		case STORE_NONE:
		case STORE_UNAVAILABLE:
		case STORE_FAILED:
			return 100;
		}
	db_close(db);
	return told;
}

static void
test_guesses_side_by_side(void **state)
{
	struct db *db = begin(state);
	int start[2], status, told = 0;

	/* A count that all of them see as they begin: so each can be told its
	 * lock's end. */
	fail_times(db, 1, START_US);
	admin("UPDATE postern.throttle SET failures = 0");
	assert_int_equal(pipe(start), 0);
	for (int i = 0; i < GUESSERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		close(start[1]);
		_exit(guess(start[0]));
	}
	/* All of them wait for the end of this pipe. */
	sleep(1);
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < GUESSERS; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		told += WEXITSTATUS(status);
	}
	assert_int_equal(told, 5);
	assert_int_equal(failures(), 5);
	db_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TWICE(test_five_are_free),
		TWICE(test_each_lock_is_twice_as_long),
		TWICE(test_a_lock_is_not_lengthened),
		TWICE(test_a_late_failure_shortens_no_lock),
		TWICE(test_a_quiet_count_begins_anew),
		TWICE(test_one_free_failure),
		TWICE(test_a_success_forgives),
		TWICE(test_nobody_gets_through_a_lock),
		TWICE(test_the_end_of_a_lock_is_told),
		TWICE(test_no_account),
		TWICE(test_without_a_rule_nothing_is_counted),
		TWICE(test_sent_twice),
		{ "test_guesses_side_by_side", test_guesses_side_by_side,
		    set_up_twice, NULL, NULL },
	};

	return cmocka_run_group_tests_name("store throttle", tests, NULL, NULL);
}
