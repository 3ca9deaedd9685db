/* gate_memory.c - the memory that the gate's processes share: its layout, its
 * beginning and its end. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "config.h"
#include "hash/gate_private.h"

/* Room for a hash of another shape than the setting's: p blocks at r = 8. */
#define ROOM_LEAST ((size_t)GATE_BLOCKS_MAX * 128 * 8)

/* Arenas begin where a huge page can. */
#define HUGE_PAGE ((size_t)2 << 20)

static uint64_t
round_up(uint64_t size, uint64_t to)
{
	return (size + to - 1) / to * to;
}

/* Where each part begins, from the beginning of the mapping. */
struct layout {
	uint64_t slots, cells, rooms, arenas, size;
	uint64_t room_size, arena_size;
};

static struct layout
layout_of(const struct gate_options *options)
{
	struct layout layout;
	size_t block = lanes_block_size(&options->cost);

	layout.room_size = round_up(block * options->cost.p, LANES_ALIGNMENT);
	if (layout.room_size < ROOM_LEAST)
		layout.room_size = ROOM_LEAST;
	layout.arena_size = 0;
	if (options->engine == GATE_ENGINE_LANES)
		layout.arena_size = round_up(
		    lanes_arena_size(&options->cost, options->lanes),
		    HUGE_PAGE);

	layout.slots = round_up(sizeof(struct gate_head), 64);
	layout.cells = layout.slots + options->slots * sizeof(struct gate_slot);
	layout.rooms =
	    layout.cells + options->places * sizeof(struct gate_cell);
	layout.arenas = round_up(
	    layout.rooms + options->places * 2 * layout.room_size, HUGE_PAGE);
	layout.size = layout.arenas + options->slots * layout.arena_size;
	return layout;
}

uint64_t
gate_memory_beside(const struct gate_options *options)
{
	uint64_t hash = 0;

	if (options->engine == GATE_ENGINE_LIBSCRYPT)
		hash = scrypt_memory(&options->cost);
	return hash > options->other_memory ? hash : options->other_memory;
}

uint64_t
gate_memory(const struct gate_options *options)
{
	return layout_of(options).size +
	    options->slots * gate_memory_beside(options);
}

size_t
gate_mapping(const struct gate *gate)
{
	return gate->size;
}

/* Processes that say the same name must mean the same layout. */
static void
name_of(const struct gate_options *options, char name[static SHARED_NAME_SIZE])
{
	char text[160];

	snprintf(text, sizeof(text), "%s %" PRIu64 " %d %u %u %u %u %u %u",
	    PACKAGE_VERSION, layout_of(options).size, (int)options->engine,
	    options->slots, options->lanes, options->places,
	    options->cost.log2_n, options->cost.r, options->cost.p);
	shared_name_make(name, "", text);
}

/* Fresh memory is all zero, which is right for all but locks. */
static int
make_locks(struct gate *gate)
{
	for (unsigned i = 0; i < gate->options.slots; i++)
		if (shared_lock_init(&gate->slots[i].lock) != 0)
			return -1;
	for (unsigned i = 0; i < gate->options.places; i++)
		if (shared_lock_init(&gate->cells[i].lock) != 0)
			return -1;
	return 0;
}

static int
get_memory(struct gate *gate, uint64_t size)
{
	char text[SHARED_NAME_SIZE];
	const struct shared_name name = {
		.folder = gate->options.folder,
		.name = text,
		.size = (size_t)size,
		.use = "hashing",
		.remedy =
		    "lower hash_slots, hash_lanes or the cost of a hash",
	};

	if (size > SIZE_MAX / 2) {
		log_error("the memory for hashing does not fit into a process");
		return -1;
	}
	gate->size = (size_t)size;
	if (gate->options.folder == NULL) {
		gate->memory = shared_new(gate->size);
		return gate->memory == NULL ? -1 : 0;
	}
	name_of(&gate->options, text);
	if (shared_open(&gate->file, &name) != 0)
		return -1;
	gate->memory = gate->file.memory;
	return 0;
}

