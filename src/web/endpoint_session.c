/* endpoint_session.c - GET /auth/session: a program opens a session for the person
 * whom its secret API key belongs to. */

#include "acts/session.h"
#include "base/secret.h"
#include "web/admit.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/welcome.h"

/* What a status forbids, in the words of a sign-in; ERROR_COUNT: nothing. */
static enum error
fault_of(enum account_status status)
{
	switch (status) {
	case ACCOUNT_CONFIRMED:
		return ERROR_COUNT;
	case ACCOUNT_UNCONFIRMED:
		return ERROR_NOT_CONFIRMED;
	case ACCOUNT_FORCE_CHANGE_PASSWORD:
		return ERROR_FORCE_CHANGE_PASSWORD;
	case ACCOUNT_RESET_REQUIRED:
		return ERROR_RESET_REQUIRED;
	case ACCOUNT_EXTERNAL_PROVIDER:
		return ERROR_SSO_ACCOUNT;
	case ACCOUNT_DISABLED:
		break;
	}
	return ERROR_DISABLED;
}

/* What stood when it was looked at does not any more: look again.  Where it is not
 * the account, it is the key. */
static void
refuse_late(struct exchange *exchange)
{
	struct person person;
	enum error fault;

	if (!admit_person(exchange, &person))
		return;
	fault = fault_of(person.status);
	error_answer(exchange->response,
	    fault != ERROR_COUNT ? fault : ERROR_UNAUTHORISED, NULL);
}

static void
open_for(struct exchange *exchange, const struct person *person)
{
	const struct request *request = exchange->request;
	const struct session_owner owner = {
		.user = person->user,
		.email = person->email,
		.key = exchange->client.key,
		.address = request->remote_addr,
		.device = request->device,
	};
	struct session_tokens tokens;

	switch (session_open(exchange->service, &owner, request->now_us,
	    &tokens)) {
	case SESSION_OK:
		welcome_answer(exchange, "Session opened.", &tokens);
		secret_wipe(&tokens, sizeof(tokens));
		return;
	case SESSION_REFUSED:
		refuse_late(exchange);
		return;
	case SESSION_UNAVAILABLE:
		error_answer(exchange->response, ERROR_UNAVAILABLE, NULL);
		return;
	case SESSION_THROTTLED: /* only sign-ins are */
	case SESSION_FAILED:
		break;
	}
	error_answer(exchange->response, welcome_fault(exchange), NULL);
}

void
endpoint_session(struct exchange *exchange)
{
	struct person person;
	enum error fault;

	if (exchange->client.kind != CLIENT_API_KEY) {
		error_answer(exchange->response, ERROR_UNAUTHORISED, NULL);
		return;
	}
	/* It is the key that counts; a session beside it agreed with it. */
	exchange->client.has_session = false;
	if (!admit_person(exchange, &person))
		return;
	fault = fault_of(person.status);
	if (fault == ERROR_COUNT)
		open_for(exchange, &person);
	else
		error_answer(exchange->response, fault, NULL);
}
