/* endpoint_refresh.c - POST /auth/refresh and PUT /auth/session: a refresh token
 * becomes a session's tokens, or its cookies. */

#include <string.h>

#include "acts/session.h"
#include "base/secret.h"
#include "web/admit.h"
#include "web/cookie.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/origin.h"
#include "web/welcome.h"

static enum error
error_of(const struct exchange *exchange, enum session_refresh_result result)
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
	case SESSION_REFRESH_THROTTLED:
		return ERROR_THROTTLED;
	case SESSION_REFRESH_ROTATED:
	case SESSION_REFRESH_CURRENT:
	case SESSION_REFRESH_FAILED:
	case SESSION_REFRESH_RESULTS:
		break;
	}
	return welcome_fault(exchange);
}

/* Refresh, or answer why not.  True: the tokens are the caller's to wipe. */
static bool
refresh(struct exchange *exchange, const struct session_refresh *attempt,
    struct session_tokens *tokens)
{
	enum session_refresh_result result;

	result = session_refresh(exchange->service, attempt, tokens);
	exchange->response->outcome = session_refresh_result_name(result);
	if (result == SESSION_REFRESH_ROTATED ||
	    result == SESSION_REFRESH_CURRENT)
		return true;
	if (result == SESSION_REFRESH_THROTTLED)
		error_answer_throttled(exchange->response,
		    tokens->retry_seconds);
	else
		error_answer(exchange->response, error_of(exchange, result),
		    NULL);
	return false;
}

static void
answer_refresh(struct exchange *exchange, const struct admit_refresh *shown)
{
	const struct request *request = exchange->request;
	const struct gateway *gateway = request->gateway;
	const struct session_refresh attempt = {
		.token = shown->token,
		.size = shown->size,
		.beside = shown->beside,
		.rotate = true,
		.address = request->remote_addr,
		.now_us = request->now_us,
	};
	struct session_tokens tokens;

	/* Do not take away the token of somebody who will not hear of the new
	 * one. */
	if (gateway->gone(gateway->self)) {
		error_answer(exchange->response, ERROR_UNAVAILABLE, NULL);
		return;
	}
	if (!refresh(exchange, &attempt, &tokens))
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

/* ---- cookies for a token ------------------------------------------------- */

/* The head of an answer has room for so much beside the cookies. */
#define REDIRECT_LIMIT 900

/* "redirectUrl" of the body, if it has one; or answer that it will not do. */
static bool
read_redirect(struct exchange *exchange, const char **url)
{
	size_t size;

	if (!admit_member(exchange, "redirectUrl", url, &size))
		return false;
	if (*url == NULL)
		return true;
	if (size > REDIRECT_LIMIT)
		return admit_refuse_member(exchange, "redirectUrl",
		    "is too long");
	if (strlen(*url) != size ||
	    !origin_is_allowed_url(exchange->service->config, *url))
		return admit_refuse_member(exchange, "redirectUrl",
		    "must lead to an allowed origin");
	return true;
}

static bool
read_token(struct exchange *exchange, struct session_refresh *attempt)
{
	if (!admit_member(exchange, "refreshToken", &attempt->token,
		&attempt->size))
		return false;
	return attempt->token != NULL ||
	    admit_refuse_member(exchange, "refreshToken", "is missing");
}

/*
 * A page in a frame is handed a session by the page around it, and keeps it in
 * cookies.  The token stays as it is: the frame may be loaded again.
 */
void
endpoint_session_keep(struct exchange *exchange)
{
	const struct request *request = exchange->request;
	const struct client *client = &exchange->client;
	struct session_refresh attempt = {
		.known_by = client->has_session ? &client->session : NULL,
		.owner = client->user,
		.rotate = false,
		.address = request->remote_addr,
		.now_us = request->now_us,
	};
	struct session_tokens tokens;
	const char *url;

	if (!read_token(exchange, &attempt) || !read_redirect(exchange, &url) ||
	    !refresh(exchange, &attempt, &tokens))
		return;
	cookie_set_session(exchange->response, exchange->service->config,
	    request, &tokens);
	exchange->response->status = url != NULL ? 303 : 204;
	if (url != NULL)
		response_header(exchange->response, "Location", "%s", url);
	secret_wipe(&tokens, sizeof(tokens));
}