static void
lay_out(struct gate *gate, const struct layout *layout)
{
	gate->head = (struct gate_head *)gate->memory;
	gate->slots = (struct gate_slot *)(gate->memory + layout->slots);
	gate->cells = (struct gate_cell *)(gate->memory + layout->cells);
	gate->rooms = gate->memory + layout->rooms;
	gate->arenas = gate->memory + layout->arenas;
	gate->room_size = layout->room_size;
	gate->arena_size = layout->arena_size;

	/* A kernel that knows no huge pages says no; it is as well. */
	madvise(gate->memory, gate->size, MADV_DONTDUMP);
	madvise(gate->arenas, gate->size - layout->arenas, MADV_HUGEPAGE);
}

struct gate *
gate_new(const struct gate_options *options)
{
	struct layout layout = layout_of(options);
	struct gate *gate = memory_zeroed(1, sizeof(*gate));

	gate->options = *options;
	if (get_memory(gate, layout.size) != 0) {
		free(gate);
		return NULL;
	}
	lay_out(gate, &layout);
	if ((options->folder == NULL || gate->file.fresh) &&
	    make_locks(gate) != 0) {
		gate_free(gate);
		return NULL;
	}
	if (gate->file.fresh)
		shared_ready(&gate->file);
	return gate;
}

void
gate_free(struct gate *gate)
{
	if (gate == NULL)
		return;
	if (gate->options.folder != NULL)
		shared_close(&gate->file);
	else
		shared_free(gate->memory, gate->size);
	free(gate);
}

unsigned char *
gate_spread_room(const struct gate *gate, const struct gate_cell *cell)
{
	return gate->rooms +
	    (size_t)(cell - gate->cells) * 2 * gate->room_size;
}

unsigned char *
gate_mixed_room(const struct gate *gate, const struct gate_cell *cell)
{
	return gate_spread_room(gate, cell) + gate->room_size;
}

struct lanes_arena
gate_arena(const struct gate *gate, unsigned slot)
{
	return (struct lanes_arena){
		.memory = gate->arenas + slot * gate->arena_size,
		.size = gate->arena_size,
	};
}

size_t
gate_arena_mapped(const struct gate *gate)
{
	if (gate->given_back != gate->slots[gate->last_slot].given_back)
		return 0;
	return gate->mapped;
}

void
gate_arena_map(struct gate *gate, unsigned slot, size_t size)
{
	if (slot == gate->last_slot && size <= gate_arena_mapped(gate))
		return;
#ifdef MADV_POPULATE_READ
	(void)madvise(gate_arena(gate, slot).memory, size, MADV_POPULATE_READ);
#endif
	gate->last_slot = slot;
	gate->mapped = size;
	gate->given_back = gate->slots[slot].given_back;
}

unsigned
gate_width(const struct gate *gate, const struct scrypt_cost *cost)
{
	unsigned width = gate->options.lanes;

	if (gate->options.engine != GATE_ENGINE_LANES ||
	    lanes_block_size(cost) * cost->p > gate->room_size)
		return 0;
	while (width > 0 && lanes_arena_size(cost, width) > gate->arena_size)
		width--;
	return width;
}

void
gate_tend(struct gate *gate, int idle_seconds)
{
	int64_t idle_ms = (int64_t)idle_seconds * 1000;
	int64_t now_ms = clock_steady_ms();

	gate_slot_heal(gate);
	for (unsigned i = 0; i < gate->options.slots; i++) {
		struct gate_slot *slot = &gate->slots[i];
		struct lanes_arena arena = gate_arena(gate, i);

		if (slot->used_ms == 0 || now_ms - slot->used_ms < idle_ms ||
		    arena.size == 0)
			continue;
		if (!gate_slot_try(gate, i))
			continue;
		/* Of shared memory the pages themselves must go: for every
		 * process that maps them, and what was in them, too. */
		if (madvise(arena.memory, arena.size, MADV_REMOVE) == 0) {
			slot->used_ms = 0;
			slot->given_back++;
		}
		gate_slot_release(gate, i);
	}
}
