/* endpoint_jwks.c - GET /.well-known/jwks.json: the public keys. */

#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/digest.h"
#include "base/json.h"
#include "token/jwks.h"
#include "web/endpoint.h"
#include "web/error.h"

/* A digest in quotes. */
#define ETAG_SIZE (BASE64URL_LENGTH(DIGEST_SIZE) + 3)

static void
write_etag(struct json_object *set, char etag[static ETAG_SIZE])
{
	char text[BASE64URL_LENGTH(DIGEST_SIZE) + 1];
	unsigned char digest[DIGEST_SIZE];
	size_t size;
	const char *json = json_text(set, &size);

	digest_sha256(json, size, digest);
	base64url_encode(digest, sizeof(digest), text);
	snprintf(etag, ETAG_SIZE, "\"%s\"", text);
}

/*
 * Has the client this very set already (RFC 9110 13.1.2)?  Its list of entity
 * tags need not be taken apart: whoever can write our digest has seen the set.
 */
static bool
is_known(const struct request *request, const char *etag)
{
	const char *known = request->if_none_match;

	return known != NULL &&
	       (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

void
endpoint_jwks(struct exchange *exchange)
{
	struct response *response = exchange->response;
	struct json_object *set = jwks_new(exchange->service->keys,
	    exchange->request->now_us);
	char etag[ETAG_SIZE];

	if (set == NULL) {
		error_answer(response, ERROR_INTERNAL, NULL);
		return;
	}
	write_etag(set, etag);
	response_header(response, "ETag", "%s", etag);
	response->max_age = exchange->service->config->jwks_max_age_seconds;
	if (!is_known(exchange->request, etag)) {
		response_json(response, 200, set);
		return;
	}
	response->status = 304;
	json_free(set);
}
