/* guests.h - connections that one worker looks after beside each other: those whose
 * requests are on their way, in the order in which they came, and those that are
 * listened to after their answer. */

#ifndef POSTERN_WEB_GUESTS_H
#define POSTERN_WEB_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "web/arrival.h"

/* So many at the most; for one more, the oldest has to go. */
#define GUESTS_LIMIT 32

struct guests;

/*
 * Each is watched by the epoll `door_fd`, which stays the caller's; its events
 * carry the arrival's address.  Requests have bodies of at most `body_limit` bytes.
 * Never NULL.
 */
struct guests *guests_new(int door_fd, size_t body_limit);

/* Hang up on all of them; NULL does nothing. */
void guests_free(struct guests *guests);

/* Room for a new arrival, the caller's until guests_seat() or guests_release();
 * NULL when there is no memory (logged). */
struct arrival *guests_room(struct guests *guests);

/* An arrival of the caller's is done with: arrival_end().  Its room is kept for
 * the next. */
void guests_release(struct guests *guests, struct arrival *arrival);

/* Take an arrival over and look after it, or release it when it cannot be: none of
 * the others may go, or the kernel will not watch it (logged). */
void guests_seat(struct guests *guests, struct arrival *arrival);

/* The epoll had an event with this address: take in what has come.  Who is not here
 * any more is none. */
void guests_hear(struct guests *guests, const void *arrival);

/* The one whose request is there and who waits longest, from now on the caller's;
 * NULL: none. */
struct arrival *guests_next(struct guests *guests);

/* Hang up on those whose time is up, unless their request is there. */
void guests_dismiss_late(struct guests *guests);

/* By when guests_next() or guests_dismiss_late() has something to do though nothing
 * comes (clock_steady_ms()): 0 at once, INT64_MAX never. */
int64_t guests_due_ms(const struct guests *guests);

bool guests_are_none(const struct guests *guests);

#endif
