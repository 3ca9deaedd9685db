/* gate.c - who comes, who waits, and what they go away with. */

#include "hash/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "hash/gate_private.h"

/* Who sleeps looks up this often: whether its caller is still there, and
 * whether the one who should have woken it has died. */
#define LOOK_UP_MS 100

/* ---- waiting ------------------------------------------------------------- */

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
	unsigned moved = gate_cell_unpost(cell);

	if (gate_cell_is_settled(cell) && !gate_cell_has(cell, GATE_BLOCK_DONE))
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

/* Are we to take a slot?  Also when the next in line does not: it may be stopped. */
static bool
is_our_turn(const struct gate_place *place)
{
	struct gate_cell *next = gate_next(place->gate);

	if (next == NULL || !gate_cell_has(place->cell, GATE_BLOCK_PENDING))
		return false;
	return next == place->cell || gate_has_idle_slot(place->gate, LOOK_UP_MS);
}

/* For whoever chooses the next in line. */
static void
show_mapped(struct gate_cell *cell, const struct gate *gate)
{
	cell->slot = gate->last_slot;
	cell->mapped = gate_arena_mapped(gate);
}

/* See to it that our hash is computed, by us or by somebody else. */
static enum gate_result
attend(struct gate_place *place, const struct scrypt_cost *cost)
{
	struct gate *gate = place->gate;
	struct gate_cell *cell = place->cell;
	enum gate_result reason;

	for (;;) {
		unsigned seen = cell->signal;
		int slot = -1;

		if (gate_cell_is_settled(cell))
			return GATE_OK;
		/* Of what is begun too: who asks may have others to look
		 * after. */
		reason = reason_to_leave(place);
		if (reason != GATE_OK && cell->begun_us == 0 && withdraw(cell))
			return reason;
		if (is_our_turn(place))
			slot = gate_slot_take(gate);
		else
			gate_wake_next(gate);
		if (slot == -1) {
			sleep_on(place, seen);
			continue;
		}
		gate_compute(place, (unsigned)slot, cost);
		show_mapped(cell, gate);
		gate_slot_release(gate, (unsigned)slot);
	}
}

/* ---- one hash ------------------------------------------------------------ */

static void
post(struct gate_cell *cell, struct gate *gate, unsigned kind, unsigned count)
{
	cell->kind = kind;
	show_mapped(cell, gate);
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
		post(cell, gate, gate_kind(cost), cost->p);
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

/* ---- coming and going ---------------------------------------------------- */

bool
gate_is_full(struct gate *gate)
{
	for (unsigned i = 0; i < gate->options.places; i++)
		if (!gate_cell_is_taken(gate, &gate->cells[i]))
			return false;
	gate->head->full++;
	return true;
}

struct gate_place *
gate_enter(struct gate *gate, const struct gate_caller *caller)
{
	struct gate_place *place;

	for (unsigned i = 0; i < gate->options.places; i++) {
		struct gate_cell *cell = &gate->cells[i];

		if (shared_lock_try(&cell->lock) == SHARED_LOCK_BUSY)
			continue;
		if (!gate_cell_reclaim(gate, cell)) {
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
	return gate_oldest(place->gate, 0) != NULL;
}
