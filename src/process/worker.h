/* worker.h - one child's life. */

#ifndef POSTERN_PROCESS_WORKER_H
#define POSTERN_PROCESS_WORKER_H

#include "acts/ended.h"
#include "base/board.h"
#include "base/buckets.h"
#include "base/config.h"
#include "hash/gate_plan.h"
#include "process/listen.h"
#include "store/outage.h"
#include "token/keys.h"

/* What the parent has made ready; inherited by the fork. */
struct worker_start {
	const struct config *config;
	const struct listener *listener;
	struct keys *keys; /* used up by the child's copy */
	struct board *board;
	struct gate *gate;
	struct outage *outage; /* of the database */
	struct ended *ended; /* or NULL */
	struct buckets *buckets; /* of client addresses, or NULL */
	int slot;
	pid_t parent;
	bool outlived; /* a standby takes the parent's place when it dies */
};

/*
 * Serve requests until told to stop, until max_requests are served, or until
 * the parent is gone; a request that has begun is finished first.  SIGTERM
 * stops, SIGUSR2 does when nobody waits at the socket any more, SIGUSR1 opens
 * the log again; all are blocked in between, so none cuts a request.  Runs in
 * the child and returns its exit status.
 */
int worker_run(const struct worker_start *start);

/* Serve the one CGI request that this process was started for.  Returns the
 * exit status. */
int worker_run_cgi(const struct config *config);

/* Take this handler for a signal; SIG_IGN and SIG_DFL are handlers, too. */
void worker_handle(int number, void (*handler)(int));

/*
 * Before a fork: what every worker would do for itself, done once, so that they
 * share its memory.  Makes the gate of the plan; NULL with the reason logged.
 */
struct gate *worker_prepare(const struct gate_plan *plan);

#endif
