/* listen.h - the socket that requests come in by. */

#ifndef POSTERN_PROCESS_LISTEN_H
#define POSTERN_PROCESS_LISTEN_H

#include "base/config.h"

enum listen_source {
	LISTEN_BOUND,     /* made here, from the setting "listen" */
	LISTEN_INHERITED, /* fd 0: spawn-fcgi, lighttpd bin-path, mod_fcgid */
	LISTEN_SYSTEMD,   /* fd 3, LISTEN_FDS */
};

struct listener {
	int fd;
	enum listen_source source;
	char name[256];  /* for people: "unix:/run/postern/postern.sock" */
	char *unlink_path; /* of a Unix socket made here, or NULL */
	int one_at_a_time; /* mod_fcgid: one worker a process */
};

/*
 * Find or make the listening socket: the setting "listen" if given, else what
 * systemd passed, else fd 0.  A stale Unix socket is replaced, a live one is
 * refused ("another instance answers there"), any other kind of file is left
 * alone.  Returns 0, or -1 with the reason logged.
 */
int listen_open(const struct config *config, struct listener *listener);

/* Close it; in the parent also remove the path it made. */
void listen_close(struct listener *listener, int remove_path);

#endif
