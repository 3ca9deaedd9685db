/* gate.c - who waits, who computes, and for whom. */

#include "hash/gate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "hash/gate_private.h"

/* Who sleeps looks up this often: whether its caller is still there, and whether
 * the one who should have woken it has died. */
#define LOOK_UP_MS 100

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

/* ---- cells --------------------------------------------------------------------- */

bool
gate_cell_has(struct gate_cell *cell, enum gate_block state)
{
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		if (cell->blocks[i] == state)
			return true;
	return false;
}

/* Is nobody else to write into it any more?  Nobody but its owner changes a block
 * that is NONE or DONE, so one look at each is enough. */
static bool
is_settled(struct gate_cell *cell)
{
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++) {
		unsigned state = cell->blocks[i];

		if (state != GATE_BLOCK_NONE && state != GATE_BLOCK_DONE)
			return false;
	}
	return true;
}

/* Change a block's state, unless it has changed meanwhile. */
static bool
move_block(struct gate_cell *cell, unsigned i, unsigned from, unsigned to)
{
	return atomic_compare_exchange_strong(&cell->blocks[i], &from, to);
}

static void
wake(struct gate_cell *cell)
{
	atomic_fetch_add(&cell->signal, 1);
	shared_wake(&cell->signal);
}

static void
wipe_rooms(struct gate *gate, struct gate_cell *cell)
{
	secret_wipe(gate_spread_room(gate, cell), 2 * gate->room_size);
}

/* Put every block that nobody has begun back to NONE; returns which they were, a
 * bit each. */
static unsigned
unpost(struct gate_cell *cell)
{
	unsigned moved = 0;

	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		if (move_block(cell, i, GATE_BLOCK_PENDING, GATE_BLOCK_NONE))
			moved |= 1U << i;
	return moved;
}

/*
 * Clean up behind an owner who died, having got its lock.  False: another one
 * is still mixing its blocks, and writes into its rooms.
 */
static bool
reclaim(struct gate *gate, struct gate_cell *cell)
{
	if (!cell->occupied)
		return true;
	unpost(cell);
	if (!is_settled(cell))
		return false;
	wipe_rooms(gate, cell);
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		cell->blocks[i] = GATE_BLOCK_NONE;
	cell->occupied = false;
	return true;
}

/* Does its owner live?  If not, nobody waits for what is in it. */
static bool
is_owned(struct gate *gate, struct gate_cell *cell)
{
	if (shared_lock_try(&cell->lock) == SHARED_LOCK_BUSY)
		return true;
	reclaim(gate, cell);
	shared_lock_release(&cell->lock);
	return false;
}

/* The hash that has waited longest of those that want something begun; of one
 * kind, or of any for 0. */
static struct gate_cell *
oldest(struct gate *gate, unsigned kind)
{
	struct gate_cell *first = NULL;

	for (unsigned i = 0; i < gate->options.places; i++) {
		struct gate_cell *cell = &gate->cells[i];

		if (!cell->occupied || (kind != 0 && cell->kind != kind) ||
		    !gate_cell_has(cell, GATE_BLOCK_PENDING))
			continue;
		if (first == NULL || cell->ticket < first->ticket)
			first = cell;
	}
	return first;
}

/* ---- slots --------------------------------------------------------------------- */

static unsigned
count_free_slots(const struct gate *gate)
{
	unsigned count = 0;

	for (unsigned i = 0; i < gate->options.slots; i++)
		count += gate->slots[i].holder == 0;
	return count;
}

/* If there is a free slot, let the next in line have it. */
static void
wake_next(struct gate *gate)
{
	struct gate_cell *cell;

	if (count_free_slots(gate) == 0)
		return;
	do {
		cell = oldest(gate, 0);
	} while (cell != NULL && !is_owned(gate, cell));
	if (cell != NULL)
		wake(cell);
}

/* What was in this slot when its holder died is begun again. */
static void
rescue(struct gate *gate, unsigned slot)
{
	for (unsigned c = 0; c < gate->options.places; c++)
		for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
			if (move_block(&gate->cells[c], i,
				GATE_BLOCK_TAKEN + slot, GATE_BLOCK_PENDING))
				gate->head->rescued++;
}

bool
gate_slot_try(struct gate *gate, unsigned slot)
{
	switch (shared_lock_try(&gate->slots[slot].lock)) {
	case SHARED_LOCK_BUSY:
		return false;
	case SHARED_LOCK_LEFT:
		rescue(gate, slot);
		break;
	case SHARED_LOCK_TAKEN:
		break;
	}
	gate->slots[slot].holder = getpid();
	return true;
}

