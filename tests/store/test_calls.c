/* test_calls.c - the typed calls as postern_service, the least privileged role,
 * on the migrated schema: each with prepared statements and without. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/api_keys.h"
#include "store/audit.h"
#include "store/logins.h"
#include "store/schema.h"
#include "store/sessions.h"
#include "store/statements.h"
#include "store/users.h"
#include "support.h"

#define LOGIN    "ann@example.org"
#define VERIFIER "$s1$0a0801$c2FsdA==$aGFzaA=="

/* ---- schema -------------------------------------------------------------- */

static void
test_every_statement_is_known(void **state)
{
	struct db *db = begin(state);

	assert_int_equal(db_ready(db), STORE_OK);
	db_close(db);
}

static void
test_schema_version(void **state)
{
	struct db *db = begin(state);
	int version = -1;

	assert_int_equal(store_schema_version(db, &version), STORE_OK);
	assert_int_equal(version, migration_count);
	db_close(db);
}

/* ---- logins -------------------------------------------------------------- */

/* Without a throttle, which has tests of its own. */
static enum store_result
find_login(struct db *db, const char *login_key, const struct id *key_user,
    const struct id *key, int64_t now_us, struct login *login)
{
	const struct throttle_rule none = { .digest = NULL };

	return store_login_find(db, login_key, key_user, key, &none, now_us,
	    login);
}

static void
test_login_is_found(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct login login;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_RESET_REQUIRED);
	assert_int_equal(find_login(db, LOGIN, NULL, NULL, 1, &login),
	    STORE_OK);
	assert_true(id_equal(&login.user, &user));
	assert_string_equal(login.email, "As." LOGIN);
	assert_string_equal(login.verifier, VERIFIER);
	assert_int_equal(login.status, ACCOUNT_RESET_REQUIRED);
	assert_true(login.password_changed_us == PASSWORD_US);
	assert_true(login.key_stands);
	db_close(db);
}

static void
test_login_is_not_found(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct login login;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	assert_int_equal(find_login(db, "bob@example.org", NULL, NULL, 1,
	    &login), STORE_NONE);
	assert_true(login.key_stands);
	assert_string_equal(login.verifier, "");
	/* Never a prefix, a pattern or another case: the key is canonical. */
	assert_int_equal(find_login(db, "ann@example.or", NULL, NULL, 1,
	    &login), STORE_NONE);
	assert_int_equal(find_login(db, "%", NULL, NULL, 1, &login),
	    STORE_NONE);
	assert_int_equal(find_login(db, "ANN@example.org", NULL, NULL, 1,
	    &login), STORE_NONE);
	assert_int_equal(find_login(db, "' OR true --", NULL, NULL, 1,
	    &login), STORE_NONE);
	db_close(db);
}

static void
test_login_without_password(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct login login;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_EXTERNAL_PROVIDER);
	admin("UPDATE postern.logins SET pw_hash = NULL, pw_changed_at = NULL");
	assert_int_equal(find_login(db, LOGIN, NULL, NULL, 1, &login),
	    STORE_OK);
	assert_string_equal(login.verifier, "");
	assert_int_equal(login.password_changed_us, 0);
	db_close(db);
}

static void
test_largest_login_fits(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct login login;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	admin("UPDATE postern.logins SET email = repeat('e', 254), "
	      "pw_hash = repeat('h', 511)");
	assert_int_equal(find_login(db, LOGIN, NULL, NULL, 1, &login),
	    STORE_OK);
	assert_int_equal(strlen(login.email), 254);
	assert_int_equal(strlen(login.verifier), 511);
	db_close(db);
}

/* What no constraint holds back any more must not come through either. */
static void
test_login_that_cannot_be(void **state)
{
	static const char *const changes[] = { "email = repeat('e', 255)",
		"pw_hash = repeat('h', 512)", "status = 6", "status = -1",
		"user_id = '00000000-0000-0000-0000-000000000000'" };
	struct db *db = begin(state);
	struct id user = id_random();
	struct login login;
	size_t i;

	admin("ALTER TABLE postern.logins "
	      "DROP CONSTRAINT logins_email_size, "
	      "DROP CONSTRAINT logins_pw_hash_size, "
	      "DROP CONSTRAINT logins_status_known");
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		empty_tables();
		add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
		admin("UPDATE postern.logins SET %s", changes[i]);
		assert_int_equal(find_login(db, LOGIN, NULL, NULL, 1,
		    &login), STORE_FAILED);
	}
	empty_tables();
	admin("ALTER TABLE postern.logins "
	      "ADD CONSTRAINT logins_email_size "
	      "CHECK (octet_length(email) BETWEEN 3 AND 254), "
	      "ADD CONSTRAINT logins_pw_hash_size "
	      "CHECK (octet_length(pw_hash) BETWEEN 1 AND 511), "
	      "ADD CONSTRAINT logins_status_known "
	      "CHECK (status BETWEEN 0 AND 5)");
	db_close(db);
}

