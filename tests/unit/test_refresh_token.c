/* test_refresh_token.c - refresh tokens come back whole, or not at all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64url.h"
#include "base/secret.h"
#include "temp_keys.h"
#include "token/refresh_token.h"

#define LENGTH (REFRESH_TOKEN_SIZE - 1)

/* Two servers, each with a master secret. */
static struct keys *ours, *theirs;

static int
start(void **state)
{
	(void)state;
	ours = temp_keys_new();
	theirs = temp_keys_new();

	/* One in 256 has the same first byte; the proof is what counts. */
	return ours != NULL && theirs != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	keys_close(ours);
	keys_close(theirs);
	return 0;
}

static struct refresh_claims
some_claims(uint32_t generation)
{
	struct refresh_claims claims = { .generation = generation };

	claims.user = id_random();
	claims.session = id_ordered(1);
	return claims;
}

static void
test_comes_back(void **state)
{
	static const uint32_t generations[] = { 0, 1, 255, 256, 65536,
		0x01020304, 0x7fffffff, 0x80000000, 0xffffffff };
	unsigned char issued[DIGEST_SIZE], opened[DIGEST_SIZE];
	struct refresh_claims claims, again;
	char token[REFRESH_TOKEN_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]);
	     i++) {
		claims = some_claims(generations[i]);
		refresh_token_issue(ours, &claims, token, issued);
		assert_int_equal(strlen(token), LENGTH);
		assert_int_equal(
		    refresh_token_open(ours, token, LENGTH, &again, opened), 0);
		assert_true(id_equal(&claims.user, &again.user));
		assert_true(id_equal(&claims.session, &again.session));
		assert_int_equal(claims.generation, again.generation);
		assert_memory_equal(issued, opened, DIGEST_SIZE);
	}
}

/* The contract's pattern: ^[A-Za-z0-9-_]+(?:\.[A-Za-z0-9-_]+)+$ */
static void
test_form(void **state)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789-_";
	struct refresh_claims claims = some_claims(7);
	unsigned char digest[DIGEST_SIZE], expected[DIGEST_SIZE];
	char token[REFRESH_TOKEN_SIZE];

	(void)state;
	refresh_token_issue(ours, &claims, token, digest);
	assert_int_equal(strspn(token, letters), 51);
	assert_int_equal(token[51], '.');
	assert_int_equal(strspn(token + 52, letters), 43);
	digest_sha256(token, LENGTH, expected);
	assert_memory_equal(digest, expected, DIGEST_SIZE);
}

/* What the header promises stands where it says. */
static void
test_layout(void **state)
{
	unsigned char digest[DIGEST_SIZE], bytes[38], proof[DIGEST_SIZE];
	unsigned char expected[DIGEST_SIZE];
	struct refresh_claims claims = some_claims(0x0a0b0c0d);
	char token[REFRESH_TOKEN_SIZE];

	(void)state;
	refresh_token_issue(ours, &claims, token, digest);
	assert_int_equal(base64url_decode(token, 51, bytes, 38), 38);
	assert_int_equal(base64url_decode(token + 52, 43, proof, 32), 32);
	assert_int_equal(bytes[0], 1);
	assert_int_equal(bytes[1], keys_master_id(ours));
	assert_memory_equal(bytes + 2, claims.user.bytes, 16);
	assert_memory_equal(bytes + 18, claims.session.bytes, 16);
	assert_memory_equal(bytes + 34, "\x0a\x0b\x0c\x0d", 4);

	keys_prove(ours, KEYS_REFRESH_TOKEN, bytes, sizeof(bytes), expected);
	assert_memory_equal(proof, expected, sizeof(proof));
}

static void
test_same_claims_same_token(void **state)
{
	unsigned char digest[DIGEST_SIZE];
	struct refresh_claims claims = some_claims(3);
	char one[REFRESH_TOKEN_SIZE], two[REFRESH_TOKEN_SIZE];

	(void)state;
	refresh_token_issue(ours, &claims, one, digest);
	refresh_token_issue(ours, &claims, two, digest);
	assert_string_equal(one, two);
	claims.generation++;
	refresh_token_issue(ours, &claims, two, digest);
	assert_memory_not_equal(one + 52, two + 52, 43);
}

