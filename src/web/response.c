/* response.c - one buffer, one write, and nothing left behind. */

#include "web/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 413, "Content Too Large" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

int
response_status_at(size_t index)
{
	return index < REASONS ? reasons[index].status : 0;
}

size_t
response_status_index(int status)
{
	size_t i = 0;

	while (i < REASONS && reasons[i].status != status)
		i++;
	return i;
}

static const char *
reason_of(int status)
{
	size_t index = response_status_index(status);

	return index < REASONS ? reasons[index].reason : "Unknown";
}

void
response_start(struct response *response)
{
	memset(response, 0, sizeof(*response));
}

static bool
has_control(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return true;
	return false;
}

void
response_header(struct response *response, const char *name,
    const char *format, ...)
{
	char *line = response->head + response->head_size;
	size_t room = sizeof(response->head) - response->head_size;
	size_t named = strlen(name) + 2;
	va_list args;
	int valued = -1;

	if (named < room) {
		snprintf(line, room, "%s: ", name);
		va_start(args, format);
		valued = vsnprintf(line + named, room - named, format, args);
		va_end(args);
	}
	/* CR, LF and NUL must fit too. */
	if (valued < 0 || named + (size_t)valued + 3 > room ||
	    has_control(line, named + (size_t)valued)) {
		log_error("could not write the response header \"%s\"", name);
		abort();
	}
	memcpy(line + named + valued, "\r\n", 3);
	response->head_size += named + (size_t)valued + 2;
}

void
response_text(struct response *response, int status, const char *type,
    char *text, size_t size)
{
	response->status = status;
	response->body = text;
	response->body_size = size;
	response_header(response, "Content-Type", "%s", type);
}

void
response_json(struct response *response, int status,
    struct json_object *value)
{
	size_t size;
	const char *text = json_text(value, &size);

	response_text(response, status, "application/json",
	    memory_text_part(text, size), size);
	json_free(value);
}

int
response_send(const struct response *response, const struct gateway *gateway)
{
	char start[128];
	int start_size, sent;
	size_t size;
	char *all;

	/* An answer without a body has no length: RFC 9110 8.6 forbids it with
	 * 204, and the web server knows the rest. */
	start_size = snprintf(start, sizeof(start), "Status: %d %s\r\n",
	    response->status, reason_of(response->status));
	if (response->body != NULL)
		start_size += snprintf(start + start_size,
		    sizeof(start) - (size_t)start_size,
		    "Content-Length: %zu\r\n", response->body_size);

	size = (size_t)start_size + response->head_size + 2 +
	    response->body_size;
	all = memory_zeroed(size, 1);
	memcpy(all, start, (size_t)start_size);
	memcpy(all + start_size, response->head, response->head_size);
	memcpy(all + start_size + response->head_size, "\r\n", 2);
	if (response->body != NULL)
		memcpy(all + size - response->body_size, response->body,
		    response->body_size);
	sent = gateway->write(gateway->self, all, size);
	secret_wipe(all, size);
	free(all);
	return sent;
}

void
response_end(struct response *response)
{
	if (response->body != NULL)
		secret_wipe(response->body, response->body_size);
	free(response->body);
	secret_wipe(response->head, response->head_size);
	response->body = NULL;
}