static void
add_key(const struct id *owner, const struct id *key, const char *scope,
    const char *expires, const char *revoked)
{
	admin("INSERT INTO postern.api_keys VALUES (%s, %s, "
	      "decode(repeat('ab', 32), 'hex'), %s, 'a key', now(), %s, NULL, "
	      "%s)", sql_id(owner), sql_id(key), scope, expires, revoked);
}

static void
test_login_tells_whether_a_key_stands(void **state)
{
	static const struct {
		const char *expires, *revoked;
		bool stands;
	} keys[] = {
		{ "NULL", "NULL", true },
		{ "'2026-06-01T00:00:01Z'", "NULL", true },
		{ "'2026-06-01T00:00:00Z'", "NULL", false },
		{ "'2026-05-31T23:59:59Z'", "NULL", false },
		{ "'infinity'", "NULL", true },
		{ "NULL", "'2026-01-01Z'", false },
	};
	const int64_t now_us = INT64_C(1780272000000000); /* 2026-06-01Z */
	struct db *db = begin(state);
	struct id user = id_random(), owner, key;
	struct login login;
	size_t i;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		owner = i % 2 == 0 ? id_nil : id_random();
		key = id_random();
		add_key(&owner, &key, "0", keys[i].expires, keys[i].revoked);
		assert_int_equal(find_login(db, LOGIN, &owner, &key,
		    now_us, &login), STORE_OK);
		assert_int_equal(login.key_stands, keys[i].stands);
		/* For an address that nobody has, too. */
		assert_int_equal(find_login(db, "nobody@example.org",
		    &owner, &key, now_us, &login), STORE_NONE);
		assert_int_equal(login.key_stands, keys[i].stands);
	}
	/* The key of another owner, and one that never was. */
	assert_int_equal(find_login(db, LOGIN, &user, &key, now_us,
	    &login), STORE_OK);
	assert_false(login.key_stands);
	db_close(db);
}

static void
test_rehash(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	assert_int_equal(store_login_rehash(db, LOGIN, VERIFIER, "new"),
	    STORE_OK);
	/* Sent twice. */
	assert_int_equal(store_login_rehash(db, LOGIN, VERIFIER, "new"),
	    STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.logins "
	    "WHERE pw_hash = 'new'"), 1);
	/* The password has been changed meanwhile. */
	assert_int_equal(store_login_rehash(db, LOGIN, VERIFIER, "newer"),
	    STORE_NONE);
	assert_int_equal(store_login_rehash(db, "bob@example.org", "new",
	    "newer"), STORE_NONE);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.logins "
	    "WHERE pw_hash = 'new'"), 1);
	db_close(db);
}

/* ---- sessions ------------------------------------------------------------ */

static struct new_session
make_session(const struct id *user)
{
	struct new_session session = {
		.user = *user,
		.session = id_ordered(clock_now_us()),
		.event = id_ordered(clock_now_us()),
		.now_us = INT64_C(1780272000123456),
		.expires_us = INT64_C(1780272000123456) + CLOCK_SECOND_US,
		.address = "2001:db8::1",
		.device = "a browser",
		.login_key = LOGIN,
		.password_changed_us = PASSWORD_US,
	};

	memset(session.digest, 0xcd, sizeof(session.digest));
	return session;
}

static void
assert_counts(int64_t sessions, int64_t events, int64_t signed_in)
{
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions"),
	    sessions);
	assert_int_equal(admin_number(
	    "SELECT count(*) FROM postern.audit_events"), events);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.users "
	    "WHERE last_sign_in_at IS NOT NULL"), signed_in);
}

static void
test_session_is_opened(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random(), other = id_random();
	struct new_session session = make_session(&user);

	add_account(&other, "bob@example.org", VERIFIER, ACCOUNT_CONFIRMED);
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions "
	    "WHERE user_id = %s AND sid = %s AND generation = 0 "
	    "AND token_hash = decode(repeat('cd', 32), 'hex') "
	    "AND created_at = '2026-06-01T00:00:00.123456Z' "
	    "AND rotated_at = created_at "
	    "AND expires_at = created_at + interval '1 s' "
	    "AND ended_at IS NULL AND ended_why IS NULL "
	    "AND address = '2001:db8::1' AND device = 'a browser'",
	    sql_id(&user), sql_id(&session.session)), 1);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE user_id = %s AND event_id = %s "
	    "AND at = '2026-06-01T00:00:00.123456Z' AND kind = 1 AND sid = %s "
	    "AND address = '2001:db8::1' AND reason IS NULL", sql_id(&user),
	    sql_id(&session.event), sql_id(&session.session)), 1);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.users "
	    "WHERE user_id = %s "
	    "AND last_sign_in_at = '2026-06-01T00:00:00.123456Z'",
	    sql_id(&user)), 1);
	assert_counts(1, 1, 1);
	db_close(db);
}

