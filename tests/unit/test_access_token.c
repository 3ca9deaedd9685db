/* test_access_token.c - access tokens are taken back as they were issued, and in
 * no other way. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "temp_dir.h"
#include "token/access_cache.h"
#include "token/access_token.h"
#include "token/key_list.h"
#include "token/keys_admin.h"

#define NOW_SECONDS INT64_C(1800000000)
#define NOW         (NOW_SECONDS * CLOCK_SECOND_US)
#define LIFE        900
#define ISSUER      "https://id.example.org"
#define AUDIENCE    "https://api.example.org"

/* One server for each algorithm, and one that nobody trusts. */
static struct keys *servers[2], *strangers;

static struct keys *
new_keys(enum key_algorithm algorithm)
{
	char dir[TEMP_DIR_SIZE], why[KEYS_WHY_SIZE], kid[KEY_ID_SIZE];
	struct keys *keys = NULL;

	temp_dir_make(dir);
	if (keys_init(dir, why) == 0 &&
	    keys_new(dir, algorithm, NOW, NOW, kid, why) == 0)
		keys = keys_open(dir, why);
	temp_dir_remove(dir);
	return keys;
}

static int
start(void **state)
{
	(void)state;
	servers[0] = new_keys(KEY_ES256);
	servers[1] = new_keys(KEY_EDDSA);
	strangers = new_keys(KEY_ES256);
	return servers[0] != NULL && servers[1] != NULL && strangers != NULL
		   ? 0
		   : -1;
}

static int
end(void **state)
{
	(void)state;
	keys_close(servers[0]);
	keys_close(servers[1]);
	keys_close(strangers);
	return 0;
}

static struct access_claims
some_claims(void)
{
	struct access_claims claims = {
		.issued = NOW_SECONDS,
		.expires = NOW_SECONDS + LIFE,
		.email = "who@example.org",
		.method = "pwd",
	};

	claims.subject = id_random();
	claims.session = id_ordered(NOW);
	claims.token = id_random();
	return claims;
}

static void
issue(const struct keys *keys, const struct access_claims *claims,
    char token[static ACCESS_TOKEN_SIZE])
{
	assert_int_equal(
	    access_token_issue(keys, ISSUER, AUDIENCE, claims, NOW, token), 0);
	assert_true(strlen(token) < ACCESS_TOKEN_SIZE);
}

static enum access_token_result
verify(const struct keys *keys, const char *token, struct access_claims *claims)
{
	return access_token_verify(keys, ISSUER, AUDIENCE, token, strlen(token),
	    NOW, claims);
}

static void
assert_invalid(const struct keys *keys, const char *token)
{
	struct access_claims claims, before;

	memset(&claims, 0x5a, sizeof(claims));
	before = claims;
	assert_int_equal(verify(keys, token, &claims), ACCESS_TOKEN_INVALID);
	assert_memory_equal(&claims, &before, sizeof(claims));
}

static void
assert_same(const struct access_claims *a, const struct access_claims *b)
{
	assert_true(id_equal(&a->subject, &b->subject));
	assert_true(id_equal(&a->session, &b->session));
	assert_true(id_equal(&a->token, &b->token));
	assert_int_equal(a->issued, b->issued);
	assert_int_equal(a->expires, b->expires);
	assert_string_equal(a->email, b->email);
	assert_string_equal(a->method, b->method);
}

/* Sign any header and claims with the key that signs. */
static void
forge(const struct keys *keys, const char *header, const char *claims,
    char token[static ACCESS_TOKEN_SIZE])
{
	unsigned char signature[KEY_SIGNATURE_SIZE];
	size_t length;

	length = base64url_encode(header, strlen(header), token);
	token[length++] = '.';
	length += base64url_encode(claims, strlen(claims), token + length);
	assert_int_equal(
	    key_sign(keys_signing(keys, NOW), token, length, signature), 0);
	token[length++] = '.';
	base64url_encode(signature, sizeof(signature), token + length);
}

/* The part of a token before a dot, decoded, as a text. */
static const char *
decode(const char *token, int part, char text[static ACCESS_TOKEN_SIZE])
{
	ssize_t size;

	while (part-- > 0)
		token = strchr(token, '.') + 1;
	size = base64url_decode(token, strcspn(token, "."), text,
	    ACCESS_TOKEN_SIZE - 1);
	assert_true(size >= 0);
	text[size] = '\0';
	return text;
}

