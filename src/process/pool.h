/* pool.h - the parent: forks workers, watches them, replaces them. */

#ifndef POSTERN_PROCESS_POOL_H
#define POSTERN_PROCESS_POOL_H

#include "base/config.h"
#include "process/listen.h"
#include "process/program.h"

/* To be called before there is a socket: who is told to stop as soon as it can be
 * seen stops in order, and leaves no socket behind. */
void pool_hold_signals(void);

/*
 * Run until SIGTERM or SIGINT, and return the program's exit status.
 *
 *   TERM, INT  stop: workers finish their requests, for at most
 *              request_deadline_ms; a second one leaves them a second
 *   HUP        try the program, as it lies on the disk, with the settings and
 *              keys that there are now.  If it starts, become it: the socket and
 *              the workers stay, and as soon as a new worker is ready the old
 *              ones leave after their request.  If not, that is logged, and all
 *              stays as it was.
 *   USR1       open the log again, after its rotation
 *
 * A worker that dies is replaced, at growing intervals when workers die young;
 * one that is over request_deadline_ms gets a SIGTERM, and a second later a
 * SIGKILL.  When no worker gets to live at all, the pool gives up with status 1.
 *
 * `before` is what the program before this one left, or NULL at an ordinary
 * start.
 */
int pool_run(const struct config *config, struct listener *listener,
    const struct program *program, const struct succession *before);

/* All that a start needs beside the socket, made and given back.  0, or -1
 * (logged). */
int pool_test(const struct config *config, struct listener *listener);

#endif