static void
test_session_sent_twice_is_one(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct new_session session = make_session(&user);

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_counts(1, 1, 1);
	db_close(db);
}

static void
test_no_session_for_an_account_that_is_gone_or_not_confirmed(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct new_session session = make_session(&user);

	assert_int_equal(store_session_open(db, &session, NULL), STORE_NONE);
	for (int status = 1; status <= ACCOUNT_DISABLED; status++) {
		empty_tables();
		add_account(&user, LOGIN, VERIFIER, status);
		assert_int_equal(store_session_open(db, &session, NULL),
		    STORE_NONE);
		assert_counts(0, 0, 0);
	}
	db_close(db);
}

static void
test_no_session_for_a_password_that_was_changed(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct new_session session = make_session(&user);

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	admin("UPDATE postern.logins SET pw_changed_at = "
	      "'2026-01-02 03:04:05.678902Z'");
	assert_int_equal(store_session_open(db, &session, NULL), STORE_NONE);
	assert_counts(0, 0, 0);
	session.password_changed_us++;
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_counts(1, 1, 1);
	/* One whose time nobody has written down is a password, too. */
	session.session = session.event = id_random();
	admin("UPDATE postern.logins SET pw_changed_at = NULL");
	assert_int_equal(store_session_open(db, &session, NULL), STORE_NONE);
	session.password_changed_us = 0;
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_counts(2, 2, 1);
	session.login_key = "bob@example.org";
	assert_int_equal(store_session_open(db, &session, NULL), STORE_NONE);
	db_close(db);
}

static void
test_what_a_peer_says_is_cut_or_left_out(void **state)
{
	/* 199 bytes, and characters of 2 and 4 bytes across the 200th. */
	char two[256], four[256], bad[] = "Mozilla \xff\xc3";
	struct db *db = begin(state);
	struct id user = id_random();
	struct new_session session = make_session(&user);

	memset(two, 'x', 199);
	memcpy(two + 199, "\xc3\xa9y", 4);
	memset(four, 'x', 197);
	memcpy(four + 197, "\xf0\x9f\x98\x80", 5);
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);

	session.device = two;
	session.address = NULL;
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions "
	    "WHERE device = repeat('x', 199) AND address IS NULL"), 1);
	session.session = id_random();
	session.device = four;
	session.address = "\x80";
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions "
	    "WHERE device = repeat('x', 197) AND address IS NULL"), 1);
	session.session = id_random();
	session.device = bad;
	assert_int_equal(store_session_open(db, &session, NULL), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions "
	    "WHERE device IS NULL"), 1);
	db_close(db);
}

#define NOW_US INT64_C(1780272000000000) /* 2026-06-01Z */

/* Generation 4 of a session, rotated at NOW_US; its digest is 32 times 4. */
static void
add_session(const struct id *user, const struct id *session)
{
	admin("INSERT INTO postern.sessions (user_id, sid, token_hash, "
	      "generation, created_at, rotated_at, expires_at, address, device) "
	      "SELECT %s, %s, decode(repeat('04', 32), 'hex'), 4, now, now, "
	      "now + interval '1000 s', '2001:db8::1', 'a browser' "
	      "FROM (VALUES (timestamptz '2026-06-01Z')) AS at (now)",
	    sql_id(user), sql_id(session));
}

static const unsigned char next_digest[DIGEST_SIZE] = { 5 };

/* A token of this generation, shown so many seconds after NOW_US; the grace is
 * 30 seconds, and idle is what was not refreshed for 500. */
static struct session_shown
show(const struct id *user, const struct id *session, int generation,
    int64_t seconds)
{
	struct session_shown shown = {
		.user = *user,
		.session = *session,
		.generation = generation,
		.next_digest = next_digest,
		.now_us = NOW_US + seconds * CLOCK_SECOND_US,
		.fresh_since_us = NOW_US + (seconds - 30) * CLOCK_SECOND_US,
		.idle_since_us = NOW_US + (seconds - 500) * CLOCK_SECOND_US,
		.event = id_random(),
		.address = "192.0.2.1",
	};

	memset(shown.digest, generation, sizeof(shown.digest));
	return shown;
}

