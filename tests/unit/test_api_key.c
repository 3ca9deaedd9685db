/* test_api_key.c - API keys have one form, and nothing else is taken apart. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/secret.h"
#include "token/api_key.h"

#define LENGTH (API_KEY_SIZE - 1)

static const char right[] = "sk.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8."
			    "_______________________________________-_-8";

static struct api_key
made(enum api_key_kind kind, char text[static API_KEY_SIZE])
{
	struct api_key key = { .kind = kind };

	key.user = id_random();
	key.key = id_random();
	api_key_make(&key, text);
	return key;
}

static void
assert_same(const struct api_key *a, const struct api_key *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_true(id_equal(&a->user, &b->user));
	assert_true(id_equal(&a->key, &b->key));
	assert_memory_equal(a->digest, b->digest, DIGEST_SIZE);
}

static void
test_made_is_parsed(void **state)
{
	struct api_key key, parsed;
	char text[API_KEY_SIZE];

	(void)state;
	for (int i = 0; i < 50; i++) {
		key = made(i % 2 ? API_KEY_SECRET : API_KEY_PUBLISHABLE, text);
		assert_int_equal(strlen(text), LENGTH);
		assert_memory_equal(text, i % 2 ? "sk." : "pk.", 3);
		assert_int_equal(strspn(text + 3,
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_."),
		    LENGTH - 3);
		assert_int_equal(api_key_parse(text, LENGTH, &parsed), 0);
		assert_same(&key, &parsed);
	}
}

static void
test_digest_is_of_the_whole_text(void **state)
{
	unsigned char digest[DIGEST_SIZE];
	char text[API_KEY_SIZE];
	struct api_key key;

	(void)state;
	key = made(API_KEY_SECRET, text);
	digest_sha256(text, LENGTH, digest);
	assert_memory_equal(key.digest, digest, sizeof(digest));
}

static void
test_secrets_differ(void **state)
{
	char one[API_KEY_SIZE], two[API_KEY_SIZE];
	struct api_key key;

	(void)state;
	key = made(API_KEY_PUBLISHABLE, one);
	api_key_make(&key, two);
	assert_memory_equal(one, two, 47);
	assert_memory_not_equal(one + 47, two + 47, 43);
}

static void
test_known_text(void **state)
{
	struct api_key key;

	(void)state;
	assert_int_equal(api_key_parse(right, LENGTH, &key), 0);
	assert_int_equal(key.kind, API_KEY_SECRET);
	for (int i = 0; i < ID_SIZE; i++) {
		assert_int_equal(key.user.bytes[i], i);
		assert_int_equal(key.key.bytes[i], 16 + i);
	}
}

static void
test_nobodys(void **state)
{
	struct api_key key = { .kind = API_KEY_PUBLISHABLE }, parsed;
	char text[API_KEY_SIZE];

	(void)state;
	key.key = id_random();
	api_key_make(&key, text);
	assert_int_equal(api_key_parse(text, LENGTH, &parsed), 0);
	assert_true(id_is_nil(&parsed.user));

	/* A secret key without an owner could open nobody's session. */
	text[0] = 's';
	assert_int_equal(api_key_parse(text, LENGTH, &parsed), -1);
}

static void
test_refuses_other_sizes(void **state)
{
	char text[API_KEY_SIZE + 64];
	struct api_key before, key;

	(void)state;
	memset(&key, 0x5a, sizeof(key));
	before = key;
	memset(text, 'A', sizeof(text));
	memcpy(text, right, LENGTH);
	for (size_t size = 0; size < sizeof(text); size++) {
		if (size != LENGTH)
			assert_int_equal(api_key_parse(text, size, &key), -1);
	}
	assert_memory_equal(&key, &before, sizeof(key));
}

/* Any other character anywhere: refused, or another key. */
static void
test_one_spelling(void **state)
{
	struct api_key first, other;
	char text[API_KEY_SIZE];

	(void)state;
	assert_int_equal(api_key_parse(right, LENGTH, &first), 0);
	for (size_t i = 0; i < LENGTH; i++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, right, sizeof(text));
			text[i] = (char)c;
			if (text[i] == right[i] ||
			    api_key_parse(text, LENGTH, &other) != 0)
				continue;
			assert_memory_not_equal(first.digest, other.digest,
			    DIGEST_SIZE);
		}
	}
}

static void
test_refuses_other_forms(void **state)
{
	static const struct {
		size_t at;
		const char *text;
	} cases[] = {
		{ 0, "xk." },
		{ 0, "SK." },
		{ 0, " k." },
		{ 0, "s k" },
		{ 2, "_" },
		{ 2, "-" },
		{ 46, "-" },
		{ 46, "A" },
		{ 3, "." },
		{ 3, "+" },
		{ 3, "=" },
		{ 45, "9" }, /* bits behind the last byte */
		{ 45, "=" },
		{ 60, "/" },
		{ 60, " " },
		{ 60, "\xc3" },
		{ 89, "9" },
		{ 89, "\n" },
	};
	char text[API_KEY_SIZE];
	struct api_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(text, right, sizeof(text));
		memcpy(text + cases[i].at, cases[i].text,
		    strlen(cases[i].text));
		assert_int_equal(api_key_parse(text, LENGTH, &key), -1);
	}

	/* A NUL may not end it early. */
	memcpy(text, right, sizeof(text));
	text[50] = '\0';
	assert_int_equal(api_key_parse(text, LENGTH, &key), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_is_parsed),
		cmocka_unit_test(test_digest_is_of_the_whole_text),
		cmocka_unit_test(test_secrets_differ),
		cmocka_unit_test(test_known_text),
		cmocka_unit_test(test_nobodys),
		cmocka_unit_test(test_refuses_other_sizes),
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_refuses_other_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
