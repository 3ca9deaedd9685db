/* admin_sweep.h - remove what is long over, in short steps: posternctl only. */

#ifndef POSTERN_STORE_ADMIN_SWEEP_H
#define POSTERN_STORE_ADMIN_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ids.h"
#include "store/db.h"

/* A walk over a table by its primary key.  Starts zeroed. */
struct sweep {
	struct id user; /* where the walk stands */
	struct id row;
	unsigned char digest[DIGEST_SIZE]; /* of the throttle's */
	int64_t seen;
	int64_t removed;
	bool done;
};

/*
 * One step, a transaction of its own: look at the next `limit` sessions and
 * remove those that ended or expired before `before_us`.
 */
enum store_result store_session_sweep(struct db *db, int64_t before_us,
    size_t limit, struct sweep *sweep);

/* The same for audit rows written before then. */
enum store_result store_audit_sweep(struct db *db, int64_t before_us,
    size_t limit, struct sweep *sweep);

/* The same for counts of the throttle without a failure since then. */
enum store_result store_throttle_sweep(struct db *db, int64_t before_us,
    size_t limit, struct sweep *sweep);

#endif