static void
test_token_is_shown(void **state)
{
	enum { ROTATED, LEFT, ENDED };
	static const struct {
		int generation;
		int seconds;
		int verdict;
	} table[] = {
		{ 4, 0, LEFT },     /* current, and young */
		{ 4, 30, LEFT },
		{ 4, 31, ROTATED },
		{ 4, 499, ROTATED },
		{ 3, 0, LEFT },     /* its parent */
		{ 3, 30, LEFT },
		{ 3, 31, ENDED },
		{ 2, 0, ENDED },    /* older */
		{ 2, 31, ENDED },
		{ 0, 1, ENDED },
		{ 5, 0, LEFT },     /* the database has forgotten */
		{ 5, 31, ROTATED },
		{ 9, 31, ROTATED },
		{ 4, -5, LEFT },    /* another machine's clock */
	};
	struct db *db = begin(state);
	struct id user = id_random(), session;
	struct session_state after;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct session_shown shown;

		session = id_random();
		add_session(&user, &session);
		shown = show(&user, &session, table[i].generation,
		    table[i].seconds);
		assert_int_equal(store_session_show(db, &shown, &after),
		    STORE_OK);
		/* Sent twice, it is the same. */
		assert_int_equal(store_session_show(db, &shown, &after),
		    STORE_OK);
		if ((after.ended_us == shown.now_us) !=
			(table[i].verdict == ENDED) ||
		    (after.rotated_us == shown.now_us) !=
			(table[i].verdict == ROTATED || table[i].seconds == 0))
			fail_msg("row %zu", i);
		assert_int_equal(after.ended_why,
		    table[i].verdict == ENDED ? SESSION_ENDED_REUSE : 0);
		assert_int_equal(after.generation,
		    table[i].verdict == ROTATED ? table[i].generation + 1 : 4);
		assert_int_equal(admin_number("SELECT count(*) FROM "
		    "postern.sessions WHERE sid = %s AND generation = %d AND "
		    "token_hash = CASE WHEN %d = 0 "
		    "THEN decode(rpad('05', 64, '0'), 'hex') "
		    "ELSE decode(repeat('04', 32), 'hex') END",
		    sql_id(&session), (int)after.generation, table[i].verdict),
		    1);
		assert_int_equal(admin_number("SELECT count(*) FROM "
		    "postern.audit_events WHERE sid = %s AND event_id = %s AND "
		    "kind = 3 AND address = '192.0.2.1'", sql_id(&session),
		    sql_id(&shown.event)), table[i].verdict == ENDED);
		assert_string_equal(after.email, "As." LOGIN);
		assert_int_equal(after.status, ACCOUNT_CONFIRMED);
		assert_true(after.expires_us ==
		    NOW_US + 1000 * CLOCK_SECOND_US);
		assert_true(id_is_nil(&after.key));
	}
	db_close(db);
}

/* The statement that is sent again must not take its own rotation for another's,
 * even where there is no grace. */
static void
test_rotation_without_grace_sent_twice(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random(), session = id_random();
	struct session_shown shown = show(&user, &session, 4, 60);
	struct session_state after;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	add_session(&user, &session);
	shown.fresh_since_us = shown.now_us;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(store_session_show(db, &shown, &after),
		    STORE_OK);
		assert_int_equal(after.generation, 5);
		assert_int_equal(after.ended_us, 0);
	}
	shown.now_us++;
	shown.fresh_since_us++;
	assert_int_equal(store_session_show(db, &shown, &after), STORE_OK);
	assert_true(after.ended_us == shown.now_us);
	db_close(db);
}

static void
test_token_is_shown_without_rotation(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random(), session = id_random();
	struct session_shown shown = show(&user, &session, 4, 60);
	struct session_state after;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	add_session(&user, &session);
	shown.next_digest = NULL;
	assert_int_equal(store_session_show(db, &shown, &after), STORE_OK);
	assert_int_equal(after.generation, 4);
	assert_true(after.rotated_us == NOW_US);
	/* An old one is old here, too. */
	shown = show(&user, &session, 3, 60);
	shown.next_digest = NULL;
	assert_int_equal(store_session_show(db, &shown, &after), STORE_OK);
	assert_int_equal(after.ended_why, SESSION_ENDED_REUSE);
	db_close(db);
}

