/* board.h - what each worker is doing, in memory shared with the parent. */

#ifndef POSTERN_PROCESS_BOARD_H
#define POSTERN_PROCESS_BOARD_H

#include <stdint.h>
#include <sys/types.h>

enum board_state {
	BOARD_EMPTY,
	BOARD_STARTING,
	BOARD_IDLE,
	BOARD_BUSY, /* a connection was accepted; since_ms tells when */
	BOARD_LEAVING,
};

struct board;

/* Made before the first fork; the mapping is inherited.  NULL when memory is
 * out (logged). */
struct board *board_new(int slots);

/* A worker writes its own slot, the parent reads all; no locks. */
void board_set(struct board *board, int slot, enum board_state state);
void board_served(struct board *board, int slot);

/* Parent: a slot gets a new process; what a slot shows. */
void board_assign(struct board *board, int slot, pid_t pid);
void board_clear(struct board *board, int slot);
pid_t board_pid(const struct board *board, int slot);
enum board_state board_state(const struct board *board, int slot);
int64_t board_since_ms(const struct board *board, int slot);
uint64_t board_requests(const struct board *board, int slot);

#endif
