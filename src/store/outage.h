/* outage.h - that the database is away, known to all workers as soon as one has
 * found out.
 *
 * A worker that has a connection uses it, whatever is known.  Who has none would
 * wait for one until the deadline, and so would all others: soon every worker
 * waits, and nobody is left for requests that need no database.  So from the first
 * failure on, one at a time tries to connect, for all, and not without a pause; it
 * is the one who comes first.  The others are told at once that there is no
 * database. */

#ifndef POSTERN_STORE_OUTAGE_H
#define POSTERN_STORE_OUTAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing is known to be wrong.  In shared memory, or a process's own;
 * whoever is at it may die at any moment.  Times are clock_steady_ms(). */
struct outage {
	_Atomic int64_t since_ms; /* 0: there is none */
	_Atomic int64_t pause_until_ms;
	_Atomic int64_t claimed_until_ms; /* somebody is trying; or 0 */
};

/* In memory that the processes to be forked share.  NULL when there is none
 * (logged). */
struct outage *outage_new(void);
void outage_free(struct outage *outage);

/*
 * May the caller try to connect?  If so, it will say how that went: by
 * outage_goes_on() or outage_is_over().  If it has not by `deadline_ms`, it is
 * taken for dead, and somebody else may.
 */
bool outage_may_try(struct outage *outage, int64_t deadline_ms);

/* It failed.  The next try is made after as long a time as all this has lasted,
 * but within 100 ms to a second. */
void outage_goes_on(struct outage *outage);

void outage_is_over(struct outage *outage);

/* A connection that stood brought no answer in time: before others try to get
 * one, somebody sees what is the matter. */
void outage_suspect(struct outage *outage);

#endif
