/* access_token.c - access tokens: signed and verified. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/secret.h"
#include "token/access_token.h"

/* A header, encoded, and its NUL. */
#define HEADER_ROOM 128

#define SIGNATURE_LENGTH BASE64URL_LENGTH(KEY_SIGNATURE_SIZE)

/* header "." claims "." signature: where the dots are, and the end. */
struct parts {
	size_t header_end;
	size_t claims_end;
	size_t end;
};

/* The header of all that a key signs, encoded; returns its length. */
static size_t
write_header(const struct key *key, char header[static HEADER_ROOM])
{
	char text[HEADER_ROOM * 3 / 4];
	int size = snprintf(text, sizeof(text),
	    "{\"typ\":\"at+jwt\",\"alg\":\"%s\",\"kid\":\"%s\"}",
	    key_algorithm_name(key->algorithm), key->kid);

	return base64url_encode(text, (size_t)size, header);
}

static void
write_id(struct json_write *write, const char *name, const struct id *id)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	json_write_string(write, name, text);
}

/* The claims' JSON; returns its length, or 0 when there is no room for it. */
static size_t
write_claims(const char *issuer, const char *audience,
    const struct access_claims *claims, char *text, size_t room)
{
	struct json_write write;

	json_write_begin(&write, text, room);
	json_write_string(&write, "iss", issuer);
	json_write_string(&write, "aud", audience);
	write_id(&write, "sub", &claims->subject);
	write_id(&write, "sid", &claims->session);
	json_write_int(&write, "iat", claims->issued);
	json_write_int(&write, "exp", claims->expires);
	write_id(&write, "jti", &claims->token);
	json_write_strings(&write, "amr", claims->method);
	json_write_string(&write, "email", claims->email);
	return json_write_end(&write);
}

/* Header, dot and claims: what is signed.  Returns the length, or 0 when there
 * is no room for it and a signature. */
static size_t
write_signed_part(const struct key *key, const char *claims, size_t size,
    char token[static ACCESS_TOKEN_SIZE])
{
	size_t length = write_header(key, token);

	if (length + 1 + BASE64URL_LENGTH(size) + 1 + SIGNATURE_LENGTH >=
	    ACCESS_TOKEN_SIZE)
		return 0;
	token[length++] = '.';
	return length + base64url_encode(claims, size, token + length);
}

int
access_token_issue(const struct keys *keys, const char *issuer,
    const char *audience, const struct access_claims *claims, int64_t now_us,
    char token[static ACCESS_TOKEN_SIZE])
{
	const struct key *key = keys_signing(keys, now_us);
	unsigned char signature[KEY_SIGNATURE_SIZE];
	char text[ACCESS_TOKEN_SIZE];
	size_t size, length = 0;

	if (key == NULL) {
		log_error("could not issue an access token: no key signs now; "
			  "posternctl key new makes one");
		return -1;
	}
	size = write_claims(issuer, audience, claims, text, sizeof(text));
	if (size > 0)
		length = write_signed_part(key, text, size, token);
	secret_wipe(text, size);
	if (length == 0) {
		log_error("could not issue an access token: issuer and "
			  "audience are too long");
		return -1;
	}
	if (key_sign(key, token, length, signature) != 0)
		return -1;
	token[length++] = '.';
	base64url_encode(signature, sizeof(signature), token + length);
	return 0;
}

static int
split(const char *token, size_t size, struct parts *parts)
{
	const char *dot = memchr(token, '.', size);

	if (dot == NULL)
		return -1;
	parts->header_end = (size_t)(dot - token);
	dot = memchr(dot + 1, '.', size - parts->header_end - 1);
	if (dot == NULL)
		return -1;
	parts->claims_end = (size_t)(dot - token);
	parts->end = size;
	return 0;
}

/* The key that writes this header and may still verify, or NULL. */
static const struct key *
key_of_header(const struct keys *keys, const char *header, size_t size,
    int64_t now_us)
{
	char expected[HEADER_ROOM];
	const struct key *key;

	for (size_t i = 0; i < keys_count(keys); i++) {
		key = keys_at(keys, i);
		if (write_header(key, expected) != size ||
		    memcmp(expected, header, size) != 0)
			continue;
		return keys_state(keys, key, now_us) != KEY_GONE ? key : NULL;
	}
	return NULL;
}

