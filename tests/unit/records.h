/* records.h - FastCGI requests put together record by record, for tests. */

#ifndef POSTERN_TESTS_UNIT_RECORDS_H
#define POSTERN_TESTS_UNIT_RECORDS_H

#include <stddef.h>
#include <string.h>

enum {
	BEGIN_REQUEST = 1,
	ABORT_REQUEST = 2,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	DATA = 8,
	GET_VALUES = 9,
};

enum { RESPONDER = 1, AUTHORIZER = 2, FILTER = 3 };
enum { KEEP_CONNECTION = 1 };

struct records {
	unsigned char bytes[1 << 18];
	size_t size;
};

static inline void
records_header(struct records *to, unsigned type, unsigned id, size_t size,
    unsigned padding)
{
	const unsigned char header[] = { 1, (unsigned char)type,
		(unsigned char)(id >> 8), (unsigned char)id,
		(unsigned char)(size >> 8), (unsigned char)size,
		(unsigned char)padding, 0 };

	memcpy(to->bytes + to->size, header, sizeof(header));
	to->size += sizeof(header);
}

static inline void
records_bytes(struct records *to, const void *bytes, size_t size)
{
	memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
}

static inline void
records_add(struct records *to, unsigned type, const void *content, size_t size)
{
	records_header(to, type, 1, size, 0);
	records_bytes(to, content, size);
}

static inline void
records_begin(struct records *to, unsigned role, unsigned flags)
{
	const unsigned char content[8] = { 0, (unsigned char)role,
		(unsigned char)flags };

	records_add(to, BEGIN_REQUEST, content, sizeof(content));
}

static inline void
records_length(struct records *to, size_t length)
{
	const unsigned char bytes[] = { (unsigned char)(length >> 24 | 0x80),
		(unsigned char)(length >> 16), (unsigned char)(length >> 8),
		(unsigned char)length };

	if (length < 128)
		records_bytes(to, bytes + 3, 1);
	else
		records_bytes(to, bytes, sizeof(bytes));
}

/* One name-value pair in a record of its own. */
static inline void
records_param(struct records *to, const char *name, const char *value)
{
	static struct records pair;

	pair.size = 0;
	records_length(&pair, strlen(name));
	records_length(&pair, strlen(value));
	records_bytes(&pair, name, strlen(name));
	records_bytes(&pair, value, strlen(value));
	records_add(to, PARAMS, pair.bytes, pair.size);
}

/* BEGIN_REQUEST and three parameters, without their end. */
static inline void
records_head(struct records *to, unsigned role, unsigned flags)
{
	to->size = 0;
	records_begin(to, role, flags);
	records_param(to, "REQUEST_METHOD", "POST");
	records_param(to, "REQUEST_URI", "/v2/auth/sign-in");
	records_param(to, "REMOTE_ADDR", "192.0.2.7");
}

/* A whole request of a responder. */
static inline void
records_request(struct records *to, unsigned flags, const char *body)
{
	records_head(to, RESPONDER, flags);
	records_add(to, PARAMS, "", 0);
	if (*body != '\0')
		records_add(to, STDIN, body, strlen(body));
	records_add(to, STDIN, "", 0);
}

#endif
