/* test_key.c - keys against the vectors of RFC 7515, 7638 and 8037; and what is
 * no key of ours. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/json.h"
#include "base/secret.h"
#include "token/key.h"

/* The key of RFC 7515 appendix A.3, its thumbprint by RFC 7638, and what it
 * signed there. */
static const char es256_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";
static const char es256_kid[] = "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";
static const char es256_message[] =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char es256_signature[] =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
    "pmWQxfKTUJqPP3-Kg6NU1Q";

/* The key of RFC 8037 appendix A.1, its thumbprint (A.3), and what it signed
 * (A.4). */
static const char eddsa_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const char eddsa_kid[] = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
static const char eddsa_message[] =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
static const char eddsa_signature[] =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
    "hVsPt9g7sVvpAr_MuM0KAg";

static const struct vector {
	enum key_algorithm algorithm;
	const char *pem, *kid, *message, *signature;
} vectors[] = {
	{ KEY_ES256, es256_pem, es256_kid, es256_message, es256_signature },
	{ KEY_EDDSA, eddsa_pem, eddsa_kid, eddsa_message, eddsa_signature },
};
#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static const char *
load(struct key *key, enum key_algorithm algorithm, const char *kid,
    const char *pem)
{
	*key = (struct key){ .algorithm = algorithm };
	memcpy(key->kid, kid, strlen(kid) + 1);
	return key_load(key, pem, strlen(pem));
}

static void
load_vector(struct key *key, const struct vector *v)
{
	assert_null(load(key, v->algorithm, v->kid, v->pem));
}

static void
test_vectors(void **state)
{
	unsigned char signature[KEY_SIGNATURE_SIZE];
	struct key key;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &vectors[i];

		load_vector(&key, v);
		assert_int_equal(base64url_decode(v->signature,
				     strlen(v->signature), signature,
				     sizeof(signature)),
		    sizeof(signature));
		assert_true(key_verify(&key, v->message, strlen(v->message),
		    signature));
		key_release(&key);
	}
}

/* Ed25519 signatures have no chance in them. */
static void
test_signs_as_rfc_8037(void **state)
{
	char text[BASE64URL_LENGTH(KEY_SIGNATURE_SIZE) + 1];
	unsigned char signature[KEY_SIGNATURE_SIZE];
	struct key key;

	(void)state;
	load_vector(&key, &vectors[KEY_EDDSA]);
	assert_int_equal(
	    key_sign(&key, eddsa_message, strlen(eddsa_message), signature), 0);
	base64url_encode(signature, sizeof(signature), text);
	assert_string_equal(text, eddsa_signature);
	key_release(&key);
}

static void
test_public_members(void **state)
{
	static const char *const expected[] = {
		[KEY_ES256] =
		    "{\"crv\":\"P-256\",\"kty\":\"EC\","
		    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		[KEY_EDDSA] =
		    "{\"crv\":\"Ed25519\",\"kty\":\"OKP\","
		    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	};
	struct json_object *jwk;
	struct key key;
	size_t size;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		load_vector(&key, &vectors[i]);
		jwk = key_public(&key);
		assert_non_null(jwk);
		assert_string_equal(json_text(jwk, &size), expected[i]);
		json_free(jwk);
		key_release(&key);
	}
}

static void
make(struct key *key, enum key_algorithm algorithm)
{
	*key = (struct key){ .algorithm = algorithm };
	assert_int_equal(key_make(key), 0);
	assert_int_equal(strlen(key->kid), KEY_ID_SIZE - 1);
}

/* Often enough to see r and s that begin with zeros. */
static void
test_made_keys_sign(void **state)
{
	unsigned char signature[KEY_SIGNATURE_SIZE];
	struct key key;
	char message[40];

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		make(&key, vectors[i].algorithm);
		for (int round = 0; round < 600; round++) {
			secret_random(message, sizeof(message));
			assert_int_equal(
			    key_sign(&key, message, sizeof(message), signature),
			    0);
			assert_true(key_verify(&key, message, sizeof(message),
			    signature));
		}
		assert_int_equal(key_sign(&key, "", 0, signature), 0);
		assert_true(key_verify(&key, "", 0, signature));
		key_release(&key);
	}
}

