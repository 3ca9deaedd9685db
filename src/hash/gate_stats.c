/* gate_stats.c - what the gate counts. */

#include "hash/gate_private.h"

const int gate_bounds_ms[GATE_BUCKETS - 1] = { 1, 2, 5, 10, 25, 50, 100, 250,
	500, 1000, 2500, 5000, 10000 };

void
gate_tally_add(struct gate_tally *tally, int64_t us)
{
	unsigned i = 0;

	while (i < GATE_BUCKETS - 1 && us > gate_bounds_ms[i] * INT64_C(1000))
		i++;
	tally->counts[i]++;
	tally->sum_us += (uint64_t)(us > 0 ? us : 0);
}

static void
read_tally(struct gate_tally *tally, struct gate_times *times)
{
	for (unsigned i = 0; i < GATE_BUCKETS; i++)
		times->counts[i] = tally->counts[i];
	times->sum_us = tally->sum_us;
}

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
	read_tally(&head->wait, &stats->wait);
	read_tally(&head->run, &stats->run);
}
