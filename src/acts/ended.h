/* ended.h - sessions that ended not long ago, known to all workers without the
 * database.
 *
 * An access token outlives its session by some minutes.  Who checks tokens by
 * signature and time alone (acts/check.h) looks here, too.
 *
 * The list is bounded, and never forgets without a trace.  What makes that simple
 * is that a token tells when it was issued, and so that its session stood at that
 * time.  One number beside the list, the *doubt*, says since when the list knows
 * everything: an older token is answered UNKNOWN, which sends the caller to the
 * database.  The doubt is
 *
 *   - when the list was made: it does not know what ended before;
 *   - when a session ended that has to make room for another while tokens of it
 *     may still be good (thousands of sessions end within a token's life);
 *   - when a worker died in the middle of a request, or the database did not say
 *     whether it ended sessions: ended_doubt();
 *   - all times, while a list beside this one is written to, by workers of another
 *     program that serve the same socket: ended_suspend();
 *   - some time that has yet to come, as long as workers whose parent died may end
 *     sessions beside us that they add to a list of their own: ended_doubt_for().
 *
 * So after a start, or a crash, the tokens from before it cost one read each time
 * they are checked, until they expire; and those issued later none.
 *
 * It knows what this pool ended.  Sessions that end elsewhere (posternctl, a pool
 * on another machine) end for the check when their token expires.  So does one that
 * an old refresh token ended, when the database's answer was lost: with a doubt for
 * each refresh, an outage would take the checks along that need no database.
 *
 * In shared memory there are atomics only, each complete by itself: a worker may
 * die between any two of them. */

#ifndef POSTERN_ACTS_ENDED_H
#define POSTERN_ACTS_ENDED_H

#include <stdint.h>

#include "base/ids.h"

struct ended;

enum ended_answer {
	ENDED_NOT,
	ENDED_SURELY,
	ENDED_UNKNOWN, /* ask the database */
};

/*
 * Made by the parent, before it forks.  `token_seconds` is the longest life of an
 * access token.  NULL when memory is out (logged).  Freeing NULL does nothing.
 */
struct ended *ended_new(int token_seconds);
void ended_free(struct ended *ended);

/*
 * The calls of a worker.  Where processes share no list (plain CGI, mod_fcgid)
 * they are given NULL: then nothing is kept, and every answer is UNKNOWN.
 */

/* A session has ended: to be called when the database has it, and before anybody
 * is told.  `session` is an id that id_ordered() made. */
void ended_add(struct ended *ended, const struct id *session);

/* Sessions may have ended just now that were not added. */
void ended_doubt(struct ended *ended);

/* Sessions may end for so long that will not be added. */
void ended_doubt_for(struct ended *ended, int64_t ms);

/* Sessions may end from now on that will not be added, until ended_resume(); those
 * that ended in between stay in doubt.  Whoever suspends a list for a while is the
 * only one to do so; more than one may for good. */
void ended_suspend(struct ended *ended);
void ended_resume(struct ended *ended);

/* Has the session of a genuine token ended?  `issued` is the token's iat. */
enum ended_answer ended_look(const struct ended *ended,
    const struct id *session, int64_t issued);

#endif
