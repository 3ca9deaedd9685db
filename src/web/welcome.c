/* welcome.c - the answer that hands out a session's tokens. */

#include "web/welcome.h"

#include "base/json.h"
#include "web/cookie.h"

void
welcome_answer(struct exchange *exchange, const char *message,
    const struct session_tokens *tokens)
{
	struct json_object *body = json_new_object();

	json_add_string(body, "message", message);
	json_add_string(body, "accessToken", tokens->access);
	json_add_string(body, "refreshToken", tokens->refresh);
	json_add_int(body, "expiresIn", tokens->expires_in);
	json_add_int(body, "expiresAt", tokens->expires_at);
	cookie_set_session(exchange->response, exchange->service->config,
	    exchange->request, tokens);
	response_json(exchange->response, 200, body);
}