static void
test_token_of_a_session_that_is_over(void **state)
{
	static const char *const changes[] = {
		"sessions SET expires_at = '2026-06-01T00:01:00Z'",
		"sessions SET rotated_at = '2026-05-31T23:52:40Z'",
		"sessions SET ended_at = '2026-06-01Z', ended_why = 1",
		"users SET status = 5", "users SET status = 4",
		"users SET status = 1",
	};
	struct db *db = begin(state);
	struct id user = id_random(), session;
	struct session_state after;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		for (int generation = 2; generation <= 5; generation++) {
			struct session_shown shown;

			session = id_random();
			admin("UPDATE postern.users SET status = 0");
			add_session(&user, &session);
			admin("UPDATE postern.%s", changes[i]);
			shown = show(&user, &session, generation, 60);
			assert_int_equal(store_session_show(db, &shown,
			    &after), STORE_OK);
			assert_int_equal(after.generation, 4);
			assert_int_not_equal(after.ended_why,
			    SESSION_ENDED_REUSE);
			if (after.rotated_us == shown.now_us)
				fail_msg("%s", changes[i]);
		}
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE kind = 3"), 0);
	db_close(db);
}

static void
test_token_of_no_session(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random(), other = id_random(), session = id_random();
	struct session_shown shown = show(&user, &session, 4, 60);
	struct session_state after;

	assert_int_equal(store_session_show(db, &shown, &after), STORE_NONE);
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	add_account(&other, "bob@example.org", VERIFIER, ACCOUNT_CONFIRMED);
	assert_int_equal(store_session_show(db, &shown, &after), STORE_NONE);
	add_session(&user, &session);
	shown.user = other;
	assert_int_equal(store_session_show(db, &shown, &after), STORE_NONE);
	admin("DELETE FROM postern.users WHERE user_id = %s", sql_id(&user));
	shown.user = user;
	assert_int_equal(store_session_show(db, &shown, &after), STORE_NONE);
	db_close(db);
}

static void
test_session_of_a_key(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random();
	struct new_session row = make_session(&user);
	struct session_shown shown = show(&user, &row.session, 0, 1);
	struct session_state after;

	row.key = id_random();
	row.login_key = NULL;
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	add_key(&user, &row.key, "1", "NULL", "NULL");
	assert_int_equal(store_session_open(db, &row, NULL), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.users "
	    "WHERE last_sign_in_at IS NULL"), 1);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE kind = 1 AND reason = 'api_key'"), 1);
	memcpy(shown.digest, row.digest, sizeof(shown.digest));
	shown.idle_since_us = 1;
	assert_int_equal(store_session_show(db, &shown, &after), STORE_OK);
	assert_true(id_equal(&after.key, &row.key));
	db_close(db);
}

static void
test_no_session_for_a_key_that_does_not_stand(void **state)
{
	static const struct {
		const char *expires, *revoked;
		bool stands;
	} table[] = {
		{ "NULL", "now()", false },
		{ "'2026-06-01T00:00:00.123456Z'", "NULL", false },
		{ "'2026-06-01T00:00:00.123457Z'", "NULL", true },
		{ "'infinity'", "NULL", true },
	};
	struct db *db = begin(state);
	struct id user = id_random(), other = id_random();
	struct new_session row = make_session(&user);

	row.login_key = NULL;
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		row.session = row.event = row.key = id_random();
		add_key(&user, &row.key, "1", table[i].expires,
		    table[i].revoked);
		if (store_session_open(db, &row, NULL) !=
		    (table[i].stands ? STORE_OK : STORE_NONE))
			fail_msg("%s %s", table[i].expires, table[i].revoked);
	}
	assert_counts(2, 2, 0);
	/* Somebody else's, one that never was, and none. */
	row.session = row.event = row.key = id_random();
	add_key(&other, &row.key, "1", "NULL", "NULL");
	assert_int_equal(store_session_open(db, &row, NULL), STORE_NONE);
	row.key = id_random();
	assert_int_equal(store_session_open(db, &row, NULL), STORE_NONE);
	row.key = id_nil;
	assert_int_equal(store_session_open(db, &row, NULL), STORE_NONE);
	assert_counts(2, 2, 0);
	db_close(db);
}

static const int64_t idle_since_us = NOW_US - 500 * CLOCK_SECOND_US;