void
gate_slot_release(struct gate *gate, unsigned slot)
{
	gate->slots[slot].holder = 0;
	shared_lock_release(&gate->slots[slot].lock);
	wake_next(gate);
}

void
gate_slot_heal(struct gate *gate)
{
	for (unsigned i = 0; i < gate->options.slots; i++)
		if (gate->slots[i].holder != 0 && gate_slot_try(gate, i))
			gate_slot_release(gate, i);
}

/* Take any slot, the last one first; -1: all are held. */
static int
take_slot(struct gate *gate)
{
	unsigned count = gate->options.slots;

	for (unsigned i = 0; i < count; i++) {
		unsigned slot = (gate->last_slot + i) % count;

		if (!gate_slot_try(gate, slot))
			continue;
		gate->last_slot = slot;
		return (int)slot;
	}
	return -1;
}

/* ---- computing ----------------------------------------------------------------- */

/* What a slot mixes at once: blocks of one kind, of several hashes. */
struct batch {
	unsigned slot;
	unsigned kind;
	unsigned count;
	struct gate_cell *cells[LANES_MAX];
	unsigned numbers[LANES_MAX]; /* which block of that cell */
};

static unsigned
kind_of(const struct scrypt_cost *cost)
{
	return cost->log2_n << 8 | cost->r;
}

static void
note_begun(struct gate_cell *cell)
{
	int64_t not_yet = 0;

	atomic_compare_exchange_strong(&cell->begun_us, &not_yet,
	    clock_steady_us());
}

/* Take what is pending in a cell, up to so many in all. */
static void
take_blocks(struct batch *batch, struct gate_cell *cell, unsigned limit)
{
	for (unsigned i = 0; i < GATE_BLOCKS_MAX && batch->count < limit; i++) {
		if (!move_block(cell, i, GATE_BLOCK_PENDING,
			GATE_BLOCK_TAKEN + batch->slot))
			continue;
		/* From here on the cell stays what it is.  Is it what it was
		 * when we looked? */
		if (cell->kind != batch->kind) {
			cell->blocks[i] = GATE_BLOCK_PENDING;
			return;
		}
		note_begun(cell);
		batch->cells[batch->count] = cell;
		batch->numbers[batch->count++] = i;
	}
}

/* How many blocks to take at once.  When another slot is free, it is faster for
 * everybody to leave it its share than to fill the lanes of this one. */
static unsigned
fair_share(const struct gate *gate, unsigned kind, unsigned width)
{
	unsigned pending = 0, slots = count_free_slots(gate) + 1;

	for (unsigned c = 0; c < gate->options.places; c++) {
		struct gate_cell *cell = &gate->cells[c];

		for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
			pending += cell->kind == kind &&
			    cell->blocks[i] == GATE_BLOCK_PENDING;
	}
	pending = (pending + slots - 1) / slots;
	return pending < width ? pending : width;
}

static void
mix(struct gate *gate, const struct batch *batch,
    const struct scrypt_cost *cost)
{
	struct lanes_arena arena = gate_arena(gate, batch->slot);
	size_t size = lanes_block_size(cost);
	unsigned char *blocks[LANES_MAX];

	for (unsigned i = 0; i < batch->count; i++) {
		struct gate_cell *cell = batch->cells[i];
		size_t at = batch->numbers[i] * size;

		blocks[i] = gate_mixed_room(gate, cell) + at;
		memcpy(blocks[i], gate_spread_room(gate, cell) + at, size);
	}
	gate->slots[batch->slot].used_ms = clock_steady_ms();

	/* Only a batch that was put together wrongly is refused; to go on would
	 * be to answer with hashes that are none. */
	if (lanes_smix(cost, blocks, batch->count, &arena) != 0)
		abort();
	gate->slots[batch->slot].used_ms = clock_steady_ms();
	gate->head->batches++;
	gate->head->blocks += batch->count;
}

static void
hand_back(const struct batch *batch, const struct gate_cell *own)
{
	for (unsigned i = 0; i < batch->count; i++) {
		struct gate_cell *cell = batch->cells[i];

		cell->blocks[batch->numbers[i]] = GATE_BLOCK_DONE;
		if (cell != own && is_settled(cell))
			wake(cell);
	}
}

/* Mix our own hash's blocks and, in the lanes they leave, those of the others in
 * order of arrival, until ours are done. */
