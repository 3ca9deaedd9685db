/* welcome.c - the answer that hands out a session's tokens. */

#include "web/welcome.h"

#include "base/json_write.h"
#include "base/memory.h"
#include "web/cookie.h"

/* Tokens are as long as they can be, and need no escapes; beside them, names,
 * numbers and a message of ours. */
#define BODY_SIZE (ACCESS_TOKEN_SIZE + REFRESH_TOKEN_SIZE + 256)

void
welcome_answer(struct exchange *exchange, const char *message,
    const struct session_tokens *tokens)
{
	char *body = memory_zeroed(BODY_SIZE, 1);
	struct json_write write;
	size_t size;

	json_write_begin(&write, body, BODY_SIZE);
	json_write_string(&write, "message", message);
	json_write_string(&write, "accessToken", tokens->access);
	json_write_string(&write, "refreshToken", tokens->refresh);
	json_write_int(&write, "expiresIn", tokens->expires_in);
	json_write_int(&write, "expiresAt", tokens->expires_at);
	size = json_write_end(&write);
	cookie_set_session(exchange->response, exchange->service->config,
	    exchange->request, tokens);
	response_text(exchange->response, 200, "application/json", body, size);
}

enum error
welcome_fault(const struct exchange *exchange)
{
	return keys_signing(exchange->service->keys,
		   exchange->request->now_us) == NULL ?
	    ERROR_CONFIGURATION :
	    ERROR_INTERNAL;
}
