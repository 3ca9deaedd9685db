/* sessions.h - the sessions of one person: seen, and left. */

#ifndef POSTERN_ACTS_SESSIONS_H
#define POSTERN_ACTS_SESSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"
#include "store/sessions.h"

struct service;

enum sessions_result {
	SESSIONS_OK,
	SESSIONS_NONE, /* there is no such session */
	SESSIONS_UNAVAILABLE,
	SESSIONS_FAILED,
};

/* So many are shown: the current one and the newest of the others. */
#define SESSIONS_LIMIT 100

struct sessions_list {
	struct session_view views[SESSIONS_LIMIT];
	size_t count;
};

/* The live sessions of a person, `current` first. */
enum sessions_result sessions_list(const struct service *service,
    const struct id *user, const struct id *current, int64_t now_us,
    struct sessions_list *list);

/* Who ends sessions of their own; strings borrowed. */
struct sessions_leave {
	struct id user;
	struct id session;
	const char *address; /* or NULL */
	int64_t now_us;
};

enum sessions_scope {
	SESSIONS_THIS,
	SESSIONS_OTHERS,
	SESSIONS_ALL,
};

/*
 * Sign out of a session that the caller has proved to hold, of all the others of
 * its person, or of all: their refresh tokens are of no more use, and
 * acts/check.h knows of it.  To leave twice, or what is gone, is as good as once.
 */
enum sessions_result sessions_sign_out(const struct service *service,
    const struct sessions_leave *leave, enum sessions_scope scope);

/* End a session that a person has named.  NONE: it is none of this person's. */
enum sessions_result sessions_end(const struct service *service,
    const struct sessions_leave *leave);

#endif
