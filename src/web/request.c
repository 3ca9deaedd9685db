/* request.c - from a web server's variables to a request we can trust. */

#include "web/request.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/text.h"

/* What a web server calls the things we look at. */
struct head {
	const char *uri;
	const char *method;
	const char *https;
	const char *scheme;
	bool uri_twice;
};

static const struct {
	const char *name;
	enum request_method method;
} methods[] = {
	{ "GET", METHOD_GET },
	{ "HEAD", METHOD_GET }, /* the web server cuts the body off */
	{ "POST", METHOD_POST },
	{ "PUT", METHOD_PUT },
	{ "DELETE", METHOD_DELETE },
	{ "OPTIONS", METHOD_OPTIONS },
};

static enum request_method
method_of(const char *text)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(text, methods[i].name) == 0)
			return methods[i].method;
	return METHOD_OTHER;
}

/* Sort the parameters into their fields.  The first of a name counts; two
 * different REQUEST_URI mean that a configuration contradicts itself. */
static void
sort_params(struct request *request, struct head *head)
{
	const struct {
		const char *name;
		const char **field;
	} fields[] = {
		{ "CONTENT_LENGTH", &request->content_length },
		{ "CONTENT_TYPE", &request->content_type },
		{ "HTTPS", &head->https },
		{ "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
		    &request->preflight_method },
		{ "HTTP_AUTHORIZATION", &request->authorization },
		{ "HTTP_HOST", &request->host },
		{ "HTTP_IF_NONE_MATCH", &request->if_none_match },
		{ "HTTP_ORIGIN", &request->origin },
		{ "HTTP_SEC_FETCH_SITE", &request->fetch_site },
		{ "HTTP_USER_AGENT", &request->user_agent },
		{ "HTTP_X_API_KEY", &request->api_key },
		{ "REMOTE_ADDR", &request->remote_addr },
		{ "REQUEST_METHOD", &head->method },
		{ "REQUEST_SCHEME", &head->scheme },
		{ "REQUEST_URI", &head->uri },
	};

	for (const char *const *param = request->gateway->params; *param; param++) {
		const char *equals = strchr(*param, '=');
		size_t length = equals ? (size_t)(equals - *param) : 0;

		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			if (strncmp(*param, fields[i].name, length) != 0 ||
			    fields[i].name[length] != '\0' || length == 0)
				continue;
			if (*fields[i].field == NULL)
				*fields[i].field = equals + 1;
			else if (fields[i].field == &head->uri &&
			    strcmp(head->uri, equals + 1) != 0)
				head->uri_twice = true;
		}
	}
}

static bool
is_address(const char *text)
{
	struct in6_addr room;

	return inet_pton(AF_INET, text, &room) == 1 ||
	    inet_pton(AF_INET6, text, &room) == 1;
}

/* A segment that means another place than it says. */
static bool
is_dots(const char *segment, size_t size)
{
	return (size == 1 && segment[0] == '.') ||
	    (size == 2 && segment[0] == '.' && segment[1] == '.');
}

static bool
has_odd_segment(const char *path)
{
	const char *start = path + 1;

	for (;;) {
		size_t size = strcspn(start, "/");

		if (is_dots(start, size))
			return true;
		if (start[size] == '\0')
			return false;
		if (size == 0)
			return true; /* "//" */
		start += size + 1;
	}
}

/* A client may name the server once more, in front of the path (RFC 9112 3.2.2);
 * some web servers leave it there. */
static const char *
skip_server(const char *uri)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t size = strlen(schemes[i]);

		if (strncasecmp(uri, schemes[i], size) == 0)
			return uri + size + strcspn(uri + size, "/?");
	}
	return uri;
}

/*
 * Decode the path of a REQUEST_URI, once.  An escaped "/" or "\" would be one
 * path to us and another to a server that decoded it before, so it is no path.
 */
static int
decode_path(const char *uri, char path[static REQUEST_PATH_SIZE])
{
	size_t used = 0;

	uri = skip_server(uri);
	if (uri[0] != '/')
		return -1;
	while (*uri != '\0' && *uri != '?') {
		int c = (unsigned char)*uri;

		if (c == '%') {
			c = hex_byte(uri + 1);
			if (c == '/' || c == '\\')
				return -1;
			uri += 2;
		}
		if (c < 0x20 || c == 0x7f || used == REQUEST_PATH_SIZE - 1)
			return -1;
		path[used++] = (char)c;
		uri++;
	}
	path[used] = '\0';
	return has_odd_segment(path) ? -1 : 0;
}

/*
 * A User-Agent that may go into a text column: UTF-8, no controls, cut where a
 * character ends.
 */
static void
clean_agent(const char *agent, char *device, size_t room)
{
	size_t used = strlen(agent);
	bool utf8;

	if (used > room - 1) {
		used = room - 1;
		while (used > 0 && ((unsigned char)agent[used] & 0xc0) == 0x80)
			used--;
	}
	utf8 = text_is_utf8(agent, used);
	for (size_t i = 0; i < used; i++) {
		unsigned char c = (unsigned char)agent[i];

		device[i] = agent[i];
		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
			device[i] = '?';
	}
	device[used] = '\0';
}

