/* key.c - one key that signs access tokens. */

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "token/key.h"

/* A coordinate of P-256, and an Ed25519 public key. */
#define COORDINATE_SIZE 32

/* The longest DER form of a P-256 signature: a sequence of two integers of 33
 * bytes, with a tag and a length each. */
#define DER_SIZE 72

static const struct {
	const char *name;  /* of the algorithm (RFC 7518, RFC 8037) */
	const char *type;  /* of the key, as OpenSSL calls it */
	const char *group; /* of a curve with several */
} algorithms[] = {
	[KEY_ES256] = { "ES256", "EC", "P-256" },
	[KEY_EDDSA] = { "EdDSA", "ED25519", NULL },
};

/*
 * The contexts are made ready once and serve every signature.  Ed25519 hashes the
 * message itself and has one context for both.
 */
struct key_pair {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *signing;   /* ES256 */
	EVP_PKEY_CTX *verifying; /* ES256 */
	EVP_MD_CTX *message;     /* EdDSA */
};

const char *
key_algorithm_name(enum key_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

int
key_algorithm_parse(const char *name, size_t size,
    enum key_algorithm *algorithm)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]);
	     i++) {
		if (strlen(algorithms[i].name) != size ||
		    memcmp(algorithms[i].name, name, size) != 0)
			continue;
		*algorithm = (enum key_algorithm)i;
		return 0;
	}
	return -1;
}

/* Say what OpenSSL could not do, and forget its errors. */
static void
log_openssl(const char *what, const char *name)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	log_error("could not %s \"%s\": %s", what, name,
	    reason != NULL ? reason : "OpenSSL gives no reason");
	ERR_clear_error();
}

static void
pair_free(struct key_pair *pair)
{
	if (pair == NULL)
		return;
	EVP_PKEY_CTX_free(pair->signing);
	EVP_PKEY_CTX_free(pair->verifying);
	EVP_MD_CTX_free(pair->message);
	EVP_PKEY_free(pair->pkey);
	free(pair);
}

static int
pair_prepare_es256(struct key_pair *pair)
{
	pair->signing = EVP_PKEY_CTX_new_from_pkey(NULL, pair->pkey, NULL);
	pair->verifying = EVP_PKEY_CTX_new_from_pkey(NULL, pair->pkey, NULL);
	if (pair->signing == NULL || pair->verifying == NULL)
		return -1;
	if (EVP_PKEY_sign_init(pair->signing) != 1 ||
	    EVP_PKEY_verify_init(pair->verifying) != 1)
		return -1;
	return 0;
}

/* Takes pkey over in any case. */
static struct key_pair *
pair_new(EVP_PKEY *pkey, enum key_algorithm algorithm)
{
	struct key_pair *pair = memory_zeroed(1, sizeof(*pair));
	int ready = -1;

	pair->pkey = pkey;
	switch (algorithm) {
	case KEY_ES256:
		ready = pair_prepare_es256(pair);
		break;
	case KEY_EDDSA:
		pair->message = EVP_MD_CTX_new();
		ready = pair->message != NULL ? 0 : -1;
		break;
	}
	if (ready == 0)
		return pair;
	pair_free(pair);
	return NULL;
}

/* base64url of a coordinate, as a member. */
static int
add_coordinate(struct json_object *jwk, const char *member,
    const EVP_PKEY *pkey, const char *parameter)
{
	char text[BASE64URL_LENGTH(COORDINATE_SIZE) + 1];
	unsigned char bytes[COORDINATE_SIZE];
	BIGNUM *number = NULL;
	int size;

	if (EVP_PKEY_get_bn_param(pkey, parameter, &number) != 1)
		return -1;
	size = BN_bn2binpad(number, bytes, sizeof(bytes));
	BN_free(number);
	if (size != sizeof(bytes))
		return -1;
	base64url_encode(bytes, sizeof(bytes), text);
	json_add_string(jwk, member, text);
	return 0;
}

