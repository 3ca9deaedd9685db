/* pool.h - the parent: forks workers, watches them, replaces them. */

#ifndef POSTERN_PROCESS_POOL_H
#define POSTERN_PROCESS_POOL_H

#include "base/config.h"
#include "process/listen.h"

/*
 * Run until SIGTERM or SIGINT, then let requests in flight finish and return the
 * program's exit status.  A worker that dies is replaced, at growing intervals
 * when it died young; one over its request deadline is ended and logged.  When
 * all die young at start, the pool gives up with a reason.
 */
int pool_run(const struct config *config, const struct listener *listener);

#endif
