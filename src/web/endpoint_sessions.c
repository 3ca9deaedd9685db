/* endpoint_sessions.c - GET /auth/sessions and DELETE /auth/sessions/{id}: where
 * somebody is signed in. */

#include <stdlib.h>
#include <string.h>

#include "acts/sessions.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "web/admit.h"
#include "web/cookie.h"
#include "web/endpoint.h"
#include "web/error.h"
#include "web/origin.h"

/* Answer a failure; false when there is none. */
static bool
refuse(struct exchange *exchange, enum sessions_result result)
{
	switch (result) {
	case SESSIONS_OK:
		return false;
	case SESSIONS_NONE:
		error_answer(exchange->response, ERROR_NO_SUCH_SESSION, NULL);
		return true;
	case SESSIONS_UNAVAILABLE:
		error_answer(exchange->response, ERROR_UNAVAILABLE, NULL);
		return true;
	case SESSIONS_FAILED:
		break;
	}
	error_answer(exchange->response, ERROR_INTERNAL, NULL);
	return true;
}

static void
add_text(struct json_object *object, const char *name, const char *text)
{
	if (*text != '\0')
		json_add_string(object, name, text);
	else
		json_add_null(object, name);
}

static struct json_object *
describe(const struct session_view *view, const struct id *current)
{
	struct json_object *object = json_new_object();
	char id[ID_TEXT_SIZE];

	id_format(&view->session, id);
	json_add_string(object, "id", id);
	json_add_bool(object, "current", id_equal(&view->session, current));
	json_add_int(object, "createdAt", view->created_us / CLOCK_SECOND_US);
	json_add_int(object, "refreshedAt", view->rotated_us / CLOCK_SECOND_US);
	json_add_int(object, "expiresAt", view->expires_us / CLOCK_SECOND_US);
	add_text(object, "address", view->address);
	add_text(object, "device", view->device);
	return object;
}

static void
show(struct exchange *exchange, const struct sessions_list *list)
{
	struct json_object *body = json_new_object();
	struct json_object *array = json_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_append(array, describe(&list->views[i],
		    &exchange->client.session.session));
	json_add(body, "sessions", array);
	response_json(exchange->response, 200, body);
}

void
endpoint_sessions(struct exchange *exchange)
{
	struct sessions_list *list;
	struct person person;

	if (!admit_person(exchange, &person))
		return;
	list = memory_zeroed(1, sizeof(*list));
	if (!refuse(exchange, sessions_list(exchange->service, &person.user,
		&exchange->client.session.session, exchange->request->now_us,
		list)))
		show(exchange, list);
	free(list);
}

void
endpoint_session_end(struct exchange *exchange)
{
	const struct request *request = exchange->request;
	const struct config *config = exchange->service->config;
	const struct access_claims *own = &exchange->client.session;
	struct sessions_leave leave = {
		.address = request->remote_addr,
		.now_us = request->now_us,
	};
	struct person person;

	if (id_parse(exchange->tail, strlen(exchange->tail), &leave.session) !=
	    0) {
		error_answer(exchange->response, ERROR_PATH_INVALID, NULL);
		return;
	}
	if (!admit_person(exchange, &person))
		return;
	leave.user = person.user;
	if (refuse(exchange, sessions_end(exchange->service, &leave)))
		return;
	exchange->response->status = 204;
	if (id_equal(&leave.session, &own->session) &&
	    origin_may_act(config, request))
		cookie_clear_session(exchange->response, config, request);
}
