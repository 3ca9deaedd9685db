/* status.h - postern.fcgi --status: what running pools do, for a person. */

#ifndef POSTERN_PROCESS_STATUS_H
#define POSTERN_PROCESS_STATUS_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/board.h"
#include "base/board_file.h"

/* The boards of this program, with base/metrics.h's numbers behind the slots. */
struct board_kind status_board_kind(void);

/*
 * Write what every pool of this user's does, or for root of every user's; with
 * `listen` only of those that listen there.  Returns the program's exit status:
 * 0 when there was one to be shown, else 1 with the reason on stderr.
 */
int status_show(const char *folder, const char *listen, FILE *out);

/* What status_show() writes of one pool.  The bytes may be anything; what comes
 * out are lines of text. */
enum status_result {
	STATUS_SHOWN,
	STATUS_ELSEWHERE, /* listens at another socket: nothing was written */
	STATUS_UNKNOWN,   /* of another version, as was written; or no board */
};

struct status_clock {
	int64_t now_us;    /* clock_now_us() */
	int64_t steady_ms; /* clock_steady_ms() */
};

enum status_result status_write(const struct board_copy *copy,
    const char *listen, const struct status_clock *clock, FILE *out);

#endif
