/* ended.c - sessions that ended not long ago. */

#include "acts/ended.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/shared.h"

/*
 * 32768 sessions in 512 KiB.  A session's random bits choose its bucket, so some
 * bucket is full when a quarter of all places are taken: about 9000 ends within
 * the life of a token, ten a second.
 */
#define BUCKETS 4096
#define PLACES  8 /* a cache line of names */

/*
 * A name is the random half of a session's id: 62 bits of chance, never zero.
 * It is written in one piece, and needs no time to be true: what has ended stays
 * so.
 *
 * The time only tells what may be forgotten.  It is written before the name and
 * never goes back, so whoever read a name and then the time has one that is not
 * before that session's end.
 */
struct bucket {
	_Alignas(64) _Atomic uint64_t names[PLACES]; /* 0: free */
	_Atomic int64_t ended_us[PLACES];
};

struct ended {
	_Atomic int64_t doubt_us; /* tokens issued until then are not judged */
	_Atomic bool suspended;   /* none is */
	int64_t life_us;          /* of a token; never changes */
	struct bucket buckets[BUCKETS];
};

static void
raise_to(_Atomic int64_t *number, int64_t least)
{
	int64_t seen = atomic_load(number);

	while (
	    seen < least && !atomic_compare_exchange_weak(number, &seen, least))
		;
}

struct ended *
ended_new(int token_seconds)
{
	struct ended *ended = shared_new(sizeof(*ended));

	if (ended == NULL)
		return NULL;
	ended->life_us = token_seconds * CLOCK_SECOND_US;
	ended_doubt(ended);
	return ended;
}

void
ended_free(struct ended *ended)
{
	shared_free(ended, sizeof(*ended));
}

void
ended_doubt(struct ended *ended)
{
	if (ended != NULL)
		raise_to(&ended->doubt_us, clock_now_us());
}

void
ended_doubt_for(struct ended *ended, int64_t ms)
{
	if (ended != NULL && ms > 0)
		raise_to(&ended->doubt_us, clock_now_us() + ms * 1000);
}

void
ended_suspend(struct ended *ended)
{
	if (ended != NULL)
		atomic_store(&ended->suspended, true);
}

/* The doubt first: who finds that tokens are judged again must find it raised. */
void
ended_resume(struct ended *ended)
{
	ended_doubt(ended);
	if (ended != NULL)
		atomic_store(&ended->suspended, false);
}

static uint64_t
name_of(const struct id *session)
{
	uint64_t name;

	memcpy(&name, session->bytes + ID_SIZE - sizeof(name), sizeof(name));
	return name;
}

static size_t
bucket_of(const struct id *session)
{
	return (size_t)(session->bytes[ID_SIZE - 2] << 8 |
			session->bytes[ID_SIZE - 1]) %
	       BUCKETS;
}

static bool
is_listed(const struct bucket *bucket, uint64_t name)
{
	for (int i = 0; i < PLACES; i++)
		if (atomic_load(&bucket->names[i]) == name)
			return true;
	return false;
}

/* The place whose session ended first, and its name; a free one before all,
 * whatever its time: somebody may be about to fill it. */
static int
oldest_place(struct bucket *bucket, uint64_t *name)
{
	int oldest = 0;

	for (int i = 0; i < PLACES; i++) {
		*name = atomic_load(&bucket->names[i]);
		if (*name == 0)
			return i;
		if (atomic_load(&bucket->ended_us[i]) <
		    atomic_load(&bucket->ended_us[oldest]))
			oldest = i;
	}
	*name = atomic_load(&bucket->names[oldest]);
	return oldest;
}

/*
 * Put a name in a place, where `before` was seen.  False when somebody was faster:
 * then the place is theirs, and perhaps looks newer than it is.
 */
static bool
replace(struct ended *ended, struct bucket *bucket, int place, uint64_t before,
    uint64_t name)
{
	int64_t now_us = clock_now_us();
	int64_t before_us = atomic_load(&bucket->ended_us[place]);

	/* The doubt first: who misses the old name must find it raised. */
	if (before != 0 && before_us > now_us - ended->life_us)
		raise_to(&ended->doubt_us, before_us);
	raise_to(&bucket->ended_us[place], now_us);
	return atomic_compare_exchange_strong(&bucket->names[place], &before,
	    name);
}

void
ended_add(struct ended *ended, const struct id *session)
{
	uint64_t name = name_of(session);
	struct bucket *bucket;
	uint64_t before;
	int place;

	if (ended == NULL)
		return;
	bucket = &ended->buckets[bucket_of(session)];
	if (is_listed(bucket, name))
		return;
	for (int tries = 0; tries < PLACES; tries++) {
		place = oldest_place(bucket, &before);
		if (replace(ended, bucket, place, before, name))
			return;
	}

	/* So many at once in one bucket: let the database tell them apart. */
	ended_doubt(ended);
}

enum ended_answer
ended_look(const struct ended *ended, const struct id *session, int64_t issued)
{
	if (ended == NULL)
		return ENDED_UNKNOWN;
	if (is_listed(&ended->buckets[bucket_of(session)], name_of(session)))
		return ENDED_SURELY;

	/* Only now: a name that made room has raised it before. */
	if (atomic_load(&ended->suspended) ||
	    issued * CLOCK_SECOND_US <= atomic_load(&ended->doubt_us))
		return ENDED_UNKNOWN;
	return ENDED_NOT;
}
