/* shared_lock.c - locks between processes: robust mutexes. */

#include "base/shared_lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

int
shared_lock_init(struct shared_lock *lock)
{
	pthread_mutexattr_t kind;
	int error = pthread_mutexattr_init(&kind);

	if (error == 0)
		error = pthread_mutexattr_setpshared(&kind,
		    PTHREAD_PROCESS_SHARED);
	if (error == 0)
		error = pthread_mutexattr_setrobust(&kind,
		    PTHREAD_MUTEX_ROBUST);
	if (error == 0)
		error = pthread_mutex_init(&lock->mutex, &kind);
	pthread_mutexattr_destroy(&kind);
	if (error == 0)
		return 0;
	log_error("could not make a lock between processes: %s",
	    strerror(error));
	return -1;
}

enum shared_lock_result
shared_lock_try(struct shared_lock *lock)
{
	switch (pthread_mutex_trylock(&lock->mutex)) {
	case 0:
		return SHARED_LOCK_TAKEN;
	case EOWNERDEAD:
		/* Usable again; should we die too, the next one hears of it. */
		pthread_mutex_consistent(&lock->mutex);
		return SHARED_LOCK_LEFT;
	}
	return SHARED_LOCK_BUSY;
}

void
shared_lock_release(struct shared_lock *lock)
{
	/* It guards secrets: not to hold it here is a fault of the program. */
	if (pthread_mutex_unlock(&lock->mutex) != 0)
		abort();
}
