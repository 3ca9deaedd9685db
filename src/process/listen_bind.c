/* listen_bind.c - listening sockets of our own. */

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "process/listen_private.h"

/* When it is full, lighttpd answers 500; the kernel cuts it to somaxconn. */
#define BACKLOG 1024

/* ---- a Unix socket ------------------------------------------------------- */

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
			   : listen_failed(listener->name, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return listen_failed(listener->name,
		    "a file that is no socket stands there");
	if (is_alive(address))
		return listen_failed(listener->name,
		    "another instance answers there");
	if (unlink(address->sun_path) == -1 && errno != ENOENT)
		return listen_failed(listener->name, strerror(errno));
	return 0;
}

/* The group that the setting names, (gid_t)-1 to leave it.  0 or -1. */
static int
find_group(const struct listener *listener, const char *text, gid_t *gid)
{
	const struct group *group;
	int64_t number = listen_number(text);

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
		return listen_failed(listener->name, "the path is too long");
	memcpy(address.sun_path, path, strlen(path));
	if (find_group(listener, config->listen_group, &gid) != 0 ||
	    clear_path(listener, &address) != 0)
		return -1;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->fd == -1 || bind_path(listener, &address, gid,
				      (mode_t)config->listen_mode) == -1)
		return listen_failed(listener->name, strerror(errno));
	return 0;
}

/* 1: the path leads to the socket made here; 0: it does not; -1: who knows, it may
 * be in a folder that the user of the pool must not search. */
static int
leads_here(const struct listener *listener)
{
	struct stat status;

	if (lstat(listener->path, &status) == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	return status.st_dev == listener->device &&
	       status.st_ino == listener->inode;
}

bool
listen_is_reachable(const struct listener *listener)
{
	return listener->path == NULL || leads_here(listener) != 0;
}

void
listen_unlink(struct listener *listener)
{
	if (listener->path != NULL && leads_here(listener) == 1)
		unlink(listener->path);
	free(listener->path);
	listener->path = NULL;
}

/* ---- a TCP socket -------------------------------------------------------- */

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
		return listen_failed(listener->name, gai_strerror(result));
	result = bind_internet(listener, found);
	freeaddrinfo(found);
	return result == 0 ? 0 : listen_failed(listener->name, strerror(errno));
}

int
listen_bind(struct listener *listener, const struct config *config)
{
	if (strncmp(config->listen, "unix:", 5) == 0)
		return open_local(listener, config);
	return open_internet(listener, config);
}
