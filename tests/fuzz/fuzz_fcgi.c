/* fuzz_fcgi.c - any bytes, in any pieces, over a real socket and through libfcgi:
 * what comes out is what the records said, and nothing else ever does.
 *
 * Input: a byte that says how large the pieces are (0: one), then what is sent. */

#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz.h"
#include "web/fcgi.h"

#define BODY_LIMIT 300
#define INPUT_MOST 8192

static struct fcgi *fcgi;
static int silent_guest;
static struct sockaddr_un address;
static socklen_t address_size = sizeof(address);

/* ---- what was said, read from the specification -------------------------- */

struct said {
	uint8_t params[INPUT_MOST];
	uint8_t body[INPUT_MOST];
	size_t params_size, body_size;
};

/* The streams of a request that our own reader has found in order, at least up to
 * a body over the limit.  An authorizer's ends with its parameters. */
static void
listen_to(const uint8_t *data, size_t size, bool authorizer,
    struct said *said)
{
	const uint8_t *end = data + size;
	size_t content, here;

	said->params_size = said->body_size = 0;
	while (end - data >= 8) {
		content = (size_t)data[4] << 8 | data[5];
		here = (size_t)(end - data) - 8;
		if (here > content)
			here = content;
		if (data[1] == 4) {
			memcpy(said->params + said->params_size, data + 8,
			    here);
			said->params_size += here;
			if (content == 0 && authorizer)
				return;
		} else if (data[1] == 5) {
			memcpy(said->body + said->body_size, data + 8, here);
			said->body_size += here;
			if (content == 0 || said->body_size > BODY_LIMIT)
				return;
		}
		if ((size_t)(end - data) < 8 + content + data[6])
			return;
		data += 8 + content + data[6];
	}
}

static size_t
take_length(const uint8_t **at)
{
	size_t length = *(*at)++;

	if (length & 0x80) {
		length = (length & 0x7f) << 24 | (size_t)(*at)[0] << 16 |
			 (size_t)(*at)[1] << 8 | (*at)[2];
		*at += 3;
	}
	return length;
}

/* libfcgi puts the role before what was sent. */
static void
check_params(const struct said *said, const char *const *param)
{
	const uint8_t *at = said->params, *end = at + said->params_size;

	MUST(*param != NULL && strncmp(*param, "FCGI_ROLE=", 10) == 0);
	for (param++; at < end; param++) {
		size_t name = take_length(&at), value = take_length(&at);

		MUST(*param != NULL);
		MUST(strlen(*param) == name + 1 + value);
		MUST(memcmp(*param, at, name) == 0);
		MUST((*param)[name] == '=');
		MUST(memcmp(*param + name + 1, at + name, value) == 0);
		at += name + value;
	}
	MUST(at == end && *param == NULL);
}

static void
check_body(const struct said *said, const struct gateway *gateway)
{
	size_t used = 0;
	uint8_t bytes[64];
	ssize_t got;

	while ((got = gateway->read(gateway->self, bytes, sizeof(bytes))) > 0) {
		MUST(used + (size_t)got <= said->body_size);
		MUST(memcmp(bytes, said->body + used, (size_t)got) == 0);
		used += (size_t)got;
	}
	if (gateway->authorizer)
		MUST(used == 0 && got == 0);
	else if (got == 0)
		MUST(used == said->body_size && used <= BODY_LIMIT);
	else
		MUST(used > BODY_LIMIT);
}

/* ---- the worker ---------------------------------------------------------- */

static void
serve(const uint8_t *data, size_t size)
{
	static struct said said;
	struct gateway gateway;

	if (fcgi_begin(fcgi, &gateway) != 0)
		return;
	listen_to(data, size, gateway.authorizer, &said);
	check_params(&said, gateway.params);
	check_body(&said, &gateway);
	MUST(gateway.write(gateway.self, "Status: 200\r\n\r\n", 15) == 0);
	fcgi_finish(fcgi);
}

/* Until there is nothing to do: somebody always wakes this worker, so it never
 * waits. */
static void
work(const uint8_t *data, size_t size)
{
	for (;;) {
		switch (fcgi_accept(fcgi, true)) {
		case FCGI_ACCEPTED:
			serve(data, size);
			break;
		case FCGI_WOKEN:
			return;
		case FCGI_NOBODY:
		case FCGI_SHUT:
		case FCGI_QUIET:
		case FCGI_BROKEN:
			MUST(0); /* nobody, where somebody wakes */
		}
	}
}

static int
knock(void)
{
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Nothing leaks: this number is low for ever. */
	MUST(client != -1 && client < 64);
	MUST(connect(client, (struct sockaddr *)&address, address_size) == 0);
	return client;
}

static void
open_door(void)
{
	struct fcgi_options options = {
		.io_timeout_ms = 600000,
		.body_limit = BODY_LIMIT,
		.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.wake_fd = eventfd(1, EFD_CLOEXEC),
	};

	log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_ERROR);
	MUST(options.listen_fd != -1 && options.wake_fd != -1);
	address.sun_family = AF_UNIX;
	/* A name that the kernel chooses. */
	MUST(bind(options.listen_fd, (struct sockaddr *)&address,
		 sizeof(sa_family_t)) == 0);
	MUST(listen(options.listen_fd, 4) == 0);
	MUST(getsockname(options.listen_fd, (struct sockaddr *)&address,
		 &address_size) == 0);
	fcgi = fcgi_open(&options);
	MUST(fcgi != NULL);

	/* A worker that has a guest waits on the spot for nobody. */
	silent_guest = knock();
	work(NULL, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece, at;
	int client;

	if (size == 0 || size > INPUT_MOST)
		return 0;
	if (fcgi == NULL)
		open_door();
	piece = data[0];
	data++;
	size--;
	client = knock();
	for (at = 0; piece != 0 && at + piece < size; at += piece) {
		/* It may have hung up on us already. */
		if (send(client, data + at, piece, MSG_NOSIGNAL) == -1)
			break;
		work(data, size);
	}
	send(client, data + at, size - at, MSG_NOSIGNAL);
	shutdown(client, SHUT_WR);
	work(data, size);
	close(client);
	return 0;
}
