/* board.c - what each worker is doing. */

#include "base/board.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/shared.h"

/* State and time are one number, so that nobody sees the one of now with the
 * other of before: a busy worker would look as if it had been so for hours. */
#define STATE_BITS 3

/* A cache line each: workers on different cores do not slow each other down. */
struct slot {
	_Alignas(64) _Atomic int64_t state;
	_Atomic uint64_t requests;
};

struct board {
	size_t size;
	int count;
	struct slot *slots;
};

struct board *
board_new(int slots)
{
	struct board *board = memory_zeroed(1, sizeof(*board));

	board->size = (size_t)slots * sizeof(struct slot);
	board->count = slots;
	board->slots = shared_new(board->size);
	if (board->slots == NULL) {
		free(board);
		return NULL;
	}
	return board;
}

void
board_free(struct board *board)
{
	if (board == NULL)
		return;
	shared_free(board->slots, board->size);
	free(board);
}

void
board_assign(struct board *board, int slot)
{
	atomic_store(&board->slots[slot].requests, 0);
	board_set(board, slot, BOARD_STARTING);
}

void
board_clear(struct board *board, int slot)
{
	board_set(board, slot, BOARD_EMPTY);
}

void
board_set(struct board *board, int slot, enum board_state state)
{
	atomic_store(&board->slots[slot].state,
	    clock_steady_ms() << STATE_BITS | (int64_t)state);
}

void
board_served(struct board *board, int slot)
{
	atomic_fetch_add(&board->slots[slot].requests, 1);
}

struct board_sight
board_look(const struct board *board, int slot)
{
	int64_t state = atomic_load(&board->slots[slot].state);

	return (struct board_sight){
		.state = (enum board_state)(state & ((1 << STATE_BITS) - 1)),
		.since_ms = state >> STATE_BITS,
		.requests = atomic_load(&board->slots[slot].requests),
	};
}

const char *
board_state_name(enum board_state state)
{
	switch (state) {
	case BOARD_EMPTY:
		return "empty";
	case BOARD_STARTING:
		return "starting";
	case BOARD_IDLE:
		return "idle";
	case BOARD_BUSY:
		return "busy";
	case BOARD_LEAVING:
	case BOARD_STATES:
		break;
	}
	return "leaving";
}

void
board_count(const struct board *board, int counts[static BOARD_STATES])
{
	memset(counts, 0, BOARD_STATES * sizeof(counts[0]));
	for (int slot = 0; slot < board->count; slot++) {
		enum board_state state = board_look(board, slot).state;

		if (state < BOARD_STATES)
			counts[state]++;
	}
}
