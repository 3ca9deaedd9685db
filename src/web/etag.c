/* etag.c - an entity tag is the digest of what it names. */

#include "web/etag.h"

#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/digest.h"

/* A digest in quotes. */
#define ETAG_SIZE (BASE64URL_LENGTH(DIGEST_SIZE) + 3)

static void
write_etag(const char *body, size_t size, char etag[static ETAG_SIZE])
{
	char text[BASE64URL_LENGTH(DIGEST_SIZE) + 1];
	unsigned char digest[DIGEST_SIZE];

	digest_sha256(body, size, digest);
	base64url_encode(digest, sizeof(digest), text);
	snprintf(etag, ETAG_SIZE, "\"%s\"", text);
}

/*
 * Has the client this very body already (RFC 9110 13.1.2)?  Its list of entity
 * tags need not be taken apart: whoever can write our digest has seen the body.
 */
static bool
is_known(const struct request *request, const char *etag)
{
	const char *known = request->if_none_match;

	return known != NULL &&
	       (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

bool
etag_matches(struct response *response, const struct request *request,
    const char *body, size_t size, int max_age)
{
	char etag[ETAG_SIZE];

	write_etag(body, size, etag);
	response_header(response, "ETag", "%s", etag);
	response->max_age = max_age;
	if (!is_known(request, etag))
		return false;
	response->status = 304;
	return true;
}
