/* test_key_list.c - the text of keys.json, and which key signs when. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "token/key_list.h"

#define SECOND CLOCK_SECOND_US
#define KID_A  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KID_B  "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
#define KID_C  "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA"

#define KEY(kid, alg, created, from, retired) \
	"{\"kid\":\"" kid "\",\"alg\":\"" alg "\",\"created\":\"" created \
	"\",\"sign_from\":\"" from "\",\"retired\":" retired "}"
#define T1 "2026-11-24T08:00:00.000Z"
#define T2 "2026-11-24T09:00:00.500Z"
#define T3 "2027-02-28T23:59:59.999Z"

static const char *
parse(const char *text, struct key_list *list)
{
	memset(list, 0x5a, sizeof(*list));
	return key_list_parse(text, strlen(text), list);
}

static struct key
listed(const char *kid, int64_t sign_from, int64_t retired)
{
	struct key key = {
		.created_us = SECOND,
		.sign_from_us = sign_from * SECOND,
		.retired_us = retired * SECOND,
	};

	memcpy(key.kid, kid, KEY_ID_SIZE);
	return key;
}

static void
add(struct key_list *list, const char *kid, int64_t sign_from, int64_t retired)
{
	struct key key = listed(kid, sign_from, retired);

	assert_int_equal(key_list_add(list, &key), 0);
}

static void
test_reads_keys(void **state)
{
	struct key_list list;

	(void)state;
	assert_null(parse(
	    "{\"keys\":[" KEY(KID_A, "ES256", T1, T1,
		"\"" T3 "\"") "," KEY(KID_B, "EdDSA", T1, T2, "null") "]}",
	    &list));
	assert_int_equal(list.count, 2);

	/* Newest first, whatever the order in the file. */
	assert_string_equal(list.keys[0].kid, KID_B);
	assert_int_equal(list.keys[0].algorithm, KEY_EDDSA);
	assert_int_equal(list.keys[0].created_us, INT64_C(1795507200000000));
	assert_int_equal(list.keys[0].sign_from_us, INT64_C(1795510800500000));
	assert_int_equal(list.keys[0].retired_us, 0);
	assert_null(list.keys[0].pair);
	assert_string_equal(list.keys[1].kid, KID_A);
	assert_int_equal(list.keys[1].algorithm, KEY_ES256);
	assert_int_equal(list.keys[1].retired_us, INT64_C(1803859199999000));
}

static void
test_text_comes_back(void **state)
{
	struct key_list list = { 0 }, again;
	size_t size;
	char *text;

	(void)state;
	for (int count = 0; count <= 3; count++) {
		text = key_list_text(&list, &size);
		assert_int_equal(strlen(text), size);
		assert_null(parse(text, &again));
		assert_int_equal(again.count, count);
		for (int i = 0; i < count; i++) {
			const struct key *a = &list.keys[i];
			const struct key *b = &again.keys[i];

			assert_string_equal(a->kid, b->kid);
			assert_int_equal(a->algorithm, b->algorithm);
			assert_int_equal(a->created_us, b->created_us);
			assert_int_equal(a->sign_from_us, b->sign_from_us);
			assert_int_equal(a->retired_us, b->retired_us);
		}
		free(text);
		if (count == 0)
			add(&list, KID_A, 10, 0);
		else if (count == 1)
			add(&list, KID_B, 20, 30);
		else if (count == 2)
			add(&list, KID_C, 5, 0);
	}
}

static void
test_passes_over_unknown_members(void **state)
{
	struct key_list list;

	(void)state;
	assert_null(parse("{\"version\":2,\"keys\":[{\"kid\":\"" KID_A
			  "\",\"alg\":\"ES256\",\"created\":\"" T1
			  "\",\"sign_from\":\"" T1 "\",\"note\":[1]}]}",
	    &list));
	assert_int_equal(list.count, 1);
	assert_int_equal(list.keys[0].retired_us, 0);
}

static void
test_refuses_other_texts(void **state)
{
	static const char *const wrong[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":null}",
		"{\"keys\":[]} x",
		"{\"keys\":[null]}",
		"{\"keys\":[[]]}",
		"{\"keys\":[\"" KID_A "\"]}",
		"{\"keys\":[{}]}",
		"{\"keys\":[],\"keys\":[]}",
		"{\"keys\":[" KEY(KID_A, "ES256", T1, T1, "null") "," KEY(KID_A,
		    "ES256", T1, T2, "null") "]}",
	};
	struct key_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_non_null(parse(wrong[i], &list));
		assert_int_equal(list.count, 0);
	}
}

