/* test_fcgi.c - requests over real sockets, from honest and other peers. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/board.h"
#include "base/clock.h"
#include "records.h"
#include "web/fcgi.h"

#define BODY_LIMIT 1000

/* Longer than a machine stands still; for tests that let it go by; and for one
 * that does both. */
#define TIMEOUT_MS 10000
#define HASTY_MS   1000
#define MEDIUM_MS  4000

/* What no wait of this length or longer may be: a worker held for ever. */
#define FOR_EVER_MS 20000

static struct records request;

/* A listening socket, what wakes its worker, and the worker's view. */
struct door {
	int listen_fd;
	int wake[2];
	struct sockaddr_storage address;
	socklen_t size;
	struct fcgi *fcgi;
	struct gateway gateway;
};

static void
open_door_with(struct door *door, int family, struct fcgi_options options)
{
	struct sockaddr_in *loopback = (struct sockaddr_in *)&door->address;

	memset(&door->address, 0, sizeof(door->address));
	door->address.ss_family = (sa_family_t)family;
	door->size = sizeof(sa_family_t); /* a name that the kernel chooses */
	if (family == AF_INET) {
		loopback->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		door->size = sizeof(*loopback);
	}
	door->listen_fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(door->listen_fd, -1);
	assert_int_equal(bind(door->listen_fd,
	    (struct sockaddr *)&door->address, door->size), 0);
	assert_int_equal(listen(door->listen_fd, 16), 0);
	door->size = sizeof(door->address);
	assert_int_equal(getsockname(door->listen_fd,
	    (struct sockaddr *)&door->address, &door->size), 0);

	assert_int_equal(pipe(door->wake), 0);
	options.listen_fd = door->listen_fd;
	options.wake_fd = door->wake[0];
	if (options.io_timeout_ms == 0)
		options.io_timeout_ms = TIMEOUT_MS;
	options.body_limit = BODY_LIMIT;
	door->fcgi = fcgi_open(&options);
	assert_non_null(door->fcgi);
}

static void
open_door(struct door *door, int family, const uid_t *users, size_t count)
{
	const struct fcgi_options options = { .users = users,
		.user_count = count };

	open_door_with(door, family, options);
}

static int
open_local(void **state)
{
	struct door *door = calloc(1, sizeof(*door));

	open_door(door, AF_UNIX, NULL, 0);
	*state = door;
	return 0;
}

static int
open_internet(void **state)
{
	struct door *door = calloc(1, sizeof(*door));

	open_door(door, AF_INET, NULL, 0);
	*state = door;
	return 0;
}

static int
open_timed(void **state, int family, int timeout_ms)
{
	const struct fcgi_options options = { .io_timeout_ms = timeout_ms };
	struct door *door = calloc(1, sizeof(*door));

	open_door_with(door, family, options);
	*state = door;
	return 0;
}

static int
open_hasty_local(void **state)
{
	return open_timed(state, AF_UNIX, HASTY_MS);
}

static int
open_hasty_internet(void **state)
{
	return open_timed(state, AF_INET, HASTY_MS);
}

static int
open_medium_local(void **state)
{
	return open_timed(state, AF_UNIX, MEDIUM_MS);
}

static void
shut_door(struct door *door)
{
	fcgi_close(door->fcgi);
	close(door->listen_fd);
	close(door->wake[0]);
	close(door->wake[1]);
}

static int
close_door(void **state)
{
	shut_door(*state);
	free(*state);
	return 0;
}

/* A connected client; its reads and writes end. */
static int
knock(const struct door *door)
{
	const struct timeval limit = { .tv_sec = 5 };
	int fd = socket(door->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (const struct sockaddr *)&door->address,
	    door->size), 0);
	return fd;
}

