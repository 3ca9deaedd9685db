/* test_password.c - passwords are made and checked, and nothing else matches. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libscrypt.h>
#include <stdio.h>
#include <string.h>

#include "hash/password.h"

/* Cheap: what is tested here does not depend on the cost. */
static const struct scrypt_cost cheap = { 6, 8, 1 };

static int
start(void **state)
{
	(void)state;
	password_init(&cheap);
	return 0;
}

static enum password_result
check(const char *password, const char *verifier)
{
	return password_check(password, strlen(password), verifier, NULL);
}

static void
make(const char *password, char verifier[static PASSWORD_VERIFIER_SIZE])
{
	assert_int_equal(password_make(password, strlen(password), verifier, NULL),
	    0);
}

static void
test_match_and_mismatch(void **state)
{
	char verifier[PASSWORD_VERIFIER_SIZE];

	(void)state;
	make("correct horse", verifier);
	assert_int_equal(check("correct horse", verifier), PASSWORD_MATCH);
	assert_int_equal(check("Correct horse", verifier), PASSWORD_MISMATCH);
	assert_int_equal(check("correct horse ", verifier), PASSWORD_MISMATCH);
	assert_int_equal(check("correct hors", verifier), PASSWORD_MISMATCH);
	assert_int_equal(check("", verifier), PASSWORD_MISMATCH);
}

static void
test_fresh_salt(void **state)
{
	char one[PASSWORD_VERIFIER_SIZE], two[PASSWORD_VERIFIER_SIZE];

	(void)state;
	make("same", one);
	make("same", two);
	assert_string_not_equal(one, two);
	assert_memory_equal(one, "$s1$060801$", 11);
	assert_int_equal(check("same", one), PASSWORD_MATCH);
	assert_int_equal(check("same", two), PASSWORD_MATCH);
}

static void
test_not_cut_at_nul(void **state)
{
	char verifier[PASSWORD_VERIFIER_SIZE];

	(void)state;
	make("right", verifier);
	assert_int_equal(password_check("right\0x", 7, verifier, NULL),
	    PASSWORD_MISMATCH);

	/* HMAC pads with zeros: these derive to the hash of "right". */
	assert_int_equal(password_check("right\0", 6, verifier, NULL),
	    PASSWORD_MISMATCH);
	assert_int_equal(password_check("right\0\0", 7, verifier, NULL),
	    PASSWORD_MISMATCH);
	assert_int_equal(password_make("right\0", 6, verifier, NULL), -1);

	assert_int_equal(password_make("right\0x", 7, verifier, NULL), 0);
	assert_int_equal(password_check("right\0x", 7, verifier, NULL),
	    PASSWORD_MATCH);
	assert_int_equal(check("right", verifier), PASSWORD_MISMATCH);
	assert_int_equal(password_check("right\0y", 7, verifier, NULL),
	    PASSWORD_MISMATCH);

	/* A NUL in one that is normalised. */
	assert_int_equal(password_make("\xc3\xa9\0x", 4, verifier, NULL), 0);
	assert_int_equal(password_check("e\xcc\x81\0x", 5, verifier, NULL),
	    PASSWORD_MATCH);
	assert_int_equal(password_check("e\xcc\x81", 3, verifier, NULL),
	    PASSWORD_MISMATCH);
	make("caf\xc3\xa9", verifier);
	assert_int_equal(password_check("cafe\xcc\x81\0", 7, verifier, NULL),
	    PASSWORD_MISMATCH);
}

/* The same password as different keyboards send it. */
static void
test_normalised(void **state)
{
	static const struct {
		const char *stored, *typed;
		enum password_result result;
	} cases[] = {
		{ "caf\xc3\xa9", "cafe\xcc\x81", PASSWORD_MATCH },
		{ "cafe\xcc\x81", "caf\xc3\xa9", PASSWORD_MATCH },
		{ "caf\xc3\xa9", "cafe", PASSWORD_MISMATCH },
		{ "caf\xc3\xa9", "caf\xc3\x89", PASSWORD_MISMATCH },
		/* full width, a ligature, and a space that does not break */
		{ "\xef\xbc\xa1"
		  "1",
		    "A1", PASSWORD_MATCH },
		{ "\xef\xac\x81sh", "fish", PASSWORD_MATCH },
		{ "a b",
		    "a\xc2\xa0"
		    "b",
		    PASSWORD_MATCH },
		/* U+212B is U+00C5 */
		{ "\xe2\x84\xab", "\xc3\x85", PASSWORD_MATCH },
	};
	char verifier[PASSWORD_VERIFIER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(cases[i].stored, verifier);
		assert_int_equal(check(cases[i].typed, verifier),
		    cases[i].result);
	}
}

