/* fcgi.h - FastCGI requests from a listening socket; the only home of libfcgi.
 *
 * We accept ourselves, because libfcgi's accept has a phase without a time limit:
 * a peer that sends half a header would hold a worker for ever. */

#ifndef POSTERN_WEB_FCGI_H
#define POSTERN_WEB_FCGI_H

#include <signal.h>

#include "web/gateway.h"

enum fcgi_result {
	FCGI_REQUEST, /* one is there; end it with fcgi_finish() */
	FCGI_NOTHING, /* a bad or silent peer was dropped: go on */
	FCGI_STOP,    /* a signal came while nothing was to be done */
	FCGI_BROKEN,  /* the socket is of no more use (logged) */
};

struct fcgi;

/*
 * Take over an inherited or bound listening socket, which is made non-blocking.
 * `io_timeout_ms` bounds each wait for the peer.  `users` (comma-separated names
 * or uids, "" for everybody) may connect to a Unix socket.  NULL with the reason
 * logged.
 */
struct fcgi *fcgi_open(int listen_fd, int io_timeout_ms, const char *users);
void fcgi_close(struct fcgi *fcgi);

/*
 * Wait for a request.  Signals are let in only while waiting for a connection,
 * under `wait_mask` (as ppoll() takes it), so none is lost and none cuts a
 * request; the caller blocks them otherwise.
 */
enum fcgi_result fcgi_accept(struct fcgi *fcgi, const sigset_t *wait_mask,
    struct gateway *gateway);

/* Has the peer gone?  Looks, without waiting. */
bool fcgi_peer_gone(const struct fcgi *fcgi);

/* End the request: drains what is left of the body, closes the connection. */
void fcgi_finish(struct fcgi *fcgi);

#endif