static void
send_bytes(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

static void
send_request(int fd)
{
	send_bytes(fd, request.bytes, request.size);
}

/* What a worker does until a request is there: 0; -1 when nobody is any more. */
static int
begin_next(struct door *door)
{
	for (;;) {
		switch (fcgi_accept(door->fcgi, false)) {
		case FCGI_ACCEPTED:
			if (fcgi_begin(door->fcgi, &door->gateway) == 0)
				return 0;
			break;
		case FCGI_NOBODY:
			break;
		case FCGI_WOKEN:
		case FCGI_SHUT:
		case FCGI_BROKEN:
			fail();
			break;
		case FCGI_QUIET:
			return -1;
		}
	}
}

/* Connect, say what stands in `request`, and let the worker begin. */
static int
begin(struct door *door, int *client)
{
	*client = knock(door);
	if (request.size > 0)
		send_request(*client);
	return begin_next(door);
}

static const char *
param(const struct gateway *gateway, const char *name)
{
	size_t size = strlen(name);

	for (const char *const *at = gateway->params; *at != NULL; at++)
		if (strncmp(*at, name, size) == 0 && (*at)[size] == '=')
			return *at + size + 1;
	return NULL;
}

static ssize_t
read_body(struct door *door, char *bytes, size_t size)
{
	return door->gateway.read(door->gateway.self, bytes, size);
}

static void
answer(struct door *door, const char *text)
{
	assert_int_equal(door->gateway.write(door->gateway.self, text,
	    strlen(text)), 0);
	fcgi_finish(door->fcgi);
}

/* Answer the one, and listen until the last byte to those who still send. */
static void
answer_last(struct door *door, const char *text)
{
	answer(door, text);
	assert_int_equal(begin_next(door), -1);
}

/* Everything until the end of the connection; -1 when that is an error. */
static ssize_t
read_all(int fd, unsigned char *bytes, size_t room)
{
	size_t used = 0;
	ssize_t got;

	while ((got = recv(fd, bytes + used, room - used, 0)) > 0)
		used += (size_t)got;
	return got == 0 ? (ssize_t)used : -1;
}

static unsigned char answered[64 << 10];

/* The answer is `text`, and ends the request and the connection. */
static void
assert_answered(int fd, const char *text)
{
	const size_t size = strlen(text);
	const size_t padded = (size + 7) / 8 * 8;
	ssize_t got = read_all(fd, answered, sizeof(answered));
	const unsigned char *end = answered + 8 + padded + 8;

	/* STDOUT, its end, END_REQUEST. */
	assert_int_equal(got, 8 + padded + 8 + 16);
	assert_int_equal(answered[1], STDOUT);
	assert_int_equal(answered[4] << 8 | answered[5], size);
	assert_memory_equal(answered + 8, text, size);
	assert_int_equal(end[-7], STDOUT);
	assert_int_equal(end[1], END_REQUEST);
	assert_memory_equal(end + 8, "\0\0\0\0\0\0\0\0", 8);
}

/* Hung up on, without a word. */
static void
assert_dropped(int fd)
{
	ssize_t got = read_all(fd, answered, sizeof(answered));

	assert_true(got == 0 || (got == -1 && errno == ECONNRESET));
	close(fd);
}

/* ---- honest peers -------------------------------------------------------- */

static void
test_request(void **state)
{
	struct door *door = *state;
	char body[32];
	int client;

	records_request(&request, 0, "{\"email\":1}");
	assert_int_equal(begin(door, &client), 0);
	assert_false(door->gateway.authorizer);
	assert_string_equal(param(&door->gateway, "FCGI_ROLE"), "RESPONDER");
	assert_string_equal(param(&door->gateway, "REQUEST_URI"),
	    "/v2/auth/sign-in");
	assert_int_equal(read_body(door, body, 4), 4);
	assert_int_equal(read_body(door, body + 4, sizeof(body) - 4), 7);
	assert_memory_equal(body, "{\"email\":1}", 11);
	assert_int_equal(read_body(door, body, sizeof(body)), 0);
	answer(door, "Status: 200 OK\r\n\r\nhello");
	assert_answered(client, "Status: 200 OK\r\n\r\nhello");
	close(client);
}

static void
test_one_after_the_other(void **state)
{
	struct door *door = *state;
	int first, second;

	records_request(&request, 0, "1");
	first = knock(door);
	send_request(first);
	second = knock(door);
	send_request(second);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(begin_next(door), 0);
		answer(door, i == 0 ? "one" : "two");
	}
	assert_answered(first, "one");
	assert_answered(second, "two");
	close(first);
	close(second);
}

/* The answer does not wait for the body to be read, and is not lost for it. */
static void
test_body_unread(void **state)
{
	struct door *door = *state;
	int client;

	records_request(&request, 0, "0123456789");
	assert_int_equal(begin(door, &client), 0);
	answer(door, "no");
	assert_answered(client, "no");
	close(client);
}

/* Nor does the worker wait until the peer hangs up. */
static void
test_peer_stays(void **state)
{
	struct door *door = *state;
	int64_t before_ms;
	int client;

	records_request(&request, 0, "0123456789");
	assert_int_equal(begin(door, &client), 0);
	before_ms = clock_steady_ms();
	answer(door, "done");
	assert_in_range(clock_steady_ms() - before_ms, 0, TIMEOUT_MS);
	assert_answered(client, "done");
	close(client);
}

static void
test_kept_connection_is_refused(void **state)
{
	struct door *door = *state;
	struct records *twice = &request;
	int client;

	records_request(twice, KEEP_CONNECTION, "1");
	memcpy(twice->bytes + twice->size, twice->bytes, twice->size);
	twice->size *= 2;
	assert_int_equal(begin(door, &client), 0);
	answer(door, "once");
	assert_answered(client, "once");
	close(client);
}

