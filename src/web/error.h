/* error.h - every refusal there is: one table from reason to status, code of the
 * contract, and words. */

#ifndef POSTERN_WEB_ERROR_H
#define POSTERN_WEB_ERROR_H

#include "web/response.h"

struct json_object;

enum error {
	ERROR_REQUEST_INVALID,
	ERROR_NO_BODY,
	ERROR_NOT_JSON_TYPE,
	ERROR_MALFORMED_JSON,
	ERROR_INCOMPLETE_CREDENTIALS,
	ERROR_BODY_INVALID,
	ERROR_QUERY_INVALID,
	ERROR_PATH_INVALID,
	ERROR_BODY_TOO_LARGE,
	ERROR_CREDENTIALS,
	ERROR_UNAUTHORISED,
	ERROR_SESSION_TOKEN,
	ERROR_SESSION_EXPIRED,
	ERROR_SSO_ACCOUNT,
	ERROR_NOT_CONFIRMED,
	ERROR_FORCE_CHANGE_PASSWORD,
	ERROR_RESET_REQUIRED,
	ERROR_PASSWORD_EXPIRED,
	ERROR_DISABLED,
	ERROR_FORBIDDEN,
	ERROR_ORIGIN,
	ERROR_NO_SUCH_SESSION,
	ERROR_NO_SUCH_ADDRESS,
	ERROR_METHOD,
	ERROR_THROTTLED,
	ERROR_UNAVAILABLE,
	ERROR_CONFIGURATION,
	ERROR_INTERNAL,
	ERROR_COUNT
};

/*
 * Answer with an error: status, {"success":false,"errorCode":...,"message":...,
 * "detail":{...}} and what the status wants beside (WWW-Authenticate,
 * Retry-After).  `detail` is used up; NULL leaves the member out.
 */
void error_answer(struct response *response, enum error error,
    struct json_object *detail);

/* ERROR_THROTTLED, to be tried again after so many seconds. */
void error_answer_throttled(struct response *response, int retry_seconds);

#endif
