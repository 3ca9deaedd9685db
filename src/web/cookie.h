/* cookie.h - cookies in and out (RFC 6265bis). */

#ifndef POSTERN_WEB_COOKIE_H
#define POSTERN_WEB_COOKIE_H

#include "acts/session.h"
#include "base/config.h"
#include "web/request.h"
#include "web/response.h"

/*
 * Set both cookies of a session: access (Path=/) and refresh (Path=base/auth),
 * HttpOnly, SameSite=Lax.  With TLS, Secure and the prefixes __Host- and
 * __Secure-, which a browser takes only from a secure origin; secure_cookies says
 * whether that is always, never, or when the web server said HTTPS.
 */
void cookie_set_session(struct response *response,
    const struct config *config, const struct request *request,
    const struct session_tokens *tokens);

/* Clear both, with the attributes they were set with. */
void cookie_clear_session(struct response *response,
    const struct config *config, const struct request *request);

/* Set the cookie by which a browser is known again (token/device_token.h); it
 * outlives its sessions, and a sign-out leaves it. */
void cookie_set_device(struct response *response, const struct config *config,
    const struct request *request, const char *token);

enum cookie_result {
	COOKIE_ABSENT,
	COOKIE_FOUND,
	COOKIE_BAD, /* cannot be told: there with two values, behind a comma, or
	               longer than the room */
};

/*
 * Read a cookie back: the value, NUL-terminated, when FOUND, and else "".  Only
 * the name counts that would be set now: to take "postern-access" where
 * "__Host-postern-access" is set would let a neighbouring host plant a session.
 *
 * Several Cookie lines come as several params or joined by ", ", by the web
 * server's habit.  A name behind such a comma may as well be a part of another
 * cookie's value, which a neighbouring host can choose: it is BAD.
 */
enum cookie_result cookie_access(const struct config *config,
    const struct request *request, char *value, size_t room);
enum cookie_result cookie_refresh(const struct config *config,
    const struct request *request, char *value, size_t room);
enum cookie_result cookie_device(const struct config *config,
    const struct request *request, char *value, size_t room);

#endif
