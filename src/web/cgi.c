/* cgi.c - one request as plain CGI. */

#include "web/cgi.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The one request of the process. */
static struct {
	int io_timeout_ms;
	int64_t body_left; /* -1: CONTENT_LENGTH is no number */
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
wait_for(int fd, short event)
{
	struct pollfd end = { .fd = fd, .events = event };

	return poll(&end, 1, cgi.io_timeout_ms) == 1;
}

/* The server need not close its end, so not a byte more than it declared is
 * waited for (RFC 3875 4.2). */
static ssize_t
read_body(void *self, void *bytes, size_t size)
{
	ssize_t got;

	(void)self;
	if (cgi.body_left <= 0)
		return cgi.body_left < 0 ? -1 : 0;
	if ((int64_t)size > cgi.body_left)
		size = (size_t)cgi.body_left;
	do {
		if (!wait_for(STDIN_FILENO, POLLIN))
			return -1;
		got = read(STDIN_FILENO, bytes, size);
	} while (got == -1 && (errno == EINTR || errno == EAGAIN));
	if (got <= 0)
		return -1;
	cgi.body_left -= got;
	return got;
}

static int
write_answer(void *self, const void *bytes, size_t size)
{
	const char *at = bytes;
	ssize_t put;

	(void)self;
	while (size > 0) {
		if (!wait_for(STDOUT_FILENO, POLLOUT))
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
	cgi.body_left = declared_length();
	*gateway = (struct gateway){
		.params = (const char *const *)environ,
		.read = read_body,
		.write = write_answer,
		.gone = peer_gone,
	};
}
