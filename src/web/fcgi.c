/* fcgi.c - FastCGI requests from a listening socket. */

#include "web/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "web/record.h"

/* A peer that is still sending when it has its answer is listened to for a
 * while: to hang up on it would take the answer away from it (TCP resets, and a
 * Unix socket reports ECONNRESET). */
#define LINGER_MS      2000 /* in all */
#define LINGER_IDLE_MS 200  /* without a byte */
#define DRAIN_LIMIT    (4 << 20)

/* Out of file descriptors or memory: do not spin. */
#define SHORTAGE_NAP_MS 100

struct fcgi {
	struct fcgi_options options;
	int door_fd;    /* epoll: the listening socket and wake_fd */

	/* The request.  One that has come as a whole is only looked at, and
	 * waits in the socket for libfcgi.  Of any other, what has come is taken
	 * out, since a web server stops sending when a quarter of its buffer is
	 * full; libfcgi then reads it from a file in memory. */
	unsigned char *window;
	size_t window_size;
	size_t window_used; /* to be wiped */
	bool taken;
	int source; /* where libfcgi reads: the connection, or that file */
	struct record_scan scan;
	bool whole;
	size_t body_left; /* bytes that may still be read */

	int connection; /* or -1 */
	FCGX_Request request;
};

/* ---- life ---------------------------------------------------------------- */

