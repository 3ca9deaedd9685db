/* session.c - sessions and the tokens that stand for them. */

#include "acts/session.h"

#include <stdio.h>
#include <string.h>

#include "acts/account_status.h"
#include "acts/ended.h"
#include "acts/service.h"
#include "acts/throttle.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "store/sessions.h"

/* Up to a twentieth shorter, by chance: tokens that were issued in one rush are
 * not all renewed in the next. */
static int64_t
access_life(const struct config *config)
{
	uint32_t chance;

	secret_chance(&chance, sizeof(chance));
	return config->access_token_seconds -
	    (int64_t)chance % (config->access_token_seconds / 20 + 1);
}

int64_t
session_idle_since(const struct config *config, int64_t now_us)
{
	return now_us - config->session_idle_seconds * CLOCK_SECOND_US;
}

static int64_t
lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* An access token of the session, and what both of its tokens' lives are; it
 * lives no longer than the session. */
static int
issue_access(const struct service *service, const struct session_owner *owner,
    int64_t rotated_us, int64_t expires_us, int64_t now_us,
    struct session_tokens *tokens)
{
	const struct config *config = service->config;
	struct access_claims claims = {
		.subject = owner->user,
		.session = tokens->session,
		.token = id_random(),
		.issued = now_us / CLOCK_SECOND_US,
	};
	int64_t left = expires_us / CLOCK_SECOND_US - claims.issued;
	int64_t idle_us =
	    rotated_us - session_idle_since(config, now_us);

	tokens->expires_in = lesser(access_life(config), left);
	tokens->expires_at = claims.issued + tokens->expires_in;
	tokens->refresh_seconds = lesser(left, idle_us / CLOCK_SECOND_US);
	claims.expires = tokens->expires_at;
	snprintf(claims.email, sizeof(claims.email), "%s", owner->email);
	/* RFC 8176 has a word for passwords only. */
	snprintf(claims.method, sizeof(claims.method), "%s",
	    id_is_nil(&owner->key) ? "pwd" : "apikey");
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
		return SESSION_THROTTLED;
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
		.key = owner->key,
		.address = owner->address,
		.device = owner->device,
		.rule = owner->rule,
		.login_key = owner->login_key,
		.password_changed_us = owner->password_changed_us,
	};
	struct refresh_claims refresh = { row.user, row.session, 0 };
	enum session_result result;
	int64_t locked_until_us = 0;

	memset(tokens, 0, sizeof(*tokens));
	tokens->session = row.session;

	/* Tokens first: a session that nobody could be handed is not written. */
	if (issue_access(service, owner, now_us, row.expires_us, now_us,
		tokens) != 0)
		return SESSION_FAILED;
	refresh_token_issue(service->keys, &refresh, tokens->refresh,
	    row.digest);
	result = result_of(
	    store_session_open(service->db, &row, &locked_until_us));
	if (result != SESSION_OK)
		secret_wipe(tokens, sizeof(*tokens));
	tokens->locked_until_us = locked_until_us;
	return result;
}

/* ---- refresh ------------------------------------------------------------- */

const char *
session_refresh_result_name(enum session_refresh_result result)
{
	switch (result) {
	case SESSION_REFRESH_ROTATED:
		return "rotated";
	case SESSION_REFRESH_CURRENT:
		return "current";
	case SESSION_REFRESH_INVALID:
		return "invalid";
	case SESSION_REFRESH_THROTTLED:
		return "throttled";
	case SESSION_REFRESH_TWO:
		return "two_sessions";
	case SESSION_REFRESH_OVER:
		return "over";
	case SESSION_REFRESH_EXPIRED:
		return "expired";
	case SESSION_REFRESH_REUSED:
		return "reused";
	case SESSION_REFRESH_DISABLED:
		return "disabled";
	case SESSION_REFRESH_UNAVAILABLE:
		return "unavailable";
	case SESSION_REFRESH_FAILED:
	case SESSION_REFRESH_RESULTS:
		break;
	}
	return "failed";
}

static void
note_reuse(const struct service *service,
    const struct session_refresh *refresh, const struct session_shown *shown)
{
	char user[ID_TEXT_SIZE], session[ID_TEXT_SIZE];
	struct log_line line;

	id_format(&shown->user, user);
	id_format(&shown->session, session);
	log_begin(&line, LOG_LEVEL_WARNING, "refresh_token_reused");
	log_add(&line, "user", user);
	log_add(&line, "session", session);
	log_add_int(&line, "generation", shown->generation);
	log_add(&line, "address", refresh->address);
	log_end(&line);
	ended_add(service->ended, &shown->session);
}

/* What the statement's verdict was, seen from the session afterwards. */
static enum session_refresh_result
read_verdict(const struct session_shown *shown,
    const struct session_state *state)
{
	if (state->ended_us == shown->now_us &&
	    state->ended_why == SESSION_ENDED_REUSE)
		return SESSION_REFRESH_REUSED;
	if (state->ended_us != 0)
		return SESSION_REFRESH_OVER;
	if (state->expires_us <= shown->now_us ||
	    state->rotated_us <= shown->idle_since_us)
		return SESSION_REFRESH_EXPIRED;
	if (state->status == ACCOUNT_DISABLED)
		return SESSION_REFRESH_DISABLED;
	if (!account_status_keeps_sessions(state->status))
		return SESSION_REFRESH_OVER;
	return state->rotated_us == shown->now_us ? SESSION_REFRESH_ROTATED :
						    SESSION_REFRESH_CURRENT;
}

