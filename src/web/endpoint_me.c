/* endpoint_me.c - GET /users/me: who this is. */

#include "base/json.h"
#include "web/admit.h"

static const char *
status_word(enum account_status status)
{
	switch (status) {
	case ACCOUNT_CONFIRMED:
		return "CONFIRMED";
	case ACCOUNT_UNCONFIRMED:
		return "UNCONFIRMED";
	case ACCOUNT_FORCE_CHANGE_PASSWORD:
		return "FORCE_CHANGE_PASSWORD";
	case ACCOUNT_RESET_REQUIRED:
		return "RESET_REQUIRED";
	case ACCOUNT_EXTERNAL_PROVIDER:
		return "EXTERNAL_PROVIDER";
	case ACCOUNT_DISABLED:
		break;
	}
	return "DISABLED";
}

static void
introduce(struct exchange *exchange, const struct person *person)
{
	struct json_object *body = json_new_object();
	char sub[ID_TEXT_SIZE];

	id_format(&person->user, sub);
	json_add_string(body, "sub", sub);
	json_add_string(body, "authenticationMethod",
	    exchange->client.has_session ? "token" : "apiKey");
	json_add_string(body, "email", person->email);
	json_add_string(body, "userStatus", status_word(person->status));
	response_json(exchange->response, 200, body);
}

void
endpoint_me(struct exchange *exchange)
{
	struct person person;

	if (admit_person(exchange, &person))
		introduce(exchange, &person);
}
