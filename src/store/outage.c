/* outage.c - times and a count in shared memory, each of which is right by itself. */

#include "store/outage.h"

#include "base/clock.h"
#include "base/shared.h"

/* A flood does not hammer a database that has just come up, and its return is
 * seen within a second. */
#define PAUSE_LEAST_MS 100
#define PAUSE_MOST_MS  1000

/* Whoever tries is given a little more than its deadline to say what came of
 * it. */
#define GRACE_MS 500

/* One statement may be late by itself, and two may wait for the same lock, where
 * the server does not say so (DB_REPLY_SLOW). */
#define SILENCE 3

struct outage *
outage_new(void)
{
	return shared_new(sizeof(struct outage));
}

void
outage_free(struct outage *outage)
{
	shared_free(outage, sizeof(*outage));
}

bool
outage_may_try(struct outage *outage, int64_t deadline_ms)
{
	int64_t now_ms = clock_steady_ms();
	int64_t claim_ms = outage->claimed_until_ms;

	if (outage->since_ms == 0)
		return true;
	if (now_ms < outage->pause_until_ms || now_ms < claim_ms)
		return false;
	return atomic_compare_exchange_strong(&outage->claimed_until_ms,
	    &claim_ms, deadline_ms + GRACE_MS);
}

static void
pause_for_all(struct outage *outage)
{
	int64_t now_ms = clock_steady_ms(), none = 0, lasted_ms;

	atomic_compare_exchange_strong(&outage->since_ms, &none, now_ms);
	lasted_ms = none == 0 ? 0 : now_ms - none;
	if (lasted_ms < PAUSE_LEAST_MS)
		lasted_ms = PAUSE_LEAST_MS;
	else if (lasted_ms > PAUSE_MOST_MS)
		lasted_ms = PAUSE_MOST_MS;
	outage->pause_until_ms = now_ms + lasted_ms;
}

void
outage_goes_on(struct outage *outage)
{
	pause_for_all(outage);
	outage->claimed_until_ms = 0;
}

bool
outage_is_over(struct outage *outage)
{
	uint32_t late = atomic_exchange(&outage->late, 0);

	outage->since_ms = 0;
	outage->claimed_until_ms = 0;
	return late >= SILENCE;
}

bool
outage_suspect(struct outage *outage)
{
	uint32_t late = ++outage->late;

	pause_for_all(outage);
	return late == SILENCE;
}

void
outage_answered(struct outage *outage)
{
	/* Read by every statement, and so seldom written. */
	if (outage->late != 0)
		outage->late = 0;
}

bool
outage_is_silence(const struct outage *outage)
{
	return outage->late >= SILENCE;
}
