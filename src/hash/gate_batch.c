/* gate_batch.c - what is computed together in a slot. */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "hash/gate_private.h"

/* What a slot mixes at once: blocks of one kind, of several hashes. */
struct batch {
	unsigned slot;
	unsigned kind;
	unsigned count;
	struct gate_cell *cells[LANES_MAX];
	unsigned numbers[LANES_MAX]; /* which block of that cell */
};

unsigned
gate_kind(const struct scrypt_cost *cost)
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
		if (!gate_cell_move(cell, i, GATE_BLOCK_PENDING,
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
	unsigned pending = 0, slots = gate_count_free_slots(gate) + 1;

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
	gate_arena_map(gate, batch->slot, lanes_arena_size(cost, batch->count));

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
		if (cell != own && gate_cell_is_settled(cell))
			gate_cell_wake(cell);
	}
}

/* Mix what there is of our kind in order of arrival: all of the first hash that the
 * lanes have room for, and in those it leaves our share of the others. */
static void
combine(struct gate_place *place, unsigned slot, const struct scrypt_cost *cost)
{
	struct gate *gate = place->gate;
	struct batch batch = { .slot = slot, .kind = gate_kind(cost) };
	unsigned width = gate_width(gate, cost);
	unsigned share = fair_share(gate, batch.kind, width);
	struct gate_cell *cell;

	while ((batch.count == 0 || batch.count < share) &&
	       (cell = gate_oldest(gate, batch.kind)) != NULL)
		take_blocks(&batch, cell, batch.count == 0 ? width : share);
	if (batch.count == 0)
		return;
	gate_wake_next(gate);
	mix(gate, &batch, cost);
	hand_back(&batch, place->cell);
}

void
gate_compute(struct gate_place *place, unsigned slot,
    const struct scrypt_cost *cost)
{
	struct gate_cell *cell = place->cell;

	if (place->work == NULL) {
		combine(place, slot, cost);
		return;
	}
	if (!gate_cell_move(cell, 0, GATE_BLOCK_PENDING,
		GATE_BLOCK_TAKEN + slot))
		return;
	note_begun(cell);
	gate_wake_next(place->gate);
	place->work_result = place->work(place->argument);
	cell->blocks[0] = GATE_BLOCK_DONE;
}
