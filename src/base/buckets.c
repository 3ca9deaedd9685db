/* buckets.c - token buckets, a word of memory each.
 *
 * A bucket is kept as the time at which it will be full again: the further ahead
 * that is, the more it owes.  Taking a token moves the time by one interval.  That
 * time and what tells the key apart from others of its set are one atomic word,
 * so there is no lock, and a worker that dies leaves nothing half done. */

#include "base/buckets.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/shared.h"

#define WAYS        8
#define SECRET_SIZE 32

/* 2^40 ms are 34 years. */
#define TIME_BITS 40
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

/* Attempts at a word that others change at the same time.  Each of theirs
 * succeeded, so this is enough for as many workers as there can be. */
#define TRIES 1024

/* A cache line. */
struct set {
	_Alignas(64) _Atomic uint64_t ways[WAYS];
};

/* What is shared begins with this: "postern1", for another layout another number. */
#define MARK UINT64_C(0x706f737465726e31)

struct table {
	_Alignas(64) uint64_t mark;
	uint64_t set_count;
	unsigned char secret[SECRET_SIZE];
	struct set sets[];
};

/* One process's view. */
struct buckets {
	size_t size, set_count;
	struct table *table;
	bool by_name;
	struct shared_file file;
};

/* Where a key belongs, at a moment. */
struct place {
	struct set *set;
	uint64_t tag;   /* in the word's high bits */
	int64_t now_ms; /* never 0, the time of an empty word */
};

static struct buckets *
begin(size_t sets)
{
	struct buckets *buckets = memory_zeroed(1, sizeof(*buckets));

	buckets->set_count = sets;
	buckets->size = sizeof(struct table) + sets * sizeof(struct set);
	return buckets;
}

/* Zeros are empty buckets. */
static void
fill_in(const struct buckets *buckets)
{
	struct table *table = buckets->table;

	table->set_count = buckets->set_count;
	secret_random(table->secret, sizeof(table->secret));
	table->mark = MARK;
}

struct buckets *
buckets_new(size_t sets)
{
	struct buckets *buckets = begin(sets);

	buckets->table = shared_new(buckets->size);
	if (buckets->table == NULL) {
		free(buckets);
		return NULL;
	}
	fill_in(buckets);
	return buckets;
}

struct buckets *
buckets_open(size_t sets, struct shared_name name)
{
	struct buckets *buckets = begin(sets);

	name.size = buckets->size;
	name.lasts = true;
	if (shared_open(&buckets->file, &name) != 0) {
		free(buckets);
		return NULL;
	}
	buckets->by_name = true;
	buckets->table = buckets->file.memory;
	if (buckets->file.fresh) {
		fill_in(buckets);
		shared_ready(&buckets->file);
	}
	if (buckets->table->mark == MARK &&
	    buckets->table->set_count == sets)
		return buckets;
	log_error("could not use the shared memory \"%s\": what is in it is "
		  "not ours: remove it",
	    buckets->file.path);
	buckets_free(buckets);
	return NULL;
}

void
buckets_free(struct buckets *buckets)
{
	if (buckets == NULL)
		return;
	if (buckets->by_name)
		shared_close(&buckets->file);
	else
		shared_free(buckets->table, buckets->size);
	free(buckets);
}

static struct place
find(const struct buckets *buckets, const void *key, size_t key_size,
    int64_t now_ms)
{
	unsigned char digest[DIGEST_SIZE];
	uint64_t set, tag;

	digest_hmac(buckets->table->secret, SECRET_SIZE, key, key_size, digest);
	memcpy(&set, digest, sizeof(set));
	memcpy(&tag, digest + sizeof(set), sizeof(tag));
	return (struct place){
		.set = &buckets->table->sets[set & (buckets->set_count - 1)],
		.tag = tag & ~TIME_MASK,
		.now_ms = now_ms,
	};
}

/* How far ahead the word's bucket is full again; 0: it is. */
static int64_t
debt_of(uint64_t word, int64_t now_ms)
{
	int64_t full_ms = (int64_t)(word & TIME_MASK);

	return full_ms > now_ms ? full_ms - now_ms : 0;
}

/* However much is taken, some day it is paid. */
static int64_t
most_debt(const struct buckets_limit *limit)
{
	return 2 * limit->burst * limit->interval_ms;
}

static bool
is_of(uint64_t word, const struct place *place)
{
	return (word & ~TIME_MASK) == place->tag;
}

int64_t
buckets_wait_ms(const struct buckets *buckets,
    const struct buckets_limit *limit, const void *key, size_t key_size,
    int64_t now_ms)
{
	struct place place = find(buckets, key, key_size, now_ms);
	int64_t free_ms = (limit->burst - 1) * limit->interval_ms;
	int64_t debt_ms = 0;

	/* Two workers may have begun the same bucket in two places. */
	for (size_t i = 0; i < WAYS; i++) {
		uint64_t word = atomic_load(&place.set->ways[i]);

		if (is_of(word, &place) &&
		    debt_of(word, place.now_ms) > debt_ms)
			debt_ms = debt_of(word, place.now_ms);
	}
	/* What was taken under other settings may be more than these allow. */
	if (debt_ms > most_debt(limit))
		debt_ms = most_debt(limit);
	return debt_ms > free_ms ? debt_ms - free_ms : 0;
}

size_t
buckets_count_empty(const struct buckets *buckets,
    const struct buckets_limit *limit, int64_t now_ms)
{
	int64_t free_ms = (limit->burst - 1) * limit->interval_ms;
	size_t count = 0;

	for (size_t i = 0; i < buckets->set_count; i++)
		for (size_t j = 0; j < WAYS; j++)
			count += debt_of(atomic_load_explicit(
					     &buckets->table->sets[i].ways[j],
					     memory_order_relaxed),
				     now_ms) > free_ms;
	return count;
}

/* The place of the key's bucket, else of the one that is nearest to full.  *word
 * is what stands there. */
static _Atomic uint64_t *
choose(const struct place *place, uint64_t *word)
{
	_Atomic uint64_t *chosen = place->set->ways;
	int64_t least_ms = INT64_MAX;

	*word = 0;
	for (size_t i = 0; i < WAYS; i++) {
		_Atomic uint64_t *way = &place->set->ways[i];
		uint64_t found = atomic_load(way);
		int64_t debt_ms = debt_of(found, place->now_ms);

		if (is_of(found, place) && debt_ms > 0) {
			*word = found;
			return way;
		}
		if (debt_ms < least_ms) {
			chosen = way;
			least_ms = debt_ms;
			*word = found;
		}
	}
	return chosen;
}

/* The word once a token was taken. */
static uint64_t
without_token(uint64_t word, const struct buckets_limit *limit,
    const struct place *place)
{
	int64_t debt_ms = limit->interval_ms;

	if (is_of(word, place))
		debt_ms += debt_of(word, place->now_ms);
	if (debt_ms > most_debt(limit))
		debt_ms = most_debt(limit);
	return place->tag | ((uint64_t)(place->now_ms + debt_ms) & TIME_MASK);
}

void
buckets_take(struct buckets *buckets, const struct buckets_limit *limit,
    const void *key, size_t key_size, int64_t now_ms)
{
	struct place place = find(buckets, key, key_size, now_ms);
	_Atomic uint64_t *way;
	uint64_t word;

	for (int i = 0; i < TRIES; i++) {
		way = choose(&place, &word);
		if (atomic_compare_exchange_strong(way, &word,
			without_token(word, limit, &place)))
			return;
	}
}