static void
test_arrives_in_pieces(void **state)
{
	struct door *door = *state;
	char body[8];
	int client, status;
	pid_t child;

	records_request(&request, 0, "abc");
	client = knock(door);
	child = fork();
	if (child == 0) {
		for (size_t i = 0; i < request.size; i += 40) {
			size_t left = request.size - i;

			usleep(5000);
			send(client, request.bytes + i, left < 40 ? left : 40,
			    MSG_NOSIGNAL);
		}
		_exit(0);
	}
	assert_int_equal(begin_next(door), 0);
	assert_int_equal(read_body(door, body, sizeof(body)), 3);
	answer(door, "ok");
	assert_answered(client, "ok");
	close(client);
	assert_int_equal(waitpid(child, &status, 0), child);
}

/* A request as large as one may be; its long value. */
static const char *
largest_request(void)
{
	static char value[20000], body[BODY_LIMIT];

	memset(value, 'v', sizeof(value) - 1);
	memset(body, 'b', sizeof(body));
	records_head(&request, RESPONDER, 0);
	for (int i = 0; i < 3; i++)
		records_param(&request, "HTTP_LONG", value);
	records_add(&request, PARAMS, "", 0);
	records_add(&request, STDIN, body, sizeof(body));
	records_add(&request, STDIN, "", 0);
	return value;
}

/* All of it waiting in the socket. */
static void
test_largest(void **state)
{
	static char body[BODY_LIMIT + 1];
	const char *value = largest_request();
	struct door *door = *state;
	int client;

	assert_int_equal(begin(door, &client), 0);
	assert_string_equal(param(&door->gateway, "HTTP_LONG"), value);
	assert_int_equal(read_body(door, body, sizeof(body)), BODY_LIMIT);
	answer(door, "ok");
	assert_answered(client, "ok");
	close(client);
}

/* A web server asks whether it may send, and the system says no as soon as a
 * quarter of the buffer is full: so what has come must be taken out. */
static void
test_peer_that_asks_before_it_sends(void **state)
{
	static char body[BODY_LIMIT + 1];
	const char *value = largest_request();
	struct door *door = *state;
	int client = knock(door), status;
	struct pollfd room = { .fd = client, .events = POLLOUT };
	pid_t child;

	child = fork();
	if (child == 0) {
		for (size_t at = 0; at < request.size; at += 1000) {
			size_t size = request.size - at;

			if (poll(&room, 1, FOR_EVER_MS) != 1)
				_exit(1);
			send_bytes(client, request.bytes + at,
			    size < 1000 ? size : 1000);
		}
		_exit(0);
	}
	assert_int_equal(begin_next(door), 0);
	assert_string_equal(param(&door->gateway, "HTTP_LONG"), value);
	assert_int_equal(read_body(door, body, sizeof(body)), BODY_LIMIT);
	answer(door, "ok");
	assert_answered(client, "ok");
	close(client);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
test_large_answer(void **state)
{
	static char text[30000];
	struct door *door = *state;
	ssize_t got;
	int client;

	memset(text, 't', sizeof(text) - 1);
	records_request(&request, 0, "");
	assert_int_equal(begin(door, &client), 0);
	answer(door, text);
	got = read_all(client, answered, sizeof(answered));
	assert_true(got > (ssize_t)sizeof(text));
	assert_int_equal(answered[got - 15], END_REQUEST);
	close(client);
}

/* The server sends more than we want and must get its answer for it. */
static void
test_large_body(void **state)
{
	static char crowd[60000];
	struct door *door = *state;
	char body[BODY_LIMIT + 100];
	int client, status;
	pid_t child;

	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "", 0);
	client = knock(door);
	child = fork();
	if (child == 0) {
		send_request(client);
		request.size = 0;
		records_add(&request, STDIN, crowd, sizeof(crowd));
		for (int i = 0; i < 20; i++)
			send_request(client);
		request.size = 0;
		records_add(&request, STDIN, "", 0);
		send_request(client);
		_exit(0);
	}
	assert_int_equal(begin_next(door), 0);
	/* Enough can be read to see that it is too much. */
	assert_int_equal(read_body(door, body, sizeof(body)), sizeof(body));
	answer_last(door, "Status: 413");
	assert_answered(client, "Status: 413");
	close(client);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0); /* all of it could be sent */
}

/* What lies behind the part that was looked at is never read. */
static void
test_large_body_ends_in_error(void **state)
{
	static char body[70000];
	struct door *door = *state;
	size_t total = 0;
	ssize_t got;
	int client;

	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "", 0);
	records_add(&request, STDIN, body, 2000);
	records_header(&request, GET_VALUES, 0, 0, 0);
	assert_int_equal(begin(door, &client), 0);
	while ((got = read_body(door, body, 600)) > 0)
		total += (size_t)got;
	assert_int_equal(got, -1);
	assert_int_equal(total, 2000);
	answer_last(door, "no");
	assert_answered(client, "no");
	close(client);
}

static void
test_authorizer(void **state)
{
	struct door *door = *state;
	char body[8];
	int client;

	records_head(&request, AUTHORIZER, 0);
	records_add(&request, PARAMS, "", 0);
	assert_int_equal(begin(door, &client), 0);
	assert_true(door->gateway.authorizer);
	assert_int_equal(read_body(door, body, sizeof(body)), 0);
	answer(door, "Status: 401");
	assert_answered(client, "Status: 401");
	close(client);
}

