/* record.h - the records of a FastCGI request, looked at before libfcgi reads
 * them (FastCGI specification 1.0, sections 3 and 5).
 *
 * libfcgi believes what it reads: it takes the memory that a length claims,
 * ends the process on some malformed records, and hands over half a request as
 * a whole one.  So it is given nothing that was not found in order here. */

#ifndef POSTERN_WEB_RECORD_H
#define POSTERN_WEB_RECORD_H

#include <stdbool.h>
#include <stddef.h>

/* All that comes before the body, record headers and padding included.  Web
 * servers send 1 to 40 KB. */
#define RECORD_HEAD_LIMIT 65536

enum record_result {
	RECORD_MORE,  /* in order so far; the rest has not come yet */
	RECORD_WHOLE, /* one request from its first byte to its last */
	RECORD_LARGE, /* in order, but its body is larger than the limit; what
	                 follows was not looked at */
	RECORD_BAD,   /* nothing that may be given to libfcgi */
};

/* How far the look at one request has come; the caller reads the first part. */
struct record_scan {
	bool authorizer;  /* the role asked for; else it is a responder */
	size_t body_size; /* bytes of body that are here: all, or, if LARGE,
	                     more than the limit */
	const char *why;  /* of BAD: a few words for the log */

	size_t body_limit;
	size_t seen; /* bytes of whole records that were in order */
	unsigned id;
	enum { RECORD_AT_BEGIN, RECORD_AT_PARAMS, RECORD_AT_STDIN } stage;

	/* inside the stream of name-value pairs, which records cut anywhere */
	enum { PAIR_NAME_LENGTH, PAIR_VALUE_LENGTH, PAIR_BYTES } pair;
	unsigned length_bytes; /* of a length still to come */
	size_t length;         /* the length being put together */
	size_t pair_bytes;     /* of name and value still to come */
};

void record_start(struct record_scan *scan, size_t body_limit);

/*
 * Look at the request's first `size` bytes.  Called again with the same bytes
 * and more of them after MORE; each byte is looked at once.
 *
 * In order is: version 1 throughout; BEGIN_REQUEST for a responder or
 * authorizer; PARAMS of the same request, at most RECORD_HEAD_LIMIT bytes,
 * whole pairs without a NUL; STDIN up to its empty record (an authorizer's
 * request is whole without); no padding behind the first record and the end of
 * the PARAMS, where libfcgi would read it as records.  Management records,
 * multiplexed and aborted requests are not: no web server sends them to a
 * program that did not ask for it.
 */
enum record_result record_scan(struct record_scan *scan,
    const unsigned char *bytes, size_t size);

#endif
