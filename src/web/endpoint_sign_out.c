/* endpoint_sign_out.c - POST /auth/sign-out: leave this session, the others, or
 * all. */

#include <string.h>

#include "acts/sessions.h"
#include "base/json.h"
#include "web/admit.h"
#include "web/cookie.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/origin.h"

static const struct {
	const char *name;
	enum sessions_scope scope;
} scopes[] = {
	{ "this", SESSIONS_THIS },
	{ "others", SESSIONS_OTHERS },
	{ "all", SESSIONS_ALL },
};

/* "scope" of the body, else "this"; or answer that it is none. */
static bool
read_scope(struct exchange *exchange, enum sessions_scope *scope)
{
	const char *text;
	size_t size;

	*scope = SESSIONS_THIS;
	if (!admit_member(exchange, "scope", &text, &size))
		return false;
	if (text == NULL)
		return true;
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (strlen(scopes[i].name) == size &&
		    memcmp(text, scopes[i].name, size) == 0) {
			*scope = scopes[i].scope;
			return true;
		}
	return admit_refuse_member(exchange, "scope",
	    "must be this, others or all");
}

static void
sign_out(struct exchange *exchange, const struct sessions_leave *leave,
    enum sessions_scope scope)
{
	struct response *response = exchange->response;

	switch (sessions_sign_out(exchange->service, leave, scope)) {
	case SESSIONS_OK:
	case SESSIONS_NONE:
		response->status = 204;
		return;
	case SESSIONS_UNAVAILABLE:
		error_answer(response, ERROR_UNAVAILABLE, NULL);
		return;
	case SESSIONS_FAILED:
		break;
	}
	error_answer(response, ERROR_INTERNAL, NULL);
}

/* Are the cookies of no use?  Where nothing has ended, they may still stand for a
 * session, which nobody could end any more. */
static bool
are_over(const struct exchange *exchange, enum sessions_scope scope)
{
	int status = exchange->response->status;

	return (status == 204 && scope != SESSIONS_OTHERS) ||
	    (status == 401 && !admit_keeps_cookies(exchange));
}

/*
 * The cookies go when they are of no use any more.  But only one of our own pages
 * may have them taken away: a form on somebody else's could show a session of its
 * author's, by ?sessionId=, and would sign the person out who sits before it.
 */
static void
take_cookies(struct exchange *exchange, enum sessions_scope scope)
{
	const struct config *config = exchange->service->config;

	if (are_over(exchange, scope) &&
	    origin_may_act(config, exchange->request))
		cookie_clear_session(exchange->response, config,
		    exchange->request);
}

void
endpoint_sign_out(struct exchange *exchange)
{
	const struct request *request = exchange->request;
	struct sessions_leave leave = {
		.address = request->remote_addr,
		.now_us = request->now_us,
	};
	enum sessions_scope scope;

	if (!read_scope(exchange, &scope))
		return;
	if (admit_leaver(exchange, &leave.user, &leave.session))
		sign_out(exchange, &leave, scope);
	take_cookies(exchange, scope);
}