/* ---- peers that stall, break off or lie ---------------------------------- */

/* Dropped, after about the time limit. */
static void
assert_stall_ends(struct door *door)
{
	int64_t before_ms = clock_steady_ms();
	int client;

	assert_int_equal(begin(door, &client), -1);
	assert_in_range(clock_steady_ms() - before_ms, HASTY_MS - 20,
	    FOR_EVER_MS);
	assert_dropped(client);
}

static void
test_stalls(void **state)
{
	struct door *door = *state;

	request.size = 0;
	assert_stall_ends(door); /* silent */

	records_request(&request, 0, "{\"a\":1}");
	request.size = 5;
	assert_stall_ends(door); /* half a header */

	request.size = 16;
	assert_stall_ends(door); /* BEGIN alone */

	request.size = 60;
	assert_stall_ends(door); /* half the parameters */

	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "", 0);
	assert_stall_ends(door); /* no body */

	records_add(&request, STDIN, "{\"a\":1}", 7);
	assert_stall_ends(door); /* no end of the body */

	records_header(&request, STDIN, 1, 100, 0);
	records_bytes(&request, "half", 4);
	assert_stall_ends(door); /* half a record of it */
}

/* A byte now and then does not buy more time. */
static void
test_drip(void **state)
{
	struct door *door = *state;
	int64_t before_ms;
	int client, status;
	pid_t child;

	records_request(&request, 0, "{\"a\":1}");
	client = knock(door);
	child = fork();
	if (child == 0) {
		for (size_t i = 0; i < 200; i++) {
			send(client, request.bytes + i, 1, MSG_NOSIGNAL);
			usleep(10000);
		}
		_exit(0);
	}
	before_ms = clock_steady_ms();
	assert_int_equal(begin_next(door), -1);
	assert_in_range(clock_steady_ms() - before_ms, HASTY_MS - 20,
	    FOR_EVER_MS);
	assert_dropped(client);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

/* At each byte of a request, the peer hangs up: it is dropped at once. */
static void
test_broken_off_anywhere(void **state)
{
	struct door *door = *state;
	int64_t before_ms = clock_steady_ms();
	struct records whole;
	int client;

	records_request(&request, 0, "{\"a\":1}");
	whole = request;
	for (size_t size = 0; size < whole.size; size++) {
		client = knock(door);
		send_bytes(client, whole.bytes, size);
		close(client);
		assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_ACCEPTED);
		assert_int_equal(fcgi_begin(door->fcgi, &door->gateway), -1);
	}
	assert_in_range(clock_steady_ms() - before_ms, 0, FOR_EVER_MS);
}

static void
test_half_closed_midway(void **state)
{
	struct door *door = *state;
	int64_t before_ms = clock_steady_ms();
	int client = knock(door);

	records_head(&request, RESPONDER, 0);
	send_request(client);
	shutdown(client, SHUT_WR);
	assert_int_equal(begin_next(door), -1);
	assert_in_range(clock_steady_ms() - before_ms, 0, TIMEOUT_MS);
	assert_dropped(client);
}

static void
assert_refused(struct door *door)
{
	int64_t before_ms = clock_steady_ms();
	int client;

	assert_int_equal(begin(door, &client), -1);
	assert_in_range(clock_steady_ms() - before_ms, 0, TIMEOUT_MS);
	assert_dropped(client);
}

static void
test_refusals(void **state)
{
	struct door *door = *state;

	request.size = 0;
	records_bytes(&request, "GET / HTTP/1.0\r\n\r\n", 18);
	assert_refused(door);

	records_head(&request, FILTER, 0);
	records_add(&request, PARAMS, "", 0);
	assert_refused(door);

	records_head(&request, RESPONDER, 0);
	records_add(&request, ABORT_REQUEST, "", 0);
	assert_refused(door);

	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "", 0);
	records_add(&request, STDIN, "abc", 3);
	records_add(&request, ABORT_REQUEST, "", 0);
	assert_refused(door);

	request.size = 0;
	records_header(&request, GET_VALUES, 0, 0, 0);
	assert_refused(door);
}

/* After each of them, the next one is served. */
static void
test_recovers(void **state)
{
	test_refusals(state);
	test_request(state);
}

static void
test_peer_gone(void **state)
{
	struct door *door = *state;
	int client;

	records_request(&request, 0, "x");
	assert_int_equal(begin(door, &client), 0);
	assert_false(door->gateway.gone(door->gateway.self));
	close(client);
	assert_true(door->gateway.gone(door->gateway.self));
	fcgi_finish(door->fcgi);
}