static int
add_public_es256(struct json_object *jwk, const EVP_PKEY *pkey)
{
	json_add_string(jwk, "crv", "P-256");
	json_add_string(jwk, "kty", "EC");
	if (add_coordinate(jwk, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X) != 0)
		return -1;
	return add_coordinate(jwk, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
}

static int
add_public_eddsa(struct json_object *jwk, const EVP_PKEY *pkey)
{
	char text[BASE64URL_LENGTH(COORDINATE_SIZE) + 1];
	unsigned char bytes[COORDINATE_SIZE];
	size_t size = sizeof(bytes);

	if (EVP_PKEY_get_raw_public_key(pkey, bytes, &size) != 1 ||
	    size != sizeof(bytes))
		return -1;
	base64url_encode(bytes, sizeof(bytes), text);
	json_add_string(jwk, "crv", "Ed25519");
	json_add_string(jwk, "kty", "OKP");
	json_add_string(jwk, "x", text);
	return 0;
}

struct json_object *
key_public(const struct key *key)
{
	struct json_object *jwk = json_new_object();
	int added = -1;

	switch (key->algorithm) {
	case KEY_ES256:
		added = add_public_es256(jwk, key->pair->pkey);
		break;
	case KEY_EDDSA:
		added = add_public_eddsa(jwk, key->pair->pkey);
		break;
	}
	if (added == 0)
		return jwk;
	ERR_clear_error();
	json_free(jwk);
	return NULL;
}

/* The thumbprint of the key's public half (RFC 7638). */
static int
thumbprint(const struct key *key, char kid[static KEY_ID_SIZE])
{
	struct json_object *jwk = key_public(key);
	unsigned char digest[DIGEST_SIZE];
	const char *text;
	size_t size;

	if (jwk == NULL)
		return -1;
	text = json_text(jwk, &size);
	digest_sha256(text, size, digest);
	base64url_encode(digest, sizeof(digest), kid);
	json_free(jwk);
	return 0;
}

int
key_make(struct key *key)
{
	const char *type = algorithms[key->algorithm].type;
	const char *group = algorithms[key->algorithm].group;
	EVP_PKEY *pkey;

	/* The group is one more argument for those types that have several. */
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, type, group);
	if (pkey != NULL)
		key->pair = pair_new(pkey, key->algorithm);
	if (pkey == NULL || key->pair == NULL) {
		log_openssl("make a signing key for",
		    key_algorithm_name(key->algorithm));
		return -1;
	}
	if (thumbprint(key, key->kid) != 0) {
		log_openssl("read the key just made for",
		    key_algorithm_name(key->algorithm));
		key_release(key);
		return -1;
	}
	return 0;
}

/* Instead of OpenSSL's own, which would ask on the terminal. */
static int
no_passphrase(char *buffer, int size, int writing, void *user)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)user;
	return -1;
}

static EVP_PKEY *
read_pem(const char *pem, size_t size)
{
	EVP_PKEY *pkey;
	BIO *bio;

	if (size > INT32_MAX)
		return NULL;
	bio = BIO_new_mem_buf(pem, (int)size);
	if (bio == NULL)
		return NULL;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return pkey;
}

static bool
is_of_algorithm(const EVP_PKEY *pkey, enum key_algorithm algorithm)
{
	char group[32];

	if (EVP_PKEY_is_a(pkey, algorithms[algorithm].type) != 1)
		return false;
	if (algorithms[algorithm].group == NULL)
		return true;
	return EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0;
}

static bool
is_whole(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool whole = context != NULL && EVP_PKEY_pairwise_check(context) == 1;

	EVP_PKEY_CTX_free(context);
	return whole;
}

/* The same, and OpenSSL's errors stay. */
static const char *
load(struct key *key, const char *pem, size_t size)
{
	EVP_PKEY *pkey = read_pem(pem, size);
	char kid[KEY_ID_SIZE];

	if (pkey == NULL)
		return "not an unencrypted private key in PEM";
	if (!is_of_algorithm(pkey, key->algorithm)) {
		EVP_PKEY_free(pkey);
		return "not a key for the algorithm it is listed with";
	}
	if (!is_whole(pkey)) {
		EVP_PKEY_free(pkey);
		return "its public and private half do not belong together";
	}
	key->pair = pair_new(pkey, key->algorithm);
	if (key->pair == NULL)
		return "refused by OpenSSL";
	if (thumbprint(key, kid) == 0 && strcmp(kid, key->kid) == 0)
		return NULL;
	key_release(key);
	return "not the key that its name tells";
}

const char *
key_load(struct key *key, const char *pem, size_t size)
{
	const char *wrong = load(key, pem, size);

	ERR_clear_error();
	return wrong;
}

char *
key_pem(const struct key *key, size_t *size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem = NULL;
	long length;

	if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key->pair->pkey,
			       NULL, NULL, 0, NULL, NULL) == 1) {
		length = BIO_get_mem_data(bio, &data);
		pem = memory_text_part(data, (size_t)length);
		*size = (size_t)length;
	} else {
		log_openssl("write as PEM the key", key->kid);
	}

	/* A memory BIO wipes what it held. */
	BIO_free(bio);
	return pem;
}

