/* route.c - the table of addresses, and the way of one request through it. */

#include "web/route.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "web/admit.h"
#include "web/cors.h"
#include "web/endpoint.h"
#include "web/error.h"

struct route {
	enum request_method method;
	const char *address; /* under base_path, unless it is AT_ROOT */
	void (*serve)(struct exchange *exchange);
	unsigned flags; /* admit.h */
};

static const struct route routes[] = {
	{ METHOD_POST, "/auth/sign-in", endpoint_sign_in,
	    ROUTE_NEEDS_CLIENT | ROUTE_REMEMBERS | ROUTE_TAKES_JSON },
	{ METHOD_POST, "/auth/refresh", endpoint_refresh, ROUTE_MAY_TAKE_JSON },
	{ METHOD_GET, "/auth/session", endpoint_session, ROUTE_NEEDS_CLIENT },
	{ METHOD_PUT, "/auth/session", endpoint_session_keep,
	    ROUTE_NEEDS_CLIENT | ROUTE_TAKES_JSON },
	{ METHOD_POST, "/auth/sign-out", endpoint_sign_out,
	    ROUTE_MAY_TAKE_JSON },
	{ METHOD_GET, "/auth/sessions", endpoint_sessions, ROUTE_NEEDS_SESSION },
	{ METHOD_DELETE, "/auth/sessions/{id}", endpoint_session_end,
	    ROUTE_NEEDS_SESSION },
	{ METHOD_GET, "/users/me", endpoint_me,
	    ROUTE_NEEDS_CLIENT | ROUTE_NEEDS_SESSION },
	{ METHOD_GET, "/auth/check", endpoint_check,
	    ROUTE_NEEDS_SESSION | ROUTE_IS_QUIET },
	{ METHOD_GET, "/.well-known/jwks.json", endpoint_jwks, ROUTE_AT_ROOT },
	{ METHOD_GET, "/openapi.json", endpoint_openapi, 0 },
	{ METHOD_GET, "/auth/health", endpoint_health, 0 },
	{ METHOD_GET, "/auth/health/ready", endpoint_ready, 0 },
	{ METHOD_GET, "/metrics", endpoint_metrics, ROUTE_AT_ROOT },
};

