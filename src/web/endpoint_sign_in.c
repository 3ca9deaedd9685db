/* endpoint_sign_in.c - POST /auth/sign-in: the contract's words around
 * acts/sign_in. */

#include <string.h>

#include "acts/sign_in.h"
#include "base/json.h"
#include "base/secret.h"
#include "hash/password.h"
#include "web/admit.h"
#include "web/cookie.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/welcome.h"

/* Missing, null or empty: the person has not filled it in. */
static const char *
absence(const struct json_object *body, const char *name)
{
	size_t size;

	switch (json_member_kind(body, name)) {
	case JSON_ABSENT:
		return "is missing";
	case JSON_NULL:
		return "is null";
	case JSON_STRING:
		json_member_string(body, name, &size);
		return size == 0 ? "is empty" : NULL;
	case JSON_BOOLEAN:
	case JSON_NUMBER:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return NULL;
}

static const char *
email_fault(const struct json_object *body, char key[static EMAIL_SIZE])
{
	size_t size;
	const char *email = json_member_string(body, "email", &size);

	if (email == NULL)
		return "must be a string";
	switch (email_canonical(email, size, key)) {
	case EMAIL_OK:
		return NULL;
	case EMAIL_TOO_LONG:
		return "is too long";
	case EMAIL_NOT_AN_ADDRESS:
		break;
	}
	return "is not an e-mail address";
}

static const char *
password_fault(const struct json_object *body)
{
	size_t size;
	const char *password = json_member_string(body, "password", &size);

	if (password == NULL)
		return "must be a string";
	if (size > PASSWORD_SIZE_LIMIT)
		return "is too long";
	if (memchr(password, '\0', size) != NULL)
		return "must not hold U+0000";
	return NULL;
}

/* Answer with what is wrong about each field, if anything is.  True: go on. */
static bool
accept_fields(struct exchange *exchange, enum error error, const char *email,
    const char *password)
{
	struct json_object *detail;

	if (email == NULL && password == NULL)
		return true;
	detail = json_new_object();
	if (email != NULL)
		json_add_string(detail, "email", email);
	if (password != NULL)
		json_add_string(detail, "password", password);
	error_answer(exchange->response, error, detail);
	return false;
}

static bool
accept_body(struct exchange *exchange, char key[static EMAIL_SIZE])
{
	const struct json_object *body = exchange->body;

	if (json_kind(body) != JSON_OBJECT)
		return admit_refuse_member(exchange, "body",
		    "must be an object");
	return accept_fields(exchange, ERROR_INCOMPLETE_CREDENTIALS,
		   absence(body, "email"), absence(body, "password")) &&
	    accept_fields(exchange, ERROR_BODY_INVALID, email_fault(body, key),
		password_fault(body));
}

static void
welcome(struct exchange *exchange, const struct sign_in_answer *answer)
{
	if (answer->device_token[0] != '\0')
		cookie_set_device(exchange->response,
		    exchange->service->config, exchange->request,
		    answer->device_token);
	welcome_answer(exchange, "Signed in.", &answer->tokens);
}

static enum error
error_of(const struct exchange *exchange, enum sign_in_result result)
{
	switch (result) {
	case SIGN_IN_DENIED:
		return ERROR_CREDENTIALS;
	case SIGN_IN_CLIENT_GONE:
		return ERROR_UNAUTHORISED;
	case SIGN_IN_SSO:
		return ERROR_SSO_ACCOUNT;
	case SIGN_IN_THROTTLED:
		return ERROR_THROTTLED;
	case SIGN_IN_UNCONFIRMED:
		return ERROR_NOT_CONFIRMED;
	case SIGN_IN_CHANGE_PASSWORD:
		return ERROR_FORCE_CHANGE_PASSWORD;
	case SIGN_IN_RESET_REQUIRED:
		return ERROR_RESET_REQUIRED;
	case SIGN_IN_EXPIRED:
		return ERROR_PASSWORD_EXPIRED;
	case SIGN_IN_DISABLED:
		return ERROR_DISABLED;
	case SIGN_IN_BUSY:
	case SIGN_IN_ABANDONED:
	case SIGN_IN_UNAVAILABLE:
		return ERROR_UNAVAILABLE;
	case SIGN_IN_OK:
	case SIGN_IN_FAILED:
	case SIGN_IN_RESULTS:
		break;
	}
	return welcome_fault(exchange);
}

/*
 * Who is refused because there are too many, and comes back at once, would keep
 * web server and workers busy with refusals, and everybody else waiting.  So that
 * answer takes its time.
 */
static void
slow_down(const struct exchange *exchange, enum sign_in_result result)
{
	const struct gateway *gateway = exchange->request->gateway;

	if (gateway->hold != NULL &&
	    (result == SIGN_IN_BUSY || result == SIGN_IN_THROTTLED))
		gateway->hold(gateway->self,
		    exchange->service->config->refusal_ms);
}

void
endpoint_sign_in(struct exchange *exchange)
{
	const struct request *request = exchange->request;
	char device_token[DEVICE_TOKEN_SIZE];
	struct sign_in_answer answer;
	enum sign_in_result result;
	struct sign_in attempt = {
		.client = &exchange->client,
		.caller = { request->gateway->gone, request->gateway->self },
		.address = request->remote_addr,
		.device = request->device,
		.now_us = request->now_us,
	};

	if (!accept_body(exchange, attempt.login_key))
		return;
	attempt.password = json_member_string(exchange->body, "password",
	    &attempt.password_size);
	if (cookie_device(exchange->service->config, request, device_token,
		sizeof(device_token)) == COOKIE_FOUND)
		attempt.device_token = device_token;

	result = sign_in(exchange->service, &attempt, &answer);
	exchange->response->outcome = sign_in_result_name(result);
	slow_down(exchange, result);
	if (result == SIGN_IN_OK)
		welcome(exchange, &answer);
	else if (result == SIGN_IN_THROTTLED)
		error_answer_throttled(exchange->response,
		    answer.retry_seconds);
	else
		error_answer(exchange->response, error_of(exchange, result),
		    NULL);
	secret_wipe(&answer, sizeof(answer));
}