static void
test_sessions_are_seen(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random(), other = id_random(), sessions[4];
	struct session_view views[4];
	size_t count = 9;

	assert_int_equal(store_sessions_view(db, &user, &other, NOW_US,
	    idle_since_us, 4, views, &count), STORE_OK);
	assert_int_equal(count, 0);
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	add_account(&other, "bob@example.org", VERIFIER, ACCOUNT_CONFIRMED);
	for (int i = 0; i < 4; i++) {
		sessions[i] = id_ordered(NOW_US + i * CLOCK_SECOND_US);
		add_session(i == 3 ? &other : &user, &sessions[i]);
	}
	assert_int_equal(store_sessions_view(db, &user, &sessions[1], NOW_US,
	    idle_since_us, 4, views, &count), STORE_OK);
	assert_int_equal(count, 3);
	assert_true(id_equal(&views[0].session, &sessions[1]));
	assert_true(id_equal(&views[1].session, &sessions[2]));
	assert_true(id_equal(&views[2].session, &sessions[0]));
	assert_true(views[0].created_us == NOW_US);
	assert_true(views[0].rotated_us == NOW_US);
	assert_true(views[0].expires_us == NOW_US + 1000 * CLOCK_SECOND_US);
	assert_string_equal(views[0].address, "2001:db8::1");
	assert_string_equal(views[0].device, "a browser");
	assert_int_equal(store_sessions_view(db, &user, &sessions[1], NOW_US,
	    idle_since_us, 2, views, &count), STORE_OK);
	assert_int_equal(count, 2);

	admin("UPDATE postern.sessions SET ended_at = now(), ended_why = 1 "
	      "WHERE sid = %s", sql_id(&sessions[0]));
	admin("UPDATE postern.sessions SET rotated_at = '2026-05-31Z', "
	      "address = NULL, device = NULL WHERE sid = %s",
	    sql_id(&sessions[1]));
	assert_int_equal(store_sessions_view(db, &user, &sessions[1], NOW_US,
	    idle_since_us, 4, views, &count), STORE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(store_sessions_view(db, &user, &sessions[1], NOW_US,
	    1, 4, views, &count), STORE_OK);
	assert_int_equal(count, 2);
	assert_string_equal(views[0].address, "");
	assert_string_equal(views[0].device, "");
	assert_int_equal(store_sessions_view(db, &user, &sessions[1],
	    NOW_US + 1000 * CLOCK_SECOND_US, 1, 4, views, &count), STORE_OK);
	assert_int_equal(count, 0);
	db_close(db);
}

static int64_t
count_ended(const char *condition)
{
	return admin_number("SELECT count(*) FROM postern.sessions "
	    "WHERE ended_at = '2026-06-01Z' AND ended_why = 1 AND %s",
	    condition);
}

static void
test_one_session_is_left(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random(), stranger = id_random();
	struct session_leave leave = {
		.user = user,
		.session = id_random(),
		.event = id_random(),
		.now_us = NOW_US,
		.address = "192.0.2.1",
	};
	struct id other = id_random();

	assert_int_equal(store_session_leave(db, &leave), STORE_NONE);
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	add_session(&user, &leave.session);
	add_session(&user, &other);
	leave.user = stranger;
	assert_int_equal(store_session_leave(db, &leave), STORE_NONE);
	leave.user = user;
	/* Sent twice, and by somebody else later. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_session_leave(db, &leave), STORE_OK);
		if (i == 1) {
			leave.now_us++;
			leave.event = id_random();
		}
	}
	assert_int_equal(count_ended("true"), 1);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE kind = 4 AND user_id = %s AND sid = %s "
	    "AND at = '2026-06-01Z' AND address = '192.0.2.1' "
	    "AND reason IS NULL", sql_id(&user), sql_id(&leave.session)), 1);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE kind = 4"), 1);

	/* Why it ended, stays. */
	admin("UPDATE postern.sessions SET ended_at = now(), ended_why = 2 "
	      "WHERE sid = %s", sql_id(&other));
	leave.session = other;
	assert_int_equal(store_session_leave(db, &leave), STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions "
	    "WHERE ended_why = 2"), 1);
	db_close(db);
}

static void
test_many_sessions_are_left(void **state)
{
	struct db *db = begin(state);
	struct id user = id_random(), stranger = id_random(), sid, list[2];
	struct session_leave leave = {
		.user = user,
		.event = id_random(),
		.now_us = NOW_US,
	};
	size_t count = 9;

	add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
	add_account(&stranger, "bob@example.org", VERIFIER, ACCOUNT_CONFIRMED);
	for (int i = 0; i < 4; i++) {
		leave.session = id_random();
		add_session(&user, &leave.session);
	}
	admin("UPDATE postern.sessions SET expires_at = '2026-06-01Z' "
	      "WHERE sid = %s", sql_id(&leave.session));
	sid = id_random();
	add_session(&stranger, &sid);
	leave.session = id_random();
	add_session(&user, &leave.session);

	assert_int_equal(store_sessions_leave(db, &leave, true, 2, list,
	    &count), STORE_OK);
	assert_int_equal(count, 3);
	assert_false(id_equal(&list[0], &list[1]));
	for (int i = 0; i < 2; i++)
		assert_int_equal(admin_number("SELECT count(*) FROM "
		    "postern.sessions WHERE sid = %s AND ended_why = 1",
		    sql_id(&list[i])), 1);
	assert_int_equal(store_sessions_leave(db, &leave, true, 2, list,
	    &count), STORE_OK);
	assert_int_equal(count, 0);
	leave.event = id_random();
	assert_int_equal(store_sessions_leave(db, &leave, false, 2, list,
	    &count), STORE_OK);
	assert_int_equal(count, 1);
	assert_true(id_equal(&list[0], &leave.session));
	assert_int_equal(count_ended("true"), 4);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.sessions "
	    "WHERE ended_at IS NULL AND sid = %s", sql_id(&sid)), 1);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE kind = 4 AND sid = %s AND reason IN "
	    "('others', 'all')", sql_id(&leave.session)), 2);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE kind = 4"), 2);
	db_close(db);
}