static void
test_refuses_flipped_bits(void **state)
{
	unsigned char signature[KEY_SIGNATURE_SIZE];
	char message[] = "the bytes that are signed";
	struct key key;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		make(&key, vectors[i].algorithm);
		assert_int_equal(
		    key_sign(&key, message, sizeof(message), signature), 0);
		for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
			signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
			assert_false(key_verify(&key, message, sizeof(message),
			    signature));
			signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		for (size_t at = 0; at < sizeof(message); at++) {
			message[at] ^= 1;
			assert_false(key_verify(&key, message, sizeof(message),
			    signature));
			message[at] ^= 1;
		}
		assert_false(
		    key_verify(&key, message, sizeof(message) - 1, signature));
		assert_true(
		    key_verify(&key, message, sizeof(message), signature));
		key_release(&key);
	}
}

/* r or s of 0, or as large as can be. */
static void
test_refuses_odd_signatures(void **state)
{
	static const unsigned char halves[] = { 0x00, 0x01, 0xff };
	unsigned char signature[KEY_SIGNATURE_SIZE];
	struct key key;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		load_vector(&key, &vectors[i]);
		for (int pair = 0; pair < 9; pair++) {
			memset(signature, halves[pair / 3], 32);
			memset(signature + 32, halves[pair % 3], 32);
			assert_false(key_verify(&key, "x", 1, signature));
		}
		key_release(&key);
	}
}

static void
test_refuses_another_keys(void **state)
{
	unsigned char signature[KEY_SIGNATURE_SIZE];
	struct key one, two;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		make(&one, vectors[i].algorithm);
		make(&two, vectors[i].algorithm);
		assert_string_not_equal(one.kid, two.kid);
		assert_int_equal(key_sign(&one, "x", 1, signature), 0);
		assert_true(key_verify(&one, "x", 1, signature));
		assert_false(key_verify(&two, "x", 1, signature));
		key_release(&one);
		key_release(&two);
	}
}

static void
test_pem_comes_back(void **state)
{
	unsigned char signature[KEY_SIGNATURE_SIZE];
	struct key key, again;
	size_t size;
	char *pem;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		make(&key, vectors[i].algorithm);
		pem = key_pem(&key, &size);
		assert_non_null(pem);
		assert_int_equal(strlen(pem), size);
		assert_null(load(&again, key.algorithm, key.kid, pem));
		assert_int_equal(key_sign(&again, "x", 1, signature), 0);
		assert_true(key_verify(&key, "x", 1, signature));
		secret_wipe(pem, size);
		free(pem);
		key_release(&key);
		key_release(&again);
	}
	load_vector(&key, &vectors[KEY_ES256]);
	pem = key_pem(&key, &size);
	assert_string_equal(pem, es256_pem);
	free(pem);
	key_release(&key);
}

/* A private key of another kind as PEM; freed by the caller. */
static char *
strange_pem(EVP_PKEY *pkey, const EVP_CIPHER *cipher)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem;
	long size;

	assert_non_null(pkey);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher,
			     cipher != NULL ? "secret" : NULL,
			     cipher != NULL ? 6 : 0, NULL, NULL),
	    1);
	size = BIO_get_mem_data(bio, &data);
	pem = calloc(1, (size_t)size + 1);
	assert_non_null(pem);
	memcpy(pem, data, (size_t)size);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return pem;
}

static void
assert_refused(enum key_algorithm algorithm, const char *kid, const char *pem)
{
	struct key key;

	assert_non_null(load(&key, algorithm, kid, pem));
	assert_null(key.pair);
}

