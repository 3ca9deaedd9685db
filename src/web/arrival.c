/* arrival.c - a request on its way. */

#include "web/arrival.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"

#define LINGER_MS      2000 /* in all */
#define LINGER_IDLE_MS 200  /* without a byte */
#define DRAIN_LIMIT    (4 << 20)

struct arrival *
arrival_new(size_t body_limit)
{
	struct arrival *arrival = memory_zeroed(1, sizeof(*arrival));

	/* Body records carry 8 bytes of header each; web servers fill them. */
	arrival->window_size =
	    RECORD_HEAD_LIMIT + body_limit + body_limit / 4 + 4096;
	/* Pages that no byte comes to cost nothing. */
	arrival->window = mmap(NULL, arrival->window_size,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	arrival->connection = -1;
	if (arrival->window != MAP_FAILED)
		return arrival;
	log_error("no memory for a request: %s", strerror(errno));
	free(arrival);
	return NULL;
}

void
arrival_free(struct arrival *arrival)
{
	if (arrival == NULL)
		return;
	munmap(arrival->window, arrival->window_size);
	free(arrival);
}

void
arrival_start(struct arrival *arrival, int connection, size_t body_limit,
    int64_t until_ms)
{
	arrival->connection = connection;
	arrival->until_ms = until_ms;
	arrival->state = ARRIVAL_COMING;
	arrival->whole = false;
	arrival->taken = false;
	arrival->drained = 0;
	record_start(&arrival->scan, body_limit);
}

static void
forget(struct arrival *arrival)
{
	secret_wipe(arrival->window, arrival->window_used);
	arrival->window_used = 0;
}

void
arrival_end(struct arrival *arrival)
{
	if (arrival->connection != -1)
		close(arrival->connection);
	arrival->connection = -1;
	forget(arrival);
}

/* ---- a request comes in -------------------------------------------------- */

void
arrival_give_up(const struct arrival *arrival, const char *why)
{
	if (arrival->window_used > 0)
		log_warning("dropped a request: %s", why);
}

static enum arrival_state
over(const struct arrival *arrival, const char *why)
{
	arrival_give_up(arrival, why);
	return ARRIVAL_OVER;
}

static enum arrival_state
judge(struct arrival *arrival)
{
	switch (record_scan(&arrival->scan, arrival->window,
	    arrival->window_used)) {
	case RECORD_MORE:
		break;
	case RECORD_WHOLE:
		arrival->whole = true;
		return ARRIVAL_READY;
	case RECORD_LARGE:
		return ARRIVAL_READY;
	case RECORD_BAD:
		return over(arrival, arrival->scan.why);
	}
	if (arrival->window_used == arrival->window_size)
		return over(arrival, "a body in crumbs");
	return ARRIVAL_COMING;
}

static enum arrival_state
receive(struct arrival *arrival, int flags)
{
	ssize_t size = recv(arrival->connection,
	    arrival->window + arrival->window_used,
	    arrival->window_size - arrival->window_used,
	    flags | MSG_DONTWAIT);

	if (size == -1 && errno == EAGAIN)
		return ARRIVAL_COMING;
	if (size <= 0)
		return over(arrival, "it was broken off");
	arrival->window_used += (size_t)size;
	return judge(arrival);
}

enum arrival_state
arrival_hear(struct arrival *arrival)
{
	enum arrival_state state = ARRIVAL_COMING;

	if (!arrival->taken)
		state = receive(arrival, MSG_PEEK);
	if (state == ARRIVAL_COMING && arrival->window_used > 0) {
		if (!arrival->taken)
			arrival->window_used = 0; /* it comes once more */
		arrival->taken = true;
		state = receive(arrival, 0);
	}
	arrival->state = state;
	return state;
}

int
arrival_source(const struct arrival *arrival)
{
	ssize_t size;
	int fd;

	if (!arrival->taken)
		return arrival->connection;
	fd = memfd_create("postern-request", MFD_CLOEXEC);
	if (fd != -1) {
		size = pwrite(fd, arrival->window, arrival->window_used, 0);
		if (size == (ssize_t)arrival->window_used)
			return fd;
		close(fd);
	}
	log_error("dropped a request: no memory for it: %s", strerror(errno));
	return -1;
}

/* ---- a request ends ------------------------------------------------------ */

bool
arrival_drain(struct arrival *arrival)
{
	ssize_t size = recv(arrival->connection, arrival->window,
	    arrival->window_size, MSG_DONTWAIT);
	int64_t now_ms = clock_steady_ms();

	if (size == -1 && errno == EAGAIN)
		return true;
	if (size <= 0)
		return false;
	if ((size_t)size > arrival->window_used)
		arrival->window_used = (size_t)size;
	arrival->drained += (size_t)size;
	arrival->until_ms = now_ms + LINGER_IDLE_MS;
	if (arrival->until_ms > arrival->drain_until_ms)
		arrival->until_ms = arrival->drain_until_ms;
	return arrival->drained < DRAIN_LIMIT;
}

bool
arrival_answered(struct arrival *arrival)
{
	int64_t now_ms = clock_steady_ms();

	forget(arrival);
	arrival->state = ARRIVAL_ANSWERED;
	arrival->drain_until_ms = now_ms + LINGER_MS;
	arrival->until_ms = now_ms + LINGER_IDLE_MS;
	/* A whole request lies in the socket, unless it was taken out; behind
	 * it, nothing comes. */
	if (arrival->whole) {
		(void)arrival_drain(arrival);
		return false;
	}
	shutdown(arrival->connection, SHUT_WR);
	return arrival_drain(arrival);
}
