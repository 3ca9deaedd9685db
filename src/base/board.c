/* board.c - what each worker is doing. */

#include "base/board.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/board_file.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/shared.h"

/* State and time are one number, so that nobody sees the one of now with the
 * other of before: a busy worker would look as if it had been so for hours. */
#define STATE_BITS 3

#define CACHE_LINE 64
#define SLOTS_MOST 4096

/* A cache line each: workers on different cores do not slow each other down. */
struct slot {
	_Alignas(CACHE_LINE) _Atomic int64_t state;
	_Atomic uint64_t requests;
	_Atomic uint32_t row;
	_Atomic int32_t pid;
	_Atomic uint32_t held;
};

/* How the memory begins: first, for all times, what it is and of which
 * version. */
struct head {
	char magic[16];
	char version[BOARD_VERSION_SIZE];
	uint64_t slots, rest;
	int64_t started_us;
	char listen[128];
	_Alignas(CACHE_LINE) _Atomic int64_t numbers[BOARD_NUMBERS];
};

static const char magic[16] = "postern board";

enum memory_kind { MEMORY_SHARED, MEMORY_FILE, MEMORY_COPY };

struct board {
	enum memory_kind kind;
	struct board_file file; /* for MEMORY_FILE */
	size_t size;
	struct head *head;
	struct slot *slots; /* behind the head */
	int count;
};

