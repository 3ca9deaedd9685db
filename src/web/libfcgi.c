/* libfcgi.c - one request through libfcgi. */

#include "web/libfcgi.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"

struct libfcgi {
	FCGX_Request request;
	struct arrival *arrival;
	int source;       /* where the request is read */
	size_t body_left; /* bytes of it that may still be read */
	size_t answer_size;
};

/* The library takes over three signals; give them back. */
static int
start(void)
{
	static const int taken[] = { SIGTERM, SIGUSR1, SIGPIPE };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before[sizeof(taken) / sizeof(taken[0])];
	int result;

	sigaction(SIGPIPE, &ignore, NULL);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaction(taken[i], NULL, &before[i]);
	result = FCGX_Init();
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaction(taken[i], &before[i], NULL);
	return result;
}

struct libfcgi *
libfcgi_new(void)
{
	if (start() != 0) {
		log_error("could not start libfcgi");
		return NULL;
	}
	return memory_zeroed(1, sizeof(struct libfcgi));
}

void
libfcgi_free(struct libfcgi *libfcgi)
{
	free(libfcgi);
}

/* ---- a request comes in -------------------------------------------------- */

/* Hand the request to the library, which then finds all it wants to read. */
static bool
hand_over(struct libfcgi *libfcgi, struct arrival *arrival)
{
	FCGX_Request *request = &libfcgi->request;

	libfcgi->source = arrival_source(arrival);
	if (libfcgi->source == -1)
		return false;
	FCGX_InitRequest(request, -1, 0);
	request->ipcFd = libfcgi->source;
	/* Else it would be closed by the FCGX_Finish_r() that comes first. */
	request->keepConnection = 1;
	/* Closing is plain close(), when it must: lingering is done elsewhere. */
	FCGX_Detach(request);
	if (FCGX_Accept_r(request) == 0) {
		request->ipcFd = arrival->connection;
		return true;
	}
	log_warning("dropped a request: libfcgi would not take it");
	if (!arrival->taken)
		arrival->connection = -1; /* closed */
	return false;
}

bool
libfcgi_begin(struct libfcgi *libfcgi, struct arrival *arrival)
{
	const struct record_scan *scan = &arrival->scan;

	if (!hand_over(libfcgi, arrival))
		return false;
	libfcgi->arrival = arrival;
	libfcgi->body_left = scan->authorizer ? 0 : scan->body_size;
	libfcgi->answer_size = 0;
	return true;
}

const char *const *
libfcgi_params(const struct libfcgi *libfcgi)
{
	return (const char *const *)libfcgi->request.envp;
}

ssize_t
libfcgi_read(struct libfcgi *libfcgi, void *bytes, size_t size)
{
	FCGX_Stream *in = libfcgi->request.in;
	int got;

	/* Behind it stand records that nobody has looked at. */
	if (size > libfcgi->body_left)
		size = libfcgi->body_left;
	if (size == 0)
		return libfcgi->arrival->whole ? 0 : -1;
	libfcgi->request.ipcFd = libfcgi->source;
	got = FCGX_GetStr(bytes, (int)size, in);
	libfcgi->request.ipcFd = libfcgi->arrival->connection;
	if (got != (int)size || FCGX_GetError(in) != 0) {
		log_warning(
		    "could not read a request's body: it was broken off");
		libfcgi->body_left = 0;
		libfcgi->arrival->whole = false;
		return -1;
	}
	libfcgi->body_left -= size;
	return (ssize_t)size;
}

/* ---- an answer goes out -------------------------------------------------- */

int
libfcgi_write(struct libfcgi *libfcgi, const void *bytes, size_t size)
{
	FCGX_Stream *out = libfcgi->request.out;

	/* Kept by the library up to 8 KB, so that a usual answer leaves in one
	 * write() together with the records that end the request. */
	libfcgi->answer_size += size;
	if (FCGX_PutStr(bytes, (int)size, out) != (int)size)
		return -1;
	return FCGX_GetError(out) == 0 ? 0 : -1;
}

size_t
libfcgi_answer_size(const struct libfcgi *libfcgi)
{
	return libfcgi->answer_size;
}

/* Parameters hold cookies and keys, and free() leaves small blocks as they
 * are. */
static void
wipe_params(char **params)
{
	for (; *params != NULL; params++)
		secret_wipe(*params, strlen(*params));
}

void
libfcgi_finish(struct libfcgi *libfcgi, int fd)
{
	FCGX_Request *request = &libfcgi->request;

	request->ipcFd = fd;
	FCGX_FClose(request->err);
	FCGX_FClose(request->out);
	wipe_params(request->envp);
	FCGX_Free(request, 0);
	request->ipcFd = -1;
	if (libfcgi->arrival->taken)
		close(libfcgi->source);
	libfcgi->arrival = NULL;
}
