/* load.c - send one HTTP request again and again over several connections, and
 * count what comes back.
 *
 *   load [-e EVERY_MS] [-f] [-p] PORT CONNECTIONS SECONDS <REQUEST
 *
 * REQUEST is sent as it is, to 127.0.0.1; it asks to keep the connection.  Each
 * connection waits for its answer before it sends again.  When the time is over,
 * answers on their way are waited for.
 *
 *   -e   not more often than every so many milliseconds
 *   -f   follow: the refresh token of an answer takes the place of that in the
 *        request
 *   -p   patient: who is told to come later (Retry-After) does so
 *
 * Prints "took SECONDS", a line "status CODE COUNT" for each status (0: no answer,
 * or a 429 or 503 that does not say when to come again), and a line "ms
 * MILLISECONDS" for each answer of 2xx. */

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
	char *request;
	char answer[ANSWER_SIZE];
	long statuses[600];
	float *samples; /* milliseconds */
	size_t sample_count;
};

static size_t request_size;
static in_port_t port;
static double deadline;
static double every; /* seconds; 0: at once */
static int follows, patient;

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
send_request(const struct client *client)
{
	size_t sent = 0;

	while (sent < request_size) {
		ssize_t put = send(client->fd, client->request + sent,
		    request_size - sent, MSG_NOSIGNAL);

		if (put <= 0)
			return -1;
		sent += (size_t)put;
	}
	return 0;
}

/* The value of a header field of the answer, or NULL. */
static const char *
field_of(const char *answer, const char *name)
{
	const char *end = strstr(answer, "\r\n\r\n");
	const char *field = strcasestr(answer, name);

	return field != NULL && field < end ? field + strlen(name) : NULL;
}

/* The status of one answer, read to its end; 0 when there is none.  *keep tells
 * whether the connection may be used again. */
static int
read_answer(struct client *client, int *keep)
{
	char *answer = client->answer;
	const char *end, *field;
	size_t used = 0, whole = 0;
	int status;

	*keep = 0;
	while (whole == 0 || used < whole) {
		ssize_t got = recv(client->fd, answer + used,
		    ANSWER_SIZE - 1 - used, 0);

		if (got <= 0)
			return 0;
		used += (size_t)got;
		answer[used] = '\0';
		if (whole > 0 || (end = strstr(answer, "\r\n\r\n")) == NULL)
			continue;
		whole = (size_t)(end + 4 - answer);
		field = field_of(answer, "\r\nContent-Length:");
		if (field != NULL)
			whole += strtoul(field, NULL, 10);
		else if (strncmp(answer + 8, " 204 ", 5) != 0)
			return 0;
		if (whole >= ANSWER_SIZE)
			return 0;
		*keep = field_of(answer, "\r\nConnection: close") == NULL;
	}
	status = strncmp(answer, "HTTP/1.", 7) == 0 ?
	    (int)strtol(answer + 9, NULL, 10) :
	    0;
	return status > 0 && status < 600 ? status : 0;
}

#define REFRESH_TOKEN "\"refreshToken\":"

/* Where the refresh token in a JSON text begins, with its quote; or NULL. */
static char *
token_in(char *text)
{
	char *member = strstr(text, REFRESH_TOKEN);

	return member != NULL ? strchr(member + strlen(REFRESH_TOKEN), '"') :
				NULL;
}

/* All refresh tokens are equally long. */
static void
follow(struct client *client)
{
	char *old = token_in(client->request);
	const char *new = token_in(client->answer);

	if (old != NULL && new != NULL)
		memcpy(old, new, strcspn(new + 1, "\"") + 2);
}

/* How long to stay away after this answer, in seconds; -1: it is a refusal that
 * does not say so. */
static double
away(const struct client *client, int status)
{
	const char *field;

	if (status != 429 && status != 503)
		return 0;
	field = field_of(client->answer, "\r\nRetry-After:");
	return field != NULL ? strtod(field, NULL) : -1;
}

/* Not beyond the end. */
static void
rest(double seconds)
{
	double left = deadline - now();

	if (seconds > left)
		seconds = left;
	if (seconds > 0)
		usleep((useconds_t)(seconds * 1e6));
}

static void
ask(struct client *client)
{
	double start = now(), pause;
	int keep = 0, status = 0;

	if (client->fd < 0)
		client->fd = open_connection();
	if (client->fd >= 0 && send_request(client) == 0)
		status = read_answer(client, &keep);
	pause = away(client, status);
	if (pause < 0)
		status = 0;
	if (!keep && client->fd >= 0) {
		close(client->fd);
		client->fd = -1;
	}
	client->statuses[status]++;
	if (status / 100 == 2 && client->sample_count < SAMPLES_LIMIT)
		client->samples[client->sample_count++] =
		    (float)((now() - start) * 1000);
	if (follows && status == 200)
		follow(client);
	if (patient)
		rest(pause);
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

static int
read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "e:fp")) != -1) {
		switch (option) {
		case 'e':
			every = strtod(optarg, NULL) / 1e3;
			break;
		case 'f':
			follows = 1;
			break;
		case 'p':
			patient = 1;
			break;
		default:
			return -1;
		}
	}
	return argc - optind == 3 ? 0 : -1;
}

static int
start_client(struct client *client, const char *request)
{
	client->samples = malloc(SAMPLES_LIMIT * sizeof(float));
	client->request = strdup(request);
	if (client->samples == NULL || client->request == NULL)
		return -1;
	return pthread_create(&client->thread, NULL, run, client);
}

static void
report(const struct client *clients, long count)
{
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
}

int
main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_LIMIT];
	static char request[REQUEST_LIMIT];
	long count = 0;
	double start;

	if (read_options(argc, argv) == 0)
		count = strtol(argv[optind + 1], NULL, 10);
	if (count < 1 || count > CONNECTIONS_LIMIT) {
		fprintf(stderr,
		    "usage: load [-e EVERY_MS] [-f] [-p] PORT CONNECTIONS "
		    "SECONDS <REQUEST\n");
		return 2;
	}
	port = (in_port_t)strtoul(argv[optind], NULL, 10);
	request_size = fread(request, 1, sizeof(request) - 1, stdin);
	start = now();
	deadline = start + strtod(argv[optind + 2], NULL);
	for (long i = 0; i < count; i++)
		if (start_client(&clients[i], request) != 0) {
			fprintf(stderr, "load: could not make a client\n");
			return 1;
		}
	for (long i = 0; i < count; i++)
		pthread_join(clients[i].thread, NULL);

	printf("took %.6f\n", now() - start);
	report(clients, count);
	return 0;
}
