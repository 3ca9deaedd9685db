/* person.c - who the caller is, as the database has it now. */

#include "acts/person.h"

#include <string.h>

#include "acts/service.h"
#include "acts/session.h"
#include "store/users.h"

static enum person_result
judge(const struct client *client, enum store_result found,
    const struct user_row *row)
{
	switch (found) {
	case STORE_OK:
		break;
	case STORE_NONE:
		return client->has_session ? PERSON_SESSION_OVER :
					     PERSON_KEY_GONE;
	case STORE_UNAVAILABLE:
		return PERSON_UNAVAILABLE;
	case STORE_CONFLICT:
	case STORE_FAILED:
		return PERSON_FAILED;
	}
	if (client->has_session && !row->session_stands)
		return PERSON_SESSION_OVER;
	return row->status == ACCOUNT_DISABLED ? PERSON_DISABLED : PERSON_OK;
}

enum person_result
person_find(const struct service *service, const struct client *client,
    int64_t now_us, struct person *person)
{
	struct user_row row;
	enum person_result result;

	if (!client->has_session && !client->secret)
		return PERSON_NOBODY;
	person->user = client->has_session ? client->session.subject :
					     client->user;
	result = judge(client,
	    store_user_find(service->db, &person->user,
		client->has_session ? &client->session.session : NULL, now_us,
		session_idle_since(service->config, now_us), &row),
	    &row);
	memcpy(person->email, row.email, sizeof(person->email));
	person->status = row.status;
	return result;
}