/* ---- users --------------------------------------------------------------- */

static void
test_user_and_its_session(void **state)
{
	const int64_t now_us = INT64_C(1780272000000000); /* 2026-06-01Z */
	const int64_t idle_us = now_us - 60 * CLOCK_SECOND_US;
	static const struct {
		const char *change;
		bool stands;
	} table[] = {
		{ "ended_at = NULL", true },
		{ "rotated_at = '2026-05-31T23:59:00.000001Z'", true },
		{ "rotated_at = '2026-05-31T23:59:00Z'", false },
		{ "expires_at = '2026-06-01T00:00:00.000001Z'", true },
		{ "expires_at = '2026-06-01Z'", false },
		{ "ended_at = '2026-06-02Z', ended_why = 1", false },
		{ "user_id = '00000000-0000-0000-0000-000000000001'", false },
	};
	struct db *db = begin(state);
	struct id user = id_random(), other = id_random();
	struct new_session session = make_session(&user);
	struct user_row row;

	assert_int_equal(store_user_find(db, &user, NULL, now_us, idle_us,
	    &row), STORE_NONE);
	add_account(&user, LOGIN, VERIFIER, ACCOUNT_RESET_REQUIRED);
	assert_int_equal(store_user_find(db, &user, NULL, now_us, idle_us,
	    &row), STORE_OK);
	assert_string_equal(row.email, "As." LOGIN);
	assert_int_equal(row.status, ACCOUNT_RESET_REQUIRED);
	assert_false(row.session_stands);

	admin("UPDATE postern.users SET status = 0");
	session.now_us = now_us;
	session.expires_us = now_us + CLOCK_SECOND_US;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		session.session = id_random();
		assert_int_equal(store_session_open(db, &session, NULL),
		    STORE_OK);
		admin("UPDATE postern.sessions SET %s WHERE sid = %s",
		    table[i].change, sql_id(&session.session));
		assert_int_equal(store_user_find(db, &user, &session.session,
		    now_us, idle_us, &row), STORE_OK);
		if (row.session_stands != table[i].stands)
			fail_msg("%s", table[i].change);
	}
	assert_int_equal(store_user_find(db, &user, &other, now_us, idle_us,
	    &row), STORE_OK);
	assert_false(row.session_stands);
	db_close(db);
}

static void
test_user_that_cannot_be(void **state)
{
	static const char *const changes[] = { "email = repeat('e', 255)",
		"status = 6", "status = -1" };
	struct db *db = begin(state);
	struct id user = id_random();
	struct user_row row;

	admin("ALTER TABLE postern.users DROP CONSTRAINT users_email_size, "
	      "DROP CONSTRAINT users_status_known");
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		empty_tables();
		add_account(&user, LOGIN, VERIFIER, ACCOUNT_CONFIRMED);
		admin("UPDATE postern.users SET %s", changes[i]);
		assert_int_equal(store_user_find(db, &user, NULL, 1, 0, &row),
		    STORE_FAILED);
	}
	empty_tables();
	admin("ALTER TABLE postern.users "
	      "ADD CONSTRAINT users_email_size "
	      "CHECK (octet_length(email) BETWEEN 3 AND 254), "
	      "ADD CONSTRAINT users_status_known "
	      "CHECK (status BETWEEN 0 AND 5)");
	db_close(db);
}

/* ---- API keys ------------------------------------------------------------ */

