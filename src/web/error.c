/* error.c - the table of refusals. */

#include "web/error.h"

#include <stddef.h>

#include "base/json.h"

/* Seconds after which it is worth coming back: a connection to the database is
 * tried again within one. */
#define RETRY_SECONDS 2

static const struct {
	int status;
	const char *code;
	const char *message;
} errors[ERROR_COUNT] = {
	[ERROR_REQUEST_INVALID] = { 400, "INVALID_INPUT",
	    "The request did not arrive as a whole." },
	[ERROR_NO_BODY] = { 400, "INVALID_INPUT", "A JSON body is needed." },
	[ERROR_NOT_JSON_TYPE] = { 400, "INVALID_INPUT",
	    "The body must be declared as application/json." },
	[ERROR_MALFORMED_JSON] = { 400, "INVALID_OR_MALFORMED_JSON",
	    "The body is not valid JSON." },
	[ERROR_INCOMPLETE_CREDENTIALS] = { 400, "INCOMPLETE_CREDENTIALS",
	    "E-mail address and password are both needed." },
	[ERROR_BODY_INVALID] = { 400, "BODY_VALIDATION_FAILED",
	    "The body has a member that cannot be accepted." },
	[ERROR_QUERY_INVALID] = { 400, "QUERY_VALIDATION_FAILED",
	    "The address has a query parameter that cannot be accepted." },
	[ERROR_PATH_INVALID] = { 400, "PATH_VALIDATION_FAILED",
	    "The path of the address cannot be accepted." },
	[ERROR_BODY_TOO_LARGE] = { 413, "INVALID_INPUT",
	    "The body is too large." },
	[ERROR_CREDENTIALS] = { 401, "INVALID_CREDENTIALS",
	    "E-mail address or password is wrong." },
	[ERROR_UNAUTHORISED] = { 401, "UNAUTHORISED",
	    "A valid API key, session id or token is needed." },
	[ERROR_SESSION_TOKEN] = { 401, "INVALID_SESSION_TOKEN",
	    "The session id or token is not valid." },
	[ERROR_SESSION_EXPIRED] = { 401, "SESSION_EXPIRED",
	    "The session is over; sign in again." },
	[ERROR_SSO_ACCOUNT] = { 401, "SSO_ACCOUNT",
	    "Addresses of this domain sign in with single sign-on." },
	[ERROR_NOT_CONFIRMED] = { 401, "USER_NOT_CONFIRMED",
	    "The account is not confirmed yet." },
	[ERROR_FORCE_CHANGE_PASSWORD] = { 401, "FORCE_CHANGE_PASSWORD",
	    "The password must be changed first." },
	[ERROR_RESET_REQUIRED] = { 401, "PASSWORD_RESET_REQUIRED",
	    "The password must be reset first." },
	[ERROR_PASSWORD_EXPIRED] = { 401, "PASSWORD_EXPIRED",
	    "The password has expired." },
	[ERROR_DISABLED] = { 401, "FORBIDDEN", "The account is disabled." },
	[ERROR_FORBIDDEN] = { 403, "FORBIDDEN",
	    "This client may not do that." },
	[ERROR_ORIGIN] = { 403, "FORBIDDEN",
	    "Cookies act for the service's own pages and allowed origins." },
	[ERROR_NO_SUCH_SESSION] = { 404, "NOT_FOUND",
	    "There is no such session." },
	[ERROR_NO_SUCH_ADDRESS] = { 404, "ENDPOINT_NOT_FOUND",
	    "There is nothing at this address." },
	[ERROR_METHOD] = { 405, "METHOD_NOT_ALLOWED",
	    "This address does not take that method." },
	[ERROR_THROTTLED] = { 429, "LIMIT_EXCEEDED",
	    "There were too many failures; try again later." },
	[ERROR_UNAVAILABLE] = { 503, "SERVICE_UNAVAILABLE",
	    "The service cannot answer now; try again shortly." },
	[ERROR_CONFIGURATION] = { 500, "CONFIGURATION_ERROR",
	    "The service is not set up for that; its log says what to mend." },
	[ERROR_INTERNAL] = { 500, "INTERNAL_SERVER_ERROR",
	    "The service failed to answer." },
};

void
error_answer(struct response *response, enum error error,
    struct json_object *detail)
{
	struct json_object *body = json_new_object();

	json_add_bool(body, "success", false);
	json_add_string(body, "errorCode", errors[error].code);
	json_add_string(body, "message", errors[error].message);
	if (detail != NULL)
		json_add(body, "detail", detail);
	response->error_code = errors[error].code;

	/* RFC 9110 15.5.2: a 401 names a scheme. */
	if (errors[error].status == 401)
		response_header(response, "WWW-Authenticate",
		    "Bearer realm=\"postern\"");
	if (errors[error].status == 503)
		response_header(response, "Retry-After", "%d", RETRY_SECONDS);
	response_json(response, errors[error].status, body);
}

void
error_answer_throttled(struct response *response, int retry_seconds)
{
	response_header(response, "Retry-After", "%d", retry_seconds);
	error_answer(response, ERROR_THROTTLED, NULL);
}
