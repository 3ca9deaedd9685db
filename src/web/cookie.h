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

#endif