static void
combine(struct gate_place *place, unsigned slot, const struct scrypt_cost *cost)
{
	struct gate *gate = place->gate;
	struct batch batch = { .slot = slot, .kind = kind_of(cost) };
	unsigned width = gate_width(gate, cost), limit;
	struct gate_cell *other;

	for (;;) {
		limit = fair_share(gate, batch.kind, width);
		batch.count = 0;
		take_blocks(&batch, place->cell, width);
		if (batch.count == 0)
			return;
		while (batch.count < limit &&
		       (other = oldest(gate, batch.kind)) != NULL)
			take_blocks(&batch, other, limit);
		wake_next(gate);
		mix(gate, &batch, cost);
		hand_back(&batch, place->cell);
	}
}

/* Have a slot: do in it what we came for. */
static void
compute(struct gate_place *place, unsigned slot, const struct scrypt_cost *cost)
{
	struct gate_cell *cell = place->cell;

	if (place->work == NULL) {
		combine(place, slot, cost);
		return;
	}
	if (!move_block(cell, 0, GATE_BLOCK_PENDING, GATE_BLOCK_TAKEN + slot))
		return;
	note_begun(cell);
	wake_next(place->gate);
	place->work_result = place->work(place->argument);
	cell->blocks[0] = GATE_BLOCK_DONE;
}

/* ---- waiting ------------------------------------------------------------------- */

static int64_t
deadline_us(const struct gate_place *place)
{
	return place->cell->posted_us +
	    place->gate->options.deadline_ms * INT64_C(1000);
}

/* GATE_OK: go on waiting. */
static enum gate_result
reason_to_leave(const struct gate_place *place)
{
	const struct gate_caller *caller = &place->caller;

	if (caller->gone != NULL && caller->gone(caller->self))
		return GATE_GONE;
	if (clock_steady_us() >= deadline_us(place))
		return GATE_LATE;
	return GATE_OK;
}

/* Take a hash back.  False: somebody has begun it meanwhile; then it is seen
 * through. */
static bool
withdraw(struct gate_cell *cell)
{
	unsigned moved = unpost(cell);

	if (is_settled(cell) && !gate_cell_has(cell, GATE_BLOCK_DONE))
		return true;
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		if (moved & 1U << i)
			cell->blocks[i] = GATE_BLOCK_PENDING;
	return false;
}

static void
sleep_on(struct gate_place *place, unsigned seen)
{
	struct gate_cell *cell = place->cell;
	int64_t left_ms = (deadline_us(place) - clock_steady_us()) / 1000 + 1;

	if (left_ms > LOOK_UP_MS || cell->begun_us != 0)
		left_ms = LOOK_UP_MS;
	shared_wait(&cell->signal, seen, left_ms);
	if (cell->signal == seen)
		gate_slot_heal(place->gate);
}

/* See to it that our hash is computed, by us or by somebody else. */
static enum gate_result
attend(struct gate_place *place, const struct scrypt_cost *cost)
{
	struct gate *gate = place->gate;
	struct gate_cell *cell = place->cell;
	bool newcomer = true;

	for (;;) {
		unsigned seen = cell->signal;
		int slot = -1;

		if (is_settled(cell))
			return GATE_OK;
		if (cell->begun_us == 0) {
			enum gate_result reason = reason_to_leave(place);

			if (reason != GATE_OK && withdraw(cell))
				return reason;
		}
		/* Not past those who wait already: a slot that has just become
		 * free is theirs. */
		if (newcomer && oldest(gate, 0) != cell)
			wake_next(gate);
		else if (gate_cell_has(cell, GATE_BLOCK_PENDING))
			slot = take_slot(gate);
		newcomer = false;
		if (slot == -1) {
			sleep_on(place, seen);
			continue;
		}
		compute(place, (unsigned)slot, cost);
		gate_slot_release(gate, (unsigned)slot);
	}
}

/* ---- one hash ------------------------------------------------------------------ */

static void
post(struct gate_cell *cell, struct gate *gate, unsigned kind, unsigned count)
{
	cell->kind = kind;
	cell->posted_us = clock_steady_us();
	cell->begun_us = 0;
	cell->ticket = ++gate->head->ticket;
	for (unsigned i = 0; i < count; i++)
		cell->blocks[i] = GATE_BLOCK_PENDING;
}

static enum gate_result
note_end(struct gate_place *place, enum gate_result result)
{
	struct gate_head *head = place->gate->head;
	struct gate_cell *cell = place->cell;

	switch (result) {
	case GATE_OK:
		head->hashes++;
		metrics_time(METRICS_HASH_WAIT, 0,
		    cell->begun_us - cell->posted_us);
		metrics_time(METRICS_HASH_RUN, 0,
		    clock_steady_us() - cell->begun_us);
		break;
	case GATE_LATE:
		head->late++;
		break;
	case GATE_GONE:
		head->gone++;
		break;
	case GATE_TOO_LARGE:
	case GATE_FAILED:
		head->failed++;
		break;
	}
	return result;
}