static void
test_comes_back(void **state)
{
	struct access_claims claims, again;
	char token[ACCESS_TOKEN_SIZE];

	(void)state;
	for (int i = 0; i < 100; i++) {
		claims = some_claims();
		issue(servers[i % 2], &claims, token);
		memset(&again, 0x5a, sizeof(again));
		assert_int_equal(verify(servers[i % 2], token, &again),
		    ACCESS_TOKEN_OK);
		assert_same(&claims, &again);
	}
}

static void
test_form(void **state)
{
	static const char *const names[] = { "ES256", "EdDSA" };
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], expected[ACCESS_TOKEN_SIZE];
	char header[ACCESS_TOKEN_SIZE], payload[ACCESS_TOKEN_SIZE];
	char sub[ID_TEXT_SIZE], sid[ID_TEXT_SIZE], jti[ID_TEXT_SIZE];

	(void)state;
	id_format(&claims.subject, sub);
	id_format(&claims.session, sid);
	id_format(&claims.token, jti);
	for (int i = 0; i < 2; i++) {
		issue(servers[i], &claims, token);
		assert_int_equal(strspn(token,
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_."),
		    strlen(token));
		assert_int_equal(strlen(strrchr(token, '.') + 1), 86);
		snprintf(expected, sizeof(expected),
		    "{\"typ\":\"at+jwt\",\"alg\":\"%s\",\"kid\":\"%s\"}",
		    names[i], keys_signing(servers[i], NOW)->kid);
		assert_string_equal(decode(token, 0, header), expected);
		snprintf(expected, sizeof(expected),
		    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
		    "\",\"sub\":\"%s\",\"sid\":\"%s\",\"iat\":1800000000,"
		    "\"exp\":1800000900,\"jti\":\"%s\",\"amr\":[\"pwd\"],"
		    "\"email\":\"who@example.org\"}",
		    sub, sid, jti);
		assert_string_equal(decode(token, 1, payload), expected);
	}
}

static void
test_escapes(void **state)
{
	struct access_claims claims = some_claims(), again;
	char token[ACCESS_TOKEN_SIZE];

	(void)state;
	snprintf(claims.email, sizeof(claims.email), "%s",
	    "o'/\"\\\x01\xc3\xa9@ex.org");
	issue(servers[0], &claims, token);
	assert_int_equal(verify(servers[0], token, &again), ACCESS_TOKEN_OK);
	assert_same(&claims, &again);
}

/* All that settings may hold: 255 bytes as JSON writes them. */
static void
test_longest_of_settings(void **state)
{
	struct access_claims claims = some_claims(), again;
	char issuer[256] = "", audience[256] = "", token[ACCESS_TOKEN_SIZE];

	(void)state;
	memset(claims.email, 'a', sizeof(claims.email) - 1);
	snprintf(claims.method, sizeof(claims.method), "fifteen letters");
	claims.expires = INT64_MAX / 1000000;
	memset(issuer, 'i', 255);
	memset(audience, '"', 127);
	audience[127] = 'a';
	assert_int_equal(access_token_issue(servers[0], issuer, audience,
			     &claims, NOW, token),
	    0);
	assert_int_equal(access_token_verify(servers[0], issuer, audience,
			     token, strlen(token), NOW, &again),
	    ACCESS_TOKEN_OK);
	assert_same(&claims, &again);
}

static void
test_longest(void **state)
{
	struct access_claims claims = some_claims(), again;
	char issuer[2048], token[ACCESS_TOKEN_SIZE], log[TEMP_PATH_SIZE];
	char dir[TEMP_DIR_SIZE];
	size_t longest = 0;

	(void)state;
	temp_dir_make(dir);
	assert_int_equal(log_open(temp_path(dir, "log", log), LOG_FORMAT_PLAIN,
			     LOG_LEVEL_ERROR),
	    0);
	memset(claims.email, 'a', sizeof(claims.email) - 1);
	snprintf(claims.method, sizeof(claims.method), "fifteen letters");

	/* Longer by one until it is refused; never past its end, as a
	 * sanitizer would see. */
	memset(issuer, 'i', sizeof(issuer));
	for (size_t size = 1; size < sizeof(issuer); size++) {
		issuer[size - 1] = 'i';
		issuer[size] = '\0';
		if (access_token_issue(servers[0], issuer, AUDIENCE, &claims,
			NOW, token) != 0)
			break;
		longest = size;
		assert_true(strlen(token) < ACCESS_TOKEN_SIZE);
		if (size % 50 == 0)
			assert_int_equal(access_token_verify(servers[0], issuer,
					     AUDIENCE, token, strlen(token),
					     NOW, &again),
			    ACCESS_TOKEN_OK);
	}
	assert_in_range(longest, 600, 1100);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	temp_dir_remove(dir);
}

