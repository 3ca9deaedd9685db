/* listen_private.h - what the files listen*.c share and nobody else sees. */

#ifndef POSTERN_PROCESS_LISTEN_PRIVATE_H
#define POSTERN_PROCESS_LISTEN_PRIVATE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "process/listen.h"

union listen_address {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct sockaddr_storage room;
};

/* ---- listen.c ------------------------------------------------------------ */

/* Say in the log why there is no listening by this name; returns -1. */
int listen_failed(const char *name, const char *why);

/* A number of type id_t, written in digits alone; -1 when it is none. */
int64_t listen_number(const char *text);

/* ---- listen_address.c ---------------------------------------------------- */

/* Name the listener's socket, and tell its address.  0, or -1 with errno set. */
int listen_name(struct listener *listener, union listen_address *address);

/* Can only this machine connect? */
bool listen_is_near(const union listen_address *address);

/* ---- listen_bind.c ------------------------------------------------------- */

/* Make the socket that the setting "listen" wants; the listener has its name.  0,
 * or -1 with the reason logged: then the caller unlinks and closes what there is. */
int listen_bind(struct listener *listener, const struct config *config);

#endif
