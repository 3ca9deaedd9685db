/* admin_throttle.h - counts of failed sign-ins, shown and forgotten: posternctl
 * only. */

#ifndef POSTERN_STORE_ADMIN_THROTTLE_H
#define POSTERN_STORE_ADMIN_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "store/db.h"
#include "store/throttle.h"

struct throttle_row {
	unsigned char digest[DIGEST_SIZE];
	int64_t failures;
	int64_t failed_us;
	int64_t locked_until_us; /* 0: not locked */
};

/* The count of the rule's digest.  STORE_NONE: nothing is counted. */
enum store_result store_throttle_find(struct db *db,
    const struct throttle_rule *rule, struct throttle_row *row);

/*
 * A page of counts that are not 0, in the order of their digests: those behind the
 * rule's (all zero at first).  `list` has room for `limit`; *count says how many
 * came.
 */
enum store_result store_throttle_list(struct db *db,
    const struct throttle_rule *rule, size_t limit, struct throttle_row *list,
    size_t *count);

/* Forget a count; *failures is what it was.  STORE_NONE: nothing was counted. */
enum store_result store_throttle_clear(struct db *db,
    const unsigned char digest[static DIGEST_SIZE], int64_t *failures);

#endif