static enum request_result
read_head(struct request *request, const struct gateway *gateway)
{
	struct head head = { 0 };

	memset(request, 0, sizeof(*request));
	request->gateway = gateway;
	request->now_us = clock_now_us();
	request->started_us = clock_steady_us();
	request->id = id_ordered(request->now_us);
	id_format(&request->id, request->id_text);
	request->authorizer = gateway->authorizer;
	request->method = METHOD_OTHER;
	request->method_text = "-";
	request->query = "";

	sort_params(request, &head);
	request->https = (head.https && strcasecmp(head.https, "on") == 0) ||
	    (head.scheme && strcasecmp(head.scheme, "https") == 0);
	if (request->user_agent != NULL)
		clean_agent(request->user_agent, request->device,
		    sizeof(request->device));
	if (request->remote_addr != NULL && !is_address(request->remote_addr))
		request->remote_addr = NULL;
	if (head.method == NULL || head.uri == NULL)
		return REQUEST_INVALID;
	request->method_text = head.method;
	request->method = method_of(head.method);
	if (request->remote_addr == NULL)
		return REQUEST_INVALID;

	if (head.uri_twice || decode_path(head.uri, request->path) != 0) {
		request->path[0] = '\0';
		return REQUEST_BAD_PATH;
	}
	if (strchr(head.uri, '?') != NULL)
		request->query = strchr(head.uri, '?') + 1;
	return REQUEST_OK;
}

enum request_result
request_read(struct request *request, const struct gateway *gateway)
{
	enum request_result result = read_head(request, gateway);

	if (!request->authorizer)
		return result;
	request->query = "";
	return REQUEST_OK;
}

/* CONTENT_LENGTH as a number; -1 when it is not there, -2 when it is none. */
static int64_t
declared_length(const struct request *request)
{
	const char *text = request->content_length;
	int64_t length = 0;

	if (text == NULL || *text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -2;
		length = length * 10 + (*text - '0');
		if (length > INT32_MAX)
			length = INT32_MAX; /* beyond any limit */
	}
	return length;
}

/* Read until the end or until `size` bytes are there; -1 when the peer broke
 * off. */
static ssize_t
read_all(const struct gateway *gateway, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got =
		    gateway->read(gateway->self, bytes + used, size - used);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

enum request_result
request_read_body(struct request *request, size_t limit)
{
	int64_t declared = declared_length(request);
	size_t room;
	ssize_t got;

	if (declared == -2)
		return REQUEST_INVALID;
	if (declared > (int64_t)limit)
		return REQUEST_TOO_LARGE;

	/* One byte more than may come, to see whether it does. */
	room = (declared < 0 ? limit : (size_t)declared) + 1;
	request->body = memory_zeroed(room + 1, 1);
	request->body_room = room;
	got = read_all(request->gateway, request->body, room);
	if (got < 0)
		return REQUEST_INVALID;
	request->body_size = (size_t)got;
	if (declared < 0)
		return request->body_size > limit ? REQUEST_TOO_LARGE :
						    REQUEST_OK;
	return got == declared ? REQUEST_OK : REQUEST_INVALID;
}

/* "; charset=utf-8", the one parameter that is allowed to matter. */
static bool
charset_is_utf8(const char *parameters)
{
	const char *charset = strcasestr(parameters, "charset=");

	if (charset == NULL)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) == 0 &&
	    strchr("\"; \t", charset[5]) != NULL;
}

bool
request_is_json(const struct request *request)
{
	static const char json[] = "application/json";
	const char *rest = request->content_type;

	if (rest == NULL || strncasecmp(rest, json, sizeof(json) - 1) != 0)
		return false;
	rest += sizeof(json) - 1;
	rest += strspn(rest, " \t");
	return *rest == '\0' || (*rest == ';' && charset_is_utf8(rest));
}

/* Decode one name or value of a query; -1 when it is malformed or too long. */
static ssize_t
decode_query(const char *text, size_t size, char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		int c = (unsigned char)text[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (size - i < 3 || (c = hex_byte(text + i + 1)) <= 0)
				return -1;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f || used + 1 >= room)
			return -1;
		out[used++] = (char)c;
	}
	out[used] = '\0';
	return (ssize_t)used;
}

enum request_query
request_query(const struct request *request, const char *name, char *value,
    size_t room)
{
	enum request_query found = QUERY_ABSENT;
	size_t name_size = strlen(name);

	for (const char *pair = request->query; *pair != '\0';) {
		size_t size = strcspn(pair, "&");

		if (size >= name_size && strncmp(pair, name, name_size) == 0 &&
		    (size == name_size || pair[name_size] == '=')) {
			size_t skip = name_size + (size > name_size);

			if (found != QUERY_ABSENT ||
			    decode_query(pair + skip, size - skip, value, room) <=
			    0)
				return QUERY_BAD;
			found = QUERY_FOUND;
		}
		pair += size;
		pair += *pair == '&';
	}
	return found;
}

void
request_end(struct request *request)
{
	/* A body that broke off has a size of 0, and a password in it. */
	if (request->body != NULL)
		secret_wipe(request->body, request->body_room);
	free(request->body);
	secret_wipe(request, sizeof(*request));
}
