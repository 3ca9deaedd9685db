/* held.h - answers that are ready and leave later, while their worker serves
 * others. */

#ifndef POSTERN_WEB_HELD_H
#define POSTERN_WEB_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/board.h"

/* The largest answer that is held. */
#define HELD_SIZE_LIMIT 4096

struct held;

/* How many there are is shown in a slot of the board, unless that is NULL.  Never
 * NULL itself. */
struct held *held_new(struct board *board, int slot);

/* Send all of them, due or not, and free it; NULL does nothing. */
void held_free(struct held *held);

/* There is room for so many; who finds none sends at once. */
bool held_is_full(const struct held *held);

/*
 * Keep these bytes for a connection, which is taken over: at due_ms
 * (clock_steady_ms()) they are sent and it is closed.  Not before an answer that
 * was added earlier.
 */
void held_add(struct held *held, int connection, const void *bytes, size_t size,
    int64_t due_ms);

/* Send what is due.  It never waits: what a peer does not take at once is lost,
 * which is little for an empty socket. */
void held_send(struct held *held, int64_t now_ms);

/* When the next one is due; INT64_MAX: there is none. */
int64_t held_due_ms(const struct held *held);

#endif
