/* endpoint.h - what answers at each address. */

#ifndef POSTERN_WEB_ENDPOINT_H
#define POSTERN_WEB_ENDPOINT_H

#include "acts/client.h"
#include "acts/service.h"
#include "web/request.h"
#include "web/response.h"

struct json_object;

/* All that an endpoint needs; lives as long as the request. */
struct exchange {
	const struct service *service;
	struct request *request;
	struct response *response;
	struct client client;
	struct json_object *body; /* parsed, where the route takes JSON */
	const char *tail; /* what stands for "{id}" in the path, or "" */
	size_t row; /* of the table of addresses, see route_row() */
};

void endpoint_sign_in(struct exchange *exchange);
void endpoint_refresh(struct exchange *exchange);
void endpoint_session(struct exchange *exchange);
void endpoint_session_keep(struct exchange *exchange);
void endpoint_sign_out(struct exchange *exchange);
void endpoint_sessions(struct exchange *exchange);
void endpoint_session_end(struct exchange *exchange);
void endpoint_me(struct exchange *exchange);
void endpoint_check(struct exchange *exchange);

void endpoint_jwks(struct exchange *exchange);
void endpoint_openapi(struct exchange *exchange);

void endpoint_health(struct exchange *exchange);
void endpoint_ready(struct exchange *exchange);

void endpoint_metrics(struct exchange *exchange);

#endif
