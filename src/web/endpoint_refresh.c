/* endpoint_refresh.c - POST /auth/refresh and PUT /auth/session: a refresh token
 * becomes a session's tokens, or its cookies. */

#include "acts/session.h"
#include "base/json.h"
#include "base/secret.h"
#include "web/admit.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/welcome.h"

static enum error
error_of(enum session_refresh_result result)
{
	switch (result) {
	case SESSION_REFRESH_INVALID:
	case SESSION_REFRESH_OVER:
	case SESSION_REFRESH_REUSED:
		return ERROR_SESSION_TOKEN;
	case SESSION_REFRESH_EXPIRED:
		return ERROR_SESSION_EXPIRED;
	case SESSION_REFRESH_TWO:
		return ERROR_UNAUTHORISED;
	case SESSION_REFRESH_DISABLED:
		return ERROR_DISABLED;
	case SESSION_REFRESH_UNAVAILABLE:
		return ERROR_UNAVAILABLE;
	case SESSION_REFRESH_ROTATED:
	case SESSION_REFRESH_CURRENT:
	case SESSION_REFRESH_FAILED:
		break;
	}
	return ERROR_INTERNAL;
}

/* Refresh, or answer why not.  True: the tokens are the caller's to wipe. */
static bool
refresh(struct exchange *exchange, const struct admit_refresh *shown,
    bool rotate, struct session_tokens *tokens)
{
	const struct request *request = exchange->request;
	const struct session_refresh attempt = {
		.token = shown->token,
		.size = shown->size,
		.beside = shown->beside,
		.rotate = rotate,
		.address = request->remote_addr,
		.now_us = request->now_us,
	};
	enum session_refresh_result result;

	result = session_refresh(exchange->service, &attempt, tokens);
	exchange->response->outcome = session_refresh_result_name(result);
	if (result == SESSION_REFRESH_ROTATED ||
	    result == SESSION_REFRESH_CURRENT)
		return true;
	error_answer(exchange->response, error_of(result), NULL);
	return false;
}

static void
answer_refresh(struct exchange *exchange, const struct admit_refresh *shown)
{
	const struct gateway *gateway = exchange->request->gateway;
	struct session_tokens tokens;

	/* Do not take away the token of somebody who will not hear of the new
	 * one. */
	if (gateway->gone(gateway->self)) {
		error_answer(exchange->response, ERROR_UNAVAILABLE, NULL);
		return;
	}
	if (!refresh(exchange, shown, true, &tokens))
		return;
	welcome_answer(exchange, "Refreshed.", &tokens);
	secret_wipe(&tokens, sizeof(tokens));
}

void
endpoint_refresh(struct exchange *exchange)
{
	struct admit_refresh shown;

	if (admit_refresh(exchange, &shown))
		answer_refresh(exchange, &shown);
	secret_wipe(&shown, sizeof(shown));
}
