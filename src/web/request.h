/* request.h - one HTTP request, checked and in our words. */

#ifndef POSTERN_WEB_REQUEST_H
#define POSTERN_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"
#include "web/gateway.h"

enum request_method {
	METHOD_GET = 1 << 0,
	METHOD_POST = 1 << 1,
	METHOD_PUT = 1 << 2,
	METHOD_DELETE = 1 << 3,
	METHOD_OPTIONS = 1 << 4,
	METHOD_OTHER = 1 << 5,
};

#define REQUEST_PATH_SIZE 512
#define REQUEST_DEVICE_SIZE 201

/* Borrowed strings point into the gateway's params and die with the request. */
struct request {
	struct id id;
	char id_text[ID_TEXT_SIZE];
	int64_t now_us;     /* when it arrived */
	int64_t started_us; /* the same on the steady clock */

	enum request_method method; /* HEAD counts as GET */
	const char *method_text;
	char path[REQUEST_PATH_SIZE]; /* decoded, query cut off */
	const char *query;            /* raw, "" when absent */

	const char *remote_addr;   /* checked to be an IP address */
	const char *content_type;  /* or NULL */
	const char *content_length;/* or NULL; unchecked */
	const char *api_key;       /* or NULL */
	const char *authorization; /* or NULL */
	const char *user_agent;    /* or NULL */
	const char *host;          /* or NULL */
	const char *origin;        /* or NULL */
	const char *fetch_site;    /* Sec-Fetch-Site, or NULL */
	const char *preflight_method; /* Access-Control-Request-Method, or
	                                 NULL */
	const char *if_none_match; /* or NULL */
	char device[REQUEST_DEVICE_SIZE]; /* User-Agent, safe to keep; or "" */
	bool https;
	bool authorizer;

	const struct gateway *gateway;
	char *body; /* NULL until request_read_body(); NUL behind it */
	size_t body_size;
	size_t body_room; /* what may hold bytes of it, to be wiped */
};

enum request_result {
	REQUEST_OK,
	REQUEST_INVALID,   /* half-sent or lying: never acted on */
	REQUEST_BAD_PATH,  /* an address that no route can have */
	REQUEST_TOO_LARGE,
};

/*
 * Read the head of a request from the gateway's params.  INVALID unless method,
 * address and REMOTE_ADDR are there: libfcgi hands over half-sent heads as whole
 * ones.  The path comes from REQUEST_URI alone, the one variable all servers
 * agree on, decoded once, without the "http://server" that may stand before it;
 * BAD_PATH for "//", "." and "..", an escaped "/", "\" or
 * control, bad escapes, too long ones, and two addresses in one request.
 *
 * An authorizer is asked about requests to somebody else's addresses: they may be
 * as strange as they like, are kept for the log if they can be read, and their
 * query is not ours to look at.  The answer is always OK.
 */
enum request_result request_read(struct request *request,
    const struct gateway *gateway);

/*
 * Read the body, if any, up to `limit` bytes.  INVALID when its length is not
 * what CONTENT_LENGTH said, or the peer broke off; TOO_LARGE beyond the limit,
 * seen from CONTENT_LENGTH before memory is taken.  No request may be acted on
 * before this said OK.
 */
enum request_result request_read_body(struct request *request, size_t limit);

/* Is the body declared as application/json (any parameters but another
 * charset)? */
bool request_is_json(const struct request *request);

enum request_query {
	QUERY_ABSENT,
	QUERY_FOUND,
	QUERY_BAD, /* malformed, empty, longer than the room, or given twice */
};

/* A query parameter, decoded into `value` and NUL-terminated when FOUND. */
enum request_query request_query(const struct request *request,
    const char *name, char *value, size_t room);

/* Wipe and release what the request owns. */
void request_end(struct request *request);

#endif
