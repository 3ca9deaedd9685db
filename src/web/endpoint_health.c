/* endpoint_health.c - alive, and ready: for load balancers and people. */

#include "base/json.h"
#include "store/schema.h"
#include "web/endpoint.h"
#include "web/error.h"

void
endpoint_health(struct exchange *exchange)
{
	struct json_object *body = json_new_object();

	json_add_string(body, "status", "ok");
	response_json(exchange->response, 200, body);
}

/* Can a sign-in succeed now: database there, schema current, a key to sign with?
 * A newer schema is fine: migrations go first when a fleet is upgraded. */
static const char *
missing(const struct exchange *exchange)
{
	const struct service *service = exchange->service;
	int version;

	if (store_schema_version(service->db, &version) != STORE_OK)
		return "database";
	if (version < migration_count)
		return "schema";
	if (keys_signing(service->keys, exchange->request->now_us) == NULL)
		return "signing key";
	return NULL;
}

void
endpoint_ready(struct exchange *exchange)
{
	const char *what = missing(exchange);
	struct json_object *detail;

	if (what == NULL) {
		endpoint_health(exchange);
		return;
	}
	detail = json_new_object();
	json_add_string(detail, "missing", what);
	error_answer(exchange->response, ERROR_UNAVAILABLE, detail);
}