/* To have said all is not to have gone; only a Unix socket can tell. */
static void
test_half_closed_is_not_gone(void **state)
{
	struct door *door = *state;
	int client;

	records_request(&request, 0, "x");
	assert_int_equal(begin(door, &client), 0);
	shutdown(client, SHUT_WR);
	assert_false(door->gateway.gone(door->gateway.self));
	answer(door, "still here");
	assert_answered(client, "still here");
	close(client);
}

static void
test_answer_to_nobody(void **state)
{
	static char text[20000];
	struct door *door = *state;
	int client;

	memset(text, 't', sizeof(text) - 1);
	records_request(&request, 0, "x");
	assert_int_equal(begin(door, &client), 0);
	close(client);
	/* No SIGPIPE; the failure shows at the latest in a second write. */
	door->gateway.write(door->gateway.self, text, sizeof(text) - 1);
	assert_int_equal(door->gateway.write(door->gateway.self, text,
	    sizeof(text) - 1), -1);
	fcgi_finish(door->fcgi);
}

/* A peer that takes nothing does not hold the worker for ever. */
static void
test_answer_not_taken(void **state)
{
	static char text[4 << 20];
	struct door *door = *state;
	int64_t before_ms;
	int client;

	memset(text, 't', sizeof(text));
	records_request(&request, 0, "x");
	assert_int_equal(begin(door, &client), 0);
	before_ms = clock_steady_ms();
	assert_int_equal(door->gateway.write(door->gateway.self, text,
	    sizeof(text)), -1);
	fcgi_finish(door->fcgi);
	assert_in_range(clock_steady_ms() - before_ms, HASTY_MS - 20,
	    FOR_EVER_MS);
	close(client);
}

/* ---- slow ones beside others --------------------------------------------- */

/* More than one worker looks after. */
#define CROWD 100

/* Let the worker see to what has come, as long as that takes no time. */
static void
see_to(struct door *door, int times)
{
	for (int i = 0; i < times; i++)
		if (fcgi_accept(door->fcgi, true) == FCGI_ACCEPTED)
			assert_int_equal(
			    fcgi_begin(door->fcgi, &door->gateway), -1);
}

static int
knock_slowly(struct door *door, size_t size)
{
	int client = knock(door);

	send_bytes(client, request.bytes, size);
	see_to(door, 1);
	return client;
}

static void
test_slow_ones_hold_nobody(void **state)
{
	struct door *door = *state;
	int64_t before_ms = clock_steady_ms();
	int slow[10], client;

	records_request(&request, 0, "abc");
	for (int i = 0; i < 10; i++)
		slow[i] = knock_slowly(door, 5 + (size_t)i * 10);
	assert_int_equal(begin(door, &client), 0);
	answer(door, "quick");
	assert_answered(client, "quick");
	close(client);
	assert_in_range(clock_steady_ms() - before_ms, 0, TIMEOUT_MS - 20);

	/* Whose request gets whole is served, in whatever order. */
	for (int i = 9; i >= 0; i--) {
		size_t sent = 5 + (size_t)i * 10;

		send_bytes(slow[i], request.bytes + sent, request.size - sent);
		assert_int_equal(begin_next(door), 0);
		answer(door, "late");
		assert_answered(slow[i], "late");
		close(slow[i]);
	}
	assert_int_equal(begin_next(door), -1);
}

/* Two are there at once: the one who came first is served first. */
static void
test_guest_before_newcomer(void **state)
{
	struct door *door = *state;
	int first, second;

	records_request(&request, 0, "abc");
	first = knock_slowly(door, 30);
	send_bytes(first, request.bytes + 30, request.size - 30);
	second = knock(door);
	send_request(second);
	assert_int_equal(begin_next(door), 0);
	answer(door, "one");
	assert_answered(first, "one");
	assert_int_equal(begin_next(door), 0);
	answer(door, "two");
	assert_answered(second, "two");
	close(first);
	close(second);
}

/* It came in time, though the worker had no time for it. */
static void
test_guest_of_a_busy_worker(void **state)
{
	struct door *door = *state;
	int guest, client;

	records_request(&request, 0, "abc");
	guest = knock_slowly(door, 30);
	assert_int_equal(begin(door, &client), 0);
	send_bytes(guest, request.bytes + 30, request.size - 30);
	poll(NULL, 0, HASTY_MS + 50);
	answer(door, "one");
	assert_int_equal(begin_next(door), 0);
	answer(door, "two");
	assert_answered(client, "one");
	assert_answered(guest, "two");
	close(client);
	close(guest);
}

/* However many come, each newcomer finds a place, at the oldest one's cost. */
static void
test_crowd(void **state)
{
	struct door *door = *state;
	int64_t before_ms = clock_steady_ms();
	int slow[CROWD], client;

	records_request(&request, 0, "abc");
	for (int i = 0; i < CROWD; i++)
		slow[i] = knock_slowly(door, 30);
	assert_int_equal(begin(door, &client), 0);
	answer(door, "quick");
	assert_answered(client, "quick");
	close(client);
	assert_in_range(clock_steady_ms() - before_ms, 0, MEDIUM_MS - 20);
	assert_dropped(slow[0]);

	client = slow[CROWD - 1];
	send_bytes(client, request.bytes + 30, request.size - 30);
	assert_int_equal(begin_next(door), 0);
	answer(door, "late");
	assert_answered(client, "late");
	close(client);

	/* The rest is ended when their time is up. */
	assert_int_equal(begin_next(door), -1);
	for (int i = 1; i < CROWD - 1; i++)
		assert_dropped(slow[i]);
}

