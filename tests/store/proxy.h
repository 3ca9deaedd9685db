/* proxy.h - a process between the store and the server that counts exchanges
 * and fails on request.  It listens on a Unix socket in a directory of its own,
 * so that "host=" of that directory leads through it. */

#ifndef POSTERN_TESTS_STORE_PROXY_H
#define POSTERN_TESTS_STORE_PROXY_H

#include <stdbool.h>

enum proxy_mode {
	PROXY_PASS,    /* as if it were not there */
	PROXY_DRIBBLE, /* one byte at a time */
	PROXY_STALL,   /* takes connections and bytes, gives none on */
};

enum proxy_side {
	PROXY_TO_SERVER,
	PROXY_TO_CLIENT,
};

struct proxy;

struct proxy *proxy_start(void);
void proxy_stop(struct proxy *proxy);

/* The directory of its socket. */
const char *proxy_directory(const struct proxy *proxy);

void proxy_set(struct proxy *proxy, enum proxy_mode mode);

/* Let `bytes` more through to that side, then cut the connection.  Later ones
 * are left alone. */
void proxy_cut_after(struct proxy *proxy, enum proxy_side side, long bytes);

/* Has it cut since it was told to? */
bool proxy_has_cut(const struct proxy *proxy);

/* How often the client has spoken after the server: round trips begun. */
long proxy_rounds(const struct proxy *proxy);

/* Connections taken so far. */
long proxy_connections(const struct proxy *proxy);

#endif