static void
test_refuses_every_other_character(void **state)
{
	static const char tries[] = "A_-.=+/ \n\xc3";
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], right;

	(void)state;
	for (int i = 0; i < 2; i++) {
		issue(servers[i], &claims, token);
		for (size_t at = 0; token[at] != '\0'; at++) {
			right = token[at];
			token[at] = right == 'B' ? 'C' : 'B';
			assert_invalid(servers[i], token);
			token[at] = (char)(right ^ 1);
			assert_invalid(servers[i], token);
			token[at] = tries[at % (sizeof(tries) - 1)];
			if (token[at] != right)
				assert_invalid(servers[i], token);
			token[at] = right;
		}
		assert_int_equal(verify(servers[i], token, &claims),
		    ACCESS_TOKEN_OK);
	}
}

static void
test_refuses_other_sizes(void **state)
{
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], longer[2 * ACCESS_TOKEN_SIZE];
	size_t length;

	(void)state;
	issue(servers[0], &claims, token);
	length = strlen(token);
	for (size_t size = 0; size < length; size++)
		assert_int_equal(access_token_verify(servers[0], ISSUER,
				     AUDIENCE, token, size, NOW, &claims),
		    ACCESS_TOKEN_INVALID);

	/* A NUL behind it counts, too. */
	assert_int_equal(access_token_verify(servers[0], ISSUER, AUDIENCE,
			     token, length + 1, NOW, &claims),
	    ACCESS_TOKEN_INVALID);
	snprintf(longer, sizeof(longer), "%sA", token);
	assert_invalid(servers[0], longer);
	snprintf(longer, sizeof(longer), "%s.", token);
	assert_invalid(servers[0], longer);
	snprintf(longer, sizeof(longer), "%s.%s", token, token);
	assert_invalid(servers[0], longer);
	snprintf(longer, sizeof(longer), ".%s", token);
	assert_invalid(servers[0], longer);
	memset(longer, 'A', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_invalid(servers[0], longer);
	longer[10] = longer[20] = '.';
	assert_invalid(servers[0], longer);
	assert_invalid(servers[0], "");
	assert_invalid(servers[0], ".");
	assert_invalid(servers[0], "..");
	assert_invalid(servers[0], "...");
}

/* Every other header, although the signature is right. */
static void
test_refuses_other_headers(void **state)
{
	static const char *const headers[] = {
		"{\"typ\":\"at+jwt\",\"alg\":\"none\",\"kid\":\"%s\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"HS256\",\"kid\":\"%s\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES384\",\"kid\":\"%s\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\",\"kid\":\"%s\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"es256\",\"kid\":\"%s\"}",
		"{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"%s\"}",
		"{\"typ\":\"AT+JWT\",\"alg\":\"ES256\",\"kid\":\"%s\"}",
		"{\"alg\":\"ES256\",\"kid\":\"%s\"}",
		"{\"typ\":\"at+jwt\",\"kid\":\"%s\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"%.42s\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"%sA\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"../%s\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"%s\","
		"\"crit\":[\"b64\"],\"b64\":false}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"%s\","
		"\"jku\":\"http://evil.example\"}",
		"{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"%s\"} ",
		"{}",
		"",
	};
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], header[ACCESS_TOKEN_SIZE];
	char payload[ACCESS_TOKEN_SIZE];
	const char *kid = keys_signing(servers[0], NOW)->kid;

	(void)state;
	issue(servers[0], &claims, token);
	decode(token, 1, payload);

	/* What forge() signs is good, unless the header is not. */
	decode(token, 0, header);
	forge(servers[0], header, payload, token);
	assert_int_equal(verify(servers[0], token, &claims), ACCESS_TOKEN_OK);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		snprintf(header, sizeof(header), headers[i], kid);
		forge(servers[0], header, payload, token);
		assert_invalid(servers[0], token);
	}
#pragma GCC diagnostic pop
}

/* The classic: no signature, or the public key as an HMAC secret. */
static void
test_refuses_no_signature(void **state)
{
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE];

	(void)state;
	issue(servers[0], &claims, token);
	strrchr(token, '.')[1] = '\0';
	assert_invalid(servers[0], token);
	*strrchr(token, '.') = '\0';
	assert_invalid(servers[0], token);
}

