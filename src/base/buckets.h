/* buckets.h - how much each of very many peers has used up of what it may: token
 * buckets in a fixed piece of shared memory.  A process may die at any moment, in the
 * middle of a call, too: no bucket is left half changed. */

#ifndef POSTERN_BASE_BUCKETS_H
#define POSTERN_BASE_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/shared.h"

/*
 * A bucket holds `burst` tokens when it is full; what is taken out comes back,
 * one token each interval_ms.  It may be overdrawn, by those who looked at the
 * same time, and then has to come back as well: so over a longer time nobody
 * takes more than the rate.
 *
 * The table has a fixed number of places, in sets of eight; the set of a key is
 * chosen by a hash under a secret of this table's own.  A full bucket needs no
 * place.  Where all eight of a set are in use, a new key takes the place of the
 * bucket that is nearest to full.  So nobody loses his debt by flooding:
 *
 *  - who is out of tokens owes more than any newcomer, so what newcomers push out
 *    is each other;
 *  - to push him out, seven other keys must owe as much as he does, and fall into
 *    his set, which cannot be known: of keys chosen blindly it takes thousands,
 *    each used up to the end first, and all that for one more burst of one key.
 *
 * And nobody is refused for what others did: what gets lost is debt alone.
 */
struct buckets;

struct buckets_limit {
	int64_t interval_ms; /* 1 or more */
	int64_t burst;       /* 1 or more */
};

/* Before the first fork.  `sets` of eight places, a power of two; NULL when memory
 * is out (logged).  Freeing NULL does nothing. */
struct buckets *buckets_new(size_t sets);
void buckets_free(struct buckets *buckets);

/*
 * The same by name, in each process that shares it; of *name the size and whether it
 * lasts are filled in: it does, since those who are counted come back when nobody
 * has it open.  NULL when it cannot be opened, or holds something else (logged, with
 * what to do about it).
 */
struct buckets *buckets_open(size_t sets, struct shared_name name);

/* Milliseconds until the key's bucket has a token; 0: it has one.  `now_ms` is
 * the steady clock, which all who share the table read alike. */
int64_t buckets_wait_ms(const struct buckets *buckets,
    const struct buckets_limit *limit, const void *key, size_t key_size,
    int64_t now_ms);

/* How many keys have no token; a key that two processes began to count at the same
 * time may be counted twice.  Looks at the whole table. */
size_t buckets_count_empty(const struct buckets *buckets,
    const struct buckets_limit *limit, int64_t now_ms);

/* Take a token, whether or not there is one. */
void buckets_take(struct buckets *buckets, const struct buckets_limit *limit,
    const void *key, size_t key_size, int64_t now_ms);

#endif
