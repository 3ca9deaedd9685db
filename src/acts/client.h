/* client.h - which program is calling: the contract's three security schemes. */

#ifndef POSTERN_ACTS_CLIENT_H
#define POSTERN_ACTS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ids.h"
#include "token/access_token.h"

struct service;
struct client_cache;

/* What the request showed, borrowed from it; NULL where it showed nothing. */
struct client_claim {
	const char *api_key;    /* x-api-key */
	const char *bearer;     /* Authorization: Bearer */
	const char *session_id; /* ?sessionId= */
	const char *cookie;     /* the access cookie */
};

enum client_kind {
	CLIENT_NONE,    /* showed nothing */
	CLIENT_API_KEY,
	CLIENT_SESSION, /* an access token alone */
};

/* Who it is, once client_identify() said OK; the session also when it said
 * TOKEN_INVALID or TOKEN_EXPIRED, of another token beside that one. */
struct client {
	enum client_kind kind;

	/* of an API key */
	bool secret;     /* its scope is "secret", not "publishable" */
	bool remembered; /* taken from the worker's memory: the act's own
	                    statement must ask whether the key still stands */
	struct id user;  /* its owner; nil: nobody, or no key */
	struct id key;

	/* of a session, whose access token is good; also beside an API key */
	bool has_session;
	struct access_claims session;
};

enum client_result {
	CLIENT_OK,
	CLIENT_ABSENT,        /* showed nothing */
	CLIENT_UNKNOWN,       /* API key malformed, unknown, revoked, expired; or
	                         two claims that contradict each other */
	CLIENT_TOKEN_INVALID, /* session id is none of ours */
	CLIENT_TOKEN_EXPIRED,
	CLIENT_UNAVAILABLE,   /* the database did not answer */
	CLIENT_FAILED,        /* the database refused */
};

/* What a worker remembers of API keys; secret-free, but its own.  Never NULL;
 * freeing NULL does nothing. */
struct client_cache *client_cache_new(void);
void client_cache_free(struct client_cache *cache);

/*
 * Find out who calls.  All that is shown must be good; access tokens must be of
 * one session, and an API key's owner must be its person.  An access token is
 * checked by signature and time, without the database.
 *
 * An API key that this worker has verified within the last minute is taken from
 * memory (its digest compared in constant time) when `may_remember`, so that a
 * sign-in needs two round trips; the caller's own statement then asks whether the
 * key still stands, and the caller calls client_forget() when it does not.
 */
enum client_result client_identify(const struct service *service,
    const struct client_claim *claim, bool may_remember, int64_t now_us,
    struct client *client);

void client_forget(const struct service *service, const struct client *client);

#endif
