/* listen.c - the socket that requests come in by. */

#include "process/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"

/* When it is full, lighttpd answers 500; the kernel cuts it to somaxconn. */
#define BACKLOG 1024

/* Where systemd puts the first socket: sd_listen_fds(3). */
#define SYSTEMD_FD 3

union address {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct sockaddr_storage room;
};

static int
failed(const char *name, const char *why)
{
	log_error("could not listen on \"%s\": %s", name, why);
	return -1;
}

/* A number of type id_t, written in digits alone; -1 when it is none. */
static int64_t
number_of(const char *text)
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

/* ---- names of sockets ---------------------------------------------------- */

static void
name_local(const struct sockaddr_un *address, socklen_t size, char *name,
    size_t room)
{
	size_t length = size - offsetof(struct sockaddr_un, sun_path);
	const char *path = address->sun_path;

	if (length == 0)
		snprintf(name, room, "unix:");
	else if (path[0] == '\0')
		snprintf(name, room, "unix:@%.*s", (int)length - 1, path + 1);
	else
		snprintf(name, room, "unix:%.*s", (int)length, path);
}

static void
name_internet(const struct sockaddr *address, socklen_t size, char *name,
    size_t room)
{
	char host[64], port[8];

	if (getnameinfo(address, size, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(name, room, "an address without a name");
	else if (address->sa_family == AF_INET6)
		snprintf(name, room, "[%s]:%s", host, port);
	else
		snprintf(name, room, "%s:%s", host, port);
}

/* Name the socket, and tell its address. */
static int
name_socket(struct listener *listener, union address *address)
{
	socklen_t size = sizeof(*address);

	memset(address, 0, sizeof(*address));
	if (getsockname(listener->fd, &address->any, &size) != 0)
		return -1;
	if (address->any.sa_family == AF_UNIX)
		name_local(&address->local, size, listener->name,
		    sizeof(listener->name));
	else
		name_internet(&address->any, size, listener->name,
		    sizeof(listener->name));
	return 0;
}

/* Can only this machine connect? */
static bool
is_near(const union address *address)
{
	if (address->any.sa_family == AF_UNIX)
		return true;
	if (address->any.sa_family == AF_INET)
		return ntohl(address->ip4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->ip6.sin6_addr);
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

/* ---- a Unix socket of our own -------------------------------------------- */

/* Does somebody answer at this address?  What cannot be tried counts as
 * alive. */
static bool
is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead;

	if (fd == -1)
		return true;
	dead = connect(fd, (const struct sockaddr *)address,
		   sizeof(*address)) == -1 &&
	       (errno == ECONNREFUSED || errno == ENOENT);
	close(fd);
	return !dead;
}

/* Make room for a socket at a path. */
static int
clear_path(const struct listener *listener, const struct sockaddr_un *address)
{
	struct stat status;

	if (lstat(address->sun_path, &status) == -1)
		return errno == ENOENT
			   ? 0
			   : failed(listener->name, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return failed(listener->name,
		    "a file that is no socket stands there");
	if (is_alive(address))
		return failed(listener->name, "another instance answers there");
	if (unlink(address->sun_path) == -1 && errno != ENOENT)
		return failed(listener->name, strerror(errno));
	return 0;
}

/* The group that the setting names, (gid_t)-1 to leave it.  0 or -1. */
static int
find_group(const struct listener *listener, const char *text, gid_t *gid)
{
	const struct group *group;
	int64_t number = number_of(text);

	*gid = (gid_t)number;
	if (*text == '\0' || number >= 0)
		return 0;
	group = getgrnam(text);
	if (group == NULL) {
		log_error("could not listen on \"%s\": there is no group "
			  "\"%s\" (listen_group)",
		    listener->name, text);
		return -1;
	}
	*gid = group->gr_gid;
	return 0;
}

/*
 * The mode by the mask, and the group without following a link: where others may
 * write to the directory, the name can be somebody else's a moment later.  Nobody
 * can connect before listen().
 */
static int
bind_path(struct listener *listener, const struct sockaddr_un *address,
    gid_t gid, mode_t mode)
{
	mode_t mask = umask(0777 & ~mode);
	int result = bind(listener->fd, (const struct sockaddr *)address,
	    sizeof(*address));
	struct stat status;

	umask(mask);
	if (result == -1)
		return -1;
	listener->path = memory_text(address->sun_path);
	if (lstat(listener->path, &status) == -1)
		return -1;
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
	if (gid != (gid_t)-1 && lchown(listener->path, (uid_t)-1, gid) == -1)
		return -1;
	return listen(listener->fd, BACKLOG);
}

static int
open_local(struct listener *listener, const struct config *config)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = config->listen + strlen("unix:");
	gid_t gid;

	if (strlen(path) >= sizeof(address.sun_path))
		return failed(listener->name, "the path is too long");
	memcpy(address.sun_path, path, strlen(path));
	if (find_group(listener, config->listen_group, &gid) != 0 ||
	    clear_path(listener, &address) != 0)
		return -1;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->fd == -1 || bind_path(listener, &address, gid,
				      (mode_t)config->listen_mode) == -1)
		return failed(listener->name, strerror(errno));
	return 0;
}

/* ---- a TCP socket of our own --------------------------------------------- */

static int
bind_internet(struct listener *listener, const struct addrinfo *found)
{
	const int on = 1;

	listener->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->fd == -1 || setsockopt(listener->fd, SOL_SOCKET,
				      SO_REUSEADDR, &on, sizeof(on)) == -1)
		return -1;
	/* [::] is no other way to say 0.0.0.0. */
	if (found->ai_family == AF_INET6 &&
	    setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		sizeof(on)) == -1)
		return -1;
	if (bind(listener->fd, found->ai_addr, found->ai_addrlen) == -1)
		return -1;
	return listen(listener->fd, BACKLOG);
}