void
key_release(struct key *key)
{
	pair_free(key->pair);
	key->pair = NULL;
}

/* From the DER form to r and s, 32 bytes each (RFC 7518 section 3.4). */
static int
raw_of_der(const unsigned char *der, size_t size,
    unsigned char raw[static KEY_SIGNATURE_SIZE])
{
	ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &der, (long)size);
	int r, s;

	if (parts == NULL)
		return -1;
	r = BN_bn2binpad(ECDSA_SIG_get0_r(parts), raw, COORDINATE_SIZE);
	s = BN_bn2binpad(ECDSA_SIG_get0_s(parts), raw + COORDINATE_SIZE,
	    COORDINATE_SIZE);
	ECDSA_SIG_free(parts);
	return r == COORDINATE_SIZE && s == COORDINATE_SIZE ? 0 : -1;
}

/* And back; returns the size of the DER form, or -1. */
static int
der_of_raw(const unsigned char raw[static KEY_SIGNATURE_SIZE],
    unsigned char der[static DER_SIZE])
{
	ECDSA_SIG *parts = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, COORDINATE_SIZE, NULL);
	BIGNUM *s = BN_bin2bn(raw + COORDINATE_SIZE, COORDINATE_SIZE, NULL);
	int size = -1;

	if (parts == NULL || ECDSA_SIG_set0(parts, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		size = i2d_ECDSA_SIG(parts, &der);
	}
	ECDSA_SIG_free(parts);
	return size;
}

static int
sign_es256(struct key_pair *pair, const void *bytes, size_t size,
    unsigned char signature[static KEY_SIGNATURE_SIZE])
{
	unsigned char digest[DIGEST_SIZE], der[DER_SIZE];
	size_t der_size = sizeof(der);

	digest_sha256(bytes, size, digest);
	if (EVP_PKEY_sign(pair->signing, der, &der_size, digest,
		sizeof(digest)) != 1)
		return -1;
	return raw_of_der(der, der_size, signature);
}

static int
sign_eddsa(struct key_pair *pair, const void *bytes, size_t size,
    unsigned char signature[static KEY_SIGNATURE_SIZE])
{
	size_t signature_size = KEY_SIGNATURE_SIZE;

	if (EVP_DigestSignInit_ex(pair->message, NULL, NULL, NULL, NULL,
		pair->pkey, NULL) != 1)
		return -1;
	if (EVP_DigestSign(pair->message, signature, &signature_size, bytes,
		size) != 1)
		return -1;
	return signature_size == KEY_SIGNATURE_SIZE ? 0 : -1;
}

int
key_sign(const struct key *key, const void *bytes, size_t size,
    unsigned char signature[static KEY_SIGNATURE_SIZE])
{
	int result = -1;

	switch (key->algorithm) {
	case KEY_ES256:
		result = sign_es256(key->pair, bytes, size, signature);
		break;
	case KEY_EDDSA:
		result = sign_eddsa(key->pair, bytes, size, signature);
		break;
	}
	if (result != 0)
		log_openssl("sign with the key", key->kid);
	return result;
}

static bool
verify_es256(struct key_pair *pair, const void *bytes, size_t size,
    const unsigned char signature[static KEY_SIGNATURE_SIZE])
{
	unsigned char digest[DIGEST_SIZE], der[DER_SIZE];
	int der_size = der_of_raw(signature, der);

	if (der_size <= 0)
		return false;
	digest_sha256(bytes, size, digest);
	return EVP_PKEY_verify(pair->verifying, der, (size_t)der_size, digest,
		   sizeof(digest)) == 1;
}

static bool
verify_eddsa(struct key_pair *pair, const void *bytes, size_t size,
    const unsigned char signature[static KEY_SIGNATURE_SIZE])
{
	if (EVP_DigestVerifyInit_ex(pair->message, NULL, NULL, NULL, NULL,
		pair->pkey, NULL) != 1)
		return false;
	return EVP_DigestVerify(pair->message, signature, KEY_SIGNATURE_SIZE,
		   bytes, size) == 1;
}

bool
key_verify(const struct key *key, const void *bytes, size_t size,
    const unsigned char signature[static KEY_SIGNATURE_SIZE])
{
	bool genuine = false;

	switch (key->algorithm) {
	case KEY_ES256:
		genuine = verify_es256(key->pair, bytes, size, signature);
		break;
	case KEY_EDDSA:
		genuine = verify_eddsa(key->pair, bytes, size, signature);
		break;
	}

	/* Its reasons for no are nobody's business. */
	if (!genuine)
		ERR_clear_error();
	return genuine;
}
