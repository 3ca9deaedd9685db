/* record.c - the records of a FastCGI request. */

#include "web/record.h"

#include <string.h>

#define HEADER_SIZE 8
#define BEGIN_SIZE  8

enum record_type {
	TYPE_BEGIN_REQUEST = 1,
	TYPE_ABORT_REQUEST = 2,
	TYPE_PARAMS = 4,
	TYPE_STDIN = 5,
};

enum role {
	ROLE_RESPONDER = 1,
	ROLE_AUTHORIZER = 2,
};

struct record {
	unsigned type;
	unsigned id;
	size_t content_size;
	size_t size; /* header, content and padding */
	const unsigned char *content;
};

void
record_start(struct record_scan *scan, size_t body_limit)
{
	memset(scan, 0, sizeof(*scan));
	scan->body_limit = body_limit;
}

static enum record_result
bad(struct record_scan *scan, const char *why)
{
	scan->why = why;
	return RECORD_BAD;
}

static void
read_header(const unsigned char *bytes, struct record *record)
{
	record->type = bytes[1];
	record->id = (unsigned)bytes[2] << 8 | bytes[3];
	record->content_size = (size_t)bytes[4] << 8 | bytes[5];
	record->size = HEADER_SIZE + record->content_size + bytes[6];
	record->content = bytes + HEADER_SIZE;
}

static enum record_result
scan_begin(struct record_scan *scan, const struct record *record)
{
	unsigned role = (unsigned)record->content[0] << 8 | record->content[1];

	if (role != ROLE_RESPONDER && role != ROLE_AUTHORIZER)
		return bad(scan,
		    "a role that is neither responder nor authorizer");
	scan->authorizer = role == ROLE_AUTHORIZER;
	scan->id = record->id;
	scan->stage = RECORD_AT_PARAMS;
	return RECORD_MORE;
}

/* A length is whole: go on to what comes behind it. */
static void
end_length(struct record_scan *scan)
{
	scan->pair_bytes += scan->length;
	scan->length = 0;
	scan->pair =
	    scan->pair == PAIR_NAME_LENGTH ? PAIR_VALUE_LENGTH : PAIR_BYTES;
	if (scan->pair == PAIR_BYTES && scan->pair_bytes == 0)
		scan->pair = PAIR_NAME_LENGTH;
}

/* One byte of a name's or value's length: one byte below 128, else four whose
 * highest bit is not counted (section 3.4). */
static void
scan_length(struct record_scan *scan, unsigned char byte)
{
	if (scan->length_bytes > 0) {
		scan->length = scan->length << 8 | byte;
		scan->length_bytes--;
	} else if (byte & 0x80) {
		scan->length = byte & 0x7f;
		scan->length_bytes = 3;
	} else {
		scan->length = byte;
	}
	if (scan->length_bytes == 0)
		end_length(scan);
}

/* Bytes of name and value; returns how many of them are here. */
static size_t
scan_pair_bytes(struct record_scan *scan, size_t size)
{
	if (size > scan->pair_bytes)
		size = scan->pair_bytes;
	scan->pair_bytes -= size;
	if (scan->pair_bytes == 0)
		scan->pair = PAIR_NAME_LENGTH;
	return size;
}

static enum record_result
scan_params(struct record_scan *scan, const struct record *record)
{
	const unsigned char *at = record->content;
	const unsigned char *end = at + record->content_size;

	if (at == end) {
		if (scan->pair != PAIR_NAME_LENGTH || scan->length_bytes > 0)
			return bad(scan, "a parameter that is cut off");
		scan->stage = RECORD_AT_STDIN;
		return scan->authorizer ? RECORD_WHOLE : RECORD_MORE;
	}
	while (at < end) {
		size_t here;

		if (scan->pair != PAIR_BYTES) {
			scan_length(scan, *at++);
			/* Nothing so long could come within the limit. */
			if (scan->pair_bytes > RECORD_HEAD_LIMIT)
				return bad(scan,
				    "a parameter that is too long");
			continue;
		}
		here = scan_pair_bytes(scan, (size_t)(end - at));
		/* Where libfcgi's strings would end, and ours with them. */
		if (memchr(at, '\0', here) != NULL)
			return bad(scan, "a parameter with a NUL");
		at += here;
	}
	return RECORD_MORE;
}