static int
watch(int epoll_fd, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* libfcgi takes over three signals; give them back. */
static int
start_libfcgi(void)
{
	static const int taken[] = { SIGTERM, SIGUSR1, SIGPIPE };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before[sizeof(taken) / sizeof(taken[0])];
	int result;

	sigaction(SIGPIPE, &ignore, NULL);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaction(taken[i], NULL, &before[i]);
	result = FCGX_Init();
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaction(taken[i], &before[i], NULL);
	return result;
}

static int
open_epolls(struct fcgi *fcgi)
{
	const struct fcgi_options *options = &fcgi->options;
	int flags = fcntl(options->listen_fd, F_GETFL);

	/* A sibling may take the connection that woke us. */
	if (flags == -1 ||
	    fcntl(options->listen_fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	fcgi->door_fd = epoll_create1(EPOLL_CLOEXEC);
	if (fcgi->door_fd == -1)
		return -1;
	/* One connection wakes one worker. */
	if (watch(fcgi->door_fd, options->listen_fd,
		EPOLLIN | EPOLLEXCLUSIVE) == -1)
		return -1;
	return watch(fcgi->door_fd, options->wake_fd, EPOLLIN);
}

struct fcgi *
fcgi_open(const struct fcgi_options *options)
{
	struct fcgi *fcgi = memory_zeroed(1, sizeof(*fcgi));

	fcgi->options = *options;
	fcgi->connection = fcgi->door_fd = fcgi->source = -1;
	/* Body records carry 8 bytes of header each; web servers fill them. */
	fcgi->window_size = RECORD_HEAD_LIMIT + options->body_limit +
			    options->body_limit / 4 + 4096;
	fcgi->window = memory_zeroed(fcgi->window_size, 1);

	if (start_libfcgi() != 0) {
		log_error("could not start libfcgi");
	} else if (open_epolls(fcgi) != 0) {
		log_error("could not watch the listening socket: %s",
		    strerror(errno));
	} else {
		return fcgi;
	}
	fcgi_close(fcgi);
	return NULL;
}

void
fcgi_close(struct fcgi *fcgi)
{
	if (fcgi == NULL)
		return;
	if (fcgi->door_fd != -1)
		close(fcgi->door_fd);
	free(fcgi->window);
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
set_timeouts(int connection, int timeout_ms)
{
	struct timeval limit = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000,
	};

	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
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

enum fcgi_accept
fcgi_accept(struct fcgi *fcgi, bool wait)
{
	struct epoll_event events[2];
	uint32_t knock = 0;
	int count, connection;

	count = epoll_wait(fcgi->door_fd, events, 2, wait ? -1 : 0);
	if (count == 0)
		return FCGI_QUIET;
	for (int i = 0; i < count; i++)
		if (events[i].data.fd == fcgi->options.listen_fd)
			knock = events[i].events;
	if (count > 0 && knock == 0)
		return FCGI_WOKEN;
	if (knock & (EPOLLHUP | EPOLLERR)) {
		log_error("the listening socket was shut down");
		return FCGI_BROKEN;
	}

	connection = accept4(fcgi->options.listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (connection == -1)
		return accept_failed();
	if (!is_welcome(fcgi, connection)) {
		close(connection);
		return FCGI_NOBODY;
	}
	set_timeouts(connection, fcgi->options.io_timeout_ms);
	fcgi->connection = connection;
	return FCGI_ACCEPTED;
}

/* ---- a request comes in -------------------------------------------------- */

/* Look at what has come.  MORE also when there is nothing. */
static enum record_result
look(struct fcgi *fcgi)
{
	ssize_t size = recv(fcgi->connection, fcgi->window, fcgi->window_size,
	    MSG_PEEK | MSG_DONTWAIT);

	if (size <= 0)
		return RECORD_MORE;
	fcgi->window_used = (size_t)size;
	return record_scan(&fcgi->scan, fcgi->window, (size_t)size);
}

/* Wait for bytes.  False: none will come, or not in time. */
static bool
wait_for_bytes(const struct fcgi *fcgi, int64_t until_ms)
{
	struct pollfd peer = { .fd = fcgi->connection, .events = POLLIN };
	int64_t left_ms = until_ms - clock_steady_ms();

	return left_ms > 0 && poll(&peer, 1, (int)left_ms) == 1;
}

/* Take out what has come, from the first byte on.  False: that was all. */
static bool
take_bytes(struct fcgi *fcgi)
{
	ssize_t size;

	if (!fcgi->taken)
		fcgi->window_used = 0; /* what was looked at comes again */
	fcgi->taken = true;
	size = recv(fcgi->connection, fcgi->window + fcgi->window_used,
	    fcgi->window_size - fcgi->window_used, MSG_DONTWAIT);
	if (size <= 0)
		return size == -1 && errno == EAGAIN;
	fcgi->window_used += (size_t)size;
	return true;
}

/* A request that does not get whole: say so, unless nothing was sent, as by
 * those who only try whether somebody listens. */
static bool
broken_off(const struct fcgi *fcgi, const char *how)
{
	if (fcgi->window_used > 0)
		log_warning("dropped a request: %s", how);
	return false;
}

/* Wait until the request is there and in order. */
static bool
await_request(struct fcgi *fcgi)
{
	int64_t until_ms = clock_steady_ms() + fcgi->options.io_timeout_ms;
	enum record_result result;

	fcgi->taken = false;
	record_start(&fcgi->scan, fcgi->options.body_limit);
	result = look(fcgi);
	while (result == RECORD_MORE) {
		if (fcgi->window_used == fcgi->window_size)
			return broken_off(fcgi, "a body in crumbs");
		if (!wait_for_bytes(fcgi, until_ms))
			return broken_off(fcgi, "it did not come in time");
		if (!take_bytes(fcgi))
			return broken_off(fcgi, "it was broken off");
		result = record_scan(&fcgi->scan, fcgi->window,
		    fcgi->window_used);
	}
	if (result == RECORD_BAD)
		return broken_off(fcgi, fcgi->scan.why);
	fcgi->whole = result == RECORD_WHOLE;
	return true;
}

/* A file in memory with what was taken out of the socket; -1 when there is no
 * memory. */
static int
put_back(const struct fcgi *fcgi)
{
	int fd = memfd_create("postern-request", MFD_CLOEXEC);

	if (fd == -1)
		return -1;
	if (pwrite(fd, fcgi->window, fcgi->window_used, 0) ==
	    (ssize_t)fcgi->window_used)
		return fd;
	close(fd);
	return -1;
}

static void
forget_window(struct fcgi *fcgi)
{
	secret_wipe(fcgi->window, fcgi->window_used);
	fcgi->window_used = 0;
}

static ssize_t
read_body(void *self, void *bytes, size_t size)
{
	struct fcgi *fcgi = self;
	FCGX_Stream *in = fcgi->request.in;
	int got;

	/* Behind it stand records that nobody has looked at. */
	if (size > fcgi->body_left)
		size = fcgi->body_left;
	if (size == 0)
		return fcgi->whole ? 0 : -1;
	fcgi->request.ipcFd = fcgi->source;
	got = FCGX_GetStr(bytes, (int)size, in);
	fcgi->request.ipcFd = fcgi->connection;
	if (got != (int)size || FCGX_GetError(in) != 0) {
		log_warning(
		    "could not read a request's body: it was broken off");
		fcgi->body_left = 0;
		fcgi->whole = false;
		return -1;
	}
	fcgi->body_left -= size;
	return (ssize_t)size;
}

static int
write_answer(void *self, const void *bytes, size_t size)
{
	struct fcgi *fcgi = self;

	/* Kept by libfcgi up to 8 KB, so that a usual answer leaves in one
	 * write() together with the records that end the request. */
	if (FCGX_PutStr(bytes, (int)size, fcgi->request.out) != (int)size)
		return -1;
	return FCGX_GetError(fcgi->request.out) == 0 ? 0 : -1;
}

static bool
peer_gone(void *self)
{
	const struct fcgi *fcgi = self;
	struct pollfd peer = { .fd = fcgi->connection };
	int domain;
	socklen_t size = sizeof(domain);

	/* A TCP peer that hung up looks like one that only stopped sending,
	 * which no web server does; a Unix socket can tell them apart. */
	if (getsockopt(fcgi->connection, SOL_SOCKET, SO_DOMAIN, &domain,
		&size) == 0 &&
	    domain != AF_UNIX)
		peer.events = POLLRDHUP;
	return poll(&peer, 1, 0) == 1;
}

/* Hand the request to libfcgi, which then finds all it wants to read. */
static bool
hand_over(struct fcgi *fcgi)
{
	FCGX_Request *request = &fcgi->request;

	fcgi->source = fcgi->taken ? put_back(fcgi) : fcgi->connection;
	if (fcgi->source == -1) {
		log_error("dropped a request: no memory for it: %s",
		    strerror(errno));
		return false;
	}
	FCGX_InitRequest(request, -1, 0);
	request->ipcFd = fcgi->source;
	/* Else it would be closed by the FCGX_Finish_r() that comes first. */
	request->keepConnection = 1;
	/* Closing is plain close(), when it must: lingering is done here. */
	FCGX_Detach(request);
	if (FCGX_Accept_r(request) == 0) {
		request->ipcFd = fcgi->connection;
		return true;
	}
	log_warning("dropped a request: libfcgi would not take it");
	if (!fcgi->taken)
		fcgi->connection = -1; /* closed */
	return false;
}

int
fcgi_begin(struct fcgi *fcgi, struct gateway *gateway)
{
	if (!await_request(fcgi) || !hand_over(fcgi)) {
		if (fcgi->connection != -1)
			close(fcgi->connection);
		fcgi->connection = -1;
		forget_window(fcgi);
		return -1;
	}
	fcgi->body_left = fcgi->scan.authorizer ? 0 : fcgi->scan.body_size;
	*gateway = (struct gateway){
		.params = (const char *const *)fcgi->request.envp,
		.authorizer = fcgi->scan.authorizer,
		.read = read_body,
		.write = write_answer,
		.gone = peer_gone,
		.self = fcgi,
	};
	return 0;
}

/* ---- a request ends ------------------------------------------------------ */

/* Throw away what the peer has sent beyond what was read.  A whole request has
 * come entirely; one that is not is waited for a while. */
static void
drain(struct fcgi *fcgi, bool linger)
{
	int64_t until_ms = clock_steady_ms() + LINGER_MS;
	struct pollfd more = { .fd = fcgi->connection, .events = POLLIN };
	size_t drained = 0;
	ssize_t size;

	while (drained < DRAIN_LIMIT && clock_steady_ms() < until_ms) {
		size = recv(fcgi->connection, fcgi->window, fcgi->window_size,
		    MSG_DONTWAIT);
		if (size > 0) {
			drained += (size_t)size;
			if ((size_t)size > fcgi->window_used)
				fcgi->window_used = (size_t)size;
			continue;
		}
		if (size == 0 || errno != EAGAIN || !linger)
			return;
		if (poll(&more, 1, LINGER_IDLE_MS) != 1)
			return;
	}
}

static void
hang_up(struct fcgi *fcgi)
{
	bool linger = !fcgi->whole;

	if (linger)
		shutdown(fcgi->connection, SHUT_WR);
	drain(fcgi, linger);
	close(fcgi->connection);
	fcgi->connection = -1;
}

/* Parameters hold cookies and keys, and free() leaves small blocks as they
 * are. */
static void
wipe_params(char **params)
{
	for (; *params != NULL; params++)
		secret_wipe(*params, strlen(*params));
}

void
fcgi_finish(struct fcgi *fcgi)
{
	FCGX_Request *request = &fcgi->request;

	FCGX_FClose(request->err);
	FCGX_FClose(request->out);
	wipe_params(request->envp);
	FCGX_Free(request, 0);
	request->ipcFd = -1;

	if (fcgi->taken)
		close(fcgi->source);
	hang_up(fcgi);
	forget_window(fcgi);
}
