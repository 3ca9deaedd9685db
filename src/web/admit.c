/* admit.c - who may come in. */

#include "web/admit.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/secret.h"
#include "web/cookie.h"
#include "web/error.h"
#include "web/origin.h"

/* The credentials of a request that had to be decoded or searched for. */
struct shown {
	char session_id[ACCESS_TOKEN_SIZE];
	char cookie[ACCESS_TOKEN_SIZE];
};

/* "Bearer TOKEN" (RFC 6750 2.1); the scheme's case does not matter. */
static const char *
bearer_of(const struct request *request)
{
	const char *text = request->authorization;

	if (text == NULL || strncasecmp(text, "Bearer ", 7) != 0)
		return NULL;
	text += 7;
	return text + strspn(text, " ");
}

static bool
refuse(struct exchange *exchange, enum error error)
{
	error_answer(exchange->response, error, NULL);
	return false;
}

/* Collect what the route looks at, or answer what is wrong with its form. */
static bool
collect(struct exchange *exchange, unsigned flags, struct shown *shown,
    struct client_claim *claim)
{
	const struct request *request = exchange->request;

	claim->bearer = bearer_of(request);
	if (flags & ROUTE_NEEDS_CLIENT)
		claim->api_key = request->api_key;

	switch (request_query(request, "sessionId", shown->session_id,
	    sizeof(shown->session_id))) {
	case QUERY_BAD:
		return refuse(exchange, ERROR_QUERY_INVALID);
	case QUERY_FOUND:
		claim->session_id = shown->session_id;
		break;
	case QUERY_ABSENT:
		break;
	}
	if ((flags & ROUTE_NEEDS_SESSION) == 0)
		return true;
	switch (cookie_access(exchange->service->config, request, shown->cookie,
	    sizeof(shown->cookie))) {
	case COOKIE_BAD:
		return refuse(exchange, ERROR_SESSION_TOKEN);
	case COOKIE_FOUND:
		claim->cookie = shown->cookie;
		break;
	case COOKIE_ABSENT:
		break;
	}
	return true;
}

/* A cookie alone, which a browser adds whoever asks it to. */
static bool
is_cookie_alone(const struct client_claim *claim)
{
	return claim->cookie != NULL && claim->bearer == NULL &&
	    claim->session_id == NULL && claim->api_key == NULL;
}

static bool
is_safe(const struct request *request)
{
	return request->method == METHOD_GET ||
	    request->method == METHOD_OPTIONS;
}

static bool
identify(struct exchange *exchange, unsigned flags,
    const struct client_claim *claim)
{
	const struct service *service = exchange->service;
	const struct request *request = exchange->request;

	if (is_cookie_alone(claim) && !is_safe(request) &&
	    !origin_may_act(service->config, request))
		return refuse(exchange, ERROR_FORBIDDEN);

	switch (client_identify(service, claim, flags & ROUTE_REMEMBERS,
	    request->now_us, &exchange->client)) {
	case CLIENT_OK:
		return true;
	case CLIENT_ABSENT:
		if ((flags & ROUTE_NEEDS_SESSION) == 0 &&
		    service->config->client_auth == CLIENT_AUTH_OPTIONAL)
			return true;
		return refuse(exchange, ERROR_UNAUTHORISED);
	case CLIENT_UNKNOWN:
		return refuse(exchange, ERROR_UNAUTHORISED);
	case CLIENT_TOKEN_INVALID:
		return refuse(exchange, ERROR_SESSION_TOKEN);
	case CLIENT_TOKEN_EXPIRED:
		return refuse(exchange, ERROR_SESSION_EXPIRED);
	case CLIENT_UNAVAILABLE:
		return refuse(exchange, ERROR_UNAVAILABLE);
	case CLIENT_FAILED:
		break;
	}
	return refuse(exchange, ERROR_INTERNAL);
}

bool
admit_caller(struct exchange *exchange, unsigned flags)
{
	struct client_claim claim = { 0 };
	struct shown shown;
	bool admitted;

	if ((flags & (ROUTE_NEEDS_CLIENT | ROUTE_NEEDS_SESSION)) == 0)
		return true;
	admitted = collect(exchange, flags, &shown, &claim) &&
	    identify(exchange, flags, &claim);
	secret_wipe(&shown, sizeof(shown));
	return admitted;
}

bool
admit_person(struct exchange *exchange, struct person *person)
{
	switch (person_find(exchange->service, &exchange->client,
	    exchange->request->now_us, person)) {
	case PERSON_OK:
		return true;
	case PERSON_NOBODY:
		return refuse(exchange, ERROR_FORBIDDEN);
	case PERSON_KEY_GONE:
		return refuse(exchange, ERROR_UNAUTHORISED);
	case PERSON_SESSION_OVER:
		return refuse(exchange, ERROR_SESSION_TOKEN);
	case PERSON_DISABLED:
		return refuse(exchange, ERROR_DISABLED);
	case PERSON_UNAVAILABLE:
		return refuse(exchange, ERROR_UNAVAILABLE);
	case PERSON_FAILED:
		break;
	}
	return refuse(exchange, ERROR_INTERNAL);
}

bool
admit_json(struct exchange *exchange)
{
	const struct request *request = exchange->request;
	struct json_object *detail;
	const char *why;

	if (request->body_size == 0)
		return refuse(exchange, ERROR_NO_BODY);
	if (!request_is_json(request))
		return refuse(exchange, ERROR_NOT_JSON_TYPE);
	exchange->body = json_parse(request->body, request->body_size, &why);
	if (exchange->body != NULL)
		return true;
	detail = json_new_object();
	json_add_string(detail, "reason", why);
	error_answer(exchange->response, ERROR_MALFORMED_JSON, detail);
	return false;
}
