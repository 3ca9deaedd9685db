/* fuzz_gateway.h - a request made of any bytes, as a web server would hand it
 * over: lines of params, an empty line, the body. */

#ifndef POSTERN_TESTS_FUZZ_GATEWAY_H
#define POSTERN_TESTS_FUZZ_GATEWAY_H

#include <string.h>

#include "base/memory.h"
#include "fuzz.h"
#include "web/gateway.h"

#define FUZZ_PARAMS_LIMIT 32

/* How the peer behaves, by the bits of the input's first byte. */
enum {
	PEER_BREAKS = 1 << 0,     /* off, behind the body */
	PEER_DRIPS = 1 << 1,      /* its bytes come one by one */
	PEER_IS_GONE = 1 << 2,    /* when the answer comes */
	PEER_AUTHORIZER = 1 << 3, /* it asks as one */
	PEER_OTHERWISE = 1 << 4,  /* for the target to give a meaning */
};

struct fuzz_peer {
	struct gateway gateway;
	char *params[FUZZ_PARAMS_LIMIT + 1]; /* a block each, NULL-terminated */
	unsigned manner;
	const uint8_t *body;
	size_t left;
	char *answer; /* what was written, in one piece; NUL behind it */
	size_t answer_size;
	int writes;
};

static inline ssize_t
fuzz_peer_read(void *self, void *bytes, size_t size)
{
	struct fuzz_peer *peer = self;
	size_t got = peer->left < size ? peer->left : size;

	if (peer->left == 0)
		return peer->manner & PEER_BREAKS ? -1 : 0;
	if (peer->manner & PEER_DRIPS && got > 1)
		got = 1;
	memcpy(bytes, peer->body, got);
	peer->body += got;
	peer->left -= got;
	return (ssize_t)got;
}

static inline int
fuzz_peer_write(void *self, const void *bytes, size_t size)
{
	struct fuzz_peer *peer = self;

	peer->writes++;
	free(peer->answer);
	peer->answer = memory_text_part(bytes, size);
	peer->answer_size = size;
	return peer->manner & PEER_IS_GONE ? -1 : 0;
}

static inline bool
fuzz_peer_gone(void *self)
{
	const struct fuzz_peer *peer = self;

	return peer->manner & PEER_IS_GONE;
}

static inline void
fuzz_peer_start(struct fuzz_peer *peer, const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *end = data + size, *stop;
	size_t count = 0;

	memset(peer, 0, sizeof(*peer));
	peer->gateway = (struct gateway){
		.params = (const char *const *)peer->params,
		.read = fuzz_peer_read,
		.write = fuzz_peer_write,
		.gone = fuzz_peer_gone,
		.self = peer,
	};
	if (at < end)
		peer->manner = *at++;
	peer->gateway.authorizer = peer->manner & PEER_AUTHORIZER;
	while (at < end && *at != '\n' && count < FUZZ_PARAMS_LIMIT) {
		stop = memchr(at, '\n', (size_t)(end - at));
		if (stop == NULL)
			stop = end;
		/* A NUL would end it for a web server, too. */
		peer->params[count++] =
		    memory_text_part((const char *)at, (size_t)(stop - at));
		at = stop < end ? stop + 1 : end;
	}
	if (at < end && *at == '\n')
		at++;
	peer->body = at;
	peer->left = (size_t)(end - at);
}

static inline void
fuzz_peer_end(struct fuzz_peer *peer)
{
	for (size_t i = 0; i < FUZZ_PARAMS_LIMIT; i++)
		free(peer->params[i]);
	free(peer->answer);
}

#endif