static void
test_what_cannot_be_a_password(void **state)
{
	char verifier[PASSWORD_VERIFIER_SIZE], before[PASSWORD_VERIFIER_SIZE];
	char text[PASSWORD_SIZE_LIMIT + 2];

	(void)state;
	make("x", verifier);
	memcpy(before, verifier, sizeof(before));

	assert_int_equal(password_make("", 0, verifier, NULL), -1);
	assert_int_equal(password_make("\xff", 1, verifier, NULL), -1);
	assert_int_equal(password_make("\xed\xa0\x80", 3, verifier, NULL), -1);
	assert_int_equal(password_make("\xc0\xaf", 2, verifier, NULL), -1);
	assert_int_equal(password_make("caf\xc3", 4, verifier, NULL), -1);
	assert_int_equal(password_check("\xff", 1, verifier, NULL),
	    PASSWORD_MISMATCH);

	memset(text, 'a', sizeof(text));
	assert_int_equal(password_make(text, PASSWORD_SIZE_LIMIT + 1, verifier, NULL),
	    -1);
	assert_int_equal(
	    password_check(text, PASSWORD_SIZE_LIMIT + 1, verifier, NULL),
	    PASSWORD_MISMATCH);

	/* U+FDFA has 3 bytes, and 33 once it is normalised. */
	for (size_t i = 0; i < 300; i += 3)
		memcpy(text + i, "\xef\xb7\xba", 3);
	assert_int_equal(password_make(text, 300, verifier, NULL), -1);
	assert_int_equal(password_check(text, 300, verifier, NULL),
	    PASSWORD_MISMATCH);
	assert_memory_equal(verifier, before, sizeof(before));
}

static void
test_longest_counts_to_its_end(void **state)
{
	char verifier[PASSWORD_VERIFIER_SIZE], text[PASSWORD_SIZE_LIMIT];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(password_make(text, sizeof(text), verifier, NULL), 0);
	assert_int_equal(password_check(text, sizeof(text), verifier, NULL),
	    PASSWORD_MATCH);
	text[sizeof(text) - 1] = 'b';
	assert_int_equal(password_check(text, sizeof(text), verifier, NULL),
	    PASSWORD_MISMATCH);
}

/* Empty bytes hash too; they are still nobody's password. */
static void
test_verifier_of_nothing(void **state)
{
	char verifier[SCRYPT_MCF_LEN];

	(void)state;
	assert_true(libscrypt_hash(verifier, "", 64, 8, 1) > 0);
	assert_int_equal(check("", verifier), PASSWORD_MISMATCH);
	assert_int_equal(password_check("\xff", 1, verifier, NULL),
	    PASSWORD_MISMATCH);
}

static void
test_libscrypts_verifier(void **state)
{
	char verifier[SCRYPT_MCF_LEN];

	(void)state;
	assert_true(libscrypt_hash(verifier, "migrated", 128, 4, 2) > 0);
	assert_int_equal(check("migrated", verifier), PASSWORD_MATCH);
	assert_int_equal(check("Migrated", verifier), PASSWORD_MISMATCH);

	make("ours", verifier);
	assert_true(libscrypt_check(verifier, "ours") > 0);
}

static void
test_nobody(void **state)
{
	(void)state;
	assert_int_equal(check("", NULL), PASSWORD_MISMATCH);
	assert_int_equal(check("password", NULL), PASSWORD_MISMATCH);
	assert_int_equal(password_check("\xff", 1, NULL, NULL), PASSWORD_MISMATCH);
}

static void
test_unreadable(void **state)
{
	(void)state;
	assert_int_equal(check("x", ""), PASSWORD_UNREADABLE);
	assert_int_equal(check("x", "x"), PASSWORD_UNREADABLE);
	assert_int_equal(check("x", "$2b$12$abcdefghijklmnopqrstuv"),
	    PASSWORD_UNREADABLE);
}

/* A row that asks for 128 GiB is unreadable, not unavailable. */
static void
test_hostile_cost(void **state)
{
	char verifier[PASSWORD_VERIFIER_SIZE];

	(void)state;
	make("x", verifier);
	memcpy(verifier, "$s1$1e0801$", 11);
	assert_int_equal(check("x", verifier), PASSWORD_UNREADABLE);
	assert_false(password_needs_rehash(verifier));
}