/* Nor does one that goes on sending when it has its answer: somebody else is
 * answered while it can still send.  That ends 200 ms after its last byte, which
 * may pass on a busy machine. */
static bool
serves_beside_lingering(struct door *door)
{
	static char crowd[2000];
	int slow, client;
	bool beside;

	records_head(&request, RESPONDER, 0);
	records_add(&request, PARAMS, "", 0);
	records_add(&request, STDIN, crowd, sizeof(crowd));
	assert_int_equal(begin(door, &slow), 0);
	answer(door, "Status: 413");
	send_bytes(slow, crowd, 100);

	records_request(&request, 0, "abc");
	assert_int_equal(begin(door, &client), 0);
	answer(door, "quick");
	assert_answered(client, "quick");
	close(client);

	beside = send(slow, "x", 1, MSG_NOSIGNAL) == 1;
	assert_answered(slow, "Status: 413");
	assert_int_equal(begin_next(door), -1);
	close(slow);
	return beside;
}

static void
test_lingering_holds_nobody(void **state)
{
	int tries = 0;

	while (!serves_beside_lingering(*state))
		assert_int_not_equal(++tries, 20);
}

/* A worker that leaves serves those it has let in, and nobody else. */
static void
test_shut(void **state)
{
	struct door *door = *state;
	int guest, late;

	records_request(&request, 0, "abc");
	guest = knock_slowly(door, 30);
	fcgi_shut(door->fcgi);
	late = knock(door);
	send_request(late);
	send_bytes(guest, request.bytes + 30, request.size - 30);
	assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_ACCEPTED);
	assert_int_equal(fcgi_begin(door->fcgi, &door->gateway), 0);
	answer(door, "before we close");
	assert_answered(guest, "before we close");
	assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_QUIET);
	close(guest);
	close(late);
}

/* Whoever has connected before it was shut is served, and nobody can after. */
static void
test_shut_by_another(void **state)
{
	struct door *door = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;

	records_request(&request, 0, "abc");
	client = knock(door);
	send_request(client);
	assert_int_equal(shutdown(door->listen_fd, SHUT_RDWR), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&door->address,
	    door->size), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(begin_next(door), 0);
	answer(door, "before we close");
	assert_answered(client, "before we close");
	assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_SHUT);
	assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_QUIET);
	close(client);
	close(fd);
}

/* ---- the door ------------------------------------------------------------ */

static void
test_woken(void **state)
{
	struct door *door = *state;
	int client;

	assert_int_equal(write(door->wake[1], "x", 1), 1);
	assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_WOKEN);

	/* Who has knocked comes first. */
	records_request(&request, 0, "");
	assert_int_equal(begin(door, &client), 0);
	answer(door, "come in");
	assert_answered(client, "come in");
	close(client);
	assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_WOKEN);
}

static void
test_not_waiting(void **state)
{
	struct door *door = *state;
	int client;

	assert_int_equal(fcgi_accept(door->fcgi, false), FCGI_QUIET);
	client = knock(door);
	assert_int_equal(fcgi_accept(door->fcgi, false), FCGI_ACCEPTED);
	close(client);
	assert_int_equal(fcgi_begin(door->fcgi, &door->gateway), -1);
	assert_int_equal(fcgi_accept(door->fcgi, false), FCGI_QUIET);
	assert_int_equal(write(door->wake[1], "x", 1), 1);
	assert_int_equal(fcgi_accept(door->fcgi, false), FCGI_WOKEN);
}

static void
test_users(void **state)
{
	const uid_t others[] = { getuid() + 1, getuid() + 2 };
	const uid_t us[] = { getuid() + 1, getuid() };
	struct door door;
	int client;

	(void)state;
	open_door(&door, AF_UNIX, others, 2);
	client = knock(&door);
	assert_int_equal(fcgi_accept(door.fcgi, true), FCGI_NOBODY);
	assert_dropped(client);
	shut_door(&door);

	open_door(&door, AF_UNIX, us, 2);
	client = knock(&door);
	assert_int_equal(fcgi_accept(door.fcgi, true), FCGI_ACCEPTED);
	close(client);
	assert_int_equal(fcgi_begin(door.fcgi, &door.gateway), -1);
	shut_door(&door);
}

static void
test_broken_socket(void **state)
{
	struct door *door = *state;

	/* Nobody can listen on it any more. */
	assert_int_equal(shutdown(door->listen_fd, SHUT_RDWR), 0);
	assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_BROKEN);
}

