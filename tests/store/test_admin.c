/* test_admin.c - accounts made by the hundred, as postern_admin; posternctl's other
 * statements are tried end to end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/admin_accounts.h"
#include "store/admin_api_keys.h"
#include "support.h"

#define NOW INT64_C(1700000000123456)

static struct db *
begin_admin(void)
{
	const struct db_options options = {
		.program = "store-test",
		.prepare = false,
		.timeout_ms = 5000,
	};

	log_to_file();
	empty_tables();
	return open_db_with("postern_admin", "", &options);
}

/* Somebody called "pN@example.org". */
static struct new_account
person(int number)
{
	/* Keys live as long as the test. */
	static char keys[3000][32];

	snprintf(keys[number], sizeof(keys[number]), "p%d@example.org", number);
	return (struct new_account){
		.user = id_random(),
		.login_key = keys[number],
		.email = keys[number],
		.now_us = NOW,
	};
}

static void
test_all_that_is_said_is_kept(void **state)
{
	struct db *db = begin_admin();
	struct new_account people[] = { person(0), person(1), person(2) };
	struct account_detail detail;
	bool was_there[3] = { true, true, true };

	(void)state;
	people[0].email = "P0@Example.org";
	people[0].name = "D\xc3\xb6ra \"X\" {a,b}\\";
	people[0].verifier = "$2b$04$x";
	people[0].status = ACCOUNT_FORCE_CHANGE_PASSWORD;
	assert_int_equal(store_account_add_many(db, people, 3, was_there),
	    STORE_OK);
	for (int i = 0; i < 3; i++)
		assert_false(was_there[i]);

	assert_int_equal(
	    store_account_find(db, "p0@example.org", NOW, 0, &detail),
	    STORE_OK);
	assert_true(id_equal(&detail.row.user, &people[0].user));
	assert_string_equal(detail.row.email, "P0@Example.org");
	assert_string_equal(detail.name, "D\xc3\xb6ra \"X\" {a,b}\\");
	assert_string_equal(detail.verifier, "$2b$04$x");
	assert_int_equal(detail.row.status, ACCOUNT_FORCE_CHANGE_PASSWORD);
	assert_int_equal(detail.row.created_us, NOW);
	assert_int_equal(detail.row.password_changed_us, NOW);
	assert_int_equal(admin_number(
			     "SELECT count(*) FROM postern.users u"
			     " JOIN postern.logins l USING (user_id, login_key,"
			     " email, status, created_at)"),
	    3);

	assert_int_equal(
	    store_account_find(db, "p1@example.org", NOW, 0, &detail),
	    STORE_OK);
	assert_string_equal(detail.name, "");
	assert_string_equal(detail.verifier, "");
	assert_int_equal(detail.row.status, ACCOUNT_CONFIRMED);
	assert_int_equal(detail.row.password_changed_us, 0);
	db_close(db);
}

static void
test_who_is_there_is_left_alone(void **state)
{
	struct db *db = begin_admin();
	struct new_account first[] = { person(1), person(3) };
	struct new_account all[5];
	struct account_detail detail;
	bool was_there[5];

	(void)state;
	assert_int_equal(store_account_add_many(db, first, 2, was_there),
	    STORE_OK);
	for (int i = 0; i < 5; i++) {
		all[i] = person(i);
		all[i].verifier = "$2b$04$y";
	}
	assert_int_equal(store_account_find_many(db, all, 5, was_there),
	    STORE_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(was_there[i], i == 1 || i == 3);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.logins"),
	    2);

	assert_int_equal(store_account_add_many(db, all, 5, was_there),
	    STORE_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(was_there[i], i == 1 || i == 3);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.logins"),
	    5);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.users"), 5);
	assert_int_equal(
	    store_account_find(db, "p1@example.org", NOW, 0, &detail),
	    STORE_OK);
	assert_true(id_equal(&detail.row.user, &first[0].user));
	assert_string_equal(detail.verifier, "");
	db_close(db);
}

/* A statement whose answer was lost is sent again: its own work is no news. */
static void
test_sent_twice(void **state)
{
	struct db *db = begin_admin();
	struct new_account people[] = { person(0), person(1) };
	bool was_there[2] = { true, true };

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    store_account_add_many(db, people, 2, was_there), STORE_OK);
		assert_false(was_there[0]);
		assert_false(was_there[1]);
	}
	assert_int_equal(admin_number("SELECT count(*) FROM postern.logins"),
	    2);
	db_close(db);
}

