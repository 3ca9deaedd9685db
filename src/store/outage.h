/* outage.h - that the database is away, known to all workers as soon as one has
 * found out.
 *
 * Who has no connection would wait for one until the deadline, and so would all
 * others: soon every worker waits, and nobody is left for requests that need no
 * database.  So from the first failure on, one at a time tries to connect, for all,
 * and not without a pause; it is the one who comes first.  The others are told at
 * once that there is no database.
 *
 * Who has a connection uses it: that others fail to get one says nothing about it.
 * But when several statements in a row found no answer, whoever sent them, and none
 * an answer in between, the database keeps silent to all.  From then on a connection
 * is used by one at a time as well. */

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
	_Atomic uint32_t late; /* statements in a row without an answer */
};

/* In memory that the processes to be forked share.  NULL when there is none
 * (logged).  Freeing NULL does nothing. */
struct outage *outage_new(void);
void outage_free(struct outage *outage);

/*
 * May the caller try to connect, or, in silence, to use its connection?  If so,
 * it will say how that went: by outage_goes_on() or outage_is_over().  If it
 * has not by `deadline_ms`, it is taken for dead, and somebody else may.
 */
bool outage_may_try(struct outage *outage, int64_t deadline_ms);

/* It failed.  The next try is made after as long a time as all this has lasted,
 * but within 100 ms to a second. */
void outage_goes_on(struct outage *outage);

/* True: there was silence. */
bool outage_is_over(struct outage *outage);

/* A statement found no answer in time: before others try to get a connection,
 * somebody sees what is the matter.  True: from now on there is silence. */
bool outage_suspect(struct outage *outage);

/* A statement found an answer, whatever that said. */
void outage_answered(struct outage *outage);

/* Does the database keep silent, even to those who have a connection? */
bool outage_is_silence(const struct outage *outage);

#endif
