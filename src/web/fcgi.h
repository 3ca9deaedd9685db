/* fcgi.h - FastCGI requests from a listening socket.
 *
 * libfcgi's own accept has a phase without a time limit, where a peer that
 * sends half a header holds the worker for ever.  So we accept, wait until a
 * request is there as a whole and in order (arrival.h), and then hand the
 * connection over (libfcgi.h).  Those whose requests are slow to come wait beside
 * each other (guests.h), and nobody waits for them. */

#ifndef POSTERN_WEB_FCGI_H
#define POSTERN_WEB_FCGI_H

#include "web/gateway.h"

struct fcgi_options {
	int listen_fd;     /* inherited or bound; made non-blocking */
	int wake_fd;       /* fcgi_accept() returns when it can be read */
	int io_timeout_ms; /* for a request to arrive, and for an answer to be
	                      taken */
	size_t body_limit; /* of a larger body, little more is read; at most
	                      64 KiB, so that a request fits into a socket */
	const uid_t *users;/* who may connect to a Unix socket; borrowed */
	size_t user_count; /* 0: everybody whom the socket's mode lets in */
	struct board *board; /* where `slot` shows how many answers are held
	                        back, or NULL */
	int slot;
	bool one_at_a_time;/* the web server sends nothing before it has its
	                      answer, so that none is held back */
};

enum fcgi_accept {
	FCGI_ACCEPTED, /* go on with fcgi_begin() */
	FCGI_NOBODY,   /* a sibling was faster, the peer is not welcome, or a
	                  request has come a little further */
	FCGI_WOKEN,    /* nobody came, and wake_fd can be read */
	FCGI_QUIET,    /* nobody is there or on the way, and it was not to be
	                  waited for */
	FCGI_SHUT,     /* the listening socket was shut down, and whoever waited
	                  there has been accepted; as after fcgi_shut() */
	FCGI_BROKEN,   /* the listening socket is of no more use (logged) */
};

struct fcgi;

/*
 * Start libfcgi, once in a process, and watch the listening socket.  One
 * process may do this only after its last fork.  SIGPIPE is ignored from then
 * on.  NULL with the reason logged.
 */
struct fcgi *fcgi_open(const struct fcgi_options *options);
void fcgi_close(struct fcgi *fcgi);

/*
 * Wait for a connection, for a request that is on its way, or for wake_fd; or,
 * without `wait`, only for those on their way.  A connection comes first, so that
 * none is forgotten by a worker that was woken for it and leaves: look at wake_fd
 * between two calls.  Block the signals that wake_fd stands for, or they cut
 * requests.
 */
enum fcgi_accept fcgi_accept(struct fcgi *fcgi, bool wait);

/* Let nobody in any more: from now on fcgi_accept() does as without `wait`. */
void fcgi_shut(struct fcgi *fcgi);

/*
 * Receive the request of whoever was accepted.  0 with the gateway filled, to be
 * ended by fcgi_finish(); or -1 when it is not there yet, and will be accepted
 * again, or was dropped, because within io_timeout_ms it brought no whole request,
 * or nothing that is one (logged, but for those who said nothing at all).
 */
int fcgi_begin(struct fcgi *fcgi, struct gateway *gateway);

/*
 * Send what is left of the answer, hang up and wipe the request.  A connection
 * is never kept for another request: it would keep this worker, too.  An answer
 * that is to leave later is sent by fcgi_accept(), fcgi_close() or the gateway's
 * gone().
 */
void fcgi_finish(struct fcgi *fcgi);

#endif