/* ---- answers that leave later -------------------------------------------- */

/* Longer than a busy machine stops a test for. */
#define HOLD_MS 500

/* Somebody comes, and is told "later". */
static int
put_off(struct door *door, int ms)
{
	int client;

	records_request(&request, 0, "0123456789");
	assert_int_equal(begin(door, &client), 0);
	door->gateway.hold(door->gateway.self, ms);
	answer(door, "later");
	return client;
}

static bool
is_answered(int client)
{
	struct pollfd end = { .fd = client, .events = POLLIN };

	return poll(&end, 1, 0) == 1;
}

static void
test_held(void **state)
{
	struct door *door = *state;
	int64_t before_ms = clock_steady_ms();
	int first = put_off(door, HOLD_MS), second = put_off(door, HOLD_MS);
	int other;

	records_request(&request, 0, "1");
	assert_int_equal(begin(door, &other), 0);
	answer(door, "now");
	assert_answered(other, "now");
	assert_false(is_answered(first));

	/* Nobody else comes; the last wait finds something to send. */
	while (!is_answered(second))
		assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_NOBODY);
	assert_in_range(clock_steady_ms() - before_ms, HOLD_MS, FOR_EVER_MS);
	assert_answered(first, "later");
	assert_answered(second, "later");
	close(first);
	close(second);
	close(other);
}

/* It is told how long it will be, and how many there are. */
static void
test_holding_is_told(void **state)
{
	const struct board_kind kind = { "1", 0 };
	struct board *board = board_new(&kind, 2, NULL, "");
	const struct fcgi_options options = { .board = board, .slot = 1 };
	struct door door;
	int first, second;

	(void)state;
	assert_non_null(board);
	open_door_with(&door, AF_UNIX, options);
	records_request(&request, 0, "1");
	assert_int_equal(begin(&door, &first), 0);
	assert_int_equal(door.gateway.held_ms(door.gateway.self), 0);
	door.gateway.hold(door.gateway.self, FOR_EVER_MS);
	assert_in_range(door.gateway.held_ms(door.gateway.self), 1,
	    FOR_EVER_MS);
	answer(&door, "later");
	assert_int_equal(board_look(board, 1).held, 1);
	second = put_off(&door, FOR_EVER_MS);
	assert_int_equal(board_look(board, 1).held, 2);
	assert_int_equal(board_look(board, 0).held, 0);
	shut_door(&door);
	assert_int_equal(board_look(board, 1).held, 0);
	close(first);
	close(second);
	board_free(board);
}

/* A request that took its time waits no more. */
static void
test_held_long_enough(void **state)
{
	struct door *door = *state;
	int client;

	records_request(&request, 0, "1");
	assert_int_equal(begin(door, &client), 0);
	usleep(10000);
	door->gateway.hold(door->gateway.self, 5);
	answer(door, "now");
	assert_true(is_answered(client));
	assert_answered(client, "now");
	close(client);
}

/* What would not be sent in one piece is sent as ever. */
static void
test_too_large_to_be_held(void **state)
{
	static char text[4000];
	struct door *door = *state;
	int client;

	memset(text, 'x', sizeof(text) - 1);
	records_request(&request, 0, "1");
	assert_int_equal(begin(door, &client), 0);
	door->gateway.hold(door->gateway.self, FOR_EVER_MS);
	door->gateway.write(door->gateway.self, text, strlen(text));
	assert_int_equal(door->gateway.held_ms(door->gateway.self), 0);
	answer(door, "");
	assert_answered(client, text);
	close(client);
}

/* Who waits for something else lets them go meanwhile. */
static void
test_held_while_another_waits(void **state)
{
	struct door *door = *state;
	int first = put_off(door, HOLD_MS), second;

	records_request(&request, 0, "1");
	assert_int_equal(begin(door, &second), 0);
	assert_false(is_answered(first));
	usleep(HOLD_MS * 1000);
	assert_false(is_answered(first));
	assert_false(door->gateway.gone(door->gateway.self));
	assert_answered(first, "later");
	answer(door, "done");
	assert_answered(second, "done");
	close(first);
	close(second);
}

/* Whoever leaves leaves nobody without an answer. */
static void
test_held_until_the_end(void **state)
{
	struct door door;
	int client;

	(void)state;
	open_door(&door, AF_UNIX, NULL, 0);
	client = put_off(&door, FOR_EVER_MS);
	shut_door(&door);
	assert_answered(client, "later");
	close(client);
}

/* There is an end to how many; the next one is answered at once. */
static void
test_no_room_to_hold(void **state)
{
	struct door *door = *state;
	int clients[1000], count = 0;

	do
		clients[count] = put_off(door, FOR_EVER_MS);
	while (!is_answered(clients[count++]) && count < 1000);
	assert_in_range(count, 100, 500);
	assert_answered(clients[count - 1], "later");
	while (count > 0)
		close(clients[--count]);
}

/* Where the next request comes when this one is answered, to hold it back would
 * hold back that one, too. */