/* The array grows, and all of it arrives. */
static void
test_a_large_batch(void **state)
{
	enum { COUNT = 3000 };
	struct db *db = begin_admin();
	struct new_account *people = memory_zeroed(COUNT, sizeof(*people));
	bool *was_there = memory_zeroed(COUNT, sizeof(*was_there));
	char name[ACCOUNT_NAME_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < COUNT; i++) {
		people[i] = person(i);
		people[i].name = i % 2 == 0 ? name : NULL;
		people[i].status = i % 6;
	}
	assert_int_equal(store_account_add_many(db, people, COUNT, was_there),
	    STORE_OK);
	assert_int_equal(
	    admin_number("SELECT sum(octet_length(name)) FROM postern.users"),
	    (ACCOUNT_NAME_SIZE - 1) * COUNT / 2);
	assert_int_equal(admin_number(
			     "SELECT sum(l.status) FROM postern.logins"
			     " l JOIN postern.users u USING (user_id, status)"),
	    15 * COUNT / 6);
	free(people);
	free(was_there);
	db_close(db);
}

static void
test_nobody(void **state)
{
	struct db *db = begin_admin();
	bool was_there[1];

	(void)state;
	assert_int_equal(store_account_add_many(db, NULL, 0, was_there),
	    STORE_OK);
	assert_int_equal(store_account_find_many(db, NULL, 0, was_there),
	    STORE_OK);
	db_close(db);
}

/* The programs' bounds are the schema's: the longest name is taken and comes back
 * whole, and one of a byte more is not. */
static void
test_names_have_one_bound(void **state)
{
	struct db *db = begin_admin();
	char name[ACCOUNT_NAME_SIZE + API_KEY_NAME_SIZE];
	struct new_account somebody = person(0);
	struct new_api_key key = { .key = id_random(), .now_us = NOW };
	struct account_detail detail;
	struct api_key_info info;
	size_t count;

	(void)state;
	memset(name, 'x', sizeof(name));
	somebody.name = key.name = name;
	name[ACCOUNT_NAME_SIZE] = '\0';
	assert_int_equal(store_account_add(db, &somebody), STORE_FAILED);
	name[ACCOUNT_NAME_SIZE - 1] = '\0';
	assert_int_equal(store_account_add(db, &somebody), STORE_OK);
	assert_int_equal(store_account_find(db, somebody.login_key, NOW, NOW,
	    &detail), STORE_OK);
	assert_string_equal(detail.name, name);

	memset(name, 'y', sizeof(name));
	name[API_KEY_NAME_SIZE] = '\0';
	assert_int_equal(store_api_key_add(db, &key), STORE_FAILED);
	name[API_KEY_NAME_SIZE - 1] = '\0';
	assert_int_equal(store_api_key_add(db, &key), STORE_OK);
	assert_int_equal(store_api_key_list(db, NULL, &id_nil, &id_nil, 1,
	    &info, &count), STORE_OK);
	assert_int_equal(count, 1);
	assert_string_equal(info.name, name);
	db_close(db);
}

/* One that the schema refuses takes the whole batch with it. */
static void
test_all_or_none(void **state)
{
	struct db *db = begin_admin();
	struct new_account people[] = { person(0), person(1) };
	bool was_there[2];

	(void)state;
	people[1].name = "";
	assert_int_equal(store_account_add_many(db, people, 2, was_there),
	    STORE_FAILED);
	people[1].name = "\xff";
	assert_int_equal(store_account_add_many(db, people, 2, was_there),
	    STORE_FAILED);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.logins"),
	    0);
	assert_int_equal(admin_number("SELECT count(*) FROM postern.users"), 0);
	db_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_is_said_is_kept),
		cmocka_unit_test(test_who_is_there_is_left_alone),
		cmocka_unit_test(test_sent_twice),
		cmocka_unit_test(test_a_large_batch),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_names_have_one_bound),
		cmocka_unit_test(test_all_or_none),
	};

	return cmocka_run_group_tests_name("store admin", tests, NULL, NULL);
}
