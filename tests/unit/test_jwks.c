/* test_jwks.c - which keys are published, and what of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "temp_dir.h"
#include "token/jwks.h"
#include "token/key_list.h"
#include "token/keys_admin.h"

#define SECOND CLOCK_SECOND_US
#define NOW    (INT64_C(1800000000) * SECOND)

static char dir[TEMP_DIR_SIZE];
static char why[KEYS_WHY_SIZE];

static int
start(void **state)
{
	(void)state;
	temp_dir_make(dir);
	return keys_init(dir, why);
}

static int
end(void **state)
{
	(void)state;
	temp_dir_remove(dir);
	return 0;
}

static void
new_key(enum key_algorithm algorithm, int64_t from_us,
    char kid[static KEY_ID_SIZE])
{
	assert_int_equal(keys_new(dir, algorithm, NOW, from_us, kid, why), 0);
}

/* The set at a time, to be freed. */
static struct json_object *
set_at(int64_t at_us)
{
	struct keys *keys = keys_open(dir, why);
	struct json_object *set;

	assert_non_null(keys);
	set = jwks_new(keys, at_us);
	assert_non_null(set);
	keys_close(keys);
	return set;
}

static const char *
text_of(struct json_object *jwk, const char *name)
{
	size_t size;
	const char *text = json_member_string(jwk, name, &size);

	return text != NULL ? text : "";
}

static struct json_object *
key_in(struct json_object *set, size_t index)
{
	return json_array_item(json_member(set, "keys"), index);
}

static size_t
count_in(struct json_object *set)
{
	return json_array_length(json_member(set, "keys"));
}

static void
test_no_keys(void **state)
{
	struct json_object *set = set_at(NOW);
	size_t size;

	(void)state;
	assert_string_equal(json_text(set, &size), "{\"keys\":[]}");
	json_free(set);
}

static void
test_members(void **state)
{
	static const char *const private_members[] = { "d", "p", "q", "dp",
		"dq", "qi", "oth", "k" };
	char es256[KEY_ID_SIZE], eddsa[KEY_ID_SIZE];
	struct json_object *set, *jwk;

	(void)state;
	new_key(KEY_ES256, NOW, es256);
	new_key(KEY_EDDSA, NOW + SECOND, eddsa);
	set = set_at(NOW + SECOND);
	assert_int_equal(count_in(set), 2);

	jwk = key_in(set, 0);
	assert_string_equal(text_of(jwk, "kty"), "OKP");
	assert_string_equal(text_of(jwk, "crv"), "Ed25519");
	assert_string_equal(text_of(jwk, "alg"), "EdDSA");
	assert_string_equal(text_of(jwk, "use"), "sig");
	assert_string_equal(text_of(jwk, "kid"), eddsa);
	assert_int_equal(strlen(text_of(jwk, "x")), 43);
	assert_int_equal(json_member_kind(jwk, "y"), JSON_ABSENT);

	jwk = key_in(set, 1);
	assert_string_equal(text_of(jwk, "kty"), "EC");
	assert_string_equal(text_of(jwk, "crv"), "P-256");
	assert_string_equal(text_of(jwk, "alg"), "ES256");
	assert_string_equal(text_of(jwk, "use"), "sig");
	assert_string_equal(text_of(jwk, "kid"), es256);
	assert_int_equal(strlen(text_of(jwk, "x")), 43);
	assert_int_equal(strlen(text_of(jwk, "y")), 43);

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 8; j++)
			assert_int_equal(json_member_kind(key_in(set, i),
					     private_members[j]),
			    JSON_ABSENT);
	json_free(set);
}

/* From before it signs until what it signed is over. */
static void
test_a_keys_life(void **state)
{
	const int64_t over = NOW + 100 * SECOND;
	char one[KEY_ID_SIZE], two[KEY_ID_SIZE];
	struct json_object *set;

	(void)state;
	new_key(KEY_ES256, NOW, one);
	new_key(KEY_ES256, over, two);
	assert_int_equal(keys_retire(dir, one, NOW, over, why), 0);

	set = set_at(NOW);
	assert_int_equal(count_in(set), 2);
	assert_string_equal(text_of(key_in(set, 0), "kid"), two);
	json_free(set);

	set = set_at(over + (KEY_VERIFIES_SECONDS - 1) * SECOND);
	assert_int_equal(count_in(set), 2);
	json_free(set);

	set = set_at(over + KEY_VERIFIES_SECONDS * SECOND);
	assert_int_equal(count_in(set), 1);
	assert_string_equal(text_of(key_in(set, 0), "kid"), two);
	json_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_keys, start, end),
		cmocka_unit_test_setup_teardown(test_members, start, end),
		cmocka_unit_test_setup_teardown(test_a_keys_life, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
