/* proxy.c - one process, one poll() loop, told what to do by shared memory. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy.h"
#include "support.h"

#define PAIRS_LIMIT 16
#define CHUNK_SIZE  8192

/* Shared between the test and its proxy. */
struct control {
	atomic_int mode;
	atomic_int cut_side;
	atomic_long cut_after; /* -1: never */
	atomic_bool has_cut;
	atomic_long rounds;
	atomic_long connections;
};

struct proxy {
	struct control *control;
	pid_t pid;
	char directory[80];
};

/* A client and its connection to the server; fds[] by the side they lead to. */
struct pair {
	int fds[2]; /* -1, -1: free */
	enum proxy_side last;
};

static bool
make_address(struct sockaddr_un *address, const char *directory)
{
	int size;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	size = snprintf(address->sun_path, sizeof(address->sun_path),
	    "%s/.s.PGSQL.5432", directory);
	return size > 0 && (size_t)size < sizeof(address->sun_path);
}

/* ---- in the proxy's process ---------------------------------------------- */

static void
close_pair(struct pair *pair)
{
	close(pair->fds[0]);
	close(pair->fds[1]);
	pair->fds[0] = pair->fds[1] = -1;
}

static void
take(int listener, struct pair *pairs, struct control *control)
{
	struct sockaddr_un server;
	struct pair *pair = pairs;
	int client, upstream;

	client = accept(listener, NULL, NULL);
	if (client == -1)
		return;
	while (pair < pairs + PAIRS_LIMIT && pair->fds[0] != -1)
		pair++;
	upstream = socket(AF_UNIX, SOCK_STREAM, 0);
	make_address(&server, getenv("PGHOST"));
	if (pair == pairs + PAIRS_LIMIT ||
	    connect(upstream, (struct sockaddr *)&server, sizeof(server)) != 0) {
		close(client);
		close(upstream);
		return;
	}
	pair->fds[PROXY_TO_CLIENT] = client;
	pair->fds[PROXY_TO_SERVER] = upstream;
	pair->last = PROXY_TO_CLIENT;
	control->connections++;
}

/* How many of `size` bytes may pass before the cut. */
static ssize_t
allow(struct control *control, enum proxy_side side, ssize_t size)
{
	long left = control->cut_after;

	if (left < 0 || control->cut_side != (int)side)
		return size;
	if (size <= left) {
		control->cut_after = left - size;
		return size;
	}
	control->cut_after = -1;
	control->has_cut = true;
	return left;
}

static bool
put(int fd, const char *bytes, ssize_t size)
{
	while (size > 0) {
		ssize_t part = send(fd, bytes, (size_t)size, MSG_NOSIGNAL);

		if (part <= 0)
			return false;
		bytes += part;
		size -= part;
	}
	return true;
}

/* Carry what came from one side to `side`; false when the pair is over. */
static bool
carry(struct pair *pair, enum proxy_side side, struct control *control)
{
	char bytes[CHUNK_SIZE];
	size_t room = control->mode == PROXY_DRIBBLE ? 1 : sizeof(bytes);
	ssize_t size, allowed;

	size = recv(pair->fds[1 - side], bytes, room, 0);
	if (size <= 0)
		return false;
	if (control->mode == PROXY_STALL)
		return true;
	if (side == PROXY_TO_SERVER && pair->last == PROXY_TO_CLIENT)
		control->rounds++;
	pair->last = side;
	allowed = allow(control, side, size);
	return put(pair->fds[side], bytes, allowed) && allowed == size;
}

static void
serve_pair(struct pair *pair, const struct pollfd *polls,
    struct control *control)
{
	int side;

	for (side = 0; side < 2 && pair->fds[0] != -1; side++) {
		/* What one side says goes to the other. */
		if (polls[1 - side].revents != 0 &&
		    !carry(pair, (enum proxy_side)side, control))
			close_pair(pair);
	}
}

static void
serve(int listener, struct control *control)
{
	struct pair pairs[PAIRS_LIMIT];
	struct pollfd polls[2 * PAIRS_LIMIT + 1];
	size_t i;

	memset(pairs, 0xff, sizeof(pairs));
	for (;;) {
		for (i = 0; i < (size_t)2 * PAIRS_LIMIT; i++)
			polls[i] = (struct pollfd){ .events = POLLIN,
				.fd = pairs[i / 2].fds[i % 2] };
		polls[i] = (struct pollfd){ .fd = listener, .events = POLLIN };
		poll(polls, 2 * PAIRS_LIMIT + 1, -1);
		for (i = 0; i < PAIRS_LIMIT; i++)
			serve_pair(&pairs[i], &polls[2 * i], control);
		if (polls[(size_t)2 * PAIRS_LIMIT].revents != 0)
			take(listener, pairs, control);
	}
}

/* ---- in the test's process ----------------------------------------------- */

static int
start_listening(const struct proxy *proxy)
{
	struct sockaddr_un address;
	int fd;

	assert_true(make_address(&address, proxy->directory));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

struct proxy *
proxy_start(void)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	int fd;

	assert_non_null(proxy);
	snprintf(proxy->directory, sizeof(proxy->directory), "%s/proxy.XXXXXX",
	    setting("TMPDIR"));
	assert_non_null(mkdtemp(proxy->directory));
	proxy->control = mmap(NULL, sizeof(*proxy->control),
	    /* -1 is what MAP_ANONYMOUS wants. */
	    /* cppcheck-suppress invalidFunctionArg */
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(proxy->control != MAP_FAILED);
	proxy->control->cut_after = -1;
	fd = start_listening(proxy);
	proxy->pid = fork();
	assert_true(proxy->pid >= 0);
	if (proxy->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd, proxy->control);
	}
	close(fd);
	return proxy;
}

void
proxy_stop(struct proxy *proxy)
{
	char path[sizeof(proxy->directory) + 32];

	kill(proxy->pid, SIGKILL);
	while (waitpid(proxy->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", proxy->directory);
	unlink(path);
	rmdir(proxy->directory);
	munmap(proxy->control, sizeof(*proxy->control));
	free(proxy);
}

const char *
proxy_directory(const struct proxy *proxy)
{
	return proxy->directory;
}

void
proxy_set(struct proxy *proxy, enum proxy_mode mode)
{
	proxy->control->mode = mode;
}

void
proxy_cut_after(struct proxy *proxy, enum proxy_side side, long bytes)
{
	proxy->control->has_cut = false;
	proxy->control->cut_side = side;
	proxy->control->cut_after = bytes;
}

bool
proxy_has_cut(const struct proxy *proxy)
{
	return proxy->control->has_cut;
}

long
proxy_rounds(const struct proxy *proxy)
{
	return proxy->control->rounds;
}

long
proxy_connections(const struct proxy *proxy)
{
	return proxy->control->connections;
}
