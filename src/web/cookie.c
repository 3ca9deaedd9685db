/* cookie.c - the two cookies of a session. */

#include "web/cookie.h"

#include <inttypes.h>
#include <stdbool.h>

/* How the cookies are called and bound, with TLS and without. */
struct manner {
	const char *access;
	const char *refresh;
	const char *flags;
};

static const struct manner secure = {
	"__Host-postern-access",
	"__Secure-postern-refresh",
	"; Secure; HttpOnly; SameSite=Lax",
};
static const struct manner plain = {
	"postern-access",
	"postern-refresh",
	"; HttpOnly; SameSite=Lax",
};

static const struct manner *
manner_of(const struct config *config, const struct request *request)
{
	switch ((enum config_cookies)config->secure_cookies) {
	case COOKIES_ALWAYS:
		return &secure;
	case COOKIES_NEVER:
		return &plain;
	case COOKIES_AUTO:
		break;
	}
	return request->https ? &secure : &plain;
}

static void
set_both(struct response *response, const struct config *config,
    const struct manner *manner, const char *access, int64_t access_seconds,
    const char *refresh, int64_t refresh_seconds)
{
	response_header(response, "Set-Cookie",
	    "%s=%s; Path=/; Max-Age=%" PRId64 "%s", manner->access, access,
	    access_seconds, manner->flags);
	response_header(response, "Set-Cookie",
	    "%s=%s; Path=%s/auth; Max-Age=%" PRId64 "%s", manner->refresh,
	    refresh, config->base_path, refresh_seconds, manner->flags);
}

void
cookie_set_session(struct response *response, const struct config *config,
    const struct request *request, const struct session_tokens *tokens)
{
	set_both(response, config, manner_of(config, request), tokens->access,
	    tokens->expires_in, tokens->refresh, tokens->refresh_seconds);
}

void
cookie_clear_session(struct response *response, const struct config *config,
    const struct request *request)
{
	set_both(response, config, manner_of(config, request), "", 0, "", 0);
}
