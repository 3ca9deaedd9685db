/* fcgi.c - FastCGI requests from a listening socket. */

#include "web/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "web/arrival.h"
#include "web/guests.h"
#include "web/held.h"
#include "web/libfcgi.h"

/* A web server connects, and then it sends.  For so long the worker waits on the
 * spot, if it has nobody else to look after. */
#define PATIENCE_MS 10

/* Out of file descriptors or memory: do not spin. */
#define SHORTAGE_NAP_MS 100

struct fcgi {
	struct fcgi_options options;
	int door_fd; /* epoll: the listening socket, wake_fd and guests */
	bool is_unix; /* is the listening socket one? */
	bool shut;

	/* The one that is served, or NULL; and the others. */
	struct arrival *current;
	struct guests *guests;

	struct libfcgi *libfcgi;
	int64_t begun_ms;

	/* An answer that is to leave later: libfcgi writes it into a pipe, from
	 * which it is taken to the others. */
	int hold_ms; /* 0: at once */
	int basin[2];
	struct held *held;
};

/* ---- life ---------------------------------------------------------------- */

/* `what` is told by the event: the address of one of our own members. */
static int
watch(const struct fcgi *fcgi, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	return epoll_ctl(fcgi->door_fd, EPOLL_CTL_ADD, fd, &event);
}

