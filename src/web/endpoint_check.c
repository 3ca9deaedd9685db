/* endpoint_check.c - GET /auth/check, and the FastCGI role of an authorizer: a web
 * server asks whether a request may pass, and who sends it.
 *
 * No other answer of ours may be taken for a yes.  A yes sets no cookie: not every
 * web server would hand it on. */

#include <stdio.h>
#include <string.h>

#include "acts/check.h"
#include "web/endpoint.h"
#include "web/error.h"

/* Every byte escaped, and NUL. */
#define FIELD_SIZE (3 * (EMAIL_SIZE - 1) + 1)

/*
 * An address as a header's value: visible ASCII as it is, "%" and all else
 * percent-encoded (RFC 3986 2.1), whatever characters people put into it.
 */
static void
write_field(const char *text, char field[static FIELD_SIZE])
{
	size_t used = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > ' ' && c < 0x7f && c != '%')
			field[used++] = (char)c;
		else
			used += (size_t)snprintf(field + used, 4, "%%%02X", c);
	}
	field[used] = '\0';
}

/*
 * To an authorizer's server "Variable-NAME" sets a variable of the request that
 * it lets pass (FastCGI specification 6.3); to others these are headers.
 */
static void
allow(struct exchange *exchange)
{
	const struct access_claims *claims = &exchange->client.session;
	struct response *response = exchange->response;
	char user[ID_TEXT_SIZE], session[ID_TEXT_SIZE], email[FIELD_SIZE];

	id_format(&claims->subject, user);
	id_format(&claims->session, session);
	write_field(claims->email, email);
	if (exchange->request->authorizer) {
		/* Some would put more than that into the protected answer. */
		response_start(response);
		response->status = 200;
		response_header(response, "Variable-REMOTE_USER", "%s", user);
		response_header(response, "Variable-POSTERN_USER_ID", "%s",
		    user);
		response_header(response, "Variable-POSTERN_EMAIL", "%s",
		    email);
		response_header(response, "Variable-POSTERN_SESSION_ID", "%s",
		    session);
	} else {
		response->status = 204;
		response_header(response, "X-Postern-User-Id", "%s", user);
		response_header(response, "X-Postern-Email", "%s", email);
		response_header(response, "X-Postern-Session-Id", "%s",
		    session);
	}
}

void
endpoint_check(struct exchange *exchange)
{
	struct response *response = exchange->response;

	switch (check_session(exchange->service, &exchange->client,
	    exchange->request->now_us)) {
	case CHECK_OK:
		allow(exchange);
		return;
	case CHECK_OVER:
		error_answer(response, ERROR_SESSION_TOKEN, NULL);
		return;
	case CHECK_UNAVAILABLE:
		error_answer(response, ERROR_UNAVAILABLE, NULL);
		return;
	case CHECK_FAILED:
		break;
	}
	error_answer(response, ERROR_INTERNAL, NULL);
}