static void
test_one_at_a_time(void **state)
{
	const struct fcgi_options options = { .one_at_a_time = true };
	struct door door;
	int client;

	(void)state;
	open_door_with(&door, AF_UNIX, options);
	records_request(&request, 0, "1");
	assert_int_equal(begin(&door, &client), 0);
	assert_null(door.gateway.hold);
	answer(&door, "now");
	assert_answered(client, "now");
	close(client);
	shut_door(&door);
}

/* Those who do not wait for it cost nothing. */
static void
test_held_for_nobody(void **state)
{
	struct door *door = *state;
	int gone = put_off(door, HOLD_MS / 5), client;

	close(gone);
	client = put_off(door, HOLD_MS);
	while (!is_answered(client))
		assert_int_equal(fcgi_accept(door->fcgi, true), FCGI_NOBODY);
	assert_int_equal(fcgi_accept(door->fcgi, false), FCGI_QUIET);
	assert_answered(client, "later");
	close(client);
}

static void
count_signal(int number)
{
	(void)number;
}

static void
test_signals_stay_as_they_were(void **state)
{
	struct sigaction now;
	struct door door;

	(void)state;
	signal(SIGTERM, count_signal);
	signal(SIGUSR1, SIG_DFL);
	open_door(&door, AF_UNIX, NULL, 0);
	assert_int_equal(sigaction(SIGTERM, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, count_signal);
	assert_int_equal(sigaction(SIGUSR1, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, SIG_DFL);
	assert_int_equal(sigaction(SIGPIPE, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	shut_door(&door);
}

#define LOCAL(test) \
	cmocka_unit_test_setup_teardown(test, open_local, close_door)
#define INTERNET(test) \
	cmocka_unit_test_setup_teardown(test, open_internet, close_door)
#define HASTY_LOCAL(test) \
	cmocka_unit_test_setup_teardown(test, open_hasty_local, close_door)
#define HASTY_INTERNET(test) \
	cmocka_unit_test_setup_teardown(test, open_hasty_internet, close_door)
#define MEDIUM_LOCAL(test) \
	cmocka_unit_test_setup_teardown(test, open_medium_local, close_door)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: libfcgi starts but once. */
		cmocka_unit_test(test_signals_stay_as_they_were),
		LOCAL(test_request),
		INTERNET(test_request),
		LOCAL(test_one_after_the_other),
		LOCAL(test_body_unread),
		INTERNET(test_body_unread),
		LOCAL(test_peer_stays),
		INTERNET(test_peer_stays),
		LOCAL(test_kept_connection_is_refused),
		LOCAL(test_arrives_in_pieces),
		INTERNET(test_arrives_in_pieces),
		LOCAL(test_largest),
		INTERNET(test_largest),
		LOCAL(test_peer_that_asks_before_it_sends),
		INTERNET(test_peer_that_asks_before_it_sends),
		LOCAL(test_large_answer),
		LOCAL(test_large_body),
		INTERNET(test_large_body),
		LOCAL(test_large_body_ends_in_error),
		LOCAL(test_authorizer),
		HASTY_LOCAL(test_stalls),
		HASTY_INTERNET(test_stalls),
		HASTY_LOCAL(test_drip),
		HASTY_INTERNET(test_drip),
		LOCAL(test_broken_off_anywhere),
		INTERNET(test_broken_off_anywhere),
		LOCAL(test_half_closed_midway),
		LOCAL(test_refusals),
		INTERNET(test_refusals),
		LOCAL(test_recovers),
		LOCAL(test_peer_gone),
		INTERNET(test_peer_gone),
		LOCAL(test_half_closed_is_not_gone),
		LOCAL(test_answer_to_nobody),
		HASTY_LOCAL(test_answer_not_taken),
		LOCAL(test_slow_ones_hold_nobody),
		INTERNET(test_slow_ones_hold_nobody),
		LOCAL(test_guest_before_newcomer),
		HASTY_LOCAL(test_guest_of_a_busy_worker),
		MEDIUM_LOCAL(test_crowd),
		LOCAL(test_lingering_holds_nobody),
		INTERNET(test_lingering_holds_nobody),
		LOCAL(test_shut),
		LOCAL(test_shut_by_another),
		LOCAL(test_woken),
		LOCAL(test_not_waiting),
		LOCAL(test_held),
		INTERNET(test_held),
		cmocka_unit_test(test_holding_is_told),
		LOCAL(test_held_long_enough),
		LOCAL(test_too_large_to_be_held),
		LOCAL(test_held_while_another_waits),
		cmocka_unit_test(test_held_until_the_end),
		LOCAL(test_no_room_to_hold),
		cmocka_unit_test(test_one_at_a_time),
		LOCAL(test_held_for_nobody),
		cmocka_unit_test(test_users),
		INTERNET(test_broken_socket),
	};

	return cmocka_run_group_tests_name("fcgi", tests, NULL, NULL);
}
