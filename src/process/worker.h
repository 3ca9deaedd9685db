/* worker.h - one child's life. */

#ifndef POSTERN_PROCESS_WORKER_H
#define POSTERN_PROCESS_WORKER_H

#include "base/config.h"
#include "process/board.h"
#include "process/listen.h"

/*
 * Serve requests until told to stop, max_requests is reached or the parent is
 * gone.  Runs in the child; returns its exit status.  `board` NULL: alone, as a
 * CGI program or under a manager that starts one process a request.
 */
int worker_run(const struct config *config, const struct listener *listener,
    struct board *board, int slot);

/* Serve the one CGI request this process was started for. */
int worker_run_cgi(const struct config *config);

#endif
