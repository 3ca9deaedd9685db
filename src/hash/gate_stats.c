/* gate_stats.c - what the gate counts. */

#include "hash/gate_private.h"

void
gate_stats(const struct gate *gate, struct gate_stats *stats)
{
	struct gate_head *head = gate->head;

	*stats = (struct gate_stats){
		.slots = gate->options.slots,
		.places = gate->options.places,
		.hashes = head->hashes,
		.full = head->full,
		.late = head->late,
		.gone = head->gone,
		.failed = head->failed,
		.batches = head->batches,
		.blocks = head->blocks,
		.rescued = head->rescued,
	};
	for (unsigned i = 0; i < stats->slots; i++)
		stats->busy_slots += gate->slots[i].holder != 0;
	for (unsigned i = 0; i < stats->places; i++) {
		struct gate_cell *cell = &gate->cells[i];

		stats->taken_places += cell->occupied;
		stats->waiting += cell->begun_us == 0 &&
		    gate_cell_has(cell, GATE_BLOCK_PENDING);
	}
}
