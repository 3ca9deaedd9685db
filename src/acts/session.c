/* session.c - sessions and the tokens that stand for them. */

#include "acts/session.h"

#include <stdio.h>
#include <string.h>

#include "acts/service.h"
#include "base/clock.h"
#include "base/secret.h"
#include "store/sessions.h"

/* Up to a twentieth shorter, by chance: tokens that were issued in one rush are
 * not all renewed in the next. */
static int64_t
access_life(const struct config *config)
{
	uint32_t chance;

	secret_random(&chance, sizeof(chance));
	return config->access_token_seconds -
	    (int64_t)chance % (config->access_token_seconds / 20 + 1);
}

/* How long the refresh token lives when it is not used again. */
static int64_t
refresh_life(const struct config *config)
{
	return config->session_idle_seconds < config->session_seconds ?
	    config->session_idle_seconds :
	    config->session_seconds;
}

int64_t
session_idle_since(const struct config *config, int64_t now_us)
{
	return now_us - config->session_idle_seconds * CLOCK_SECOND_US;
}

static int
issue_access(const struct service *service, const struct session_owner *owner,
    int64_t now_us, struct session_tokens *tokens)
{
	const struct config *config = service->config;
	struct access_claims claims = {
		.subject = owner->user,
		.session = tokens->session,
		.token = id_random(),
		.issued = now_us / CLOCK_SECOND_US,
	};

	tokens->expires_in = access_life(config);
	tokens->expires_at = claims.issued + tokens->expires_in;
	claims.expires = tokens->expires_at;
	snprintf(claims.email, sizeof(claims.email), "%s", owner->email);
	snprintf(claims.method, sizeof(claims.method), "%s", owner->method);
	return access_token_issue(service->keys, config->issuer,
	    config->audience, &claims, now_us, tokens->access);
}

static enum session_result
result_of(enum store_result result)
{
	switch (result) {
	case STORE_OK:
		return SESSION_OK;
	case STORE_NONE:
		return SESSION_REFUSED;
	case STORE_UNAVAILABLE:
		return SESSION_UNAVAILABLE;
	case STORE_CONFLICT:
	case STORE_FAILED:
		break;
	}
	return SESSION_FAILED;
}

enum session_result
session_open(const struct service *service, const struct session_owner *owner,
    int64_t now_us, struct session_tokens *tokens)
{
	const struct config *config = service->config;
	struct new_session row = {
		.user = owner->user,
		.session = id_ordered(now_us),
		.event = id_ordered(now_us),
		.now_us = now_us,
		.expires_us =
		    now_us + config->session_seconds * CLOCK_SECOND_US,
		.address = owner->address,
		.device = owner->device,
	};
	struct refresh_claims refresh = { row.user, row.session, 0 };
	enum session_result result;

	memset(tokens, 0, sizeof(*tokens));
	tokens->session = row.session;
	tokens->refresh_seconds = refresh_life(config);

	/* Tokens first: a session that nobody could be handed is not written. */
	if (issue_access(service, owner, now_us, tokens) != 0)
		return SESSION_FAILED;
	refresh_token_issue(service->keys, &refresh, tokens->refresh,
	    row.digest);
	result = result_of(store_session_open(service->db, &row));
	if (result != SESSION_OK)
		secret_wipe(tokens, sizeof(*tokens));
	return result;
}
