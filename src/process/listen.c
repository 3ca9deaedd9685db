/* listen.c - the socket that requests come in by. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "process/listen_private.h"

/* Where systemd puts the first socket: sd_listen_fds(3). */
#define SYSTEMD_FD 3

int
listen_failed(const char *name, const char *why)
{
	log_error("could not listen on \"%s\": %s", name, why);
	return -1;
}

int64_t
listen_number(const char *text)
{
	int64_t number = 0;

	if (*text == '\0')
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || number > INT32_MAX)
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

static bool
is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) ==
		   0 &&
	       listening != 0;
}

/* ---- a socket that was handed over --------------------------------------- */

/* Did systemd pass a socket to this process (sd_listen_fds(3))?  Children must
 * not think that it was meant for them. */
static bool
has_systemd_socket(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	bool ours = pid != NULL && listen_number(pid) == getpid() &&
		    count != NULL && listen_number(count) >= 1;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return ours;
}

/* mod_fcgid names a process's socket after itself: "<its pid>.<number>". */
static bool
is_mod_fcgid(const union listen_address *address)
{
	const char *path = address->local.sun_path;
	const char *name = strrchr(path, '/');
	char parent[24];
	size_t size;

	if (address->any.sa_family != AF_UNIX || name == NULL)
		return false;
	name++;
	size =
	    (size_t)snprintf(parent, sizeof(parent), "%ld.", (long)getppid());
	return strncmp(name, parent, size) == 0 &&
	       listen_number(name + size) >= 0;
}

/* For its "bin-path", lighttpd adds a number to the socket's name, and says how
 * many children it wants in PHP's words. */
bool
listen_is_lighttpds(const struct listener *listener)
{
	const char *number = strrchr(listener->name, '-');

	return listener->source == LISTEN_INHERITED &&
	       getenv("PHP_FCGI_CHILDREN") != NULL && number != NULL &&
	       listen_number(number + 1) >= 0;
}

/* The process that started us, as long as it is there. */
static int
see_giver(void)
{
	pid_t pid = getppid();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd == -1)
		return 0;
	if (getppid() == pid)
		return fd;
	close(fd);
	return 0;
}

static int
open_inherited(struct listener *listener, int fd, const char *giver)
{
	union listen_address address;
	int type = 0;
	socklen_t size = sizeof(type);

	snprintf(listener->name, sizeof(listener->name), "%s", giver);
	if (!is_listening(fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
	    type != SOCK_STREAM)
		return listen_failed(giver, "it is no listening stream socket");
	listener->fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (listen_name(listener, &address) != 0)
		return listen_failed(giver, strerror(errno));
	listener->one_at_a_time =
	    listener->source == LISTEN_INHERITED && is_mod_fcgid(&address);
	return 0;
}

/* ---- all together -------------------------------------------------------- */

static int
open_any(const struct config *config, struct listener *listener)
{
	bool systemd = has_systemd_socket();

	if (*config->listen != '\0') {
		if (systemd || is_listening(STDIN_FILENO))
			log_warning(
			    "the setting listen is followed; the socket "
			    "that was handed over is not used");
		listener->source = LISTEN_BOUND;
		snprintf(listener->name, sizeof(listener->name), "%s",
		    config->listen);
		return listen_bind(listener, config);
	}
	if (systemd) {
		listener->source = LISTEN_SYSTEMD;
		return open_inherited(listener, SYSTEMD_FD,
		    "systemd's first socket");
	}
	if (is_listening(STDIN_FILENO)) {
		listener->source = LISTEN_INHERITED;
		if (open_inherited(listener, STDIN_FILENO,
			"standard input") != 0)
			return -1;
		if (listen_is_lighttpds(listener))
			listener->giver_fd = see_giver();
		return 0;
	}
	log_error("there is no socket to listen on: give one with --listen "
		  "unix:PATH or HOST:PORT, or let spawn-fcgi, systemd or a web "
		  "server start this program");
	return -1;
}

int
listen_open(const struct config *config, struct listener *listener)
{
	union listen_address address;

	memset(listener, 0, sizeof(*listener));
	listener->fd = -1;
	if (open_any(config, listener) != 0 ||
	    listen_set_users(listener, config) != 0) {
		listen_unlink(listener);
		listen_close(listener);
		return -1;
	}
	if (listen_name(listener, &address) == 0 && !listen_is_near(&address))
		log_warning("%s can be reached from beyond this machine: "
			    "whoever connects there is believed to be your web "
			    "server",
		    listener->name);
	return 0;
}

/* Of a path, only a Unix socket that was made here. */
static void
adopt_path(struct listener *listener, const struct succession *succession)
{
	const char *path = listener->name + strlen("unix:");

	if (!succession->has_path)
		return;
	listener->path = memory_text(path);
	listener->device = (dev_t)succession->device;
	listener->inode = (ino_t)succession->inode;
}

static bool
is_other(const struct listener *listener, const struct config *config)
{
	if (listener->source != LISTEN_BOUND)
		return *config->listen != '\0';
	return listener->path != NULL &&
	       strcmp(config->listen, listener->name) != 0;
}

int
listen_adopt(const struct config *config, const struct succession *succession,
    struct listener *listener)
{
	memset(listener, 0, sizeof(*listener));
	listener->fd = -1;
	listener->source = (enum listen_source)succession->source;
	if (open_inherited(listener, succession->fd,
		"the socket of the program before") != 0)
		return -1;
	listener->one_at_a_time = succession->one_at_a_time;
	listener->giver_fd = succession->giver_fd;
	if (listener->giver_fd != 0)
		fcntl(listener->giver_fd, F_SETFD, FD_CLOEXEC);
	adopt_path(listener, succession);
	if (listen_set_users(listener, config) != 0) {
		listen_close(listener);
		return -1;
	}
	if (is_other(listener, config))
		log_warning("the new value of listen takes effect at the next "
			    "start");
	return 0;
}

void
listen_bequeath(const struct listener *listener, struct succession *succession)
{
	succession->fd = listener->fd;
	succession->source = listener->source;
	succession->one_at_a_time = listener->one_at_a_time;
	succession->has_path = listener->path != NULL;
	succession->device = listener->device;
	succession->inode = listener->inode;
	succession->giver_fd = listener->giver_fd;
}

/* What spawn-fcgi or systemd hands over may be handed to others, too; and a TCP
 * socket would forget those who wait. */
bool
listen_shut(const struct listener *listener)
{
	bool ours = listener->source == LISTEN_BOUND ||
		    listener->one_at_a_time || listen_is_lighttpds(listener);

	return ours && strncmp(listener->name, "unix:", 5) == 0 &&
	       shutdown(listener->fd, SHUT_RDWR) == 0;
}

void
listen_close(struct listener *listener)
{
	if (listener->fd != -1)
		close(listener->fd);
	listener->fd = -1;
	if (listener->giver_fd != 0)
		close(listener->giver_fd);
	listener->giver_fd = 0;
	free(listener->path);
	listener->path = NULL;
	free(listener->users);
	listener->users = NULL;
	listener->user_count = 0;
}
