/* session.h - sessions and the tokens that stand for them. */

#ifndef POSTERN_ACTS_SESSION_H
#define POSTERN_ACTS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"
#include "token/access_token.h"
#include "token/refresh_token.h"

struct config;
struct service;
struct throttle_rule;

/* What a person or program gets; secret, wiped by whoever holds it. */
struct session_tokens {
	char access[ACCESS_TOKEN_SIZE];
	char refresh[REFRESH_TOKEN_SIZE];
	int64_t expires_in;     /* of the access token, seconds */
	int64_t expires_at;     /* seconds since 1970 */
	int64_t refresh_seconds;/* life of the refresh token from now */
	struct id session;
	int retry_seconds;      /* for SESSION_REFRESH_THROTTLED */
	int64_t locked_until_us;/* for SESSION_THROTTLED */
};

enum session_result {
	SESSION_OK,
	SESSION_REFUSED,     /* the account is gone or not confirmed, its password
	                        another one by now, or the API key revoked */
	SESSION_THROTTLED,   /* others failed too often meanwhile */
	SESSION_UNAVAILABLE,
	SESSION_FAILED,
};

/* For whom, how and from where a session is opened; strings borrowed. */
struct session_owner {
	struct id user;
	const char *email;
	struct id key;       /* the API key that opens it; nil: the person signs
	                        in */
	const char *address; /* or NULL */
	const char *device;  /* or NULL */
	const struct throttle_rule *rule; /* whose failures are over; or NULL */
	const char *login_key;       /* as in struct new_session; so is this: */
	int64_t password_changed_us;
};

/* A session that was not refreshed since then is over. */
int64_t session_idle_since(const struct config *config, int64_t now_us);

/* Open a session: row, audit and both tokens, in one round trip. */
enum session_result session_open(const struct service *service,
    const struct session_owner *owner, int64_t now_us,
    struct session_tokens *tokens);

/* A refresh token that is shown; strings borrowed. */
struct session_refresh {
	const char *token;   /* counted */
	size_t size;
	const char *beside;  /* another one, shown beside it, or NULL */
	const struct access_claims *known_by; /* an access token beside it, or
	                                         NULL */
	struct id owner;     /* of an API key beside it; nil: nobody */
	bool rotate;         /* may a new token take its place? */
	const char *address; /* or NULL */
	int64_t now_us;
};

enum session_refresh_result {
	SESSION_REFRESH_ROTATED, /* a new token took its place */
	SESSION_REFRESH_CURRENT, /* the current token, again */
	SESSION_REFRESH_INVALID, /* none of ours */
	SESSION_REFRESH_THROTTLED, /* one too many of those */
	SESSION_REFRESH_TWO,     /* what is beside it is of another session, or
	                            of somebody else */
	SESSION_REFRESH_OVER,    /* the session has ended, or is unknown */
	SESSION_REFRESH_EXPIRED,
	SESSION_REFRESH_REUSED,  /* it had been replaced: somebody has a copy;
	                            the session has ended now */
	SESSION_REFRESH_DISABLED,/* the account is */
	SESSION_REFRESH_UNAVAILABLE,
	SESSION_REFRESH_FAILED,
	SESSION_REFRESH_RESULTS
};

/*
 * Take a refresh token for a new access token and the current refresh token, in
 * one round trip; in none, when the token is not genuine.
 *
 * A browser's tabs share one token and ask at once, and answers get lost.  So
 * the current token is replaced only when it is older than the grace, and within
 * the grace the one that it replaced gets it as well: at any time each token
 * that was current within the last refresh_grace_seconds leads to the current
 * one.  One that was replaced before that is in wrong hands, or was taken from
 * there: the session ends, with a line in the log and one in the audit.
 *
 * For ROTATED and CURRENT `tokens` is filled, for the caller to wipe.
 */
enum session_refresh_result session_refresh(const struct service *service,
    const struct session_refresh *refresh, struct session_tokens *tokens);

/* A word for the log: "rotated", "expired", ... */
const char *session_refresh_result_name(enum session_refresh_result result);

#endif