static void
test_refuses_other_members(void **state)
{
	static const char *const wrong[] = {
		/* kid: a file's name is made of it */
		KEY("", "ES256", T1, T1, "null"),
		KEY("../../../../../../../../../../../../etc/pas", "ES256", T1,
		    T1, "null"),
		KEY("AAAAAAAAAAAAAAAAAAAAA/AAAAAAAAAAAAAAAAAAAAA", "ES256", T1,
		    T1, "null"),
		KEY("AAAAAAAAAAAAAAAAAAAAA\\u0000AAAAAAAAAAAAAAAAAAAAA",
		    "ES256", T1, T1, "null"),
		KEY("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", "ES256", T1,
		    T1, "null"), /* bits behind the last byte */
		KEY("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ES256", T1,
		    T1, "null"),
		KEY("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ES256", T1,
		    T1, "null"),
		/* alg */
		KEY(KID_A, "", T1, T1, "null"),
		KEY(KID_A, "none", T1, T1, "null"),
		KEY(KID_A, "HS256", T1, T1, "null"),
		KEY(KID_A, "es256", T1, T1, "null"),
		/* times */
		KEY(KID_A, "ES256", "", T1, "null"),
		KEY(KID_A, "ES256", T1, "", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T08:00:00Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24 08:00:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24t08:00:00.000z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T08:00:00.000+", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T08:00:00.0000", "null"),
		KEY(KID_A, "ES256", T1, "2026-02-30T08:00:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-13-01T08:00:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T24:00:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T08:60:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T08:00:60.000Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T08:00: 0.000Z", "null"),
		KEY(KID_A, "ES256", T1, "2026-11-24T08:00:00.-01Z", "null"),
		KEY(KID_A, "ES256", T1, "+026-11-24T08:00:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, "1969-12-31T23:59:59.999Z", "null"),
		KEY(KID_A, "ES256", T1, "1970-01-01T00:00:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, "0000-00-00T00:00:00.000Z", "null"),
		KEY(KID_A, "ES256", T1, T1, "\"\""),
		KEY(KID_A, "ES256", T1, T1, "\"soon\""),
		KEY(KID_A, "ES256", T1, T1, "false"),
		KEY(KID_A, "ES256", T1, T1, "0"),
		KEY(KID_A, "ES256", T1, T1, "1795507200"),
		KEY(KID_A, "ES256", T1, T1, "[]"),
		KEY(KID_A, "ES256", T1, T1, "{}"),
		/* absent */
		"{\"kid\":\"" KID_A "\"}",
		"{\"kid\":\"" KID_A "\",\"alg\":\"ES256\"}",
		"{\"kid\":\"" KID_A "\",\"alg\":\"ES256\",\"created\":\"" T1
		"\"}",
		"{\"kid\":1,\"alg\":\"ES256\",\"created\":\"" T1
		"\",\"sign_from\":\"" T1 "\"}",
		"{\"kid\":\"" KID_A "\",\"alg\":1,\"created\":\"" T1
		"\",\"sign_from\":\"" T1 "\"}",
		"{\"kid\":\"" KID_A "\",\"alg\":\"ES256\",\"created\":1"
		",\"sign_from\":\"" T1 "\"}",
	};
	struct key_list list;
	char text[512];

	(void)state;

	/* What is wrong below is wrong for the reason that is meant. */
	snprintf(text, sizeof(text), "{\"keys\":[%s]}",
	    KEY(KID_A, "ES256", T1, T1, "null"));
	assert_null(parse(text, &list));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "{\"keys\":[%s]}", wrong[i]);
		assert_non_null(parse(text, &list));
		assert_int_equal(list.count, 0);
	}
}

/* A kid with the number in its first characters. */
static void
numbered(int number, char kid[static KEY_ID_SIZE])
{
	memcpy(kid, KID_A, KEY_ID_SIZE);
	kid[0] = (char)('A' + number / 26);
	kid[1] = (char)('A' + number % 26);
}

