/* shared_lock.h - locks between processes, one of which may die at any moment. */

#ifndef POSTERN_BASE_SHARED_LOCK_H
#define POSTERN_BASE_SHARED_LOCK_H

#include <pthread.h>

/*
 * A lock in shared memory.  The kernel knows who holds it and lets it go when
 * that process dies, however it dies (robust mutexes, get_robust_list(2)): so
 * holding one also says "I am alive", and cannot be mistaken as a process id
 * can, which somebody else may have by now.
 */
struct shared_lock {
	pthread_mutex_t mutex;
};

enum shared_lock_result {
	SHARED_LOCK_TAKEN,
	SHARED_LOCK_LEFT, /* taken, and left behind by somebody who died holding
	                     it: set right what it guards */
	SHARED_LOCK_BUSY, /* held by somebody who lives */
};

/* Make one, in memory that nobody uses yet.  0, or -1 (logged). */
int shared_lock_init(struct shared_lock *lock);

/* Take it, or not: never waits. */
enum shared_lock_result shared_lock_try(struct shared_lock *lock);

/* By the thread that took it. */
void shared_lock_release(struct shared_lock *lock);

#endif
