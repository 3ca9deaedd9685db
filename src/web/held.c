/* held.c - a queue of answers that wait for their time. */

#include "web/held.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

/* Each takes a file descriptor, of which a process has 1024 by default. */
#define HELD_LIMIT 128

struct answer {
	int connection;
	int64_t due_ms;
	unsigned char *bytes;
	size_t size;
};

/* A ring: answers are added behind and leave in front. */
struct held {
	struct answer answers[HELD_LIMIT];
	size_t first, count;

	struct board *board;
	int slot;
};

struct held *
held_new(struct board *board, int slot)
{
	struct held *held = memory_zeroed(1, sizeof(*held));

	held->board = board;
	held->slot = slot;
	return held;
}

static void
show(const struct held *held)
{
	if (held->board != NULL)
		board_holds(held->board, held->slot, (unsigned)held->count);
}

bool
held_is_full(const struct held *held)
{
	return held->count == HELD_LIMIT;
}

void
held_add(struct held *held, int connection, const void *bytes, size_t size,
    int64_t due_ms)
{
	size_t last = (held->first + held->count) % HELD_LIMIT;
	struct answer *answer = &held->answers[last];

	answer->connection = connection;
	answer->due_ms = due_ms;
	answer->bytes = memory_zeroed(size, 1);
	answer->size = size;
	memcpy(answer->bytes, bytes, size);
	held->count++;
	show(held);
}

int64_t
held_due_ms(const struct held *held)
{
	return held->count > 0 ? held->answers[held->first].due_ms : INT64_MAX;
}

static void
send_first(struct held *held)
{
	struct answer *answer = &held->answers[held->first];

	(void)send(answer->connection, answer->bytes, answer->size,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	close(answer->connection);
	free(answer->bytes);
	held->first = (held->first + 1) % HELD_LIMIT;
	held->count--;
	show(held);
}

void
held_send(struct held *held, int64_t now_ms)
{
	while (held_due_ms(held) <= now_ms)
		send_first(held);
}

void
held_free(struct held *held)
{
	if (held == NULL)
		return;
	while (held->count > 0)
		send_first(held);
	free(held);
}
