/* listen_address.c - where a socket listens. */

#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "process/listen_private.h"

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

int
listen_name(struct listener *listener, union listen_address *address)
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

bool
listen_is_near(const union listen_address *address)
{
	if (address->any.sa_family == AF_UNIX)
		return true;
	if (address->any.sa_family == AF_INET)
		return ntohl(address->ip4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->ip6.sin6_addr);
}
