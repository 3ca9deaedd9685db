/* client.h - which program is calling: the contract's three security schemes. */

#ifndef POSTERN_ACTS_CLIENT_H
#define POSTERN_ACTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"

struct service;
struct client_cache;

/* What the request showed, borrowed from it; NULL where it showed nothing. */
struct client_claim {
	const char *api_key;    /* x-api-key */
	const char *bearer;     /* Authorization: Bearer */
	const char *session_id; /* ?sessionId= */
};

enum client_kind {
	CLIENT_NONE,    /* showed nothing */
	CLIENT_API_KEY,
};

/* Who it is, once client_identify() said OK. */
struct client {
	enum client_kind kind;
	bool secret;      /* an API key of scope "secret" */
	bool remembered;  /* taken from the worker's memory: the next statement
	                     must ask whether the key still stands */
	struct id user;   /* the key's owner, nil for nobody */
	struct id key;
};

enum client_result {
	CLIENT_OK,
	CLIENT_ABSENT,      /* showed nothing */
	CLIENT_UNKNOWN,     /* malformed, unknown, revoked or expired */
	CLIENT_UNAVAILABLE, /* the database did not answer */
	CLIENT_FAILED,      /* the database refused */
};

struct client_cache *client_cache_new(void);
void client_cache_free(struct client_cache *cache);

/*
 * Find out who calls.  A key that this worker has verified within the last
 * minute is taken from memory (its digest compared in constant time) when
 * `may_remember`, so that a sign-in needs two round trips; the caller then asks
 * the database in its own statement whether the key still stands, and calls
 * client_forget() when it does not.
 */
enum client_result client_identify(const struct service *service,
    const struct client_claim *claim, bool may_remember, int64_t now_us,
    struct client *client);

void client_forget(const struct service *service, const struct client *client);

#endif