/* The same signature in the form that OpenSSL writes. */
static void
test_refuses_der_signatures(void **state)
{
	unsigned char raw[KEY_SIGNATURE_SIZE], der[80];
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE + 80], *signature;
	size_t size = 0;

	(void)state;
	issue(servers[0], &claims, token);
	signature = strrchr(token, '.') + 1;
	assert_int_equal(base64url_decode(signature, 86, raw, sizeof(raw)),
	    sizeof(raw));
	der[size++] = 0x30;
	der[size++] = 70;
	for (int half = 0; half < 2; half++) {
		der[size++] = 2;
		der[size++] = 33;
		der[size++] = 0;
		memcpy(der + size, raw + 32 * half, 32);
		size += 32;
	}
	base64url_encode(der, size, signature);
	assert_invalid(servers[0], token);

	/* And with a zero in front of r, which would be the same number. */
	der[0] = 0;
	memcpy(der + 1, raw, sizeof(raw));
	base64url_encode(der, sizeof(raw) + 1, signature);
	assert_invalid(servers[0], token);
	base64url_encode(raw, sizeof(raw), signature);
	assert_int_equal(verify(servers[0], token, &claims), ACCESS_TOKEN_OK);
}

static void
test_refuses_strangers(void **state)
{
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], header[ACCESS_TOKEN_SIZE];
	char payload[ACCESS_TOKEN_SIZE];

	(void)state;
	issue(strangers, &claims, token);
	assert_invalid(servers[0], token);
	assert_invalid(servers[1], token);

	/* Their signature under our kid. */
	decode(token, 1, payload);
	issue(servers[0], &claims, token);
	decode(token, 0, header);
	forge(strangers, header, payload, token);
	assert_invalid(servers[0], token);
}

static void
test_refuses_other_parties(void **state)
{
	static const char *const others[] = { "", "https://id.example.or",
		"https://id.example.org/", "HTTPS://id.example.org" };
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE];

	(void)state;
	issue(servers[0], &claims, token);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(access_token_verify(servers[0], others[i],
				     AUDIENCE, token, strlen(token), NOW,
				     &claims),
		    ACCESS_TOKEN_INVALID);
		assert_int_equal(access_token_verify(servers[0], ISSUER,
				     others[i], token, strlen(token), NOW,
				     &claims),
		    ACCESS_TOKEN_INVALID);
	}
}

static void
test_expires(void **state)
{
	const int64_t end_us = NOW + LIFE * CLOCK_SECOND_US;
	struct access_claims claims = some_claims(), again;
	char token[ACCESS_TOKEN_SIZE];
	size_t size;

	(void)state;
	issue(servers[0], &claims, token);
	size = strlen(token);
	assert_int_equal(access_token_verify(servers[0], ISSUER, AUDIENCE,
			     token, size, end_us - 1, &again),
	    ACCESS_TOKEN_OK);
	memset(&again, 0x5a, sizeof(again));
	assert_int_equal(access_token_verify(servers[0], ISSUER, AUDIENCE,
			     token, size, end_us, &again),
	    ACCESS_TOKEN_EXPIRED);
	assert_same(&claims, &again);

	/* Expired is said of genuine ones only. */
	token[size - 3] = token[size - 3] == 'A' ? 'B' : 'A';
	assert_int_equal(access_token_verify(servers[0], ISSUER, AUDIENCE,
			     token, size, end_us, &again),
	    ACCESS_TOKEN_INVALID);
}

#define SUB   "\"sub\":\"01234567-89ab-4def-8123-456789abcdef\""
#define SID   "\"sid\":\"01234567-89ab-7def-8123-456789abcdef\""
#define JTI   "\"jti\":\"01234567-89ab-4def-8123-456789abcde0\""
#define ISS   "\"iss\":\"" ISSUER "\""
#define AUD   "\"aud\":\"" AUDIENCE "\""
#define IAT   "\"iat\":1800000000"
#define EXP   "\"exp\":1800000900"
#define AMR   "\"amr\":[\"pwd\"]"
#define EMAIL "\"email\":\"a@b.c\""
#define ALL(iss, aud, sub, sid, jti, iat, exp, amr, email) \
	"{" iss "," aud "," sub "," sid "," jti "," iat "," exp "," amr \
	"," email "}"

