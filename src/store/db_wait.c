/* db_wait.c - libpq without blocking: every wait ends at a deadline. */

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/clock.h"
#include "store/db_private.h"

bool
db_wait(PGconn *conn, short events, int64_t deadline_ms)
{
	struct pollfd poll_fd = { .fd = PQsocket(conn), .events = events };
	int64_t left;
	int ready;

	/* A signal that ends the wait early (a reload) changes nothing. */
	do {
		left = deadline_ms - clock_steady_ms();
		if (left <= 0)
			return false;
		if (left > INT_MAX)
			left = INT_MAX;
		ready = poll(&poll_fd, 1, (int)left);
	} while (ready == -1 && errno == EINTR);

	/* Anything but the deadline is for libpq to find out and to word. */
	return ready != 0;
}

enum db_reply
db_flush(PGconn *conn, int64_t deadline_ms)
{
	int left;

	/* The server may have to be read before it takes more from us. */
	while ((left = PQflush(conn)) == 1) {
		if (!db_wait(conn, POLLIN | POLLOUT, deadline_ms))
			return DB_REPLY_LATE;
		if (PQconsumeInput(conn) == 0)
			return DB_REPLY_LOST;
	}
	return left == 0 ? DB_REPLY_OK : DB_REPLY_LOST;
}

enum db_reply
db_next(PGconn *conn, int64_t deadline_ms, PGresult **result)
{
	*result = NULL;
	while (PQisBusy(conn)) {
		if (!db_wait(conn, POLLIN, deadline_ms))
			return DB_REPLY_LATE;
		if (PQconsumeInput(conn) == 0)
			return DB_REPLY_LOST;
	}
	*result = PQgetResult(conn);
	return DB_REPLY_OK;
}

/* A COPY would wait for data that nobody sends. */
static bool
is_copy(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
	    status == PGRES_COPY_BOTH;
}

enum db_reply
db_receive(PGconn *conn, int64_t deadline_ms, PGresult **result)
{
	enum db_reply reply, outcome = DB_REPLY_LOST;
	PGresult *part;

	*result = NULL;
	reply = db_flush(conn, deadline_ms);
	if (reply != DB_REPLY_OK)
		return reply;

	/*
	 * The server reports a statement as complete before it commits, and a
	 * commit may still fail: the answer is known only at its very end.
	 */
	for (;;) {
		reply = db_next(conn, deadline_ms, &part);
		if (reply != DB_REPLY_OK)
			return reply;
		if (part == NULL)
			return outcome;
		if (outcome == DB_REPLY_OK || *result == NULL) {
			PQclear(*result);
			*result = part;
			outcome = db_reply_of(conn, part);
		} else {
			PQclear(part);
		}
		if (is_copy(*result))
			return DB_REPLY_REFUSED;
	}
}
