/* board.h - what each worker is doing, in memory that parent and workers
 * share, and that an operator may look at. */

#ifndef POSTERN_BASE_BOARD_H
#define POSTERN_BASE_BOARD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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
	pid_t pid;
	size_t row; /* of the table of addresses, what a busy one answers; 0: it
	               is not known yet, or none of ours */
	unsigned held; /* answers that it keeps back for a while */
};

/* What the parent knows and writes down, for who looks from outside. */
enum board_number {
	BOARD_LOOKED_MS, /* clock_steady_ms() of the last time */
	BOARD_WORKERS,   /* as many as there should be */
	BOARD_INHERITED, /* workers of the program before, not on this board */
	BOARD_STANDBY,   /* the standby's process id; 0: there is none */
	BOARD_HASH_SLOTS,
	BOARD_HASH_SLOTS_BUSY,
	BOARD_HASH_PLACES,
	BOARD_HASH_PLACES_TAKEN,
	BOARD_HASH_QUEUE,
	BOARD_HASHES,
	BOARD_HASH_FULL,
	BOARD_HASH_LATE,
	BOARD_HASH_GONE,
	BOARD_HASH_FAILED,
	BOARD_ADDRESSES, /* of clients that are refused at present */
	BOARD_NUMBERS
};

struct board;

/* What all boards of a program have in common. */
struct board_kind {
	const char *version;
	size_t rest; /* bytes behind the slots, for what else is to be seen */
};

/*
 * Made before the first fork, with 1 or more slots, each EMPTY; the mapping is
 * inherited.  It can be found by board_file_visit() in `folder`, with the name of
 * the socket that the pool listens on; where there is no room for it (logged), or
 * for NULL, it is to be seen by this process and its children alone.  NULL when
 * memory is out (logged).  board_free() of NULL does nothing.  Slots count from 0,
 * and the callers of what follows see to it that theirs is there.
 */
struct board *board_new(const struct board_kind *kind, int slots,
    const char *folder, const char *listen);
void board_free(struct board *board);

/* Parent, before it forks, once the worker has its number, and when it is gone: a
 * slot without a past. */
void board_assign(struct board *board, int slot);
void board_name(struct board *board, int slot, pid_t pid);
void board_clear(struct board *board, int slot);

/* A worker writes its own slot, without locks; anybody may look at it. */
void board_set(struct board *board, int slot, enum board_state state);
void board_answers(struct board *board, int slot, size_t row);
void board_served(struct board *board, int slot);
void board_holds(struct board *board, int slot, unsigned answers);
struct board_sight board_look(const struct board *board, int slot);

/* The parent's numbers, each 0 until it is put. */
void board_put(struct board *board, enum board_number number, int64_t value);
int64_t board_number(const struct board *board, enum board_number number);

/* What board_new() was given: how many slots; the kind's bytes behind them, all
 * zero at first, and the name of the socket, both the board's own. */
int board_slots(const struct board *board);
void *board_rest(const struct board *board);
const char *board_listen(const struct board *board);

int64_t board_started_us(const struct board *board); /* clock_now_us() */

/* "idle", "busy", ... */
const char *board_state_name(enum board_state state);

/* How many answers all of them keep back. */
uint64_t board_held(const struct board *board);

/* How many slots are in each state. */
void board_count(const struct board *board, int counts[static BOARD_STATES]);

enum board_copy_result {
	BOARD_COPIED,
	BOARD_NONE,          /* these bytes are no board */
	BOARD_OTHER_VERSION, /* of another program than this one */
};

/*
 * A board of somebody else's, from bytes that may be anything: what its calls
 * return need not be true, but texts are visible ASCII.  COPIED gives *board, to be
 * ended by board_free(); the bytes are not needed any more.  For OTHER_VERSION
 * `version` tells which; ours, when it was built in another way.
 */
#define BOARD_VERSION_SIZE 32
enum board_copy_result board_copy(const void *bytes, size_t size,
    const struct board_kind *kind, char version[static BOARD_VERSION_SIZE],
    struct board **board);

#endif