static const char *const wrong_claims[] = {
	"",
	"null",
	"[]",
	"{}",
	"x",
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR, EMAIL) " x",
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR, EMAIL "," EMAIL),
	/* each claim absent */
	ALL("\"x\":0", AUD, SUB, SID, JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, "\"x\":0", SUB, SID, JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, "\"x\":0", SID, JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, "\"x\":0", JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, "\"x\":0", IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, "\"x\":0", EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, "\"x\":0", AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"x\":0", EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR, "\"x\":0"),
	/* of another kind */
	ALL("\"iss\":[\"" ISSUER "\"]", AUD, SUB, SID, JTI, IAT, EXP, AMR,
	    EMAIL),
	ALL(ISS, "\"aud\":[\"" AUDIENCE "\"]", SUB, SID, JTI, IAT, EXP, AMR,
	    EMAIL),
	ALL(ISS, AUD, "\"sub\":1", SID, JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, "\"sub\":\"\"", SID, JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, "\"sub\":\"who\"", SID, JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, "\"sid\":null", JTI, IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, "\"jti\":true", IAT, EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, "\"iat\":\"1800000000\"", EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, "\"iat\":-1", EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, "\"iat\":1800000900", EXP, AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, "\"exp\":\"1800000900\"", AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, "\"exp\":1800000900.5", AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, "\"exp\":1e300", AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, "\"exp\":1799999999", AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, "\"exp\":null", AMR, EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":\"pwd\"", EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":[]", EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":[\"\"]", EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":[null]", EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":[1]", EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":[\"pwd\",\"otp\"]",
	    EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":[\"sixteen letters!\"]",
	    EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, "\"amr\":[\"p\\u0000d\"]",
	    EMAIL),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR, "\"email\":\"\""),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR, "\"email\":7"),
	ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR,
	    "\"email\":\"a@b.c\\u0000d\""),
};

static void
test_refuses_other_claims(void **state)
{
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], header[ACCESS_TOKEN_SIZE];
	char payload[1024], email[300];

	(void)state;
	issue(servers[0], &claims, token);
	decode(token, 0, header);
	forge(servers[0], header,
	    ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR, EMAIL), token);
	assert_int_equal(verify(servers[0], token, &claims), ACCESS_TOKEN_OK);

	for (size_t i = 0; i < sizeof(wrong_claims) / sizeof(wrong_claims[0]);
	     i++) {
		forge(servers[0], header, wrong_claims[i], token);
		assert_invalid(servers[0], token);
	}

	/* One byte longer than an address may be. */
	memset(email, 'a', EMAIL_SIZE);
	email[EMAIL_SIZE] = '\0';
	snprintf(payload, sizeof(payload),
	    "{" ISS "," AUD "," SUB "," SID "," JTI "," IAT "," EXP "," AMR
	    ",\"email\":\"%s\"}",
	    email);
	forge(servers[0], header, payload, token);
	assert_invalid(servers[0], token);
}

/* Claims that we do not know do no harm. */
static void
test_passes_over_other_claims(void **state)
{
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], header[ACCESS_TOKEN_SIZE];

	(void)state;
	issue(servers[0], &claims, token);
	decode(token, 0, header);
	forge(servers[0], header,
	    ALL(ISS, AUD, SUB, SID, JTI, IAT, EXP, AMR,
		EMAIL ",\"scope\":[\"read\"]"),
	    token);
	assert_int_equal(verify(servers[0], token, &claims), ACCESS_TOKEN_OK);
}

/* The life of a key: not yet, signs, retired, gone. */
static void
test_keys_of_other_times(void **state)
{
	const int64_t retired = NOW + 600 * CLOCK_SECOND_US;
	const int64_t gone = retired + KEY_VERIFIES_SECONDS * CLOCK_SECOND_US;
	char dir[TEMP_DIR_SIZE], why[KEYS_WHY_SIZE];
	char old[KEY_ID_SIZE], next[KEY_ID_SIZE];
	char token[ACCESS_TOKEN_SIZE], header[ACCESS_TOKEN_SIZE];
	struct access_claims claims = some_claims();
	struct keys *keys;
	size_t size;

	(void)state;
	temp_dir_make(dir);
	assert_int_equal(keys_init(dir, why), 0);
	assert_int_equal(keys_new(dir, KEY_ES256, NOW, NOW, old, why), 0);
	assert_int_equal(keys_new(dir, KEY_EDDSA, NOW, retired, next, why), 0);
	assert_int_equal(keys_retire(dir, old, NOW, retired, why), 0);
	keys = keys_open(dir, why);
	temp_dir_remove(dir);
	assert_non_null(keys);

	/* A token with a life of its own, so that the key's end is seen. */
	claims.expires = NOW_SECONDS + 100000;
	issue(keys, &claims, token);
	size = strlen(token);
	assert_non_null(strstr(decode(token, 0, header), old));
	assert_int_equal(access_token_verify(keys, ISSUER, AUDIENCE, token,
			     size, retired, &claims),
	    ACCESS_TOKEN_OK);
	assert_int_equal(access_token_verify(keys, ISSUER, AUDIENCE, token,
			     size, gone - 1, &claims),
	    ACCESS_TOKEN_OK);
	assert_int_equal(access_token_verify(keys, ISSUER, AUDIENCE, token,
			     size, gone, &claims),
	    ACCESS_TOKEN_INVALID);

	assert_int_equal(
	    access_token_issue(keys, ISSUER, AUDIENCE, &claims, retired, token),
	    0);
	assert_non_null(strstr(decode(token, 0, header), next));
	assert_int_equal(verify(keys, token, &claims), ACCESS_TOKEN_OK);
	keys_close(keys);
}

