/* gateway.h - how a request comes in and its answer goes out: FastCGI or
 * CGI. */

#ifndef POSTERN_WEB_GATEWAY_H
#define POSTERN_WEB_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * One request, between its arrival and its end.  All of it belongs to fcgi.c or
 * cgi.c and is void when they finish the request.
 */
struct gateway {
	/* "NAME=VALUE" strings, NULL-terminated; names may stand twice. */
	const char *const *params;

	/* FCGI_AUTHORIZER asks whether a request may pass; anything but
	 * RESPONDER and AUTHORIZER never gets this far. */
	bool authorizer;

	/*
	 * Read body bytes: as many as there are, at most `size`; 0 at its end;
	 * -1 when the peer broke off, stalled or lied, so that the request must
	 * not be acted on.
	 */
	ssize_t (*read)(void *self, void *bytes, size_t size);

	/* Send bytes of the answer.  0, or -1 when nobody is there to take
	 * it. */
	int (*write)(void *self, const void *bytes, size_t size);

	/*
	 * Has the web server hung up, so that no answer is wanted any more?
	 * Looks, without waiting; costs a system call.  Worth asking before
	 * costly work.
	 */
	bool (*gone)(void *self);

	/*
	 * Let the answer leave no sooner than the request is so many
	 * milliseconds old; meanwhile others are served.  Said before the answer
	 * is written.  No promise: it leaves earlier when the process ends, or
	 * has too many of its kind.  NULL: there are no others to serve.
	 */
	void (*hold)(void *self, int ms);

	/*
	 * The answer is written: for how much longer will it be kept back?  0:
	 * it leaves now.  NULL: it always does.
	 */
	int64_t (*held_ms)(const void *self);

	void *self;
};

#endif
