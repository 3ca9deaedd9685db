/* test_scrypt.c - the derivation against RFC 7914's vectors and OpenSSL's, the
 * stored form against libscrypt's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libscrypt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "hash/scrypt.h"

#define COST(log2_n, r, p) ((struct scrypt_cost){ log2_n, r, p })

/* A stored form that is right, to be bent in one place at a time. */
static const char right[] = "$s1$0a0803$M4mR8pflMeY2O+98cI3EPQ==$"
			    "MUbuof4AsOOXxtEdKRSWue7qbyqbvWAH/HIms+MvcjDj1ALhp"
			    "ZyzpxcT/yUKY7OHwCzczuofMNirIg+n5P8ddg==";

static void
bytes_of(const char *hex, unsigned char *bytes)
{
	unsigned byte;

	for (size_t i = 0; hex[2 * i] != '\0'; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		bytes[i] = (unsigned char)byte;
	}
}

/* RFC 7914 section 12.  Its fourth vector takes 1 GiB, which is not allowed. */
static const struct vector {
	const char *password, *salt;
	struct scrypt_cost cost;
	const char *hash;
} vectors[] = {
	{ "", "", { 4, 1, 1 },
	    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3f"
	    "ede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628"
	    "cf35e20c38d18906" },
	{ "password", "NaCl", { 10, 8, 16 },
	    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e7737663"
	    "4b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d"
	    "8360cbdfa2cc0640" },
	{ "pleaseletmein", "SodiumChloride", { 14, 8, 1 },
	    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6"
	    "545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40"
	    "dfcf017b45575887" },
};

static void
test_vectors(void **state)
{
	unsigned char hash[SCRYPT_HASH_SIZE], expected[SCRYPT_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];

		bytes_of(v->hash, expected);
		assert_int_equal(scrypt_derive(&v->cost, v->password,
				     strlen(v->password), v->salt,
				     strlen(v->salt), hash),
		    0);
		assert_memory_equal(hash, expected, sizeof(hash));
	}
}

/* Costs and bytes of every kind, also NUL, against another implementation. */
static void
test_agrees_with_openssl(void **state)
{
	static const struct scrypt_cost costs[] = { { 1, 1, 1 }, { 5, 3, 2 },
		{ 10, 8, 1 }, { 9, 8, 3 }, { 4, 32, 16 } };
	unsigned char hash[SCRYPT_HASH_SIZE], expected[SCRYPT_HASH_SIZE];
	unsigned char salt[SCRYPT_SALT_SIZE];
	char password[300];

	(void)state;
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		const struct scrypt_cost *c = &costs[i];
		size_t size = i * 75;

		secret_random(salt, sizeof(salt));
		secret_random(password, sizeof(password));
		password[10] = '\0';
		assert_int_equal(
		    scrypt_derive(c, password, size, salt, sizeof(salt), hash),
		    0);
		assert_int_equal(EVP_PBE_scrypt(password, size, salt,
				     sizeof(salt), (uint64_t)1 << c->log2_n,
				     c->r, c->p, (uint64_t)1 << 30, expected,
				     sizeof(expected)),
		    1);
		assert_memory_equal(hash, expected, sizeof(hash));
	}
}

static void
test_not_cut_at_nul(void **state)
{
	static const char salt[SCRYPT_SALT_SIZE] = "0123456789abcdef";
	struct scrypt_cost cost = COST(4, 1, 1);
	unsigned char whole[SCRYPT_HASH_SIZE], cut[SCRYPT_HASH_SIZE];

	(void)state;
	assert_int_equal(
	    scrypt_derive(&cost, "right\0x", 7, salt, sizeof(salt), whole), 0);
	assert_int_equal(
	    scrypt_derive(&cost, "right", 5, salt, sizeof(salt), cut), 0);
	assert_memory_not_equal(whole, cut, sizeof(whole));
}

static void
test_cost_bounds(void **state)
{
	static const struct {
		struct scrypt_cost cost;
		bool allowed;
	} cases[] = {
		{ { 15, 8, 3 }, true },
		{ { 1, 1, 1 }, true },
		{ { 20, 2, 16 }, true },  /* exactly 256 MiB */
		{ { 16, 32, 16 }, true }, /* the same with the largest r */
		{ { 20, 3, 1 }, false },
		{ { 17, 32, 1 }, false },
		{ { 20, 8, 1 }, false }, /* RFC 7914's fourth vector */
		{ { 15, 1, 1 }, true },
		{ { 16, 1, 1 }, false }, /* N < 2^(16*r) */
		{ { 0, 8, 1 }, false },
		{ { 21, 1, 1 }, false },
		{ { 10, 0, 1 }, false },
		{ { 10, 33, 1 }, false },
		{ { 10, 8, 0 }, false },
		{ { 10, 8, 17 }, false },
		{ { 255, 255, 255 }, false },
		{ { 4294967295U, 4294967295U, 4294967295U }, false },
	};
	unsigned char hash[SCRYPT_HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(scrypt_cost_allowed(&cases[i].cost),
		    cases[i].allowed);
		if (!cases[i].allowed)
			assert_int_equal(scrypt_derive(&cases[i].cost, "x", 1,
					     "salt", 4, hash),
			    -1);
	}
}

static void
test_memory(void **state)
{
	(void)state;
	assert_int_equal(scrypt_memory(&COST(15, 8, 3)), 32 << 20);
	assert_int_equal(scrypt_memory(&COST(1, 1, 1)), 2 * 128);
}

