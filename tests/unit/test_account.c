/* test_account.c - what a password and a status may be, and what follows. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "acts/account.h"

#define LEAST 8

static const enum account_status all[ACCOUNT_STATUS_COUNT] = {
	ACCOUNT_CONFIRMED,
	ACCOUNT_UNCONFIRMED,
	ACCOUNT_FORCE_CHANGE_PASSWORD,
	ACCOUNT_RESET_REQUIRED,
	ACCOUNT_EXTERNAL_PROVIDER,
	ACCOUNT_DISABLED,
};

static int
start(void **state)
{
	const struct scrypt_cost cheap = { 6, 8, 1 };

	(void)state;
	password_init(&cheap);
	return 0;
}

/* ---- statuses ------------------------------------------------------------ */

static void
test_each_status_has_a_name(void **state)
{
	enum account_status parsed;

	(void)state;
	for (int i = 0; i < ACCOUNT_STATUS_COUNT; i++) {
		assert_int_equal(
		    account_status_parse(account_status_name(all[i]), &parsed),
		    0);
		assert_int_equal(parsed, all[i]);
	}
	assert_string_equal(account_status_name(ACCOUNT_RESET_REQUIRED),
	    "reset-required");
}

static void
test_other_names_are_refused(void **state)
{
	static const char *const wrong[] = { "", "Confirmed", "confirmed ",
		"confirm", "force_change_password", "0", "unknown" };
	enum account_status parsed = ACCOUNT_DISABLED;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(account_status_parse(wrong[i], &parsed), -1);
	assert_int_equal(parsed, ACCOUNT_DISABLED);
}

static void
test_numbers_beyond_are_unknown(void **state)
{
	(void)state;
	assert_string_equal(account_status_name((enum account_status)6),
	    "unknown");
	assert_string_equal(account_status_name((enum account_status)-1),
	    "unknown");
}

static void
test_only_confirmed_keeps_sessions(void **state)
{
	(void)state;
	for (int i = 0; i < ACCOUNT_STATUS_COUNT; i++)
		assert_int_equal(account_status_keeps_sessions(all[i]),
		    all[i] == ACCOUNT_CONFIRMED);
}

static void
test_a_password_answers_a_demand(void **state)
{
	static const enum account_status open[] = { ACCOUNT_CONFIRMED,
		ACCOUNT_FORCE_CHANGE_PASSWORD, ACCOUNT_RESET_REQUIRED };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(account_status_with_password(open[i], false),
		    ACCOUNT_CONFIRMED);
		assert_int_equal(account_status_with_password(open[i], true),
		    ACCOUNT_FORCE_CHANGE_PASSWORD);
	}
}

static void
test_a_password_lets_nobody_in(void **state)
{
	static const enum account_status shut[] = { ACCOUNT_UNCONFIRMED,
		ACCOUNT_EXTERNAL_PROVIDER, ACCOUNT_DISABLED };

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(account_status_with_password(shut[i], false),
		    shut[i]);
		assert_int_equal(account_status_with_password(shut[i], true),
		    shut[i]);
	}
}

/* ---- passwords ----------------------------------------------------------- */

static enum account_password
check(const char *password)
{
	return account_password_check(password, strlen(password), LEAST);
}

static void
test_length_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(check(""), ACCOUNT_PASSWORD_EMPTY);
	assert_int_equal(check("1234567"), ACCOUNT_PASSWORD_SHORT);
	assert_int_equal(check("12345678"), ACCOUNT_PASSWORD_OK);
	/* Seven characters in fourteen bytes, and eight. */
	assert_int_equal(check("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4"),
	    ACCOUNT_PASSWORD_SHORT);
	assert_int_equal(
	    check("\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6"),
	    ACCOUNT_PASSWORD_OK);
	assert_int_equal(account_password_check("x", 1, 0),
	    ACCOUNT_PASSWORD_OK);
	assert_int_equal(account_password_check("", 0, 0),
	    ACCOUNT_PASSWORD_EMPTY);
}

