/* sessions.c - the sessions of one person: seen, and left. */

#include "acts/sessions.h"

#include "acts/ended.h"
#include "acts/service.h"
#include "acts/session.h"

/* So many at once are told to the list of ended sessions one by one. */
#define TOLD_LIMIT 256

static enum sessions_result
result_of(enum store_result result)
{
	switch (result) {
	case STORE_OK:
		return SESSIONS_OK;
	case STORE_NONE:
		return SESSIONS_NONE;
	case STORE_UNAVAILABLE:
		return SESSIONS_UNAVAILABLE;
	case STORE_CONFLICT:
	case STORE_FAILED:
		break;
	}
	return SESSIONS_FAILED;
}

enum sessions_result
sessions_list(const struct service *service, const struct id *user,
    const struct id *current, int64_t now_us, struct sessions_list *list)
{
	return result_of(store_sessions_view(service->db, user, current, now_us,
	    session_idle_since(service->config, now_us), SESSIONS_LIMIT,
	    list->views, &list->count));
}

static struct session_leave
row_of(const struct sessions_leave *leave)
{
	return (struct session_leave){
		.user = leave->user,
		.session = leave->session,
		.event = id_ordered(leave->now_us),
		.now_us = leave->now_us,
		.address = leave->address,
	};
}

enum sessions_result
sessions_end(const struct service *service,
    const struct sessions_leave *leave)
{
	const struct session_leave row = row_of(leave);
	enum store_result result = store_session_leave(service->db, &row);

	/* A name that is not this person's ends nothing anywhere. */
	if (result == STORE_OK)
		ended_add(service->ended, &leave->session);
	else if (result == STORE_UNAVAILABLE)
		ended_doubt(service->ended);
	return result_of(result);
}

/* Whether or not the database has answered: who wants to leave is not to be let
 * in by a token of this session any more. */
static enum store_result
leave_one(const struct service *service, const struct session_leave *row)
{
	enum store_result result = store_session_leave(service->db, row);

	ended_add(service->ended, &row->session);
	return result == STORE_NONE ? STORE_OK : result;
}

static enum store_result
leave_many(const struct service *service, const struct session_leave *row,
    bool keep_this)
{
	struct id ended[TOLD_LIMIT];
	size_t count;
	enum store_result result = store_sessions_leave(service->db, row,
	    keep_this, TOLD_LIMIT, ended, &count);

	for (size_t i = 0; i < count && i < TOLD_LIMIT; i++)
		ended_add(service->ended, &ended[i]);
	/* Which others have ended, nobody has told us. */
	if (result == STORE_UNAVAILABLE || count > TOLD_LIMIT)
		ended_doubt(service->ended);
	return result;
}

enum sessions_result
sessions_sign_out(const struct service *service,
    const struct sessions_leave *leave, enum sessions_scope scope)
{
	const struct session_leave row = row_of(leave);

	switch (scope) {
	case SESSIONS_THIS:
		return result_of(leave_one(service, &row));
	case SESSIONS_OTHERS:
		return result_of(leave_many(service, &row, true));
	case SESSIONS_ALL:
		break;
	}
	return result_of(leave_many(service, &row, false));
}