static void
test_api_key(void **state)
{
	struct db *db = begin(state);
	struct id owner = id_random(), key = id_random();
	unsigned char digest[DIGEST_SIZE];
	struct api_key_row row;

	memset(digest, 0xab, sizeof(digest));
	assert_int_equal(store_api_key_find(db, &owner, &key, &row),
	    STORE_NONE);
	add_key(&owner, &key, "1", "'2026-06-01Z'", "'1969-12-31T23:59:59Z'");
	assert_int_equal(store_api_key_find(db, &owner, &key, &row), STORE_OK);
	assert_memory_equal(row.digest, digest, sizeof(digest));
	assert_true(row.secret);
	assert_true(row.expires_us == INT64_C(1780272000000000));
	assert_true(row.revoked_us == -CLOCK_SECOND_US);
	assert_int_equal(row.last_used_us, 0);
	/* Ids are compared whole, and both. */
	assert_int_equal(store_api_key_find(db, &key, &owner, &row),
	    STORE_NONE);
	assert_int_equal(store_api_key_find(db, &id_nil, &key, &row),
	    STORE_NONE);
	db_close(db);
}

static void
test_api_key_use_is_noted(void **state)
{
	const int64_t now_us = INT64_C(1780272000000000);
	struct db *db = begin(state);
	struct id key = id_random();
	struct api_key_row row;

	assert_int_equal(store_api_key_used(db, &id_nil, &key, now_us),
	    STORE_OK);
	add_key(&id_nil, &key, "0", "NULL", "NULL");
	assert_int_equal(store_api_key_used(db, &id_nil, &key, now_us),
	    STORE_OK);
	/* A worker that is late does not turn it back. */
	assert_int_equal(store_api_key_used(db, &id_nil, &key, now_us - 1),
	    STORE_OK);
	assert_int_equal(store_api_key_find(db, &id_nil, &key, &row), STORE_OK);
	assert_true(row.last_used_us == now_us);
	assert_false(row.secret);
	assert_int_equal(row.expires_us, 0);
	assert_int_equal(row.revoked_us, 0);
	db_close(db);
}

/* ---- audit --------------------------------------------------------------- */

static void
test_audit(void **state)
{
	struct db *db = begin(state);
	struct audit_event event = {
		.event = id_ordered(clock_now_us()),
		.user = id_nil,
		.kind = AUDIT_SIGN_IN_REFUSED,
		.now_us = INT64_C(1780272000000000),
		.address = "192.0.2.1",
		.reason = "denied",
	};
	const struct throttle_rule none = { .digest = NULL };

	assert_int_equal(store_audit_refused(db, &event, &none, false, NULL),
	    STORE_OK);
	assert_int_equal(store_audit_refused(db, &event, &none, false, NULL),
	    STORE_OK);
	assert_int_equal(admin_number("SELECT count(*) FROM "
	    "postern.audit_events WHERE user_id = %s AND event_id = %s "
	    "AND at = '2026-06-01Z' AND kind = 2 AND sid IS NULL "
	    "AND address = '192.0.2.1' AND reason = 'denied'",
	    sql_id(&event.user), sql_id(&event.event)), 1);
	event.event = id_ordered(clock_now_us());
	event.address = NULL;
	event.reason = NULL;
	assert_int_equal(store_audit_refused(db, &event, &none, false, NULL),
	    STORE_OK);
	assert_counts(0, 2, 0);
	db_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TWICE(test_every_statement_is_known),
		TWICE(test_schema_version),
		TWICE(test_login_is_found),
		TWICE(test_login_is_not_found),
		TWICE(test_login_without_password),
		TWICE(test_largest_login_fits),
		TWICE(test_login_that_cannot_be),
		TWICE(test_login_tells_whether_a_key_stands),
		TWICE(test_rehash),
		TWICE(test_session_is_opened),
		TWICE(test_session_sent_twice_is_one),
		TWICE(test_no_session_for_an_account_that_is_gone_or_not_confirmed),
		TWICE(test_no_session_for_a_password_that_was_changed),
		TWICE(test_what_a_peer_says_is_cut_or_left_out),
		TWICE(test_token_is_shown),
		TWICE(test_rotation_without_grace_sent_twice),
		TWICE(test_token_is_shown_without_rotation),
		TWICE(test_token_of_a_session_that_is_over),
		TWICE(test_token_of_no_session),
		TWICE(test_session_of_a_key),
		TWICE(test_no_session_for_a_key_that_does_not_stand),
		TWICE(test_sessions_are_seen),
		TWICE(test_one_session_is_left),
		TWICE(test_many_sessions_are_left),
		TWICE(test_user_and_its_session),
		TWICE(test_user_that_cannot_be),
		TWICE(test_api_key),
		TWICE(test_api_key_use_is_noted),
		TWICE(test_audit),
	};

	return cmocka_run_group_tests_name("store calls", tests, NULL, NULL);
}
