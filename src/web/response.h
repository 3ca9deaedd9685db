/* response.h - an answer being put together, and sent in one piece. */

#ifndef POSTERN_WEB_RESPONSE_H
#define POSTERN_WEB_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "web/gateway.h"

struct json_object;

/* Under nginx's default buffer for a response's head, 4 KB. */
#define RESPONSE_HEAD_SIZE 4000

struct response {
	int status;
	const char *error_code; /* of the contract, or NULL; for the log */
	const char *outcome;    /* a word for the log, or NULL */
	int max_age; /* seconds that anybody may keep it, 0: not at all */
	char head[RESPONSE_HEAD_SIZE]; /* header lines, CRLF each */
	size_t head_size;
	char *body; /* or NULL */
	size_t body_size;
};

void response_start(struct response *response);

/*
 * Add a header line.  The process aborts when the head would overflow or a name
 * or value holds a control character: both are defects of ours, since nothing a
 * client sends is echoed unchecked.
 */
void response_header(struct response *response, const char *name,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Answer with a status and a JSON value, which is used up. */
void response_json(struct response *response, int status,
    struct json_object *value);

/* Answer with a text of this media type, which is used up and freed. */
void response_text(struct response *response, int status, const char *type,
    char *text, size_t size);

/* The statuses that there are, by number: 0 behind the last; and a status's
 * number, that of the end for one that is none of them. */
int response_status_at(size_t index);
size_t response_status_index(int status);

/* Send status line, head and body in one write.  0 or -1. */
int response_send(const struct response *response,
    const struct gateway *gateway);

/* Wipe and release: bodies and heads hold tokens. */
void response_end(struct response *response);

#endif