/* HOST:PORT or [HOST]:PORT, the form checked by config.c. */
static int
open_internet(struct listener *listener, const struct config *config)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	const char *text = config->listen;
	const char *colon = strrchr(text, ':');
	size_t size = (size_t)(colon - text);
	struct addrinfo *found;
	char *host;
	int result;

	if (size > 2 && text[0] == '[' && colon[-1] == ']')
		host = memory_text_part(text + 1, size - 2);
	else
		host = memory_text_part(text, size);
	result = getaddrinfo(host, colon + 1, &hints, &found);
	free(host);
	if (result != 0)
		return failed(listener->name, gai_strerror(result));
	result = bind_internet(listener, found);
	freeaddrinfo(found);
	return result == 0 ? 0 : failed(listener->name, strerror(errno));
}

/* ---- a socket that was handed over --------------------------------------- */

/* Did systemd pass a socket to this process (sd_listen_fds(3))?  Children must
 * not think that it was meant for them. */
static bool
has_systemd_socket(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	bool ours = pid != NULL && number_of(pid) == getpid() &&
		    count != NULL && number_of(count) >= 1;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return ours;
}

/* mod_fcgid names a process's socket after itself: "<its pid>.<number>". */
static bool
is_mod_fcgid(const union address *address)
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
	return strncmp(name, parent, size) == 0 && number_of(name + size) >= 0;
}

/* For its "bin-path", lighttpd adds a number to the socket's name, and says how
 * many children it wants in PHP's words. */
bool
listen_is_lighttpds(const struct listener *listener)
{
	const char *number = strrchr(listener->name, '-');

	return listener->source == LISTEN_INHERITED &&
	       getenv("PHP_FCGI_CHILDREN") != NULL && number != NULL &&
	       number_of(number + 1) >= 0;
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
	union address address;
	int type = 0;
	socklen_t size = sizeof(type);

	snprintf(listener->name, sizeof(listener->name), "%s", giver);
	if (!is_listening(fd) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
	    type != SOCK_STREAM)
		return failed(giver, "it is no listening stream socket");
	listener->fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (name_socket(listener, &address) != 0)
		return failed(giver, strerror(errno));
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
		if (strncmp(config->listen, "unix:", 5) == 0)
			return open_local(listener, config);
		return open_internet(listener, config);
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
	union address address;

	memset(listener, 0, sizeof(*listener));
	listener->fd = -1;
	if (open_any(config, listener) != 0 ||
	    listen_set_users(listener, config) != 0) {
		listen_unlink(listener);
		listen_close(listener);
		return -1;
	}
	if (name_socket(listener, &address) == 0 && !is_near(&address))
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
listen_leave(const struct listener *listener, struct succession *succession)
{
	succession->fd = listener->fd;
	succession->source = listener->source;
	succession->one_at_a_time = listener->one_at_a_time;
	succession->has_path = listener->path != NULL;
	succession->device = listener->device;
	succession->inode = listener->inode;
	succession->giver_fd = listener->giver_fd;
}

/* The user whom a name or number means, or -1 (logged). */
static int64_t
find_user(const char *name)
{
	int64_t number = number_of(name);
	const struct passwd *user;

	if (number >= 0)
		return number;
	user = getpwnam(name);
	if (user != NULL)
		return user->pw_uid;
	log_error("there is no user \"%s\" (socket_users)", name);
	return -1;
}

static int
add_user(uid_t **users, size_t *count, const char *text, size_t size)
{
	char *name = memory_text_part(text, size);
	int64_t uid = find_user(name);

	free(name);
	if (uid < 0)
		return -1;
	*users = reallocarray(*users, *count + 1, sizeof(**users));
	if (*users == NULL)
		memory_exhausted();
	(*users)[(*count)++] = (uid_t)uid;
	return 0;
}

int
listen_set_users(struct listener *listener, const struct config *config)
{
	const char *rest = config->socket_users, *item;
	uid_t *users = NULL;
	size_t count = 0, size;
	union address address;

	while ((item = list_next(&rest, &size)) != NULL)
		if (add_user(&users, &count, item, size) != 0)
			goto fail;
	if (count > 0 && name_socket(listener, &address) == 0 &&
	    address.any.sa_family != AF_UNIX) {
		log_error("socket_users needs a Unix socket: who connects to "
			  "\"%s\" cannot be known",
		    listener->name);
		goto fail;
	}
	free(listener->users);
	listener->users = users;
	listener->user_count = count;
	return 0;

fail:
	free(users);
	return -1;
}

void
listen_unlink(struct listener *listener)
{
	struct stat status;

	if (listener->path != NULL && lstat(listener->path, &status) == 0 &&
	    status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		unlink(listener->path);
	free(listener->path);
	listener->path = NULL;
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
