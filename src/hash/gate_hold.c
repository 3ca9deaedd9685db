/* gate_hold.c - who holds cells and slots, whose turn it is, and what becomes of
 * what the dead held. */

#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "hash/gate_private.h"

/* ---- cells --------------------------------------------------------------- */

bool
gate_cell_has(struct gate_cell *cell, enum gate_block state)
{
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		if (cell->blocks[i] == state)
			return true;
	return false;
}

/* One look at each block is enough, since what is settled stays so. */
bool
gate_cell_is_settled(struct gate_cell *cell)
{
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++) {
		unsigned state = cell->blocks[i];

		if (state != GATE_BLOCK_NONE && state != GATE_BLOCK_DONE)
			return false;
	}
	return true;
}

bool
gate_cell_move(struct gate_cell *cell, unsigned i, unsigned from, unsigned to)
{
	return atomic_compare_exchange_strong(&cell->blocks[i], &from, to);
}

void
gate_cell_wake(struct gate_cell *cell)
{
	atomic_fetch_add(&cell->signal, 1);
	shared_wake(&cell->signal);
}

static void
wipe_rooms(struct gate *gate, struct gate_cell *cell)
{
	secret_wipe(gate_spread_room(gate, cell), 2 * gate->room_size);
}

unsigned
gate_cell_unpost(struct gate_cell *cell)
{
	unsigned moved = 0;

	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		if (gate_cell_move(cell, i, GATE_BLOCK_PENDING,
			GATE_BLOCK_NONE))
			moved |= 1U << i;
	return moved;
}

bool
gate_cell_reclaim(struct gate *gate, struct gate_cell *cell)
{
	if (!cell->occupied)
		return true;
	gate_cell_unpost(cell);
	if (!gate_cell_is_settled(cell))
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
	gate_cell_reclaim(gate, cell);
	shared_lock_release(&cell->lock);
	return false;
}

bool
gate_cell_is_taken(struct gate *gate, struct gate_cell *cell)
{
	if (!cell->occupied)
		return false;
	/* Whose owner has died is reclaimed by the look, where it can be. */
	return is_owned(gate, cell) || cell->occupied;
}

struct gate_cell *
gate_oldest(struct gate *gate, unsigned kind)
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

/* ---- slots --------------------------------------------------------------- */

unsigned
gate_count_free_slots(const struct gate *gate)
{
	unsigned count = 0;

	for (unsigned i = 0; i < gate->options.slots; i++)
		count += gate->slots[i].holder == 0;
	return count;
}

bool
gate_has_idle_slot(const struct gate *gate, int64_t ms)
{
	int64_t now_ms = clock_steady_ms();

	for (unsigned i = 0; i < gate->options.slots; i++)
		if (gate->slots[i].holder == 0 &&
		    now_ms - gate->slots[i].free_ms >= ms)
			return true;
	return false;
}

/* How much of a free slot's arena has the owner of this hash mapped? */
static size_t
mapped(const struct gate *gate, struct gate_cell *cell)
{
	return gate->slots[cell->slot].holder == 0 ? cell->mapped : 0;
}

/* The first of its kind, or one that waits after it. */
static struct gate_cell *
best_mapped(struct gate *gate, struct gate_cell *first)
{
	struct gate_cell *best = first;

	for (unsigned i = 0; i < gate->options.places; i++) {
		struct gate_cell *cell = &gate->cells[i];

		if (cell->occupied && cell->kind == first->kind &&
		    mapped(gate, cell) > mapped(gate, best) &&
		    gate_cell_has(cell, GATE_BLOCK_PENDING) &&
		    is_owned(gate, cell))
			best = cell;
	}
	return best;
}

struct gate_cell *
gate_next(struct gate *gate)
{
	struct gate_cell *first;

	if (gate_count_free_slots(gate) == 0)
		return NULL;
	do {
		first = gate_oldest(gate, 0);
	} while (first != NULL && !is_owned(gate, first));
	if (first == NULL || first->kind == 0)
		return first;
	return best_mapped(gate, first);
}

void
gate_wake_next(struct gate *gate)
{
	struct gate_cell *cell = gate_next(gate);

	if (cell != NULL)
		gate_cell_wake(cell);
}

/* What was in this slot when its holder died is begun again. */
static void
rescue(struct gate *gate, unsigned slot)
{
	for (unsigned c = 0; c < gate->options.places; c++)
		for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
			if (gate_cell_move(&gate->cells[c], i,
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
	gate->slots[slot].free_ms = clock_steady_ms();
	gate->slots[slot].holder = 0;
	shared_lock_release(&gate->slots[slot].lock);
	gate_wake_next(gate);
}

void
gate_slot_heal(struct gate *gate)
{
	for (unsigned i = 0; i < gate->options.slots; i++)
		if (gate->slots[i].holder != 0 && gate_slot_try(gate, i))
			gate_slot_release(gate, i);
}

int
gate_slot_take(struct gate *gate)
{
	unsigned count = gate->options.slots;

	for (unsigned i = 0; i < count; i++) {
		unsigned slot = (gate->last_slot + i) % count;

		if (gate_slot_try(gate, slot))
			return (int)slot;
	}
	return -1;
}