static enum session_refresh_result
show(const struct service *service, const struct session_shown *shown,
    struct session_state *state)
{
	switch (store_session_show(service->db, shown, state)) {
	case STORE_OK:
		if (state->ended_us != 0)
			ended_add(service->ended, &shown->session);
		return read_verdict(shown, state);
	case STORE_NONE:
		return SESSION_REFRESH_OVER;
	case STORE_UNAVAILABLE:
		return SESSION_REFRESH_UNAVAILABLE;
	case STORE_CONFLICT:
	case STORE_FAILED:
		break;
	}
	return SESSION_REFRESH_FAILED;
}

/* The tokens of the session as it is now; what is current can be computed
 * again, so that a database never has to keep it. */
static int
issue_both(const struct service *service, const struct session_shown *shown,
    const struct session_state *state, struct session_tokens *tokens)
{
	const struct session_owner owner = {
		.user = shown->user,
		.email = state->email,
		.key = state->key,
	};
	const struct refresh_claims refresh = { shown->user, shown->session,
		(uint32_t)state->generation };
	unsigned char digest[DIGEST_SIZE];

	memset(tokens, 0, sizeof(*tokens));
	tokens->session = shown->session;
	refresh_token_issue(service->keys, &refresh, tokens->refresh, digest);
	return issue_access(service, &owner, state->rotated_us,
	    state->expires_us, shown->now_us, tokens);
}

/* Is what is shown beside it of another session, or of somebody else?  A refresh
 * token that is not genuine says nothing, nor does a key that nobody owns. */
static bool
is_contradicted(const struct service *service,
    const struct session_refresh *refresh, const struct refresh_claims *claims)
{
	const struct access_claims *known_by = refresh->known_by;
	unsigned char digest[DIGEST_SIZE];
	struct refresh_claims other;

	if (known_by != NULL &&
	    (!id_equal(&known_by->session, &claims->session) ||
		!id_equal(&known_by->subject, &claims->user)))
		return true;
	if (!id_is_nil(&refresh->owner) &&
	    !id_equal(&refresh->owner, &claims->user))
		return true;
	if (refresh->beside == NULL ||
	    refresh_token_open(service->keys, refresh->beside,
		strlen(refresh->beside), &other, digest) != 0)
		return false;
	return !id_equal(&other.session, &claims->session) ||
	    !id_equal(&other.user, &claims->user);
}

/* The digest of the token that will follow this one. */
static void
digest_next(const struct service *service, const struct refresh_claims *claims,
    unsigned char digest[static DIGEST_SIZE])
{
	struct refresh_claims next = *claims;
	char token[REFRESH_TOKEN_SIZE];

	next.generation++;
	refresh_token_issue(service->keys, &next, token, digest);
	secret_wipe(token, sizeof(token));
}

static enum session_refresh_result
show_and_issue(const struct service *service,
    const struct session_refresh *refresh, const struct session_shown *shown,
    struct session_tokens *tokens)
{
	struct session_state state;
	enum session_refresh_result result = show(service, shown, &state);

	if (result == SESSION_REFRESH_REUSED)
		note_reuse(service, refresh, shown);
	if (result != SESSION_REFRESH_ROTATED &&
	    result != SESSION_REFRESH_CURRENT)
		return result;
	if (issue_both(service, shown, &state, tokens) == 0)
		return result;
	secret_wipe(tokens, sizeof(*tokens));
	return SESSION_REFRESH_FAILED;
}

/* None but those who show such tokens are ever asked to wait. */
static enum session_refresh_result
refuse_forged(const struct service *service, const char *address,
    struct session_tokens *tokens)
{
	int wait_seconds =
	    throttle_address_wait(service, THROTTLE_TOKENS, address);

	if (wait_seconds == 0) {
		throttle_address_failed(service, THROTTLE_TOKENS, address);
		return SESSION_REFRESH_INVALID;
	}
	metrics_count(METRICS_THROTTLED, METRICS_THROTTLE_TOKENS);
	tokens->retry_seconds = wait_seconds;
	return SESSION_REFRESH_THROTTLED;
}

static enum session_refresh_result
open_and_show(const struct service *service,
    const struct session_refresh *refresh, struct session_tokens *tokens)
{
	const struct config *config = service->config;
	unsigned char next_digest[DIGEST_SIZE];
	struct refresh_claims claims;
	struct session_shown shown = {
		.next_digest = refresh->rotate ? next_digest : NULL,
		.now_us = refresh->now_us,
		.fresh_since_us = refresh->now_us -
		    config->refresh_grace_seconds * CLOCK_SECOND_US,
		.idle_since_us = session_idle_since(config, refresh->now_us),
		.event = id_ordered(refresh->now_us),
		.address = refresh->address,
	};

	if (refresh_token_open(service->keys, refresh->token, refresh->size,
		&claims, shown.digest) != 0)
		return refuse_forged(service, refresh->address, tokens);
	if (is_contradicted(service, refresh, &claims))
		return SESSION_REFRESH_TWO;
	/* Nothing is replaced by what could not be handed out. */
	if (keys_signing(service->keys, refresh->now_us) == NULL) {
		log_error("could not refresh a session: no key signs now; "
			  "posternctl key new makes one");
		return SESSION_REFRESH_FAILED;
	}
	shown.user = claims.user;
	shown.session = claims.session;
	shown.generation = (int32_t)claims.generation;
	digest_next(service, &claims, next_digest);
	return show_and_issue(service, refresh, &shown, tokens);
}

enum session_refresh_result
session_refresh(const struct service *service,
    const struct session_refresh *refresh, struct session_tokens *tokens)
{
	enum session_refresh_result result =
	    open_and_show(service, refresh, tokens);

	metrics_count(METRICS_REFRESHES, result);
	return result;
}
