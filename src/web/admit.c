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

	if (is_cookie_alone(claim) && !request->authorizer &&
	    !is_safe(request) && !origin_may_act(service->config, request))
		return refuse(exchange, ERROR_ORIGIN);

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
admit_json(struct exchange *exchange, unsigned flags)
{
	const struct request *request = exchange->request;
	struct json_object *detail;
	const char *why;

	if ((flags & (ROUTE_TAKES_JSON | ROUTE_MAY_TAKE_JSON)) == 0)
		return true;
	if (request->body_size == 0)
		return (flags & ROUTE_MAY_TAKE_JSON) != 0 ||
		    refuse(exchange, ERROR_NO_BODY);
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

static bool
refuse_member(struct exchange *exchange, const char *name, const char *why)
{
	struct json_object *detail = json_new_object();

	json_add_string(detail, name, why);
	error_answer(exchange->response, ERROR_BODY_INVALID, detail);
	return false;
}

/* Take the token from the body, if it has one. */
static bool
take_from_body(struct exchange *exchange, struct admit_refresh *shown)
{
	const struct json_object *body = exchange->body;

	if (body == NULL)
		return true;
	if (json_kind(body) != JSON_OBJECT)
		return refuse_member(exchange, "body", "must be an object");
	switch (json_member_kind(body, "refreshToken")) {
	case JSON_ABSENT:
	case JSON_NULL:
		return true;
	case JSON_STRING:
		shown->token = json_member_string(body, "refreshToken",
		    &shown->size);
		return true;
	case JSON_BOOLEAN:
	case JSON_NUMBER:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return refuse_member(exchange, "refreshToken", "must be a string");
}

/* Take it from the cookie, which a browser adds whoever asks it to. */
static bool
take_from_cookie(struct exchange *exchange, enum cookie_result found,
    struct admit_refresh *shown)
{
	switch (found) {
	case COOKIE_ABSENT:
		return refuse(exchange, ERROR_UNAUTHORISED);
	case COOKIE_BAD:
		return refuse(exchange, ERROR_SESSION_TOKEN);
	case COOKIE_FOUND:
		break;
	}
	if (!origin_may_act(exchange->service->config, exchange->request))
		return refuse(exchange, ERROR_ORIGIN);
	shown->token = shown->cookie;
	shown->size = strlen(shown->cookie);
	return true;
}

bool
admit_refresh(struct exchange *exchange, struct admit_refresh *shown)
{
	enum cookie_result found;

	memset(shown, 0, sizeof(*shown));
	found = cookie_refresh(exchange->service->config, exchange->request,
	    shown->cookie, sizeof(shown->cookie));
	if (!take_from_body(exchange, shown))
		return false;
	if (shown->token == NULL)
		return take_from_cookie(exchange, found, shown);
	if (found == COOKIE_FOUND)
		shown->beside = shown->cookie;
	return true;
}
