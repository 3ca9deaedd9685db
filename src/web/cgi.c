/* cgi.c - one request as plain CGI. */

#include "web/cgi.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"

/* A server that is still sending the body when it has its answer is listened to
 * for a while: where fd 0 and 1 are one socket, to end would take the answer away
 * from it (ECONNRESET). */
#define LINGER_MS      2000 /* in all */
#define LINGER_IDLE_MS 200  /* without a byte */
#define DRAIN_LIMIT    (4 << 20)

/* The one request of the process. */
static struct {
	int io_timeout_ms;
	int64_t body_left; /* -1: CONTENT_LENGTH is no number */
	bool to_end;       /* nobody knows how long the body is */
} cgi;

bool
cgi_is_request(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	if (getenv("REQUEST_METHOD") == NULL)
		return false;
	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		   &size) != 0 ||
	       listening == 0;
}

/* A body that comes in chunks has a length once the server has all of it.  Apache
 * does not wait for that: it passes the body on as it comes, and then the end. */
static bool
is_without_length(void)
{
	const char *length = getenv("CONTENT_LENGTH");

	return (length == NULL || *length == '\0') &&
	    getenv("HTTP_TRANSFER_ENCODING") != NULL;
}

/* RFC 3875 4.1.2: digits, or nothing when there is no body. */
static int64_t
declared_length(void)
{
	const char *text = getenv("CONTENT_LENGTH");
	int64_t length = 0;

	if (text == NULL)
		return 0;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || length > INT32_MAX)
			return -1;
		length = length * 10 + (*text - '0');
	}
	return length;
}

/* Wait until fd 0 or 1 is ready; false when it is not in time.  A closed other
 * end counts as ready: the call that follows tells. */
static bool
wait_for(int fd, short event, int ms)
{
	struct pollfd end = { .fd = fd, .events = event };

	return poll(&end, 1, ms) == 1;
}

/* The server need not close its end, so not a byte more than it declared is
 * waited for (RFC 3875 4.2), and for each no longer than `ms`. */
static ssize_t
read_within(void *bytes, size_t size, int ms)
{
	ssize_t got;

	if (cgi.body_left <= 0)
		return cgi.body_left < 0 ? -1 : 0;
	if ((int64_t)size > cgi.body_left)
		size = (size_t)cgi.body_left;
	do {
		if (!wait_for(STDIN_FILENO, POLLIN, ms))
			return -1;
		got = read(STDIN_FILENO, bytes, size);
	} while (got == -1 && (errno == EINTR || errno == EAGAIN));
	if (got == 0 && cgi.to_end)
		return 0;
	if (got <= 0)
		return -1;
	cgi.body_left -= got;
	return got;
}

static ssize_t
read_body(void *self, void *bytes, size_t size)
{
	(void)self;
	return read_within(bytes, size, cgi.io_timeout_ms);
}

static int
write_answer(void *self, const void *bytes, size_t size)
{
	const char *at = bytes;
	ssize_t put;

	(void)self;
	while (size > 0) {
		if (!wait_for(STDOUT_FILENO, POLLOUT, cgi.io_timeout_ms))
			return -1;
		put = write(STDOUT_FILENO, at, size);
		if (put == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (put == -1)
			return -1;
		at += put;
		size -= (size_t)put;
	}
	return 0;
}

/* A pipe tells only those who write into it. */
static bool
peer_gone(void *self)
{
	(void)self;
	return false;
}

void
cgi_open(struct gateway *gateway, int io_timeout_ms)
{
	cgi.io_timeout_ms = io_timeout_ms;
	cgi.to_end = is_without_length();
	cgi.body_left = cgi.to_end ? INT64_MAX : declared_length();
	*gateway = (struct gateway){
		.params = (const char *const *)environ,
		.read = read_body,
		.write = write_answer,
		.gone = peer_gone,
	};
}

void
cgi_finish(void)
{
	int64_t until_ms = clock_steady_ms() + LINGER_MS;
	int64_t drained = 0;
	char rest[8192];
	ssize_t got = 1;

	while (got > 0 && drained < DRAIN_LIMIT && clock_steady_ms() < until_ms) {
		got = read_within(rest, sizeof(rest), LINGER_IDLE_MS);
		drained += got;
	}
	secret_wipe(rest, sizeof(rest));
}
