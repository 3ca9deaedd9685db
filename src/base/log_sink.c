/* log_sink.c - where the lines of the log go. */

#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_syslog.h"
#include "base/metrics.h"

/* How long a line waits for a reader that is behind. */
#define STALL_MS 200

static struct {
	char *path; /* of a file, else NULL */
	int fd;     /* -1: syslog */
	uint64_t lost; /* lines that nobody could take, since the last one */
	bool cut;      /* of the last of them, the beginning is there */
} sink = { NULL, STDERR_FILENO, 0, false };

/* stderr, in a way that lets nobody wait for its reader. */
static struct {
	int fd;
	bool is_socket; /* as systemd's journal is */
	bool is_shared; /* it would make us wait */
} standard = { STDERR_FILENO, false, false };

/* ---- the target ---------------------------------------------------------- */

static int
open_file(const char *path)
{
	/* O_NONBLOCK: a FIFO that nobody reads must not stop the service. */
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
}

/*
 * A pipe or terminal whose reader does not read would hold us up for ever; but it
 * is not ours alone, so O_NONBLOCK is not ours to set.  It is opened once more.
 * That fails for a socket, which can be told with each line; and for a pipe that
 * another user made, which is asked before each line whether it has room.
 */
static void
find_standard(void)
{
	struct stat status;
	int fd;

	if (standard.fd != STDERR_FILENO)
		close(standard.fd);
	standard.fd = STDERR_FILENO;
	standard.is_socket = standard.is_shared = false;
	if (fstat(STDERR_FILENO, &status) == -1)
		return;
	standard.is_socket = S_ISSOCK(status.st_mode);
	if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
		return;
	fd = open("/proc/self/fd/2",
	    O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd != -1)
		standard.fd = fd;
	standard.is_shared = fd == -1;
}

/* Take a new target; what the old one held is released. */
static void
sink_set(int fd, char *path)
{
	if (sink.path != NULL)
		close(sink.fd);
	if (path != sink.path)
		free(sink.path);
	sink.fd = fd;
	sink.path = path;
}

int
log_sink_open(const char *target)
{
	char *path;
	int fd;

	if (strcmp(target, "stderr") == 0) {
		sink_set(STDERR_FILENO, NULL);
	} else if (strcmp(target, "syslog") == 0) {
		sink_set(-1, NULL);
	} else {
		fd = open_file(target);
		if (fd == -1)
			return -1;
		path = strdup(target);
		if (path == NULL) {
			close(fd);
			errno = ENOMEM;
			return -1;
		}
		sink_set(fd, path);
	}
	find_standard();
	return 0;
}

int
log_sink_reopen(void)
{
	int fd;

	if (sink.path == NULL)
		return 0;
	fd = open_file(sink.path);
	if (fd == -1)
		return -1;
	sink_set(fd, sink.path);
	return 0;
}

int
log_sink_fd(void)
{
	return sink.fd;
}

/* ---- writing ------------------------------------------------------------- */

/* Wait until the reader takes more; false when it does not in time. */
static bool
wait_for_reader(int fd, int64_t deadline_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int64_t left = deadline_ms - clock_steady_ms();

	if (left <= 0)
		return false;
	return poll(&poll_fd, 1, (int)left) != 0;
}

/* What errno says: is it worth another try, now? */
static bool
may_go_on(int fd, int64_t deadline_ms)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return wait_for_reader(fd, deadline_ms);
	return errno == EINTR;
}

static ssize_t
write_some(int fd, const char *text, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	if (fd == standard.fd && standard.is_socket)
		return send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (fd == standard.fd && standard.is_shared &&
	    poll(&poll_fd, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, text, size);
}

/*
 * Write a whole line; a target that is behind gets `stall_ms` to catch up.  Files
 * that are appended to, pipes and sockets take a line of LOG_LINE_SIZE whole or
 * not at all, so lines of several processes are never mixed; but for a disk that
 * has just become full.
 */
static bool
write_line(int fd, const char *text, size_t size, int stall_ms)
{
	int64_t deadline_ms = clock_steady_ms() + stall_ms;
	const char *start = text;
	ssize_t put;

	while (size > 0) {
		put = write_some(fd, text, size);
		if (put > 0) {
			text += put;
			size -= (size_t)put;
		} else if (put == 0 || !may_go_on(fd, deadline_ms)) {
			sink.cut = sink.cut || text != start;
			return false;
		}
	}
	return true;
}

/* To where the log is wanted. */
static bool
sink_take(int priority, const char *text, size_t size)
{
	/* Once it is stuck, nobody waits for it again. */
	int stall_ms = sink.lost == 0 ? STALL_MS : 0;
	int fd = sink.fd == STDERR_FILENO ? standard.fd : sink.fd;

	if (fd == -1)
		return log_syslog(priority, text, size - 1, stall_ms);
	/* What follows is not to be taken for its end. */
	if (sink.cut && write_some(fd, "\n", 1) == 1)
		sink.cut = false;
	return write_line(fd, text, size, stall_ms);
}

bool
log_sink_write(int priority, const char *text, size_t size)
{
	if (sink_take(priority, text, size))
		return true;
	if (sink.fd != STDERR_FILENO && write_line(standard.fd, text, size, 0))
		return false;
	sink.lost++;
	metrics_count(METRICS_LOG_LOST, 0);
	return false;
}

uint64_t
log_sink_lost(void)
{
	uint64_t lost = sink.lost;

	sink.lost = 0;
	return lost;
}

void
log_sink_tell_again(uint64_t lost)
{
	if (sink.lost > 0)
		sink.lost += lost;
}
