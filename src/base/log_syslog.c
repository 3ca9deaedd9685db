/* log_syslog.c - lines to the system's logger: datagrams to its socket. */

#include "base/log_syslog.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define TAG "postern"

#define HEAD_SIZE 64

/* After the logger was started anew, after it was behind, and for good. */
#define TRIES 3

static int logger = -1;

static bool
find_logger(void)
{
	const struct sockaddr_un address = {
		.sun_family = AF_UNIX,
		.sun_path = "/dev/log",
	};

	if (logger != -1)
		return true;
	logger = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (logger == -1)
		return false;
	if (connect(logger, (const struct sockaddr *)&address,
		sizeof(address)) == 0)
		return true;
	close(logger);
	logger = -1;
	return false;
}

/* "<27>Nov 25 08:04:29 postern[4711]: ", as the C library writes it (RFC 3164). */
static size_t
write_head(int priority, char head[static HEAD_SIZE])
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	return (size_t)snprintf(head, HEAD_SIZE,
	    "<%d>%s %2d %02d:%02d:%02d " TAG "[%ld]: ",
	    LOG_MAKEPRI(LOG_DAEMON, priority), months[local.tm_mon],
	    local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
	    (long)getpid());
}

/* Is the logger worth another try? */
static bool
may_go_on(int stall_ms)
{
	struct pollfd poll_fd = { .fd = logger, .events = POLLOUT };

	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return poll(&poll_fd, 1, stall_ms) == 1;
	if (errno != EINTR) {
		close(logger);
		logger = -1;
	}
	return true;
}

bool
log_syslog(int priority, const char *text, size_t size, int stall_ms)
{
	char head[HEAD_SIZE];
	struct iovec parts[] = {
		{ head, write_head(priority, head) },
		{ (void *)(uintptr_t)text, size },
	};
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	for (int i = 0; i < TRIES; i++) {
		if (!find_logger())
			return false;
		if (sendmsg(logger, &message, MSG_NOSIGNAL) != -1)
			return true;
		if (!may_go_on(stall_ms))
			return false;
	}
	return false;
}
