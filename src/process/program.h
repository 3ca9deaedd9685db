/* program.h - this program, as it lies on the disk now: tried, then become. */

#ifndef POSTERN_PROCESS_PROGRAM_H
#define POSTERN_PROCESS_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/succession.h"

struct program {
	char *path;
	char **arguments; /* of main() */
};

/* Where it lies: by the first argument, if that is a path and leads to what
 * runs here (it may be a symbolic link to this version); else what the kernel
 * says.  Called at the start, before another file may lie there. */
void program_find(struct program *program, char **arguments);

/*
 * A trial: the program is started with --test, which does all that a start does
 * up to the first worker.  So new settings, and a new program, are known to be
 * of use before the old ones go.
 */
struct program_trial {
	pid_t pid; /* 0: none is under way */
	int said;  /* what it says: the reading end of a pipe */
	int64_t until_ms;
};

/* Begin one.  0, or -1 (logged). */
int program_try(const struct program *program,
    const struct succession *succession, struct program_trial *trial);

/* The trial that took too long is killed. */
void program_watch(struct program_trial *trial, int64_t now_ms);

/* The trial's process ended with this wait status: was it a success?  What it
 * said of a failure is logged. */
bool program_judge(struct program_trial *trial, int status);

/* End a trial whose outcome nobody wants any more. */
void program_abandon(struct program_trial *trial);

/*
 * Become the program anew, with what is left to it.  Returns only when that
 * failed (logged), with all as it was.
 */
void program_become(const struct program *program,
    const struct succession *succession);

#endif