static void
test_refuses_every_other_character(void **state)
{
	unsigned char digest[DIGEST_SIZE], before_digest[DIGEST_SIZE];
	struct refresh_claims claims = some_claims(1), opened, before;
	char token[REFRESH_TOKEN_SIZE], right;

	(void)state;
	refresh_token_issue(ours, &claims, token, digest);
	memcpy(before_digest, digest, sizeof(digest));
	memset(&opened, 0x5a, sizeof(opened));
	before = opened;
	for (size_t at = 0; at < LENGTH; at++) {
		right = token[at];
		for (int c = 0; c < 256; c++) {
			token[at] = (char)c;
			if (token[at] != right)
				assert_int_equal(refresh_token_open(ours, token,
						     LENGTH, &opened, digest),
				    -1);
		}
		token[at] = right;
	}

	/* Nothing was written meanwhile. */
	assert_memory_equal(&opened, &before, sizeof(opened));
	assert_memory_equal(digest, before_digest, sizeof(digest));
	assert_int_equal(
	    refresh_token_open(ours, token, LENGTH, &opened, digest), 0);
}

static void
test_refuses_every_flipped_bit(void **state)
{
	unsigned char digest[DIGEST_SIZE], bytes[38], proof[32];
	struct refresh_claims claims = some_claims(1);
	char token[REFRESH_TOKEN_SIZE];

	(void)state;
	refresh_token_issue(ours, &claims, token, digest);
	assert_int_equal(base64url_decode(token, 51, bytes, 38), 38);
	assert_int_equal(base64url_decode(token + 52, 43, proof, 32), 32);
	for (size_t bit = 0; bit < 8 * (38 + 32); bit++) {
		unsigned char *byte =
		    bit / 8 < 38 ? &bytes[bit / 8] : &proof[bit / 8 - 38];

		*byte ^= (unsigned char)(1 << bit % 8);
		base64url_encode(bytes, 38, token);
		token[51] = '.';
		base64url_encode(proof, 32, token + 52);
		assert_int_equal(
		    refresh_token_open(ours, token, LENGTH, &claims, digest),
		    -1);
		*byte ^= (unsigned char)(1 << bit % 8);
	}
}

static void
test_refuses_other_sizes(void **state)
{
	unsigned char digest[DIGEST_SIZE];
	struct refresh_claims claims = some_claims(1);
	char token[REFRESH_TOKEN_SIZE + 64];

	(void)state;
	memset(token, 'A', sizeof(token));
	refresh_token_issue(ours, &claims, token, digest);
	for (size_t size = 0; size < sizeof(token); size++) {
		if (size != LENGTH)
			assert_int_equal(refresh_token_open(ours, token, size,
					     &claims, digest),
			    -1);
	}
}

static void
test_refuses_anothers(void **state)
{
	unsigned char digest[DIGEST_SIZE], bytes[38], proof[32];
	struct refresh_claims claims = some_claims(1);
	char token[REFRESH_TOKEN_SIZE];

	(void)state;
	refresh_token_issue(theirs, &claims, token, digest);
	assert_int_equal(
	    refresh_token_open(ours, token, LENGTH, &claims, digest), -1);

	/* The same, made to name our secret. */
	assert_int_equal(base64url_decode(token, 51, bytes, 38), 38);
	bytes[1] = keys_master_id(ours);
	keys_prove(theirs, KEYS_REFRESH_TOKEN, bytes, sizeof(bytes), proof);
	base64url_encode(bytes, 38, token);
	token[51] = '.';
	base64url_encode(proof, 32, token + 52);
	assert_int_equal(
	    refresh_token_open(ours, token, LENGTH, &claims, digest), -1);

	/* And with our secret it would be ours: so that was the reason. */
	keys_prove(ours, KEYS_REFRESH_TOKEN, bytes, sizeof(bytes), proof);
	base64url_encode(proof, 32, token + 52);
	assert_int_equal(
	    refresh_token_open(ours, token, LENGTH, &claims, digest), 0);
}

/* Right proofs of what we never write. */
static void
test_refuses_other_versions(void **state)
{
	unsigned char digest[DIGEST_SIZE], bytes[38], proof[32];
	struct refresh_claims claims = some_claims(1);
	char token[REFRESH_TOKEN_SIZE];

	(void)state;
	refresh_token_issue(ours, &claims, token, digest);
	assert_int_equal(base64url_decode(token, 51, bytes, 38), 38);
	for (int version = 0; version < 256; version++) {
		bytes[0] = (unsigned char)version;
		keys_prove(ours, KEYS_REFRESH_TOKEN, bytes, sizeof(bytes), proof);
		base64url_encode(bytes, 38, token);
		token[51] = '.';
		base64url_encode(proof, 32, token + 52);
		assert_int_equal(
		    refresh_token_open(ours, token, LENGTH, &claims, digest),
		    version == 1 ? 0 : -1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_same_claims_same_token),
		cmocka_unit_test(test_refuses_every_other_character),
		cmocka_unit_test(test_refuses_every_flipped_bit),
		cmocka_unit_test(test_refuses_other_sizes),
		cmocka_unit_test(test_refuses_anothers),
		cmocka_unit_test(test_refuses_other_versions),
	};

	return cmocka_run_group_tests(tests, start, end);
}
