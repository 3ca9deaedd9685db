/* empty.c - a FastCGI program that answers "204" to everything and does nothing
 * else: what libfcgi and the web server cost by themselves.
 *
 *   empty SOCKET PROCESSES
 *
 * Listens on a Unix socket, which it makes, and answers in so many processes until
 * it gets a SIGTERM. */

#define _GNU_SOURCE

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcgiapp.h>

static void
answer_all(int listener)
{
	FCGX_Request request;

	FCGX_InitRequest(&request, listener, 0);
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutS("Status: 204 No Content\r\n\r\n", request.out);
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	int listener;

	if (count < 1 || count > 1024) {
		fprintf(stderr, "usage: empty SOCKET PROCESSES\n");
		return 2;
	}
	listener = FCGX_OpenSocket(argv[1], 1024);
	if (listener < 0 || FCGX_Init() != 0)
		return 1;
	for (long i = 0; i < count; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			answer_all(listener);
			return 1;
		}
	signal(SIGTERM, SIG_DFL);
	while (wait(NULL) > 0)
		;
	return 1;
}