static bool
is_signed_by(const struct key *key, const char *token,
    const struct parts *parts)
{
	unsigned char signature[KEY_SIGNATURE_SIZE];
	const char *text = token + parts->claims_end + 1;

	if (base64url_decode(text, parts->end - parts->claims_end - 1,
		signature, sizeof(signature)) != sizeof(signature))
		return false;
	return key_verify(key, token, parts->claims_end, signature);
}

/* Is the member this text? */
static bool
is_text(const struct json_object *object, const char *name, const char *text)
{
	size_t size;
	const char *member = json_member_string(object, name, &size);

	return member != NULL && size == strlen(text) &&
	       memcmp(member, text, size) == 0;
}

static int
read_id(const struct json_object *object, const char *name, struct id *id)
{
	size_t size;
	const char *text = json_member_string(object, name, &size);

	return text != NULL ? id_parse(text, size, id) : -1;
}

/* Copy a text that is not empty, fits with its NUL, and holds none. */
static int
copy_text(const char *text, size_t size, char *copy, size_t room)
{
	if (text == NULL || size == 0 || size >= room ||
	    memchr(text, '\0', size) != NULL)
		return -1;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return 0;
}

static int
read_method(const struct json_object *object,
    char method[static ACCESS_METHOD_SIZE])
{
	struct json_object *methods = json_member(object, "amr");
	const char *text;
	size_t size;

	if (json_kind(methods) != JSON_ARRAY || json_array_length(methods) != 1)
		return -1;
	text = json_string(json_array_item(methods, 0), &size);
	return copy_text(text, size, method, ACCESS_METHOD_SIZE);
}

static int
read_claims(const struct json_object *object, struct access_claims *claims)
{
	const char *email;
	size_t size;

	if (read_id(object, "sub", &claims->subject) != 0 ||
	    read_id(object, "sid", &claims->session) != 0 ||
	    read_id(object, "jti", &claims->token) != 0)
		return -1;
	if (!json_member_int(object, "iat", &claims->issued) ||
	    !json_member_int(object, "exp", &claims->expires))
		return -1;
	if (claims->issued < 0 || claims->expires <= claims->issued)
		return -1;
	if (read_method(object, claims->method) != 0)
		return -1;
	email = json_member_string(object, "email", &size);
	return copy_text(email, size, claims->email, sizeof(claims->email));
}

/* The claims' JSON, owned by the caller, or NULL. */
static struct json_object *
parse_claims(const char *token, const struct parts *parts)
{
	char text[ACCESS_TOKEN_SIZE];
	const char *why;
	ssize_t size = base64url_decode(token + parts->header_end + 1,
	    parts->claims_end - parts->header_end - 1, text, sizeof(text));

	return size > 0 ? json_parse(text, (size_t)size, &why) : NULL;
}

enum access_token_result
access_token_verify(const struct keys *keys, const char *issuer,
    const char *audience, const char *token, size_t size, int64_t now_us,
    struct access_claims *claims)
{
	struct access_claims found = { 0 };
	struct json_object *object;
	const struct key *key;
	struct parts parts;
	bool valid;

	if (size >= ACCESS_TOKEN_SIZE || split(token, size, &parts) != 0)
		return ACCESS_TOKEN_INVALID;
	key = key_of_header(keys, token, parts.header_end, now_us);
	if (key == NULL || !is_signed_by(key, token, &parts))
		return ACCESS_TOKEN_INVALID;

	object = parse_claims(token, &parts);
	if (object == NULL)
		return ACCESS_TOKEN_INVALID;
	valid = is_text(object, "iss", issuer) &&
		is_text(object, "aud", audience) &&
		read_claims(object, &found) == 0;
	json_free(object);
	if (!valid)
		return ACCESS_TOKEN_INVALID;
	*claims = found;
	return now_us / CLOCK_SECOND_US < found.expires ? ACCESS_TOKEN_OK
							: ACCESS_TOKEN_EXPIRED;
}
