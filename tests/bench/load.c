/* load.c - send one HTTP request again and again over several connections, and
 * count what comes back.
 *
 *   load PORT CONNECTIONS SECONDS [EVERY_MS] <REQUEST
 *
 * REQUEST is sent as it is, to 127.0.0.1; it asks to keep the connection.  Each
 * connection waits for its answer before it sends again, and for its next turn
 * when EVERY_MS is given.  When the time is over, answers on their way are waited
 * for.  Prints "took SECONDS", a line "status CODE COUNT" for each status (0: no
 * answer), and a line "ms MILLISECONDS" for each answer of 2xx. */

#define _GNU_SOURCE /* strcasestr */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_LIMIT 1024
#define SAMPLES_LIMIT     200000
#define REQUEST_LIMIT     65536
#define ANSWER_SIZE       65536
#define PATIENCE_SECONDS  60

struct client {
	pthread_t thread;
	int fd; /* -1: not connected */
	long statuses[600];
	float *samples; /* milliseconds */
	size_t sample_count;
};

static char request[REQUEST_LIMIT];
static size_t request_size;
static in_port_t port;
static double deadline;
static double every; /* seconds; 0: at once */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
open_connection(void)
{
	struct sockaddr_in there = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
send_request(int fd)
{
	size_t sent = 0;

	while (sent < request_size) {
		ssize_t put = send(fd, request + sent, request_size - sent,
		    MSG_NOSIGNAL);

		if (put <= 0)
			return -1;
		sent += (size_t)put;
	}
	return 0;
}

/* The status of one answer, read to its end; 0 when there is none.  *keep tells
 * whether the connection may be used again. */
static int
read_answer(int fd, int *keep)
{
	char answer[ANSWER_SIZE];
	char *end, *field;
	size_t used = 0, whole = 0;
	int status;

	*keep = 0;
	while (whole == 0 || used < whole) {
		ssize_t got = recv(fd, answer + used,
		    sizeof(answer) - 1 - used, 0);

		if (got <= 0)
			return 0;
		used += (size_t)got;
		answer[used] = '\0';
		if (whole > 0 || (end = strstr(answer, "\r\n\r\n")) == NULL)
			continue;
		whole = (size_t)(end + 4 - answer);
		field = strcasestr(answer, "\r\nContent-Length:");
		if (field != NULL && field < end)
			whole += strtoul(field + strlen("\r\nContent-Length:"),
			    NULL, 10);
		else if (strncmp(answer + 8, " 204 ", 5) != 0)
			return 0;
		if (whole >= sizeof(answer))
			return 0;
		field = strcasestr(answer, "\r\nConnection: close");
		*keep = field == NULL || field > end;
	}
	status = strncmp(answer, "HTTP/1.", 7) == 0 ?
	    (int)strtol(answer + 9, NULL, 10) :
	    0;
	return status > 0 && status < 600 ? status : 0;
}

static void
ask(struct client *client)
{
	double start = now();
	int keep = 0, status = 0;

	if (client->fd < 0)
		client->fd = open_connection();
	if (client->fd >= 0 && send_request(client->fd) == 0)
		status = read_answer(client->fd, &keep);
	if (!keep && client->fd >= 0) {
		close(client->fd);
		client->fd = -1;
	}
	client->statuses[status]++;
	if (status / 100 == 2 && client->sample_count < SAMPLES_LIMIT)
		client->samples[client->sample_count++] =
		    (float)((now() - start) * 1000);
	if (status == 0)
		usleep(10000); /* do not spin on a dead server */
}

static void *
run(void *argument)
{
	struct client *client = argument;
	double turn = now();

	client->fd = -1;
	while (now() < deadline) {
		ask(client);
		turn += every;
		if (turn > now())
			usleep((useconds_t)((turn - now()) * 1e6));
	}
	if (client->fd >= 0)
		close(client->fd);
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_LIMIT];
	long count = argc == 4 || argc == 5 ? strtol(argv[2], NULL, 10) : 0;
	double start;

	if (count < 1 || count > CONNECTIONS_LIMIT) {
		fprintf(stderr,
		    "usage: load PORT CONNECTIONS SECONDS [EVERY_MS] "
		    "<REQUEST\n");
		return 2;
	}
	port = (in_port_t)strtoul(argv[1], NULL, 10);
	request_size = fread(request, 1, sizeof(request), stdin);
	start = now();
	deadline = start + strtod(argv[3], NULL);
	every = argc == 5 ? strtod(argv[4], NULL) / 1e3 : 0;
	for (long i = 0; i < count; i++) {
		clients[i].samples = malloc(SAMPLES_LIMIT * sizeof(float));
		if (clients[i].samples == NULL ||
		    pthread_create(&clients[i].thread, NULL, run,
			&clients[i]) != 0) {
			fprintf(stderr, "load: could not make a client\n");
			return 1;
		}
	}
	for (long i = 0; i < count; i++)
		pthread_join(clients[i].thread, NULL);

	printf("took %.6f\n", now() - start);
	for (int status = 0; status < 600; status++) {
		long sum = 0;

		for (long i = 0; i < count; i++)
			sum += clients[i].statuses[status];
		if (sum > 0)
			printf("status %d %ld\n", status, sum);
	}
	for (long i = 0; i < count; i++)
		for (size_t j = 0; j < clients[i].sample_count; j++)
			printf("ms %.3f\n", (double)clients[i].samples[j]);
	return 0;
}