static void
test_form_comes_back(void **state)
{
	struct scrypt_stored in = { .cost = COST(15, 8, 3) }, out;
	char text[SCRYPT_STORED_SIZE];

	(void)state;
	for (int i = 0; i < 64; i++) {
		secret_random(in.salt, sizeof(in.salt));
		secret_random(in.hash, sizeof(in.hash));
		scrypt_format(&in, text);
		assert_int_equal(strlen(text), strlen(right));
		assert_memory_equal(text, "$s1$0f0803$", 11);
		assert_int_equal(scrypt_parse(text, &out), 0);
		assert_int_equal(out.cost.log2_n, 15);
		assert_int_equal(out.cost.r, 8);
		assert_int_equal(out.cost.p, 3);
		assert_memory_equal(in.salt, out.salt, sizeof(in.salt));
		assert_memory_equal(in.hash, out.hash, sizeof(in.hash));
	}
}

static void
test_form_is_libscrypts(void **state)
{
	struct scrypt_stored ours = { .cost = COST(6, 4, 2) };
	char text[SCRYPT_MCF_LEN], again[SCRYPT_STORED_SIZE];

	(void)state;

	/* What we write, libscrypt checks ... */
	secret_random(ours.salt, sizeof(ours.salt));
	assert_int_equal(scrypt_derive(&ours.cost, "secret", 6, ours.salt,
			     sizeof(ours.salt), ours.hash),
	    0);
	scrypt_format(&ours, text);
	assert_true(libscrypt_check(text, "secret") > 0);
	scrypt_format(&ours, text);
	assert_true(libscrypt_check(text, "Secret") <= 0);

	/* ... and what libscrypt writes, we read and write alike. */
	assert_true(libscrypt_hash(text, "secret", 64, 4, 2) > 0);
	assert_int_equal(scrypt_parse(text, &ours), 0);
	scrypt_format(&ours, again);
	assert_string_equal(text, again);
}

static void
test_refuses_other_forms(void **state)
{
	static const char *const wrong[] = {
		"",
		"$",
		"$s1$",
		"$s1$0a0803$",
		"$s1$0a0803$$",
		"$s1$0a0803$M4mR8pflMeY2O+98cI3EPQ==$",
		"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn",
		"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
	};
	struct scrypt_stored before, stored;
	char text[SCRYPT_STORED_SIZE + 8];

	(void)state;
	memset(&stored, 0x5a, sizeof(stored));
	before = stored;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(scrypt_parse(wrong[i], &stored), -1);

	/* One character more, at either end, or one less. */
	snprintf(text, sizeof(text), "%s ", right);
	assert_int_equal(scrypt_parse(text, &stored), -1);
	snprintf(text, sizeof(text), "%s\n", right);
	assert_int_equal(scrypt_parse(text, &stored), -1);
	snprintf(text, sizeof(text), " %s", right);
	assert_int_equal(scrypt_parse(text, &stored), -1);
	snprintf(text, sizeof(text), "%.*s", (int)sizeof(right) - 2, right);
	assert_int_equal(scrypt_parse(text, &stored), -1);
	assert_memory_equal(&stored, &before, sizeof(stored));
	assert_int_equal(scrypt_parse(right, &stored), 0);
}

/* Is there another text, one character away, with the same meaning? */
static void
test_one_spelling(void **state)
{
	struct scrypt_stored first, other;
	char text[SCRYPT_STORED_SIZE];

	(void)state;
	assert_int_equal(scrypt_parse(right, &first), 0);
	for (size_t i = 0; i < strlen(right); i++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, right, sizeof(right));
			text[i] = (char)c;
			if (text[i] == right[i] ||
			    scrypt_parse(text, &other) != 0)
				continue;
			assert_true(memcmp(&first, &other, sizeof(first)) != 0);
		}
	}
}

static void
test_refuses_other_digits(void **state)
{
	/* A place in `right`, and what may not stand there. */
	static const struct {
		size_t at;
		const char *text;
	} cases[] = {
		{ 4, "0A0803" }, /* hexadecimal in upper case */
		{ 4, "000803" }, /* costs out of bounds */
		{ 4, "150803" },
		{ 4, "0a0003" },
		{ 4, "0a2103" },
		{ 4, "0a0800" },
		{ 4, "0a0811" },
		{ 4, "ffffff" },
		{ 4, " a0803" },
		{ 4, "0xa803" },
		{ 4, "+a0803" },
		{ 11, "-4mR" }, /* base64url's characters, not base64's */
		{ 11, "_4mR" },
		{ 11, "=4mR" },
		{ 32, "R==$" }, /* bits behind the last byte */
		{ 32, "QA=$" },
		{ 120, "dh==" },
		{ 120, "d===" },
		{ 120, "dgA=" },
		{ 35, "x" }, /* no separator */
		{ 10, "x" },
	};
	struct scrypt_stored stored;
	char text[SCRYPT_STORED_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(text, right, sizeof(right));
		memcpy(text + cases[i].at, cases[i].text,
		    strlen(cases[i].text));
		assert_int_equal(strlen(text), strlen(right));
		assert_int_equal(scrypt_parse(text, &stored), -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_agrees_with_openssl),
		cmocka_unit_test(test_not_cut_at_nul),
		cmocka_unit_test(test_cost_bounds),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_form_comes_back),
		cmocka_unit_test(test_form_is_libscrypts),
		cmocka_unit_test(test_refuses_other_forms),
		cmocka_unit_test(test_one_spelling),
		cmocka_unit_test(test_refuses_other_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