static size_t
size_of(size_t slots, size_t rest)
{
	size_t size = sizeof(struct head) + slots * sizeof(struct slot) + rest;

	return (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static void
lay_out(struct board *board, void *memory, int slots)
{
	board->head = memory;
	board->slots = (struct slot *)(board->head + 1);
	board->count = slots;
}

/* ---- making one ---------------------------------------------------------- */

static void *
get_memory(struct board *board, const char *folder)
{
	if (folder != NULL &&
	    board_file_make(&board->file, folder, board->size) == 0) {
		board->kind = MEMORY_FILE;
		return board->file.memory;
	}
	if (folder != NULL)
		log_warning("could not share the board in \"%s\", so "
			    "--status will not show this pool: %s",
		    folder, strerror(errno));
	board->kind = MEMORY_SHARED;
	return shared_new(board->size);
}

struct board *
board_new(const struct board_kind *kind, int slots, const char *folder,
    const char *listen)
{
	struct board *board = memory_zeroed(1, sizeof(*board));
	void *memory;

	board->size = size_of((size_t)slots, kind->rest);
	memory = get_memory(board, folder);
	if (memory == NULL) {
		free(board);
		return NULL;
	}
	lay_out(board, memory, slots);
	board->head->slots = (uint64_t)slots;
	board->head->rest = kind->rest;
	board->head->started_us = clock_now_us();
	snprintf(board->head->listen, sizeof(board->head->listen), "%s",
	    listen);
	snprintf(board->head->version, sizeof(board->head->version), "%s",
	    kind->version);
	memcpy(board->head->magic, magic, sizeof(magic));
	return board;
}

void
board_free(struct board *board)
{
	if (board == NULL)
		return;
	switch (board->kind) {
	case MEMORY_SHARED:
		shared_free(board->head, board->size);
		break;
	case MEMORY_FILE:
		board_file_close(&board->file);
		break;
	case MEMORY_COPY:
		free(board->head);
		break;
	}
	free(board);
}

/* ---- somebody else's ----------------------------------------------------- */

/* A text of visible ASCII that ends within its room. */
static bool
is_text(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	return size < room;
}

/* What a terminal shows as it is; a path may be anything. */
static void
make_visible(char *text, size_t room)
{
	text[room - 1] = '\0';
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text >= 0x7f)
			*text = '?';
}

static bool
is_of_kind(const struct head *head, size_t size,
    const struct board_kind *kind)
{
	return strcmp(head->version, kind->version) == 0 && head->slots >= 1 &&
	       head->slots <= SLOTS_MOST && head->rest == kind->rest &&
	       size == size_of(head->slots, kind->rest);
}

enum board_copy_result
board_copy(const void *bytes, size_t size, const struct board_kind *kind,
    char version[static BOARD_VERSION_SIZE], struct board **board)
{
	struct head head;
	void *memory;

	if (size < sizeof(head))
		return BOARD_NONE;
	memcpy(&head, bytes, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 ||
	    !is_text(head.version, sizeof(head.version)))
		return BOARD_NONE;
	memcpy(version, head.version, BOARD_VERSION_SIZE);
	if (!is_of_kind(&head, size, kind))
		return BOARD_OTHER_VERSION;

	memory = aligned_alloc(CACHE_LINE, size);
	if (memory == NULL)
		memory_exhausted();
	memcpy(memory, bytes, size);
	*board = memory_zeroed(1, sizeof(**board));
	(*board)->kind = MEMORY_COPY;
	(*board)->size = size;
	lay_out(*board, memory, (int)head.slots);
	make_visible((*board)->head->listen, sizeof(head.listen));
	return BOARD_COPIED;
}

/* ---- slots --------------------------------------------------------------- */

void
board_assign(struct board *board, int slot)
{
	atomic_store(&board->slots[slot].requests, 0);
	atomic_store(&board->slots[slot].held, 0);
	atomic_store(&board->slots[slot].pid, 0);
	board_set(board, slot, BOARD_STARTING);
}

void
board_name(struct board *board, int slot, pid_t pid)
{
	atomic_store(&board->slots[slot].pid, pid);
}

void
board_clear(struct board *board, int slot)
{
	atomic_store(&board->slots[slot].held, 0);
	board_set(board, slot, BOARD_EMPTY);
}

void
board_set(struct board *board, int slot, enum board_state state)
{
	atomic_store(&board->slots[slot].row, 0);
	atomic_store(&board->slots[slot].state,
	    clock_steady_ms() << STATE_BITS | (int64_t)state);
}

void
board_answers(struct board *board, int slot, size_t row)
{
	atomic_store(&board->slots[slot].row, (uint32_t)row);
}

void
board_served(struct board *board, int slot)
{
	atomic_fetch_add(&board->slots[slot].requests, 1);
}

void
board_holds(struct board *board, int slot, unsigned answers)
{
	atomic_store(&board->slots[slot].held, answers);
}

struct board_sight
board_look(const struct board *board, int slot)
{
	const struct slot *at = &board->slots[slot];
	int64_t both = atomic_load(&at->state);
	int64_t state = both & ((1 << STATE_BITS) - 1);

	return (struct board_sight){
		.state = state < BOARD_STATES ? (enum board_state)state :
						BOARD_EMPTY,
		.since_ms = both >> STATE_BITS,
		.requests = atomic_load(&at->requests),
		.pid = atomic_load(&at->pid),
		.row = atomic_load(&at->row),
		.held = atomic_load(&at->held),
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
	for (int slot = 0; slot < board->count; slot++)
		counts[board_look(board, slot).state]++;
}

uint64_t
board_held(const struct board *board)
{
	uint64_t held = 0;

	for (int slot = 0; slot < board->count; slot++)
		held += board_look(board, slot).held;
	return held;
}

/* ---- the rest ------------------------------------------------------------ */

void
board_put(struct board *board, enum board_number number, int64_t value)
{
	atomic_store(&board->head->numbers[number], value);
}

int64_t
board_number(const struct board *board, enum board_number number)
{
	return atomic_load(&board->head->numbers[number]);
}

int
board_slots(const struct board *board)
{
	return board->count;
}

void *
board_rest(const struct board *board)
{
	return board->slots + board->count;
}

const char *
board_listen(const struct board *board)
{
	return board->head->listen;
}

int64_t
board_started_us(const struct board *board)
{
	return board->head->started_us;
}
