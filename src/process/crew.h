/* crew.h - the parent's workers: started, watched, replaced, told to leave. */

#ifndef POSTERN_PROCESS_CREW_H
#define POSTERN_PROCESS_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/succession.h"
#include "process/worker.h"

/* Workers of the settings before and after a reload, side by side. */
#define CREW_SLOTS SUCCESSION_MOST

struct crew_child {
	pid_t pid;          /* 0: the slot is free */
	bool inherited;     /* of the program before: the board does not show it */
	int64_t started_ms; /* clock_steady_ms(), as all times here */
	int64_t told_ms;    /* it was told to leave; 0: not yet */
	int64_t overdue_ms; /* found over the deadline; 0: never */
	bool killed;
};

struct crew {
	struct worker_start start; /* slot and parent are filled in for each */
	int workers;               /* as many as there should be */

	struct crew_child children[CREW_SLOTS];
	int top; /* slots beyond are free */

	int64_t start_at_ms; /* no new workers before */
	int64_t back_off_ms; /* 0: none */
	int64_t young_death_ms;
	int rounds; /* in which all died young */

	int64_t all_busy_ms; /* they have been since; 0: they are not */
	int64_t silent_until_ms;
};

/*
 * What the program before this one left: those that are our children still serve
 * until crew_hand_over() finds a worker of ours that can, so that the service goes
 * on should something keep new ones from starting.  crew_bequeath() writes down all,
 * for the program after this one.
 */
void crew_adopt(struct crew *crew, const struct succession *before);
void crew_bequeath(const struct crew *crew, struct succession *will);
void crew_hand_over(struct crew *crew);

/* Start the workers that are missing: where none serves yet the first one, and the
 * others when it does; at growing intervals while they die young. */
void crew_fill(struct crew *crew);

/* A child has ended, with this wait status: when it was a worker, its end is
 * logged and counted, and its slot is free. */
void crew_bury(struct crew *crew, pid_t pid, int status);

/*
 * Now and then: one that is over request_deadline_ms is asked to go, and killed a
 * second later; so is one that was told to leave and does not.  That all are busy
 * for longer than a moment is logged, once a minute.
 */
void crew_watch(struct crew *crew);

/* Has no worker at all got to live, several times in a row? */
bool crew_is_hopeless(const struct crew *crew);

/* A signal for each; SIGTERM and SIGUSR2 tell it to leave. */
void crew_tell(struct crew *crew, int number);

/* The end of the service: those who wait at the socket are served first, unless it
 * is `kept` open for the next start, with who waits there. */
void crew_dismiss(struct crew *crew, bool kept);

int crew_alive(const struct crew *crew);
int crew_inherited(const struct crew *crew); /* of the program before */
bool crew_are_all_busy(const struct crew *crew);
uint64_t crew_served(const struct crew *crew); /* requests, by who is there */

/* Are there workers of the program before that have not been told to leave, since
 * none of ours can serve yet? */
bool crew_has_untold(const struct crew *crew);

/* For how many milliseconds none will be started: since they die young, or the first
 * one is on its way. */
int64_t crew_rest_ms(const struct crew *crew);

#endif
