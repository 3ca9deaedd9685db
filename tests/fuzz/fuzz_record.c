/* fuzz_record.c - what is found in order is what libfcgi will find, however its
 * bytes arrive. */

#include <string.h>

#include "fuzz.h"
#include "web/record.h"

#define BODY_LIMIT 300

/* Reads a request as record.h says that it is, and only as far. */
static void
check_whole(const uint8_t *data, size_t size, const struct record_scan *scan)
{
	size_t at = 0, body = 0, head = 0;

	MUST(scan->seen <= size);
	while (at < scan->seen) {
		const uint8_t *header = data + at;
		size_t content = (size_t)header[4] << 8 | header[5];

		MUST(scan->seen - at >= 8);
		MUST(header[0] == 1);
		MUST(header[2] << 8 | header[3]);
		MUST(header[1] == (at == 0 ? 1 : header[1] == 4 ? 4 : 5));
		/* libfcgi would not skip it. */
		if (at == 0 || (header[1] == 4 && content == 0))
			MUST(header[6] == 0);
		if (header[1] == 5)
			body += content;
		else
			head = at + 8 + content + header[6];
		at += 8 + content + header[6];
	}
	MUST(at == scan->seen);
	MUST(body == scan->body_size);
	MUST(body <= BODY_LIMIT);
	MUST(head <= RECORD_HEAD_LIMIT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum record_result whole, pieces = RECORD_MORE;
	struct record_scan once, again;

	record_start(&once, BODY_LIMIT);
	whole = record_scan(&once, data, size);
	if (whole == RECORD_WHOLE)
		check_whole(data, size, &once);
	MUST(whole != RECORD_LARGE || once.body_size > BODY_LIMIT);
	MUST((whole == RECORD_BAD) == (once.why != NULL));

	record_start(&again, BODY_LIMIT);
	for (size_t part = 0; pieces == RECORD_MORE && part <= size;
	    part += part / 64 + 1)
		pieces = record_scan(&again, data, part);
	if (pieces == RECORD_MORE)
		pieces = record_scan(&again, data, size);
	MUST(pieces == whole);
	MUST(whole == RECORD_LARGE ? again.body_size <= once.body_size :
				     again.body_size == once.body_size);
	MUST(pieces != RECORD_LARGE || again.body_size > BODY_LIMIT);
	MUST(again.seen == once.seen);
	MUST(again.authorizer == once.authorizer);
	return 0;
}
