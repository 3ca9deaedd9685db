/* admit.h - who may come in: what an address asks of its callers. */

#ifndef POSTERN_WEB_ADMIT_H
#define POSTERN_WEB_ADMIT_H

#include <stdbool.h>

#include "acts/person.h"
#include "token/refresh_token.h"
#include "web/endpoint.h"

/* Flags of a route. */
enum {
	/* An API key, or an access token by "Authorization: Bearer" or
	 * ?sessionId=; where client_auth is optional, nothing at all. */
	ROUTE_NEEDS_CLIENT = 1 << 0,

	/* An access token by bearer, ?sessionId= or cookie.  Together with
	 * NEEDS_CLIENT: any of all these, and never nothing. */
	ROUTE_NEEDS_SESSION = 1 << 1,

	/* Its act asks again whether the client's key still stands. */
	ROUTE_REMEMBERS = 1 << 2,

	ROUTE_TAKES_JSON = 1 << 3,    /* and nothing else will do */
	ROUTE_MAY_TAKE_JSON = 1 << 4, /* or no body at all */
	ROUTE_AT_ROOT = 1 << 5,       /* not under base_path */

	/* Asked for every picture of a page: a success is worth a line in the
	 * log at level debug only. */
	ROUTE_IS_QUIET = 1 << 6,
};

/*
 * Know the caller, or answer why it is refused.  True: exchange->client tells
 * who it is, and the endpoint may go on.
 *
 * All that is shown and looked at must be good and of one person and session.
 * An API key is not looked at where a session alone is asked for, and cookies are
 * not where a client alone is.  A cookie that admits by itself to an unsafe
 * method must come from a page of ours (origin.h); but an authorizer is only asked
 * who sends a request.  Whether the person meant it, the place that it goes to has
 * to find out, as it has to without us.
 */
bool admit_caller(struct exchange *exchange, unsigned flags);

/* Ask the database for the person whom an admitted caller speaks for, or answer
 * why there is none.  True: go on. */
bool admit_person(struct exchange *exchange, struct person *person);

/* Parse the body into exchange->body as the flags want it, or answer why not.
 * True: go on. */
bool admit_json(struct exchange *exchange, unsigned flags);

/*
 * A member of the body that may be absent or null (then *text is NULL, as it is
 * without a body) but else must be a string: or answer what is wrong.  True: go
 * on.
 */
bool admit_member(struct exchange *exchange, const char *name,
    const char **text, size_t *size);

/* Answer that a member of the body cannot be accepted.  Always false. */
bool admit_refuse_member(struct exchange *exchange, const char *name,
    const char *reason);

/* A refresh token that a request shows; not looked at yet.  To be wiped. */
struct admit_refresh {
	const char *token;  /* counted: in the body, or below */
	size_t size;
	const char *beside; /* a cookie beside the body's, or NULL */
	char cookie[REFRESH_TOKEN_SIZE];
};

/*
 * Find the refresh token: "refreshToken" of the body, else the cookie, which must
 * come from a page of ours; or answer why there is none.  True: go on.
 */
bool admit_refresh(struct exchange *exchange, struct admit_refresh *shown);

/*
 * Know whose session is to be left, or answer why nobody can: by an access token
 * as above; and, because people must be able to leave when theirs is no good any
 * more, by "refreshToken" of the body or else by its cookie.  All of these that
 * are good must be of one session.  True: go on.
 */
bool admit_leaver(struct exchange *exchange, struct id *user,
    struct id *session);

/* Does the browser hold a genuine refresh token in its cookie?  What it stands for
 * may live, and is lost with it. */
bool admit_keeps_cookies(const struct exchange *exchange);

#endif