static const struct {
	enum request_method method;
	const char *names; /* for Allow */
	const char *label; /* for metrics */
} method_names[] = {
	{ METHOD_GET, "GET, HEAD", "GET" },
	{ METHOD_POST, "POST", "POST" },
	{ METHOD_PUT, "PUT", "PUT" },
	{ METHOD_DELETE, "DELETE", "DELETE" },
	{ METHOD_OPTIONS, "OPTIONS", "OPTIONS" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The part of a path under the base, or NULL. */
static const char *
under_base(const struct config *config, const char *path)
{
	size_t size = strlen(config->base_path);

	if (strncmp(path, config->base_path, size) != 0 || path[size] != '/')
		return NULL;
	return path + size;
}

/* What stands for the "{id}" that an address may end in: one segment of the
 * path, or "" where there is none to be.  NULL: the path is another one. */
static const char *
match(const struct route *route, const struct config *config, const char *path)
{
	size_t size = strcspn(route->address, "{");

	if ((route->flags & ROUTE_AT_ROOT) == 0)
		path = under_base(config, path);
	if (path == NULL || strncmp(route->address, path, size) != 0)
		return NULL;
	path += size;
	if (route->address[size] == '\0')
		return *path == '\0' ? path : NULL;
	return *path != '\0' && strchr(path, '/') == NULL ? path : NULL;
}

/* The route of a request.  Without one, *allowed tells which methods the address
 * takes: none, when there is no such address. */
static const struct route *
find(struct exchange *exchange, unsigned *allowed)
{
	const struct request *request = exchange->request;

	*allowed = 0;
	for (size_t i = 0; i < COUNT(routes); i++) {
		exchange->tail = match(&routes[i], exchange->service->config,
		    request->path);
		if (exchange->tail == NULL)
			continue;
		if (routes[i].method == request->method)
			return &routes[i];
		*allowed |= routes[i].method;
	}
	return NULL;
}

/* An address of ours, but not this method: one that browsers alone send, or
 * none. */
static void
answer_method(struct exchange *exchange, unsigned allowed)
{
	struct response *response = exchange->response;
	char names[64] = "";
	size_t used = 0;

	for (size_t i = 0; i < COUNT(method_names); i++) {
		if ((allowed & method_names[i].method) == 0)
			continue;
		used += (size_t)snprintf(names + used, sizeof(names) - used,
		    "%s%s", used > 0 ? ", " : "", method_names[i].names);
	}
	if (cors_is_preflight(exchange->service->config, exchange->request)) {
		cors_preflight(response, names);
		return;
	}
	response_header(response, "Allow", "%s", names);
	error_answer(response, ERROR_METHOD, NULL);
}

/* Count it for this row, and let the board show it. */
static void
take_row(struct exchange *exchange, const struct route *route)
{
	const struct service *service = exchange->service;

	exchange->row = 1 + (size_t)(route - routes);
	if (service->board != NULL)
		board_answers(service->board, service->slot, exchange->row);
}

/* Everything that a route wants before its endpoint may act. */
static void
serve_route(struct exchange *exchange, const struct route *route)
{
	struct request *request = exchange->request;
	size_t limit = (size_t)exchange->service->config->body_limit;

	take_row(exchange, route);
	switch (request_read_body(request, limit)) {
	case REQUEST_OK:
		break;
	case REQUEST_TOO_LARGE:
		error_answer(exchange->response, ERROR_BODY_TOO_LARGE, NULL);
		return;
	case REQUEST_INVALID:
	case REQUEST_BAD_PATH:
		error_answer(exchange->response, ERROR_REQUEST_INVALID, NULL);
		return;
	}
	if (!admit_caller(exchange, route->flags))
		return;
	if (!admit_json(exchange, route->flags))
		return;
	route->serve(exchange);
}

/* An authorizer's 2xx opens somebody's door, and the request is not for an address
 * of ours: one endpoint alone answers, and its body is not for us to read. */
static void
serve_authorizer(struct exchange *exchange)
{
	const struct route *route = routes;

	while (route->serve != endpoint_check)
		route++;
	take_row(exchange, route);
	if (admit_caller(exchange, route->flags))
		route->serve(exchange);
}

static void
serve_address(struct exchange *exchange)
{
	const struct request *request = exchange->request;
	const struct route *route;
	unsigned allowed;

	if (request->authorizer) {
		serve_authorizer(exchange);
		return;
	}
	route = find(exchange, &allowed);
	if (route != NULL)
		serve_route(exchange, route);
	else if (allowed != 0)
		answer_method(exchange, allowed);
	else
		error_answer(exchange->response, ERROR_NO_SUCH_ADDRESS, NULL);
}

/* May it be kept, and sent in parts?  Never the latter: some web servers would cut
 * one out (206), others not.  What an authorizer lets pass is the place's to say, and
 * some web servers would put our word beside it. */
static void
head_use(const struct request *request, struct response *response)
{
	if (request->authorizer && response->status == 200)
		return;
	if (response->status == 200)
		response_header(response, "Accept-Ranges", "none");
	if (response->max_age > 0)
		response_header(response, "Cache-Control", "public, max-age=%d",
		    response->max_age);
	else
		response_header(response, "Cache-Control", "no-store");
}

static void
answer(struct exchange *exchange, const struct gateway *gateway)
{
	struct response *response = exchange->response;
	enum request_result result = request_read(exchange->request, gateway);

	response_header(response, "X-Request-Id", "%s",
	    exchange->request->id_text);
	response_header(response, "X-Content-Type-Options", "nosniff");

	switch (result) {
	case REQUEST_OK:
		serve_address(exchange);
		break;
	case REQUEST_BAD_PATH:
		error_answer(response, ERROR_PATH_INVALID, NULL);
		break;
	case REQUEST_INVALID:
	case REQUEST_TOO_LARGE:
		error_answer(response, ERROR_REQUEST_INVALID, NULL);
		break;
	}
	head_use(exchange->request, response);
	cors_head(exchange->service->config, exchange->request, response);
}

static enum log_level
level_of(const struct exchange *exchange)
{
	if (exchange->row > 0 && exchange->response->status < 300 &&
	    (routes[exchange->row - 1].flags & ROUTE_IS_QUIET))
		return LOG_LEVEL_DEBUG;
	return LOG_LEVEL_INFO;
}

static void
log_request(const struct exchange *exchange, bool sent)
{
	const struct request *request = exchange->request;
	const struct gateway *gateway = request->gateway;
	const struct response *response = exchange->response;
	char text[ID_TEXT_SIZE];
	struct log_line line;
	int64_t held_ms = 0;

	if (gateway->held_ms != NULL)
		held_ms = gateway->held_ms(gateway->self);

	log_begin(&line, level_of(exchange), "request");
	log_add(&line, "id", request->id_text);
	log_add(&line, "method", request->method_text);
	log_add(&line, "path", request->path);
	log_add_int(&line, "status", response->status);
	log_add(&line, "code", response->error_code);
	log_add(&line, "outcome", response->outcome);
	log_add(&line, "address", request->remote_addr);
	if (exchange->client.kind == CLIENT_API_KEY) {
		id_format(&exchange->client.key, text);
		log_add(&line, "key", text);
	}
	log_add_int(&line, "us", clock_steady_us() - request->started_us);
	if (held_ms > 0)
		log_add_int(&line, "held_ms", held_ms);
	if (!sent)
		log_add(&line, "sent", "no");
	log_end(&line);
}

_Static_assert(COUNT(routes) < METRICS_ADDRESSES, "each has its own counters");

const char *
route_row(size_t row, const char **method)
{
	*method = "other";
	if (row == 0)
		return "other";
	if (row > COUNT(routes))
		return NULL;
	for (size_t i = 0; i < COUNT(method_names); i++)
		if (method_names[i].method == routes[row - 1].method)
			*method = method_names[i].label;
	return routes[row - 1].address;
}

static void
count_request(const struct exchange *exchange)
{
	size_t status = response_status_index(exchange->response->status);

	metrics_count(METRICS_REQUESTS,
	    METRICS_REQUEST_CELL(exchange->row, status));
	metrics_time(METRICS_REQUEST_TIME, exchange->row,
	    clock_steady_us() - exchange->request->started_us);
}

enum route_result
route_serve(const struct service *service, const struct gateway *gateway)
{
	struct request request;
	struct response response;
	struct exchange exchange = {
		.service = service,
		.request = &request,
		.response = &response,
	};
	bool sent;

	response_start(&response);
	answer(&exchange, gateway);
	sent = response_send(&response, gateway) == 0;
	count_request(&exchange);
	log_request(&exchange, sent);

	json_free(exchange.body);
	response_end(&response);
	request_end(&request);
	return sent ? ROUTE_ANSWERED : ROUTE_UNSENT;
}