static void
test_limit(void **state)
{
	struct key_list list = { 0 }, again;
	char kid[KEY_ID_SIZE], *text, *extra;
	struct key key;
	size_t size;

	(void)state;
	for (int i = 0; i < KEY_LIST_LIMIT; i++) {
		numbered(i, kid);
		add(&list, kid, 1 + i * 7 % KEY_LIST_LIMIT, 0);
	}
	for (size_t i = 1; i < list.count; i++)
		assert_true(
		    list.keys[i - 1].sign_from_us > list.keys[i].sign_from_us);
	numbered(KEY_LIST_LIMIT, kid);
	key = listed(kid, 1, 0);
	assert_int_equal(key_list_add(&list, &key), -1);

	text = key_list_text(&list, &size);
	assert_null(parse(text, &again));
	assert_int_equal(again.count, KEY_LIST_LIMIT);

	/* One more, in front of the others. */
	extra = calloc(1, size + 512);
	assert_non_null(extra);
	snprintf(extra, size + 512, "{\"keys\":[%s,%s",
	    KEY("ZZAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ES256", T1, T1,
		"null"),
	    strchr(text, '[') + 1);
	assert_non_null(parse(extra, &again));
	free(extra);
	free(text);
}

static void
test_find_and_remove(void **state)
{
	struct key_list list = { 0 };
	struct key key;

	(void)state;
	add(&list, KID_A, 10, 0);
	add(&list, KID_B, 20, 0);
	add(&list, KID_C, 30, 0);
	key = listed(KID_B, 99, 0);
	assert_int_equal(key_list_add(&list, &key), -1);
	assert_ptr_equal(key_list_find(&list, KID_B), &list.keys[1]);
	assert_null(key_list_find(&list, ""));

	key_list_remove(&list, 1);
	assert_int_equal(list.count, 2);
	assert_null(key_list_find(&list, KID_B));
	assert_string_equal(list.keys[0].kid, KID_C);
	assert_string_equal(list.keys[1].kid, KID_A);
	key_list_clear(&list);
	assert_int_equal(list.count, 0);
}

static const char *
signing(const struct key_list *list, int64_t at)
{
	const struct key *key = key_list_signing(list, at * SECOND);

	return key != NULL ? key->kid : "none";
}

static void
test_who_signs(void **state)
{
	struct key_list list = { 0 };

	(void)state;
	assert_string_equal(signing(&list, 100), "none");
	add(&list, KID_A, 10, 50);
	assert_string_equal(signing(&list, 9), "none");
	assert_string_equal(signing(&list, 10), KID_A);
	assert_string_equal(signing(&list, 49), KID_A);
	assert_string_equal(signing(&list, 50), "none");

	/* A newer one takes over from the time that it was given. */
	add(&list, KID_B, 20, 30);
	assert_string_equal(signing(&list, 19), KID_A);
	assert_string_equal(signing(&list, 20), KID_B);
	assert_string_equal(signing(&list, 29), KID_B);
	assert_string_equal(signing(&list, 30), KID_A);
}

static void
test_no_moment_without(void **state)
{
	struct key_list list = { 0 };

	(void)state;
	assert_false(key_list_signs_from(&list, SECOND));

	add(&list, KID_A, 10, 50);
	assert_false(key_list_signs_from(&list, 9 * SECOND));
	assert_false(key_list_signs_from(&list, 10 * SECOND));

	/* B comes in time, and leaves nobody behind it. */
	add(&list, KID_B, 50, 80);
	assert_false(key_list_signs_from(&list, 10 * SECOND));
	add(&list, KID_C, 70, 0);
	assert_true(key_list_signs_from(&list, 10 * SECOND));
	assert_true(key_list_signs_from(&list, 90 * SECOND));
	assert_false(key_list_signs_from(&list, 9 * SECOND));

	/* A second between A and B. */
	key_list_find(&list, KID_A)->retired_us = 49 * SECOND;
	assert_false(key_list_signs_from(&list, 10 * SECOND));
	assert_true(key_list_signs_from(&list, 50 * SECOND));
}

static void
test_gone(void **state)
{
	struct key key = listed(KID_A, 10, 100);

	(void)state;
	assert_false(key_list_is_gone(&key, 50 * SECOND));
	assert_false(key_list_is_gone(&key, 100 * SECOND));
	/* A day, which is the most for a token, and a minute. */
	assert_false(key_list_is_gone(&key, (100 + 86459) * SECOND));
	assert_true(key_list_is_gone(&key, (100 + 86460) * SECOND));
	key.retired_us = 0;
	assert_false(key_list_is_gone(&key, INT64_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_keys),
		cmocka_unit_test(test_text_comes_back),
		cmocka_unit_test(test_passes_over_unknown_members),
		cmocka_unit_test(test_refuses_other_texts),
		cmocka_unit_test(test_refuses_other_members),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_find_and_remove),
		cmocka_unit_test(test_who_signs),
		cmocka_unit_test(test_no_moment_without),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