static void
test_no_key_signs(void **state)
{
	struct access_claims claims = some_claims();
	char token[ACCESS_TOKEN_SIZE], dir[TEMP_DIR_SIZE], log[TEMP_PATH_SIZE];

	(void)state;
	temp_dir_make(dir);
	assert_int_equal(log_open(temp_path(dir, "log", log), LOG_FORMAT_PLAIN,
			     LOG_LEVEL_ERROR),
	    0);
	assert_int_equal(access_token_issue(servers[0], ISSUER, AUDIENCE,
			     &claims, NOW - 1, token),
	    -1);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	temp_dir_remove(dir);
}

/* Twice the same answer, and not a moment longer than the token says; no other
 * bytes have it, and none when its key is gone. */
static void
test_cache(void **state)
{
	struct access_cache *cache = access_cache_new();
	char token[ACCESS_TOKEN_SIZE], dir[TEMP_DIR_SIZE];
	char why[KEYS_WHY_SIZE], kid[KEY_ID_SIZE], next[KEY_ID_SIZE];
	const struct access_claims claims = some_claims();
	struct access_claims found;
	struct keys *keys;
	size_t size;

	(void)state;
	temp_dir_make(dir);
	assert_int_equal(keys_init(dir, why), 0);
	assert_int_equal(keys_new(dir, KEY_ES256, NOW, NOW, kid, why), 0);
	keys = keys_open(dir, why);
	assert_non_null(keys);
	issue(keys, &claims, token);
	size = strlen(token);
	for (int i = 0; i < 3; i++) {
		memset(&found, 0, sizeof(found));
		assert_int_equal(access_cache_verify(cache, keys, ISSUER,
				     AUDIENCE, token, size, NOW, &found),
		    ACCESS_TOKEN_OK);
		assert_same(&found, &claims);
	}
	assert_int_equal(access_cache_verify(cache, keys, ISSUER, AUDIENCE,
			     token, size, NOW + LIFE * CLOCK_SECOND_US, &found),
	    ACCESS_TOKEN_EXPIRED);
	assert_int_equal(access_cache_verify(cache, keys, ISSUER, AUDIENCE,
			     token, size - 1, NOW, &found),
	    ACCESS_TOKEN_INVALID);

	assert_int_equal(keys_new(dir, KEY_ES256, NOW, NOW, next, why), 0);
	assert_int_equal(keys_revoke(dir, kid, NOW, why), 0);
	keys_refresh(keys, NOW);
	assert_int_equal(access_cache_verify(cache, keys, ISSUER, AUDIENCE,
			     token, size, NOW, &found),
	    ACCESS_TOKEN_INVALID);
	keys_close(keys);
	temp_dir_remove(dir);
	access_cache_free(cache);
	access_cache_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_longest_of_settings),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_refuses_every_other_character),
		cmocka_unit_test(test_refuses_other_sizes),
		cmocka_unit_test(test_refuses_other_headers),
		cmocka_unit_test(test_refuses_no_signature),
		cmocka_unit_test(test_refuses_der_signatures),
		cmocka_unit_test(test_refuses_strangers),
		cmocka_unit_test(test_refuses_other_parties),
		cmocka_unit_test(test_expires),
		cmocka_unit_test(test_refuses_other_claims),
		cmocka_unit_test(test_passes_over_other_claims),
		cmocka_unit_test(test_keys_of_other_times),
		cmocka_unit_test(test_no_key_signs),
	};

	return cmocka_run_group_tests(tests, start, end);
}
