/* endpoint_jwks.c - GET /.well-known/jwks.json: the public keys. */

#include "base/json.h"
#include "token/jwks.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/etag.h"

void
endpoint_jwks(struct exchange *exchange)
{
	const struct config *config = exchange->service->config;
	struct response *response = exchange->response;
	struct json_object *set =
	    jwks_new(exchange->service->keys, exchange->request->now_us);
	const char *text;
	size_t size;

	if (set == NULL) {
		error_answer(response, ERROR_INTERNAL, NULL);
		return;
	}
	text = json_text(set, &size);
	if (etag_matches(response, exchange->request, text, size,
		config->jwks_max_age_seconds))
		json_free(set);
	else
		response_json(response, 200, set);
}
