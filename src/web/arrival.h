/* arrival.h - a request on its way: a connection, and what has come of it.
 *
 * Nothing here waits, so one worker can look after many that are slow. */

#ifndef POSTERN_WEB_ARRIVAL_H
#define POSTERN_WEB_ARRIVAL_H

#include <stdint.h>
#include <sys/types.h>

#include "web/record.h"

enum arrival_state {
	ARRIVAL_COMING, /* in order so far */
	ARRIVAL_READY,  /* whole, or with a body over the limit */
	ARRIVAL_OVER,   /* nothing will come of it */
	ARRIVAL_ANSWERED, /* and listened to, see arrival_drain() */
};

/* Others only read it. */
struct arrival {
	int connection;
	int64_t until_ms; /* who looks after it ends it then */
	enum arrival_state state;
	bool whole; /* of READY: its body is not over the limit */
	struct record_scan scan;

	/* One that has come as a whole is only looked at, and waits in the
	 * socket for libfcgi.  Of any other, what has come is taken out, since
	 * a web server stops sending when a quarter of its buffer is full. */
	unsigned char *window;
	size_t window_size;
	size_t window_used; /* to be wiped */
	bool taken;

	size_t drained; /* bytes that came after the answer */
	int64_t drain_until_ms;
};

/* Room for a request whose body has at most so many bytes; NULL when there is no
 * memory (logged).  arrival_free() takes NULL, and needs arrival_end() before. */
struct arrival *arrival_new(size_t body_limit);
void arrival_free(struct arrival *arrival);

/* The connection becomes the arrival's, to be closed by arrival_end(), which also
 * wipes what has come. */
void arrival_start(struct arrival *arrival, int connection, size_t body_limit,
    int64_t until_ms);
void arrival_end(struct arrival *arrival);

/* Take in what is there now, and say how the request stands.  OVER is logged,
 * unless nothing was sent, as by those who only try whether somebody listens. */
enum arrival_state arrival_hear(struct arrival *arrival);

/* Say in the log why an arrival is ended that has not come to be READY. */
void arrival_give_up(const struct arrival *arrival, const char *why);

/*
 * The READY request as a file descriptor to read it from: the connection, or a
 * file in memory that the caller closes.  -1 when there is no memory (logged).
 */
int arrival_source(const struct arrival *arrival);

/*
 * A peer that is still sending when it has its answer is listened to for a while:
 * to hang up on it would take the answer away from it (TCP resets, and a Unix
 * socket reports ECONNRESET).  arrival_answered() says whether to; then
 * arrival_drain() is called whenever something has come, until it says no, or
 * until_ms.
 */
bool arrival_answered(struct arrival *arrival);
bool arrival_drain(struct arrival *arrival);

#endif
