/* gate_private.h - what lies in the gate's shared memory; for gate*.c alone.
 *
 * Everything here is written by several processes without a lock around it: only
 * by atomic operations, in an order that leaves it right whenever the writer
 * dies.  The two kinds of lock say who owns a slot or a place, and that the
 * owner lives.
 */

#ifndef POSTERN_HASH_GATE_PRIVATE_H
#define POSTERN_HASH_GATE_PRIVATE_H

#include <stdalign.h>
#include <stdatomic.h>

#include "base/shared.h"
#include "base/shared_lock.h"
#include "hash/gate.h"
#include "hash/lanes.h"

/* Of one hash: the largest p that scrypt_cost_allowed() lets through. */
#define GATE_BLOCKS_MAX 16

/* The way of one block.  TAKEN + s: it is in slot s.  DONE is written after its
 * result, and nothing is written over the block itself, so a block that was
 * taken into the grave becomes PENDING again and nothing is lost. */
enum gate_block {
	GATE_BLOCK_NONE,
	GATE_BLOCK_PENDING,
	GATE_BLOCK_DONE,
	GATE_BLOCK_TAKEN,
};

struct gate_slot {
	alignas(64) struct shared_lock lock;
	atomic_int holder; /* process id for people to see; 0: free */
	_Atomic int64_t used_ms; /* steady clock; 0: the arena is given back */
	_Atomic int64_t free_ms; /* steady clock; since then, where it is free */
	atomic_uint given_back; /* how often it was */
};

/* A place, and the one hash that its owner wants. */
struct gate_cell {
	alignas(64) struct shared_lock lock; /* its owner's, and alive */
	atomic_bool occupied; /* by the owner, or by one who died */
	atomic_uint signal;   /* changes when there is something to see */
	_Atomic uint64_t ticket; /* the order of arrival */
	atomic_uint kind; /* N and r in one number: who can share a batch;
	                     0: work that only its owner can do */
	atomic_uint slot; /* that its owner computed in last, */
	_Atomic size_t mapped; /* and how much of its arena it has mapped */
	_Atomic int64_t posted_us, begun_us; /* 0: not begun */
	atomic_uint blocks[GATE_BLOCKS_MAX]; /* enum gate_block */
};

struct gate_head {
	_Atomic uint64_t ticket;
	_Atomic uint64_t hashes, full, late, gone, failed;
	_Atomic uint64_t batches, blocks, rescued;
};

/* One process's view. */
struct gate {
	struct gate_options options;
	struct shared_file file; /* when by name */
	unsigned char *memory;
	size_t size;

	struct gate_head *head;
	struct gate_slot *slots;
	struct gate_cell *cells;
	unsigned char *rooms;  /* two a cell: blocks as spread, and as mixed */
	unsigned char *arenas; /* one a slot */
	size_t room_size, arena_size;

	/* What this process computed in last, and has in its page tables. */
	unsigned last_slot;
	size_t mapped;       /* bytes of that slot's arena */
	unsigned given_back; /* what that slot said then */
};

/* One process's hold of a cell. */
struct gate_place {
	struct gate *gate;
	struct gate_cell *cell;
	struct gate_caller caller;

	/* Work that is not blocks in lanes. */
	int (*work)(void *argument);
	void *argument;
	int work_result;
};

/* ---- gate_memory.c ------------------------------------------------------- */

/* Blocks as they were spread, and where the mixed ones go. */
unsigned char *gate_spread_room(const struct gate *gate,
    const struct gate_cell *cell);
unsigned char *gate_mixed_room(const struct gate *gate,
    const struct gate_cell *cell);

struct lanes_arena gate_arena(const struct gate *gate, unsigned slot);

/* Have so much of a held slot's arena in the page tables of this process, which each
 * worker has of its own: a fault for each page costs more than all that is computed in
 * it.  A kernel that cannot (before Linux 5.14) does without. */
void gate_arena_map(struct gate *gate, unsigned slot, size_t size);

/* Of the arena of `last_slot`, how many bytes are mapped; 0: it was given back
 * meanwhile. */
size_t gate_arena_mapped(const struct gate *gate);

/* How many blocks of this cost a slot mixes at a time; 0: it has no room for
 * one. */
unsigned gate_width(const struct gate *gate, const struct scrypt_cost *cost);

/* ---- gate_hold.c --------------------------------------------------------- */

/* Is one of its blocks in this state? */
bool gate_cell_has(struct gate_cell *cell, enum gate_block state);

/* Is nobody else to write into it any more?  Nobody but its owner changes a
 * block that is NONE or DONE. */
bool gate_cell_is_settled(struct gate_cell *cell);

/* Change a block's state, unless it has changed meanwhile. */
bool gate_cell_move(struct gate_cell *cell, unsigned i, unsigned from,
    unsigned to);

/* Put every block that nobody has begun back to NONE; returns which they were,
 * a bit each. */
unsigned gate_cell_unpost(struct gate_cell *cell);

/* Clean up behind an owner who died, having got its lock.  False: another one
 * is still mixing its blocks, and writes into its rooms. */
bool gate_cell_reclaim(struct gate *gate, struct gate_cell *cell);

/* By somebody who lives, or by the dead as long as it cannot be reclaimed; where it
 * can, that is done. */
bool gate_cell_is_taken(struct gate *gate, struct gate_cell *cell);

/* Its owner has something to see. */
void gate_cell_wake(struct gate_cell *cell);

/* The hash that has waited longest of those that want something begun; of one
 * kind, or of any for 0.  NULL: there is none. */
struct gate_cell *gate_oldest(struct gate *gate, unsigned kind);

/*
 * Who is to take a free slot; NULL: nobody, or none is free.  That is the hash that has
 * waited longest, or one that can share a batch with it and whose owner has more of the
 * slot's arena mapped.  Under some hypervisors the faults of a process that uses an
 * arena for the first time take four times as long as a batch, and with all workers in
 * turn each of them would have them.  What is mixed is what has waited longest, whoever
 * takes the slot.
 */
struct gate_cell *gate_next(struct gate *gate);

/* If there is a free slot, let the next in line have it. */
void gate_wake_next(struct gate *gate);

unsigned gate_count_free_slots(const struct gate *gate);

/* Has a slot been free for so long? */
bool gate_has_idle_slot(const struct gate *gate, int64_t ms);

/* Take this slot, if it is free or its holder died.  Whoever lets go of one
 * wakes the next in line. */
bool gate_slot_try(struct gate *gate, unsigned slot);
void gate_slot_release(struct gate *gate, unsigned slot);

/* Take any slot, the last one first; -1: all are held. */
int gate_slot_take(struct gate *gate);

/* Free the slots of the dead. */
void gate_slot_heal(struct gate *gate);

/* ---- gate_batch.c -------------------------------------------------------- */

/* Who can share a batch: N and r in one number, which is not 0. */
unsigned gate_kind(const struct scrypt_cost *cost);

/* Have a slot: do in it what we came for, if it is work of our own; or else one batch
 * of what has waited longest, which ours may be a part of. */
void gate_compute(struct gate_place *place, unsigned slot,
    const struct scrypt_cost *cost);

#endif
