/* listen.h - the socket that requests come in by. */

#ifndef POSTERN_PROCESS_LISTEN_H
#define POSTERN_PROCESS_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/config.h"
#include "process/succession.h"

enum listen_source {
	LISTEN_BOUND,     /* made here, from the setting "listen" */
	LISTEN_INHERITED, /* fd 0: spawn-fcgi, lighttpd bin-path, mod_fcgid */
	LISTEN_SYSTEMD,   /* fd 3, LISTEN_FDS */
};

struct listener {
	int fd;
	enum listen_source source;
	char name[256];     /* for people: "unix:/run/postern/postern.sock" */
	bool one_at_a_time; /* mod_fcgid never sends a process two requests at
	                       once: one worker will do */

	/* Who may connect, from the setting "socket_users"; none: everybody. */
	uid_t *users;
	size_t user_count;

	/* Who handed the socket over and would end with it, as pidfd_open(2) has
	 * it: lighttpd, for its "bin-path".  0: nobody, or it cannot be seen. */
	int giver_fd;

	/* The Unix socket made here, or NULL; and which file that was. */
	char *path;
	dev_t device;
	ino_t inode;
};

/*
 * Find or make the listening socket: the setting "listen" if given, else what
 * systemd passed (its variables are removed from the environment), else fd 0.
 * A stale Unix socket is replaced, a live one is refused ("another instance
 * answers there"), any other kind of file is left alone.  An address beyond
 * this machine is warned of, since whoever can connect is believed.  Returns 0,
 * or -1 with the reason logged and nothing open.
 */
int listen_open(const struct config *config, struct listener *listener);

/* Take over the socket of the program before this one, and leave it to the one
 * after this.  A socket that the settings would make anew stays as it is, which
 * is warned of when it can be told.  listen_adopt() returns 0, or -1 with the
 * reason logged and nothing open. */
int listen_adopt(const struct config *config,
    const struct succession *succession, struct listener *listener);
void listen_bequeath(const struct listener *listener,
    struct succession *succession);

/* Take the setting "socket_users" anew.  0, or -1 with the reason logged and
 * the users as they were: an unknown name, or names for a TCP socket. */
int listen_set_users(struct listener *listener, const struct config *config);

/* Was the socket handed over by lighttpd, for its "bin-path"? */
bool listen_is_lighttpds(const struct listener *listener);

/* False when the path of a socket made here leads to it no more; true for all other
 * sockets. */
bool listen_is_reachable(const struct listener *listener);

/* Remove the path of a socket made here, unless another has taken it over:
 * nobody new comes in.  For the parent. */
void listen_unlink(struct listener *listener);

/*
 * Nobody new can connect, but whoever has connected can still be accepted; poll()
 * says POLLHUP from then on.  So nobody is let in whom nobody will serve, however close
 * he comes to the end.  Only for a Unix socket that is ours alone; false, and
 * nothing done, for any other.  For the parent, once workers know that they are to
 * leave, and for workers that have lost theirs.
 */
bool listen_shut(const struct listener *listener);

void listen_close(struct listener *listener);

#endif
