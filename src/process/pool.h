/* pool.h - the parent: forks workers, watches them, replaces them. */

#ifndef POSTERN_PROCESS_POOL_H
#define POSTERN_PROCESS_POOL_H

#include "base/config.h"
#include "process/listen.h"

/* Reads the settings, in the same way as at the start; NULL with the reason
 * logged. */
typedef struct config *pool_settings(void);

/*
 * Run until SIGTERM or SIGINT, and return the program's exit status.
 *
 *   TERM, INT  stop: workers finish their requests, for at most
 *              request_deadline_ms; a second one leaves them a second
 *   HUP        read settings and keys again and start workers with them; when
 *              one of those is ready, the old ones leave after their request.
 *              What is wrong is logged, and all stays as it was.
 *   USR1       open the log again, after its rotation
 *
 * A worker that dies is replaced, at growing intervals when workers die young;
 * one that is over request_deadline_ms gets a SIGTERM, and a second later a
 * SIGKILL.  When no worker gets to live at all, the pool gives up with status 1.
 *
 * `config` belongs to the pool from then on.
 */
int pool_run(struct config *config, pool_settings *read_settings,
    struct listener *listener);

#endif
