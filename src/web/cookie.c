/* cookie.c - the two cookies of a session, and the one of a device. */

#include "web/cookie.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* How the cookies are called and bound, with TLS and without. */
struct manner {
	const char *access;
	const char *refresh;
	const char *device;
	const char *flags;
};

static const struct manner secure = {
	"__Host-postern-access",
	"__Secure-postern-refresh",
	"__Host-postern-device",
	"; Secure; HttpOnly; SameSite=Lax",
};
static const struct manner plain = {
	"postern-access",
	"postern-refresh",
	"postern-device",
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

void
cookie_set_device(struct response *response, const struct config *config,
    const struct request *request, const char *token)
{
	const struct manner *manner = manner_of(config, request);

	response_header(response, "Set-Cookie", "%s=%s; Path=/; Max-Age=%d%s",
	    manner->device, token, config->device_cookie_days * 86400,
	    manner->flags);
}

/* ---- reading ------------------------------------------------------------- */

/* A piece of a Cookie line: "name=value" without white space around it. */
struct piece {
	const char *text;
	size_t size;
	bool behind_comma; /* not behind ";" and not the first of its line */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut the next piece off a line, at ";" or ", ".  False at the line's end. */
static bool
next_piece(const char **rest, bool *comma, struct piece *piece)
{
	const char *end = *rest;

	if (*end == '\0')
		return false;
	piece->behind_comma = *comma;
	while (*end != '\0' && *end != ';' && (*end != ',' || end[1] != ' '))
		end++;
	piece->text = *rest;
	piece->size = (size_t)(end - *rest);
	*comma = *end == ',';
	*rest = *end == '\0' ? end : end + 1;

	while (piece->size > 0 && is_blank(*piece->text)) {
		piece->text++;
		piece->size--;
	}
	while (piece->size > 0 && is_blank(piece->text[piece->size - 1]))
		piece->size--;
	return true;
}

/* One more value of the cookie; twice the same one is as good as once. */
static enum cookie_result
take(enum cookie_result found, const struct piece *piece, size_t name_size,
    char *value, size_t room)
{
	const char *text = piece->text + name_size + 1;
	size_t size = piece->size - name_size - 1;

	if (found == COOKIE_BAD || piece->behind_comma || size >= room)
		return COOKIE_BAD;
	if (found == COOKIE_FOUND)
		return strlen(value) == size && memcmp(value, text, size) == 0 ?
		    COOKIE_FOUND :
		    COOKIE_BAD;
	memcpy(value, text, size);
	value[size] = '\0';
	return COOKIE_FOUND;
}

static enum cookie_result
find(const struct request *request, const char *name, char *value,
    size_t room)
{
	static const char param_name[] = "HTTP_COOKIE=";
	enum cookie_result found = COOKIE_ABSENT;
	size_t name_size = strlen(name);
	struct piece piece;

	for (const char *const *param = request->gateway->params; *param;
	     param++) {
		const char *rest = *param + sizeof(param_name) - 1;
		bool comma = false;

		if (strncmp(*param, param_name, sizeof(param_name) - 1) != 0)
			continue;
		while (next_piece(&rest, &comma, &piece))
			if (piece.size > name_size &&
			    memcmp(piece.text, name, name_size) == 0 &&
			    piece.text[name_size] == '=')
				found = take(found, &piece, name_size, value,
				    room);
	}
	if (found != COOKIE_FOUND)
		*value = '\0';
	return found;
}

enum cookie_result
cookie_access(const struct config *config, const struct request *request,
    char *value, size_t room)
{
	return find(request, manner_of(config, request)->access, value, room);
}

enum cookie_result
cookie_refresh(const struct config *config, const struct request *request,
    char *value, size_t room)
{
	return find(request, manner_of(config, request)->refresh, value, room);
}

enum cookie_result
cookie_device(const struct config *config, const struct request *request,
    char *value, size_t room)
{
	return find(request, manner_of(config, request)->device, value, room);
}