static void
test_long_passwords_end_somewhere(void **state)
{
	char password[PASSWORD_SIZE_LIMIT + 1];

	(void)state;
	memset(password, 'x', sizeof(password));
	assert_int_equal(
	    account_password_check(password, PASSWORD_SIZE_LIMIT, LEAST),
	    ACCOUNT_PASSWORD_OK);
	assert_int_equal(
	    account_password_check(password, PASSWORD_SIZE_LIMIT + 1, LEAST),
	    ACCOUNT_PASSWORD_LONG);
}

/* U+FDFA takes 3 bytes, and 33 once it is normalised (NFKC). */
static void
test_length_counts_after_normalising(void **state)
{
	char password[40 * 3 + 1] = "";

	(void)state;
	for (int i = 0; i < 40; i++)
		memcpy(password + i * 3, "\ufdfa", 3);
	assert_int_equal(account_password_check(password, 20 * 3, LEAST),
	    ACCOUNT_PASSWORD_OK);
	assert_int_equal(account_password_check(password, 40 * 3, LEAST),
	    ACCOUNT_PASSWORD_LONG);
}

static void
test_nul_is_refused_wherever_it_stands(void **state)
{
	static const char first[] = "\0longenough";
	static const char middle[] = "longenough\0tail";
	static const char last[] = "longenough\0";

	(void)state;
	assert_int_equal(account_password_check(first, sizeof(first) - 1, LEAST),
	    ACCOUNT_PASSWORD_HAS_NUL);
	assert_int_equal(
	    account_password_check(middle, sizeof(middle) - 1, LEAST),
	    ACCOUNT_PASSWORD_HAS_NUL);
	assert_int_equal(account_password_check(last, sizeof(last) - 1, LEAST),
	    ACCOUNT_PASSWORD_HAS_NUL);
}

static void
test_other_encodings_are_refused(void **state)
{
	(void)state;
	assert_int_equal(check("caf\xe9 latin one"), ACCOUNT_PASSWORD_NOT_UTF8);
	assert_int_equal(check("longenough\xc3"), ACCOUNT_PASSWORD_NOT_UTF8);
	assert_int_equal(check("longenough\xed\xa0\x80"),
	    ACCOUNT_PASSWORD_NOT_UTF8);
}

static void
test_hash_matches_its_password(void **state)
{
	static const char password[] = "correct horse battery";
	char verifier[PASSWORD_VERIFIER_SIZE] = "";

	(void)state;
	assert_int_equal(account_password_hash(password, strlen(password),
	    LEAST, verifier), ACCOUNT_PASSWORD_OK);
	assert_int_equal(password_check(password, strlen(password), verifier, NULL),
	    PASSWORD_MATCH);
	assert_int_equal(password_check("correct horse", 13, verifier, NULL),
	    PASSWORD_MISMATCH);
}

static void
test_no_hash_of_what_is_refused(void **state)
{
	char verifier[PASSWORD_VERIFIER_SIZE] = "untouched";

	(void)state;
	assert_int_equal(account_password_hash("short", 5, LEAST, verifier),
	    ACCOUNT_PASSWORD_SHORT);
	assert_string_equal(verifier, "untouched");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_status_has_a_name),
		cmocka_unit_test(test_other_names_are_refused),
		cmocka_unit_test(test_numbers_beyond_are_unknown),
		cmocka_unit_test(test_only_confirmed_keeps_sessions),
		cmocka_unit_test(test_a_password_answers_a_demand),
		cmocka_unit_test(test_a_password_lets_nobody_in),
		cmocka_unit_test(test_length_counts_characters),
		cmocka_unit_test(test_long_passwords_end_somewhere),
		cmocka_unit_test(test_length_counts_after_normalising),
		cmocka_unit_test(test_nul_is_refused_wherever_it_stands),
		cmocka_unit_test(test_other_encodings_are_refused),
		cmocka_unit_test(test_hash_matches_its_password),
		cmocka_unit_test(test_no_hash_of_what_is_refused),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
