/* session.h - sessions and the tokens that stand for them. */

#ifndef POSTERN_ACTS_SESSION_H
#define POSTERN_ACTS_SESSION_H

#include <stdint.h>

#include "base/ids.h"
#include "token/access_token.h"
#include "token/refresh_token.h"

struct config;
struct service;

/* What a person or program gets; secret, wiped by whoever holds it. */
struct session_tokens {
	char access[ACCESS_TOKEN_SIZE];
	char refresh[REFRESH_TOKEN_SIZE];
	int64_t expires_in;     /* of the access token, seconds */
	int64_t expires_at;     /* seconds since 1970 */
	int64_t refresh_seconds;/* life of the refresh token from now */
	struct id session;
};

enum session_result {
	SESSION_OK,
	SESSION_REFUSED,     /* the account is gone or disabled */
	SESSION_UNAVAILABLE,
	SESSION_FAILED,
};

/* For whom, how and from where a session is opened; strings borrowed. */
struct session_owner {
	struct id user;
	const char *email;
	const char *method;  /* amr */
	const char *address; /* or NULL */
	const char *device;  /* or NULL */
};

/* A session that was not refreshed since then is over. */
int64_t session_idle_since(const struct config *config, int64_t now_us);

/* Open a session: row, audit and both tokens, in one round trip. */
enum session_result session_open(const struct service *service,
    const struct session_owner *owner, int64_t now_us,
    struct session_tokens *tokens);

#endif
