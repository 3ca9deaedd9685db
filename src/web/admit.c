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

/* Every refusal has its reason, but for this one: there was nothing to judge. */
#define NOTHING_SHOWN ERROR_COUNT

static bool
refuse(struct exchange *exchange, enum error why)
{
	if (why == NOTHING_SHOWN)
		why = ERROR_UNAUTHORISED;
	error_answer(exchange->response, why, NULL);
	return false;
}

static bool
fail(enum error *why, enum error reason)
{
	*why = reason;
	return false;
}

/* Collect what the route looks at.  False: something is wrong with its form. */
static bool
collect(const struct exchange *exchange, unsigned flags, struct shown *shown,
    struct client_claim *claim, enum error *why)
{
	const struct request *request = exchange->request;

	claim->bearer = bearer_of(request);
	if (flags & ROUTE_NEEDS_CLIENT)
		claim->api_key = request->api_key;

	switch (request_query(request, "sessionId", shown->session_id,
	    sizeof(shown->session_id))) {
	case QUERY_BAD:
		return fail(why, ERROR_QUERY_INVALID);
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
	case COOKIE_BAD: /* "", which is no token either */
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

/* Does it change nothing here?  An authorizer asks no more than who it is. */
static bool
is_safe(const struct request *request)
{
	return request->authorizer || request->method == METHOD_GET ||
	    request->method == METHOD_OPTIONS;
}

static bool
identify(struct exchange *exchange, unsigned flags,
    const struct client_claim *claim, enum error *why)
{
	const struct service *service = exchange->service;
	const struct request *request = exchange->request;

	if (is_cookie_alone(claim) && !is_safe(request) &&
	    !origin_may_act(service->config, request))
		return fail(why, ERROR_ORIGIN);

	switch (client_identify(service, claim, flags & ROUTE_REMEMBERS,
	    request->now_us, &exchange->client)) {
	case CLIENT_OK:
		return true;
	case CLIENT_ABSENT:
		return fail(why, NOTHING_SHOWN);
	case CLIENT_UNKNOWN:
		return fail(why, ERROR_UNAUTHORISED);
	case CLIENT_TOKEN_INVALID:
		return fail(why, ERROR_SESSION_TOKEN);
	case CLIENT_TOKEN_EXPIRED:
		return fail(why, ERROR_SESSION_EXPIRED);
	case CLIENT_UNAVAILABLE:
		return fail(why, ERROR_UNAVAILABLE);
	case CLIENT_FAILED:
		break;
	}
	return fail(why, ERROR_INTERNAL);
}

/* Know the caller, or why not. */
static bool
know(struct exchange *exchange, unsigned flags, enum error *why)
{
	struct client_claim claim = { 0 };
	struct shown shown;
	bool known;

	known = collect(exchange, flags, &shown, &claim, why) &&
	    identify(exchange, flags, &claim, why);
	secret_wipe(&shown, sizeof(shown));
	return known;
}

bool
admit_caller(struct exchange *exchange, unsigned flags)
{
	enum error why;

	if ((flags & (ROUTE_NEEDS_CLIENT | ROUTE_NEEDS_SESSION)) == 0 ||
	    know(exchange, flags, &why))
		return true;
	if (why == NOTHING_SHOWN && (flags & ROUTE_NEEDS_SESSION) == 0 &&
	    exchange->service->config->client_auth == CLIENT_AUTH_OPTIONAL)
		return true;
	return refuse(exchange, why);
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

bool
admit_refuse_member(struct exchange *exchange, const char *name,
    const char *reason)
{
	struct json_object *detail = json_new_object();

	json_add_string(detail, name, reason);
	error_answer(exchange->response, ERROR_BODY_INVALID, detail);
	return false;
}

bool
admit_member(struct exchange *exchange, const char *name, const char **text,
    size_t *size)
{
	const struct json_object *body = exchange->body;

	*text = NULL;
	if (body == NULL)
		return true;
	if (json_kind(body) != JSON_OBJECT)
		return admit_refuse_member(exchange, "body",
		    "must be an object");
	switch (json_member_kind(body, name)) {
	case JSON_ABSENT:
	case JSON_NULL:
		return true;
	case JSON_STRING:
		*text = json_member_string(body, name, size);
		return true;
	case JSON_BOOLEAN:
	case JSON_NUMBER:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return admit_refuse_member(exchange, name, "must be a string");
}

/* Take the token from the cookie, which a browser adds whoever asks it to. */
static bool
take_cookie(const struct exchange *exchange, enum cookie_result found,
    struct admit_refresh *shown, enum error *why)
{
	switch (found) {
	case COOKIE_ABSENT:
		return fail(why, NOTHING_SHOWN);
	case COOKIE_BAD:
		return fail(why, ERROR_SESSION_TOKEN);
	case COOKIE_FOUND:
		break;
	}
	if (!origin_may_act(exchange->service->config, exchange->request))
		return fail(why, ERROR_ORIGIN);
	shown->token = shown->cookie;
	shown->size = strlen(shown->cookie);
	return true;
}

/* Find a refresh token: the body's, if it has one. */
static bool
find_refresh(const struct exchange *exchange, struct admit_refresh *shown,
    enum error *why)
{
	enum cookie_result found = cookie_refresh(exchange->service->config,
	    exchange->request, shown->cookie, sizeof(shown->cookie));

	if (shown->token == NULL)
		return take_cookie(exchange, found, shown, why);
	if (found == COOKIE_FOUND)
		shown->beside = shown->cookie;
	return true;
}

bool
admit_refresh(struct exchange *exchange, struct admit_refresh *shown)
{
	enum error why;

	memset(shown, 0, sizeof(*shown));
	if (!admit_member(exchange, "refreshToken", &shown->token,
		&shown->size))
		return false;
	return find_refresh(exchange, shown, &why) || refuse(exchange, why);
}

/* ---- leaving ------------------------------------------------------------- */

/* Of which session the good tokens are that a request shows. */
struct told {
	bool known;
	struct id user;
	struct id session;
};

/* One more; false: it is of another session. */
static bool
tell(struct told *told, const struct id *user, const struct id *session)
{
	if (told->known)
		return id_equal(&told->user, user) &&
		    id_equal(&told->session, session);
	told->known = true;
	told->user = *user;
	told->session = *session;
	return true;
}

static bool
open_refresh(const struct exchange *exchange, const char *token, size_t size,
    struct refresh_claims *claims)
{
	unsigned char digest[DIGEST_SIZE];

	return refresh_token_open(exchange->service->keys, token, size, claims,
		   digest) == 0;
}

/* A refresh token, which tells nothing when it is not genuine. */
static bool
tell_refresh(const struct exchange *exchange, struct told *told,
    const char *token, size_t size)
{
	struct refresh_claims claims;

	return token == NULL ||
	    !open_refresh(exchange, token, size, &claims) ||
	    tell(told, &claims.user, &claims.session);
}

/* All that is good must be of one session, also where it is not what admits. */
static bool
tell_all(const struct exchange *exchange, const struct admit_refresh *shown,
    struct told *told)
{
	const struct client *client = &exchange->client;

	if (client->has_session &&
	    !tell(told, &client->session.subject, &client->session.session))
		return false;
	return tell_refresh(exchange, told, shown->token, shown->size) &&
	    tell_refresh(exchange, told, shown->cookie, strlen(shown->cookie));
}

/* Is a refresh token enough where the access token was refused for this?  Its time
 * is over, or its key or issuer is another one by now: people must be able to leave
 * all the same. */
static bool
refresh_will_do(enum error why)
{
	return why == NOTHING_SHOWN || why == ERROR_SESSION_EXPIRED ||
	    why == ERROR_SESSION_TOKEN;
}

/* That a refresh token is genuine is enough to leave with it. */
static bool
know_leaver(struct exchange *exchange, struct admit_refresh *shown,
    struct told *told, enum error *why)
{
	bool known = know(exchange, ROUTE_NEEDS_SESSION, why);
	struct refresh_claims claims;
	enum error other;
	bool found;

	if (!known && !refresh_will_do(*why))
		return false;
	found = find_refresh(exchange, shown, &other);
	if (!tell_all(exchange, shown, told))
		return fail(why, ERROR_UNAUTHORISED);
	if (known)
		return true;
	if (!found)
		return fail(why, other != NOTHING_SHOWN ? other : *why);
	if (!open_refresh(exchange, shown->token, shown->size, &claims))
		return fail(why, ERROR_SESSION_TOKEN);
	return true;
}

bool
admit_leaver(struct exchange *exchange, struct id *user, struct id *session)
{
	struct admit_refresh shown = { 0 };
	struct told told = { 0 };
	enum error why;
	bool known;

	if (!admit_member(exchange, "refreshToken", &shown.token, &shown.size))
		return false;
	known = know_leaver(exchange, &shown, &told, &why);
	secret_wipe(&shown, sizeof(shown));
	if (!known)
		return refuse(exchange, why);
	*user = told.user;
	*session = told.session;
	return true;
}

bool
admit_keeps_cookies(const struct exchange *exchange)
{
	char token[REFRESH_TOKEN_SIZE];
	struct refresh_claims claims;
	bool genuine;

	genuine = cookie_refresh(exchange->service->config, exchange->request,
		      token, sizeof(token)) == COOKIE_FOUND &&
	    open_refresh(exchange, token, strlen(token), &claims);
	secret_wipe(token, sizeof(token));
	return genuine;
}
