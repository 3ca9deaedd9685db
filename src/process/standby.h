/* standby.h - a process that outlives the parent, and then takes its place.
 *
 * A pool whose parent is killed ends, and whoever started it starts the next.
 * lighttpd does not where it still finds the socket open: it takes the pool for
 * somebody else's from then on.  So the socket stays open there, and behind it
 * the standby becomes the program anew, as on SIGHUP, under its own process id.
 */

#ifndef POSTERN_PROCESS_STANDBY_H
#define POSTERN_PROCESS_STANDBY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"
#include "process/listen.h"
#include "process/program.h"
#include "process/succession.h"
#include "token/keys.h"

struct standby {
	pid_t pid;           /* 0: there is none now */
	pid_t inherited;     /* the one of the program before; 0: none */
	int64_t start_at_ms; /* not before: clock_steady_ms() */
};

/* Shall there be one?  By the setting "standby", and by who started us. */
bool standby_is_wanted(const struct config *config,
    const struct listener *listener);

/* For the parent: the standby of the program before, if that is a child of
 * ours. */
void standby_adopt(struct standby *standby, const struct succession *before);

/* The one to leave to the next program: where there is none of ours now, it is the
 * one before. */
pid_t standby_bequest(const struct standby *standby);

/*
 * For the parent, again and again: has one, when it is wanted, as soon as that
 * can be (what goes wrong is logged, and tried again after a second), and ends
 * the one before.  The child wipes `keys`, which it has no use for.
 */
struct standby_needs {
	const struct config *config;
	const struct listener *listener;
	const struct program *program;
	struct keys *keys;
};
void standby_tend(struct standby *standby, const struct standby_needs *needs);

/*
 * For the parent: a child has ended, with this wait status.  STANDBY_LEFT_ALONE:
 * it was the standby, which has seen that the web server is gone that started
 * the pool, and so has whoever would have told the pool to stop.
 */
enum standby_end {
	STANDBY_OTHER, /* it was another child */
	STANDBY_ENDED,
	STANDBY_LEFT_ALONE,
};
enum standby_end standby_bury(struct standby *standby, pid_t pid, int status);

/* For the parent: the log was rotated, and the standby has it open, too. */
void standby_reopen_log(const struct standby *standby);

/* For the parent, before it leaves in order: none takes its place. */
void standby_dismiss(struct standby *standby);

#endif
