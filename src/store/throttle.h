/* throttle.h - failed sign-ins in a row, counted in the statements that a sign-in
 * runs anyway. */

#ifndef POSTERN_STORE_THROTTLE_H
#define POSTERN_STORE_THROTTLE_H

#include <stdint.h>

#include "base/digest.h"

/*
 * Who is counted, and what failures lead to.  The free_failures-th in a row locks
 * for a second, and each one more for twice as long, up to most_seconds; a count
 * that was quiet for quiet_seconds begins anew.
 *
 * While it is locked nothing is counted and no session is opened, and whoever
 * writes first decides: of attempts side by side, each of which read an unlocked
 * count, only as many get an answer as would have one after the other.
 */
struct throttle_rule {
	const unsigned char *digest; /* of DIGEST_SIZE; NULL: no throttle */
	int free_failures;           /* 1 or more */
	int most_seconds;
	int quiet_seconds;
	int64_t now_us;              /* when the statement is run */
};

/* ---- for the statements -------------------------------------------------- */

/*
 * When the lock of a row of postern.throttle ends; rows with fewer failures than
 * are free have none.  The names are those of the table, of the parameter with
 * the free failures, and of the one with the most seconds.
 */
#define THROTTLE_END(row, free, most) \
	row ".failed_at + interval '1 second'" \
	" * least(" most ", 2 ^ least(" row ".failures - " free ", 30))"
#define THROTTLE_LOCKED(row, free, most, now) \
	"(" row ".failures >= " free \
	" AND " THROTTLE_END(row, free, most) " > " now ")"

#endif