/* How much libscrypt was made to compute: N * r * p of all its calls. */
static uint64_t work;

int __wrap_libscrypt_scrypt(const uint8_t *password, size_t size,
    const uint8_t *salt, size_t salt_size, uint64_t n, uint32_t r, uint32_t p,
    uint8_t *key, size_t key_size);
int __real_libscrypt_scrypt(const uint8_t *password, size_t size,
    const uint8_t *salt, size_t salt_size, uint64_t n, uint32_t r, uint32_t p,
    uint8_t *key, size_t key_size);

int
__wrap_libscrypt_scrypt(const uint8_t *password, size_t size,
    const uint8_t *salt, size_t salt_size, uint64_t n, uint32_t r, uint32_t p,
    uint8_t *key, size_t key_size)
{
	work += n * r * p;
	return __real_libscrypt_scrypt(password, size, salt, salt_size, n, r,
	    p, key, key_size);
}

static uint64_t
work_of(const char *password, const char *verifier)
{
	work = 0;
	(void)check(password, verifier);
	return work;
}

/* Whoever is there and whatever is typed, the same is computed. */
static void
test_equal_work(void **state)
{
	const uint64_t one = UINT64_C(4096) * 8 * 3;
	char verifier[PASSWORD_VERIFIER_SIZE];

	(void)state;
	password_init(&(struct scrypt_cost){ 12, 8, 3 });
	make("x", verifier);
	assert_int_equal(work_of("x", verifier), one);
	assert_int_equal(work_of("y", verifier), one);
	assert_int_equal(work_of("y", NULL), one);
	assert_int_equal(work_of("y", "unreadable"), one);
	assert_int_equal(work_of("", verifier), one);
	assert_int_equal(work_of("\xff", verifier), one);
	assert_int_equal(work_of("", NULL), one);
	password_init(&cheap);
}

/* A cost that the gate has no memory for: unreadable, after nobody's work. */
static void
test_too_large_for_the_gate(void **state)
{
	const struct gate_options options = {
		.engine = GATE_ENGINE_LIBSCRYPT,
		.slots = 1,
		.lanes = 1,
		.places = 1,
		.cost = cheap,
		.other_memory = UINT64_C(1) << 20,
		.deadline_ms = 1000,
	};
	const struct gate_caller caller = { NULL, NULL };
	struct gate *gate = gate_new(&options);
	struct gate_place *place = gate_enter(gate, &caller);
	char just[PASSWORD_VERIFIER_SIZE], large[PASSWORD_VERIFIER_SIZE];

	(void)state;
	password_init(&(struct scrypt_cost){ 10, 8, 1 });
	make("x", just);
	password_init(&(struct scrypt_cost){ 11, 8, 1 });
	make("x", large);
	password_init(&cheap);
	assert_int_equal(password_check("x", 1, just, place), PASSWORD_MATCH);
	work = 0;
	assert_int_equal(password_check("x", 1, large, place),
	    PASSWORD_UNREADABLE);
	assert_int_equal(work,
	    (UINT64_C(1) << cheap.log2_n) * cheap.r * cheap.p);
	gate_leave(place);
	gate_free(gate);
}

static void
test_needs_rehash(void **state)
{
	static const struct scrypt_cost others[] = { { 7, 8, 1 }, { 6, 4, 1 },
		{ 6, 8, 2 } };
	char verifier[PASSWORD_VERIFIER_SIZE];

	(void)state;
	make("x", verifier);
	assert_false(password_needs_rehash(verifier));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		password_init(&others[i]);
		assert_true(password_needs_rehash(verifier));
		assert_int_equal(check("x", verifier), PASSWORD_MATCH);
	}
	password_init(&cheap);
	assert_false(password_needs_rehash(""));
	assert_false(password_needs_rehash("no verifier"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match_and_mismatch),
		cmocka_unit_test(test_fresh_salt),
		cmocka_unit_test(test_not_cut_at_nul),
		cmocka_unit_test(test_normalised),
		cmocka_unit_test(test_what_cannot_be_a_password),
		cmocka_unit_test(test_longest_counts_to_its_end),
		cmocka_unit_test(test_verifier_of_nothing),
		cmocka_unit_test(test_libscrypts_verifier),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_hostile_cost),
		cmocka_unit_test(test_equal_work),
		cmocka_unit_test(test_too_large_for_the_gate),
		cmocka_unit_test(test_needs_rehash),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
