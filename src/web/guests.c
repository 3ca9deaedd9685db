/* guests.c - connections that one worker looks after beside each other. */

#include "web/guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

struct guests {
	int door_fd;
	size_t body_limit;
	struct arrival *list[GUESTS_LIMIT];
	int count;
	struct arrival *spare;
};

struct guests *
guests_new(int door_fd, size_t body_limit)
{
	struct guests *guests = memory_zeroed(1, sizeof(*guests));

	guests->door_fd = door_fd;
	guests->body_limit = body_limit;
	return guests;
}

void
guests_free(struct guests *guests)
{
	if (guests == NULL)
		return;
	for (int i = 0; i < guests->count; i++)
		guests_release(guests, guests->list[i]);
	arrival_free(guests->spare);
	free(guests);
}

struct arrival *
guests_room(struct guests *guests)
{
	struct arrival *arrival = guests->spare;

	guests->spare = NULL;
	return arrival != NULL ? arrival : arrival_new(guests->body_limit);
}

void
guests_release(struct guests *guests, struct arrival *arrival)
{
	arrival_end(arrival);
	if (guests->spare == NULL)
		guests->spare = arrival;
	else
		arrival_free(arrival);
}

/* Take a guest off the list; the others keep their order. */
static struct arrival *
call_up(struct guests *guests, int at)
{
	struct arrival *guest = guests->list[at];

	guests->count--;
	for (; at < guests->count; at++)
		guests->list[at] = guests->list[at + 1];
	epoll_ctl(guests->door_fd, EPOLL_CTL_DEL, guest->connection, NULL);
	return guest;
}

static void
dismiss(struct guests *guests, int at, const char *why)
{
	struct arrival *guest = call_up(guests, at);

	if (guest->state == ARRIVAL_COMING)
		arrival_give_up(guest, why);
	guests_release(guests, guest);
}

/* Those whose request is there are never sent away. */
static void
make_room(struct guests *guests)
{
	for (int i = 0; i < guests->count; i++) {
		if (guests->list[i]->state == ARRIVAL_READY)
			continue;
		dismiss(guests, i, "too many others came");
		return;
	}
}

void
guests_seat(struct guests *guests, struct arrival *arrival)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP,
		.data.ptr = arrival,
	};

	if (guests->count == GUESTS_LIMIT)
		make_room(guests);
	if (guests->count == GUESTS_LIMIT) {
		guests_release(guests, arrival);
		return;
	}
	if (epoll_ctl(guests->door_fd, EPOLL_CTL_ADD, arrival->connection,
		&event) != 0) {
		log_error("could not watch a connection: %s", strerror(errno));
		guests_release(guests, arrival);
		return;
	}
	guests->list[guests->count++] = arrival;
}

/* Something came from this guest.  False: it is no longer wanted. */
static bool
listen_to(struct arrival *guest)
{
	switch (guest->state) {
	case ARRIVAL_COMING:
		return arrival_hear(guest) != ARRIVAL_OVER;
	case ARRIVAL_READY:
		return true; /* it will be its turn */
	case ARRIVAL_ANSWERED:
		return arrival_drain(guest);
	case ARRIVAL_OVER:
		break;
	}
	return false;
}

void
guests_hear(struct guests *guests, const void *arrival)
{
	for (int i = 0; i < guests->count; i++) {
		if (guests->list[i] != arrival)
			continue;
		if (!listen_to(guests->list[i]))
			guests_release(guests, call_up(guests, i));
		return;
	}
}

struct arrival *
guests_next(struct guests *guests)
{
	for (int i = 0; i < guests->count; i++)
		if (guests->list[i]->state == ARRIVAL_READY)
			return call_up(guests, i);
	return NULL;
}

void
guests_dismiss_late(struct guests *guests)
{
	int64_t now_ms = clock_steady_ms();

	for (int i = guests->count - 1; i >= 0; i--)
		if (guests->list[i]->state != ARRIVAL_READY &&
		    guests->list[i]->until_ms <= now_ms)
			dismiss(guests, i, "it did not come in time");
}

int64_t
guests_due_ms(const struct guests *guests)
{
	int64_t due_ms = INT64_MAX;

	for (int i = 0; i < guests->count; i++) {
		if (guests->list[i]->state == ARRIVAL_READY)
			return 0;
		if (guests->list[i]->until_ms < due_ms)
			due_ms = guests->list[i]->until_ms;
	}
	return due_ms;
}

bool
guests_are_none(const struct guests *guests)
{
	return guests->count == 0;
}
