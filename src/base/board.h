/* board.h - what each worker is doing, in memory that parent and workers
 * share. */

#ifndef POSTERN_BASE_BOARD_H
#define POSTERN_BASE_BOARD_H

#include <stdint.h>

enum board_state {
	BOARD_EMPTY,
	BOARD_STARTING,
	BOARD_IDLE,
	BOARD_BUSY, /* a connection was accepted */
	BOARD_LEAVING,
	BOARD_STATES
};

/* What a slot shows: a state, and since when (clock_steady_ms()). */
struct board_sight {
	enum board_state state;
	int64_t since_ms;
	uint64_t requests; /* answered by this worker */
};

struct board;

/* Made before the first fork; the mapping is inherited.  NULL when memory is
 * out (logged).  Pages that no slot in use touches cost nothing. */
struct board *board_new(int slots);
void board_free(struct board *board);

/* Parent, before it forks and when the worker is gone: a slot without a
 * past. */
void board_assign(struct board *board, int slot);
void board_clear(struct board *board, int slot);

/* A worker writes its own slot, without locks; anybody may look at it. */
void board_set(struct board *board, int slot, enum board_state state);
void board_served(struct board *board, int slot);
struct board_sight board_look(const struct board *board, int slot);

/* "idle", "busy", ... */
const char *board_state_name(enum board_state state);

/* How many slots are in each state. */
void board_count(const struct board *board, int counts[static BOARD_STATES]);

#endif
