/* gate.h - how many hashes are computed at a time, in what memory, and who
 * computes with whom. */

#ifndef POSTERN_HASH_GATE_H
#define POSTERN_HASH_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hash/scrypt.h"

/*
 * A hash takes a core and 32 MiB for a quarter of a second, and anybody may ask
 * for one.  So there is a fixed number of *slots*, about one a core, each with
 * an arena of memory, and a fixed number of *places* for those who compute or
 * wait.  Who finds no place, or waits for longer than the deadline, is told so
 * at once; and since there are more workers than places, some never wait for a
 * hash, and serve requests that cost nothing.
 *
 * Who gets a slot computes there for others, too: everybody's blocks lie in shared
 * memory and are mixed in order of arrival, as many at a time as there are lanes (see
 * lanes.h).  Slots go to those who had them before, as long as they wait for something
 * themselves, since they have the memory mapped.  Nobody depends on anybody's life: the
 * kernel tells when a process has died, and what it had begun is begun again.
 *
 *	gate_is_full()	no place: turn back, before anything else is asked
 *	gate_enter()	a place, or none
 *	gate_scrypt()	one hash; or gate_run(), any other work of that size
 *	gate_leave()
 *
 * The shared memory holds what scrypt makes of a password on its way: against
 * that, guesses can be tried far faster than against a stored hash.  What is
 * handed from one process to the other is wiped after use, an arena when it is
 * given back; all of it is left out of core dumps.  It is not protected from
 * processes of the same service, nor need it be: they all see passwords.
 */
struct gate;
struct gate_place;

enum gate_engine {
	GATE_ENGINE_LANES,
	GATE_ENGINE_LIBSCRYPT, /* one hash a slot, by the reference */
};

struct gate_options {
	enum gate_engine engine;
	unsigned slots;
	unsigned lanes;  /* of each slot, 1 to lanes_width() */
	unsigned places; /* 1 or more */
	struct scrypt_cost cost; /* that the arenas have room for */
	uint64_t other_memory;   /* bytes that work which has no place in an arena
	                            may take for itself, in each slot */
	int deadline_ms; /* longest wait until a computation begins */
	const char *folder; /* shared, by name in there, with all processes of
	                       this user that have the same options; NULL: only
	                       with those forked.  Borrowed. */
};

enum gate_result {
	GATE_OK,
	GATE_LATE,   /* waited until the deadline */
	GATE_GONE,   /* nobody wants the answer any more */
	GATE_TOO_LARGE, /* asks for more memory than there is for one */
	GATE_FAILED, /* the cost is out of bounds, or memory is out */
};

/* Who asks: is an answer still wanted?  Called before anything is computed, and
 * every 100 ms while waiting, also where another process has begun it and it will be
 * seen through.  `gone` NULL: yes. */
struct gate_caller {
	bool (*gone)(void *self);
	void *self;
};

/* Before the first fork, or once in each process that shares it by name.  NULL
 * with the reason logged.  It is freed with no place taken by this process; NULL
 * does nothing. */
struct gate *gate_new(const struct gate_options *options);
void gate_free(struct gate *gate);

/*
 * Bytes of memory that all of them map together, arenas included; that the holder
 * of a slot may take beside: `other_memory`, or what libscrypt takes for the cost
 * where that computes; and the sum that hashing can come to.
 */
size_t gate_mapping(const struct gate *gate);
uint64_t gate_memory_beside(const struct gate_options *options);
uint64_t gate_memory(const struct gate_options *options);

/* Give the memory of arenas back that nobody has used for so long; for the
 * parent, now and then.  0: those of all free slots. */
void gate_tend(struct gate *gate, int idle_seconds);

/* Are all places taken?  Reads memory alone; true is counted as a refusal.  False
 * keeps none: who enters later may come too late. */
bool gate_is_full(struct gate *gate);

/* Take a place, to be given back by gate_leave(); of *caller a copy is kept.  NULL
 * when all are taken, which is counted. */
struct gate_place *gate_enter(struct gate *gate,
    const struct gate_caller *caller);

/* NULL does nothing. */
void gate_leave(struct gate_place *place);

/* Is somebody waiting for a slot?  Then what can be put off should be. */
bool gate_is_busy(const struct gate_place *place);

/*
 * scrypt of a counted password, `key_size` bytes of it (1 to SCRYPT_HASH_SIZE).
 * Costs that scrypt_cost_allowed() refuses are FAILED; what does not fit an
 * arena is computed by libscrypt in a slot, unless it is TOO_LARGE for that.  When
 * it is not OK the key is all zeros.
 */
enum gate_result gate_scrypt(struct gate_place *place,
    const struct scrypt_cost *cost, const void *password, size_t size,
    const void *salt, size_t salt_size, unsigned char *key, size_t key_size);

/* Call work(argument) in a slot: for hashes that are not scrypt's, and take so many
 * bytes of `memory`.  It returns 0, or -1 for FAILED. */
enum gate_result gate_run(struct gate_place *place, uint64_t memory,
    int (*work)(void *argument), void *argument);

/* What it does and did so far, in all processes that share it.  How long hashes
 * waited and took is counted in METRICS_HASH_WAIT and METRICS_HASH_RUN. */
struct gate_stats {
	/* now */
	unsigned slots, busy_slots;
	unsigned places, taken_places;
	unsigned waiting; /* hashes of which nothing has begun */

	/* since the start */
	uint64_t hashes;
	uint64_t full, late, gone, failed; /* refused, by reason; TOO_LARGE is
	                                      failed, too */
	uint64_t batches, blocks; /* blocks / batches is how full lanes were */
	uint64_t rescued; /* blocks begun again after a death */
};

void gate_stats(const struct gate *gate, struct gate_stats *stats);

#endif
