/* check.c - may this session still pass? */

#include "acts/check.h"

#include "acts/account_status.h"
#include "acts/person.h"
#include "acts/service.h"

static enum check_result
ask_database(const struct service *service, const struct client *client,
    int64_t now_us)
{
	struct person person;

	switch (person_find(service, client, now_us, &person)) {
	case PERSON_OK:
		return account_status_keeps_sessions(person.status) ? CHECK_OK :
								      CHECK_OVER;
	case PERSON_SESSION_OVER:
		/* For good: it need not be asked about again. */
		ended_add(service->ended, &client->session.session);
		return CHECK_OVER;
	case PERSON_NOBODY:
	case PERSON_KEY_GONE:
	case PERSON_DISABLED:
		return CHECK_OVER;
	case PERSON_UNAVAILABLE:
		return CHECK_UNAVAILABLE;
	case PERSON_FAILED:
		break;
	}
	return CHECK_FAILED;
}

enum check_result
check_session(const struct service *service, const struct client *client,
    int64_t now_us)
{
	switch (ended_look(service->ended, &client->session.session,
	    client->session.issued)) {
	case ENDED_SURELY:
		return CHECK_OVER;
	case ENDED_NOT:
		if (service->config->check == CHECK_MODE_FAST)
			return CHECK_OK;
		break;
	case ENDED_UNKNOWN:
		break;
	}
	return ask_database(service, client, now_us);
}