static void
clear(struct gate_place *place)
{
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		place->cell->blocks[i] = GATE_BLOCK_NONE;
}

/* scrypt with our blocks in the shared rooms. */
static enum gate_result
scrypt_in_lanes(struct gate_place *place, const struct scrypt_cost *cost,
    const void *password, size_t size, const void *salt, size_t salt_size,
    unsigned char *key, size_t key_size)
{
	struct gate *gate = place->gate;
	struct gate_cell *cell = place->cell;
	unsigned char *spread = gate_spread_room(gate, cell);
	unsigned char *mixed = gate_mixed_room(gate, cell);
	size_t used = lanes_block_size(cost) * cost->p;
	enum gate_result result = GATE_FAILED;

	if (lanes_spread(cost, password, size, salt, salt_size, spread) == 0) {
		post(cell, gate, kind_of(cost), cost->p);
		result = attend(place, cost);
		clear(place);
	}
	if (result == GATE_OK &&
	    lanes_gather(cost, password, size, mixed, key, key_size) != 0) {
		memset(key, 0, key_size);
		result = GATE_FAILED;
	}
	secret_wipe(spread, used);
	secret_wipe(mixed, used);
	return note_end(place, result);
}

/* The same as work of its owner's alone, by libscrypt. */
struct lone_scrypt {
	const struct scrypt_cost *cost;
	const void *password, *salt;
	size_t size, salt_size;
	unsigned char *hash;
};

static int
scrypt_alone(void *argument)
{
	const struct lone_scrypt *lone = argument;

	return scrypt_derive(lone->cost, lone->password, lone->size, lone->salt,
	    lone->salt_size, lone->hash);
}

enum gate_result
gate_run(struct gate_place *place, uint64_t memory,
    int (*work)(void *argument), void *argument)
{
	enum gate_result result;

	if (memory > gate_memory_beside(&place->gate->options))
		return note_end(place, GATE_TOO_LARGE);
	place->work = work;
	place->argument = argument;
	post(place->cell, place->gate, 0, 1);
	result = attend(place, NULL);
	clear(place);
	place->work = NULL;
	if (result == GATE_OK && place->work_result != 0)
		result = GATE_FAILED;
	return note_end(place, result);
}

enum gate_result
gate_scrypt(struct gate_place *place, const struct scrypt_cost *cost,
    const void *password, size_t size, const void *salt, size_t salt_size,
    unsigned char *key, size_t key_size)
{
	unsigned char hash[SCRYPT_HASH_SIZE] = { 0 };
	struct lone_scrypt lone = { cost, password, salt, size, salt_size,
		hash };
	enum gate_result result;

	memset(key, 0, key_size);
	if (!scrypt_cost_allowed(cost) || key_size < 1 ||
	    key_size > sizeof(hash))
		return note_end(place, GATE_FAILED);
	if (gate_width(place->gate, cost) > 0)
		return scrypt_in_lanes(place, cost, password, size, salt,
		    salt_size, key, key_size);

	result = gate_run(place, scrypt_memory(cost), scrypt_alone, &lone);
	/* PBKDF2 makes the beginning of a key in the same way as the whole
	 * (RFC 8018 section 5.2). */
	if (result == GATE_OK)
		memcpy(key, hash, key_size);
	secret_wipe(hash, sizeof(hash));
	return result;
}

/* ---- coming and going ---------------------------------------------------------- */

struct gate_place *
gate_enter(struct gate *gate, const struct gate_caller *caller)
{
	struct gate_place *place;

	for (unsigned i = 0; i < gate->options.places; i++) {
		struct gate_cell *cell = &gate->cells[i];

		if (shared_lock_try(&cell->lock) == SHARED_LOCK_BUSY)
			continue;
		if (!reclaim(gate, cell)) {
			shared_lock_release(&cell->lock);
			continue;
		}
		cell->occupied = true;
		place = memory_zeroed(1, sizeof(*place));
		place->gate = gate;
		place->cell = cell;
		place->caller = *caller;
		return place;
	}
	gate->head->full++;
	return NULL;
}

void
gate_leave(struct gate_place *place)
{
	if (place == NULL)
		return;
	place->cell->occupied = false;
	shared_lock_release(&place->cell->lock);
	free(place);
}

bool
gate_is_busy(const struct gate_place *place)
{
	return oldest(place->gate, 0) != NULL;
}