static void
test_refuses_other_kinds(void **state)
{
	char *pem;

	(void)state;

	/* Right keys, listed with the other's algorithm or kid. */
	assert_refused(KEY_EDDSA, es256_kid, es256_pem);
	assert_refused(KEY_ES256, eddsa_kid, eddsa_pem);
	assert_refused(KEY_ES256, eddsa_kid, es256_pem);
	assert_refused(KEY_EDDSA, es256_kid, eddsa_pem);
	assert_refused(KEY_ES256, "", es256_pem);

	pem = strange_pem(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"), NULL);
	assert_refused(KEY_ES256, es256_kid, pem);
	free(pem);
	pem =
	    strange_pem(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1"), NULL);
	assert_refused(KEY_ES256, es256_kid, pem);
	free(pem);
	pem = strange_pem(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), NULL);
	assert_refused(KEY_EDDSA, eddsa_kid, pem);
	free(pem);
	pem = strange_pem(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024),
	    NULL);
	assert_refused(KEY_ES256, es256_kid, pem);
	assert_refused(KEY_EDDSA, eddsa_kid, pem);
	free(pem);
}

/* It must be refused without asking anybody for the passphrase. */
static void
test_refuses_encrypted(void **state)
{
	char *pem = strange_pem(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
	    EVP_aes_128_cbc());

	(void)state;
	assert_non_null(strstr(pem, "ENCRYPTED"));
	assert_refused(KEY_ES256, es256_kid, pem);
	free(pem);
}

static void
test_refuses_other_texts(void **state)
{
	/* The public half of es256_pem, alone. */
	static const char public[] =
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
	    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
	    "-----END PUBLIC KEY-----\n";
	/* es256_pem with one bit of its private half turned. */
	static const char torn[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
	    "H1136cspYG6+0iY7X1fCE9+E9LOhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
	    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
	    "-----END PRIVATE KEY-----\n";
	char half[sizeof(es256_pem)];

	(void)state;
	assert_refused(KEY_ES256, es256_kid, public);
	assert_refused(KEY_ES256, es256_kid, torn);
	assert_refused(KEY_ES256, es256_kid, "");
	assert_refused(KEY_ES256, es256_kid, "no key");
	assert_refused(KEY_ES256, es256_kid,
	    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
	for (size_t size = 0; size < sizeof(es256_pem) - 2; size += 7) {
		memcpy(half, es256_pem, size);
		half[size] = '\0';
		assert_refused(KEY_ES256, es256_kid, half);
	}
}

static void
test_names(void **state)
{
	static const char *const none[] = { "", "none", "HS256", "es256",
		"ES256 ", "ES25", "ES384", "RS256", "EDDSA" };
	enum key_algorithm algorithm = KEY_ES256;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const char *name = key_algorithm_name(vectors[i].algorithm);

		assert_int_equal(
		    key_algorithm_parse(name, strlen(name), &algorithm), 0);
		assert_int_equal(algorithm, vectors[i].algorithm);
	}
	assert_string_equal(key_algorithm_name(KEY_ES256), "ES256");
	assert_string_equal(key_algorithm_name(KEY_EDDSA), "EdDSA");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(
		    key_algorithm_parse(none[i], strlen(none[i]), &algorithm),
		    -1);
	assert_int_equal(key_algorithm_parse("ES256\0", 6, &algorithm), -1);
}

static void
test_release_twice(void **state)
{
	struct key key = { .algorithm = KEY_ES256 };

	(void)state;
	key_release(&key);
	make(&key, KEY_ES256);
	key_release(&key);
	assert_null(key.pair);
	key_release(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_signs_as_rfc_8037),
		cmocka_unit_test(test_public_members),
		cmocka_unit_test(test_made_keys_sign),
		cmocka_unit_test(test_refuses_flipped_bits),
		cmocka_unit_test(test_refuses_odd_signatures),
		cmocka_unit_test(test_refuses_another_keys),
		cmocka_unit_test(test_pem_comes_back),
		cmocka_unit_test(test_refuses_other_kinds),
		cmocka_unit_test(test_refuses_encrypted),
		cmocka_unit_test(test_refuses_other_texts),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_release_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