static int
open_descriptors(struct fcgi *fcgi)
{
	struct fcgi_options *options = &fcgi->options;
	int flags = fcntl(options->listen_fd, F_GETFL);
	int domain = AF_UNSPEC;
	socklen_t size = sizeof(domain);

	(void)getsockopt(options->listen_fd, SOL_SOCKET, SO_DOMAIN, &domain,
	    &size);
	fcgi->is_unix = domain == AF_UNIX;
	if (pipe2(fcgi->basin, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	/* A sibling may take the connection that woke us. */
	if (flags == -1 ||
	    fcntl(options->listen_fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	fcgi->door_fd = epoll_create1(EPOLL_CLOEXEC);
	if (fcgi->door_fd == -1)
		return -1;
	fcgi->guests = guests_new(fcgi->door_fd, options->body_limit);
	/* One connection wakes one worker. */
	if (watch(fcgi, options->listen_fd, EPOLLIN | EPOLLEXCLUSIVE,
		&options->listen_fd) == -1)
		return -1;
	return watch(fcgi, options->wake_fd, EPOLLIN, &options->wake_fd);
}

struct fcgi *
fcgi_open(const struct fcgi_options *options)
{
	struct fcgi *fcgi = memory_zeroed(1, sizeof(*fcgi));

	fcgi->options = *options;
	fcgi->door_fd = -1;
	fcgi->basin[0] = fcgi->basin[1] = -1;
	fcgi->held = held_new(options->board, options->slot);
	fcgi->libfcgi = libfcgi_new();
	if (fcgi->libfcgi == NULL)
		goto fail;
	if (open_descriptors(fcgi) != 0) {
		log_error("could not watch the listening socket: %s",
		    strerror(errno));
		goto fail;
	}
	return fcgi;

fail:
	fcgi_close(fcgi);
	return NULL;
}

void
fcgi_close(struct fcgi *fcgi)
{
	if (fcgi == NULL)
		return;
	if (fcgi->current != NULL)
		guests_release(fcgi->guests, fcgi->current);
	guests_free(fcgi->guests);
	held_free(fcgi->held);
	libfcgi_free(fcgi->libfcgi);
	for (size_t i = 0; i < 2; i++)
		if (fcgi->basin[i] != -1)
			close(fcgi->basin[i]);
	if (fcgi->door_fd != -1)
		close(fcgi->door_fd);
	free(fcgi);
}

/* ---- a connection -------------------------------------------------------- */

/* Is the peer one of the users that may connect?  Only a Unix socket tells. */
static bool
is_welcome(const struct fcgi *fcgi, int connection)
{
	const struct fcgi_options *options = &fcgi->options;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (options->user_count == 0)
		return true;
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	for (size_t i = 0; i < options->user_count; i++)
		if (options->users[i] == peer.uid)
			return true;
	log_warning("refused a connection of user %ju, who is not one of "
		    "socket_users",
	    (uintmax_t)peer.uid);
	return false;
}

/* libfcgi reads only what has come, but it would wait to write. */
static void
set_timeout(int connection, int timeout_ms)
{
	struct timeval limit = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000,
	};

	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static enum fcgi_accept
accept_failed(void)
{
	switch (errno) {
	case EAGAIN: /* a sibling was faster */
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case EPERM: /* a packet filter's word */
		return FCGI_NOBODY;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_error("could not accept a connection: %s", strerror(errno));
		poll(NULL, 0, SHORTAGE_NAP_MS);
		return FCGI_NOBODY;
	}
	log_error("could not accept connections any more: %s", strerror(errno));
	return FCGI_BROKEN;
}

/* Somebody has knocked; or, when the door is shut, may have before. */
static enum fcgi_accept
let_in(struct fcgi *fcgi, bool door_is_shut)
{
	const struct fcgi_options *options = &fcgi->options;
	struct arrival *arrival;
	int connection = accept4(options->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (connection == -1 && errno == EAGAIN && door_is_shut) {
		fcgi_shut(fcgi);
		return FCGI_SHUT;
	}
	if (connection == -1)
		return accept_failed();
	arrival =
	    is_welcome(fcgi, connection) ? guests_room(fcgi->guests) : NULL;
	if (arrival == NULL) {
		close(connection);
		return FCGI_NOBODY;
	}
	set_timeout(connection, options->io_timeout_ms);
	arrival_start(arrival, connection, options->body_limit,
	    clock_steady_ms() + options->io_timeout_ms);
	fcgi->current = arrival;
	return FCGI_ACCEPTED;
}

/* The next to be served: a guest before whoever has just come in, who then is
 * one. */
static enum fcgi_accept
choose(struct fcgi *fcgi, enum fcgi_accept accepted)
{
	struct arrival *guest = guests_next(fcgi->guests);

	if (guest == NULL)
		return accepted;
	if (fcgi->current != NULL)
		guests_seat(fcgi->guests, fcgi->current);
	fcgi->current = guest;
	return FCGI_ACCEPTED;
}

/* For how long there is nothing to do; -1: for ever. */
static int
quiet_ms(const struct fcgi *fcgi)
{
	int64_t until_ms = held_due_ms(fcgi->held), now_ms = clock_steady_ms();
	int64_t guests_ms = guests_due_ms(fcgi->guests);

	if (guests_ms < until_ms)
		until_ms = guests_ms;
	if (until_ms == INT64_MAX)
		return -1;
	return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

enum fcgi_accept
fcgi_accept(struct fcgi *fcgi, bool wait)
{
	struct epoll_event events[2 + GUESTS_LIMIT];
	enum fcgi_accept result = FCGI_NOBODY;
	uint32_t knock = 0;
	int patience_ms = quiet_ms(fcgi);
	int count;

	held_send(fcgi->held, clock_steady_ms());
	if (guests_are_none(fcgi->guests) && (!wait || fcgi->shut)) {
		result = FCGI_QUIET;
		patience_ms = 0;
	}
	count = epoll_wait(fcgi->door_fd, events, 2 + GUESTS_LIMIT,
	    patience_ms);
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == &fcgi->options.wake_fd)
			result = FCGI_WOKEN;
		else if (events[i].data.ptr == &fcgi->options.listen_fd)
			knock = events[i].events;
		else
			guests_hear(fcgi->guests, events[i].data.ptr);
	}
	guests_dismiss_late(fcgi->guests);
	if (knock != 0)
		result = let_in(fcgi, (knock & EPOLLHUP) != 0);
	return choose(fcgi, result);
}

void
fcgi_shut(struct fcgi *fcgi)
{
	if (!fcgi->shut)
		epoll_ctl(fcgi->door_fd, EPOLL_CTL_DEL,
		    fcgi->options.listen_fd, NULL);
	fcgi->shut = true;
}

/* ---- a request comes in -------------------------------------------------- */

/* Wait for bytes.  False: none came in time. */
static bool
wait_for_bytes(const struct arrival *arrival, int64_t until_ms)
{
	struct pollfd peer = { .fd = arrival->connection, .events = POLLIN };
	int64_t left_ms = until_ms - clock_steady_ms();

	return left_ms > 0 && poll(&peer, 1, (int)left_ms) == 1;
}

static void
hear(const struct fcgi *fcgi, struct arrival *arrival)
{
	int64_t until_ms = clock_steady_ms() + PATIENCE_MS;

	while (arrival_hear(arrival) == ARRIVAL_COMING &&
	       guests_are_none(fcgi->guests) &&
	       wait_for_bytes(arrival, until_ms))
		;
}

static ssize_t
read_body(void *self, void *bytes, size_t size)
{
	const struct fcgi *fcgi = self;

	return libfcgi_read(fcgi->libfcgi, bytes, size);
}

static int
write_answer(void *self, const void *bytes, size_t size)
{
	const struct fcgi *fcgi = self;

	return libfcgi_write(fcgi->libfcgi, bytes, size);
}

static bool
peer_gone(void *self)
{
	const struct fcgi *fcgi = self;
	struct pollfd peer = { .fd = fcgi->current->connection };

	/* Who asks is waiting, and so are those whose answers we hold. */
	held_send(fcgi->held, clock_steady_ms());

	/* A TCP peer that hung up looks like one that only stopped sending,
	 * which no web server does; a Unix socket can tell them apart. */
	if (!fcgi->is_unix)
		peer.events = POLLRDHUP;
	return poll(&peer, 1, 0) == 1;
}

static void
hold_answer(void *self, int ms)
{
	struct fcgi *fcgi = self;

	fcgi->hold_ms = ms;
}

/* Is the answer to leave later?  Not when its peer is still sending, and has to be
 * listened to. */
static bool
is_early(const struct fcgi *fcgi)
{
	return fcgi->hold_ms > 0 && fcgi->current->whole &&
	    libfcgi_answer_size(fcgi->libfcgi) < HELD_SIZE_LIMIT / 2 &&
	    !held_is_full(fcgi->held) &&
	    clock_steady_ms() < fcgi->begun_ms + fcgi->hold_ms;
}

static int64_t
held_ms(const void *self)
{
	const struct fcgi *fcgi = self;

	if (!is_early(fcgi))
		return 0;
	return fcgi->begun_ms + fcgi->hold_ms - clock_steady_ms();
}

int
fcgi_begin(struct fcgi *fcgi, struct gateway *gateway)
{
	struct arrival *arrival = fcgi->current;

	if (arrival->state == ARRIVAL_COMING)
		hear(fcgi, arrival);
	if (arrival->state != ARRIVAL_READY ||
	    !libfcgi_begin(fcgi->libfcgi, arrival)) {
		fcgi->current = NULL;
		if (arrival->state == ARRIVAL_COMING)
			guests_seat(fcgi->guests, arrival);
		else
			guests_release(fcgi->guests, arrival);
		return -1;
	}
	fcgi->begun_ms = clock_steady_ms();
	fcgi->hold_ms = 0;
	*gateway = (struct gateway){
		.params = libfcgi_params(fcgi->libfcgi),
		.authorizer = arrival->scan.authorizer,
		.read = read_body,
		.write = write_answer,
		.gone = peer_gone,
		.hold = fcgi->options.one_at_a_time ? NULL : hold_answer,
		.held_ms = held_ms,
		.self = fcgi,
	};
	return 0;
}

/* ---- a request ends ------------------------------------------------------ */

/* Keep what libfcgi has written into the basin until the request is old
 * enough. */
static void
keep_answer(struct fcgi *fcgi, struct arrival *arrival)
{
	unsigned char bytes[HELD_SIZE_LIMIT];
	ssize_t size = read(fcgi->basin[0], bytes, sizeof(bytes));

	(void)arrival_answered(arrival);
	if (size > 0) {
		held_add(fcgi->held, arrival->connection, bytes, (size_t)size,
		    fcgi->begun_ms + fcgi->hold_ms);
		arrival->connection = -1;
	}
	guests_release(fcgi->guests, arrival);
}

void
fcgi_finish(struct fcgi *fcgi)
{
	struct arrival *arrival = fcgi->current;
	bool early = is_early(fcgi);

	libfcgi_finish(fcgi->libfcgi,
	    early ? fcgi->basin[1] : arrival->connection);
	fcgi->current = NULL;
	if (early)
		keep_answer(fcgi, arrival);
	else if (arrival_answered(arrival))
		guests_seat(fcgi->guests, arrival);
	else
		guests_release(fcgi->guests, arrival);
}