static enum record_result
scan_stdin(struct record_scan *scan, const struct record *record)
{
	scan->body_size += record->content_size;
	return record->content_size == 0 ? RECORD_WHOLE : RECORD_MORE;
}

/*
 * libfcgi forgets the padding of the first record and of the one that ends the
 * parameters: it would go on reading there, and find whatever records somebody
 * has put into it.
 */
static bool
hides_records(const struct record_scan *scan, const struct record *record)
{
	if (record->size == HEADER_SIZE + record->content_size)
		return false;
	return scan->stage == RECORD_AT_BEGIN ||
	    (scan->stage == RECORD_AT_PARAMS && record->content_size == 0);
}

/* What the header alone tells: may this record come now? */
static enum record_result
scan_header(struct record_scan *scan, const struct record *record)
{
	static const unsigned expected[] = {
		[RECORD_AT_BEGIN] = TYPE_BEGIN_REQUEST,
		[RECORD_AT_PARAMS] = TYPE_PARAMS,
		[RECORD_AT_STDIN] = TYPE_STDIN,
	};

	if (record->id == 0)
		return bad(scan, "a management record");
	if (scan->stage != RECORD_AT_BEGIN && record->id != scan->id)
		return bad(scan, "two requests on one connection");
	if (record->type == TYPE_ABORT_REQUEST)
		return bad(scan, "an aborted request");
	if (record->type != expected[scan->stage])
		return bad(scan, "a record that does not belong there");

	if (scan->stage == RECORD_AT_BEGIN &&
	    record->content_size != BEGIN_SIZE)
		return bad(scan, "a first record of the wrong size");
	if (hides_records(scan, record))
		return bad(scan, "padding where none is skipped");
	if (scan->stage == RECORD_AT_PARAMS &&
	    scan->seen + record->size > RECORD_HEAD_LIMIT)
		return bad(scan, "too many parameters");
	return RECORD_MORE;
}

static bool
is_excess(const struct record_scan *scan, const struct record *record)
{
	return scan->stage == RECORD_AT_STDIN &&
	    scan->body_size + record->content_size > scan->body_limit;
}

/* A record that takes the body over its limit: enough once a byte too many is
 * here, of the `size` bytes that are. */
static enum record_result
scan_excess(struct record_scan *scan, const struct record *record, size_t size)
{
	size_t here = size - HEADER_SIZE;

	if (here > record->content_size)
		here = record->content_size;
	if (scan->body_size + here <= scan->body_limit)
		return RECORD_MORE;
	scan->body_size += here;
	return RECORD_LARGE;
}

static enum record_result
scan_content(struct record_scan *scan, const struct record *record)
{
	switch (scan->stage) {
	case RECORD_AT_BEGIN:
		return scan_begin(scan, record);
	case RECORD_AT_PARAMS:
		return scan_params(scan, record);
	case RECORD_AT_STDIN:
		break;
	}
	return scan_stdin(scan, record);
}

enum record_result
record_scan(struct record_scan *scan, const unsigned char *bytes, size_t size)
{
	enum record_result result = RECORD_MORE;
	struct record record;

	while (result == RECORD_MORE) {
		size_t left = size - scan->seen;

		if (left > 0 && bytes[scan->seen] != 1)
			return bad(scan, "bytes that are not FastCGI");
		if (left < HEADER_SIZE)
			return RECORD_MORE;
		read_header(bytes + scan->seen, &record);
		result = scan_header(scan, &record);
		if (result == RECORD_MORE && is_excess(scan, &record))
			return scan_excess(scan, &record, left);
		if (result != RECORD_MORE || left < record.size)
			return result;
		result = scan_content(scan, &record);
		scan->seen += record.size;
	}
	return result;
}
