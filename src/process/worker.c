/* worker.c - one child's life. */

#include "process/worker.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "acts/client.h"
#include "acts/ended.h"
#include "acts/service.h"
#include "acts/throttle.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "hash/password.h"
#include "process/confine.h"
#include "store/statements.h"
#include "web/cgi.h"
#include "web/fcgi.h"
#include "web/route.h"

/* How much longer than the parent a worker's own alarm waits. */
#define ALARM_GRACE_MS 3000

/* Those who wait at the socket when the service stops are served for so long;
 * where others can still come in, they might never end. */
#define EMPTY_MS 2000

/* From the first of several that hear of something to the last. */
#define HEARSAY_MS 1000

/* What a worker may take beyond what it has when it is ready: one hash of the
 * largest cost that is allowed, 256 MiB, and the half of that beside. */
#define MEMORY_BEYOND ((size_t)384 << 20)

struct worker {
	const struct worker_start *start;
	struct service service;
	struct fcgi *fcgi;
	int signal_fd;
	bool leaving;
	bool orphaned; /* its last alarm runs */
	int64_t empty_until_ms; /* to serve those who wait, and leave; or 0 */
	uint64_t served;
	uint64_t limit; /* 0: none */
};

/* ---- what surrounds a worker --------------------------------------------- */

/*
 * End when the parent ends: else we would go on serving a socket that a new
 * parent's workers serve as well.  A busy worker finishes first; should it
 * never, there is nobody to end it but its own alarm.  False: it is gone
 * already.
 */
static bool
follow_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	return getppid() == parent;
}

void
worker_handle(int number, void (*handler)(int))
{
	const struct sigaction action = { .sa_handler = handler };

	sigaction(number, &action, NULL);
}

/* Take signals from a file descriptor, in the order of the loop.  What a
 * terminal sends to all of its processes is for the parent, who tells us what
 * follows. */
static int
take_signals(void)
{
	sigset_t ours;

	worker_handle(SIGINT, SIG_IGN);
	worker_handle(SIGHUP, SIG_IGN);
	worker_handle(SIGQUIT, SIG_IGN);
	worker_handle(SIGALRM, SIG_DFL);
	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGUSR1);
	sigaddset(&ours, SIGUSR2);
	sigprocmask(SIG_SETMASK, &ours, NULL);
	return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Serve until nobody waits at the socket any more. */
static void
begin_emptying(struct worker *worker)
{
	worker->empty_until_ms = clock_steady_ms() + EMPTY_MS;
}

/* Death by SIGALRM after so long; 0 calls it off. */
static void
set_alarm(int64_t ms)
{
	const struct itimerval timer = {
		.it_value = {
			.tv_sec = (time_t)(ms / 1000),
			.tv_usec = (suseconds_t)(ms % 1000 * 1000),
		},
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* For one request; without a parent, who would see to that, for all that a worker
 * has let in. */
static void
give_time(const struct worker *worker)
{
	if (!worker->orphaned)
		set_alarm(worker->start->config->request_deadline_ms +
		    ALARM_GRACE_MS);
}

/* Those who replace us have another list of sessions that ended; and the alarm set
 * here is the last one. */
static void
become_orphan(struct worker *worker)
{
	ended_suspend(worker->start->ended);
	give_time(worker);
	worker->orphaned = true;
}

/* Where nobody takes our parent's place, we are the last who can serve those at a
 * door of our own; and lighttpd and mod_fcgid turn to nobody else while that is
 * open. */
static void
leave(struct worker *worker)
{
	const struct worker_start *start = worker->start;

	if (getppid() != start->parent)
		become_orphan(worker);
	if (worker->orphaned && !start->outlived &&
	    listen_shut(start->listener))
		begin_emptying(worker);
	else
		worker->leaving = true;
}

static void
read_signals(struct worker *worker)
{
	struct signalfd_siginfo info;

	while (read(worker->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			leave(worker);
		else if (info.ssi_signo == SIGUSR2)
			begin_emptying(worker);
		else if (log_reopen() == -1)
			log_error("could not open the log again: %s",
			    strerror(errno));
	}
}

/* ---- what a worker holds ------------------------------------------------- */

static void
open_service(struct service *service, const struct config *config,
    struct keys *keys, struct gate *gate, struct outage *outage)
{
	const struct db_options options = {
		.conninfo = config->database,
		.program = "postern",
		.statements = statements,
		.statement_count = STATEMENT_COUNT,
		.prepare = config->db_prepare,
		.awaits_schema = true,
		.timeout_ms = config->db_timeout_ms,
		.outage = outage,
	};

	service->config = config;
	service->keys = keys;
	service->db = db_open(&options);
	service->clients = client_cache_new();
	service->tokens = access_cache_new();
	service->gate = gate;
}

static void
close_service(struct service *service)
{
	access_cache_free(service->tokens);
	client_cache_free(service->clients);
	db_close(service->db);
	keys_close(service->keys);
}

struct gate *
worker_prepare(const struct gate_plan *plan)
{
	struct gate *gate = gate_new(&plan->options);

	if (gate != NULL)
		password_init(&plan->options.cost);
	return gate;
}

/* After how many requests to leave: each worker a little earlier than the next,
 * so that not all do at once. */
static uint64_t
request_limit(const struct config *config, int slot)
{
	uint64_t most = (uint64_t)config->max_requests;

	return most - most / 32 * (uint64_t)(slot % 8);
}

static int
open_worker(struct worker *worker, const struct worker_start *start)
{
	const struct config *config = start->config;
	const struct listener *listener = start->listener;
	const struct fcgi_options options = {
		.listen_fd = listener->fd,
		.wake_fd = worker->signal_fd,
		.io_timeout_ms = config->io_timeout_ms,
		.body_limit = (size_t)config->body_limit,
		.users = listener->users,
		.user_count = listener->user_count,
		.board = start->board,
		.slot = start->slot,
		.one_at_a_time = listener->one_at_a_time,
	};

	worker->start = start;
	worker->limit = request_limit(config, start->slot);
	worker->fcgi = fcgi_open(&options);
	if (worker->fcgi == NULL)
		return -1;
	open_service(&worker->service, config, start->keys, start->gate,
	    start->outage);
	worker->service.buckets = start->buckets;
	worker->service.board = start->board;
	worker->service.slot = start->slot;
	worker->service.ended = start->ended;
	return 0;
}

/* All is open that a worker opens but once. */
static int
confine(const struct config *config)
{
	confine_memory(MEMORY_BEYOND);
	return config->seccomp ? confine_calls() : 0;
}

static void
close_worker(struct worker *worker)
{
	close_service(&worker->service);
	fcgi_close(worker->fcgi);
	close(worker->signal_fd);
}

/* ---- what a worker does -------------------------------------------------- */

static void
show(const struct worker *worker, enum board_state state)
{
	board_set(worker->start->board, worker->start->slot, state);
}

/* Somebody has connected. */
static void
serve(struct worker *worker)
{
	const struct worker_start *start = worker->start;
	struct gateway gateway;

	show(worker, BOARD_BUSY);
	give_time(worker);
	if (fcgi_begin(worker->fcgi, &gateway) == 0) {
		keys_refresh(worker->service.keys, clock_now_us());
		route_serve(&worker->service, &gateway);
		fcgi_finish(worker->fcgi);
		board_served(start->board, start->slot);
		worker->served++;
	}
	if (!worker->orphaned)
		set_alarm(0);
	show(worker, BOARD_IDLE);
}

static bool
may_stay(const struct worker *worker)
{
	if (worker->leaving ||
	    (worker->limit != 0 && worker->served >= worker->limit))
		return false;
	return worker->empty_until_ms == 0 ||
	       clock_steady_ms() < worker->empty_until_ms;
}

/* By our parent, who has told us before; by a sibling that has heard of the
 * parent's death a moment before us; or by nobody that we know. */
static bool
was_told_to_leave(struct worker *worker)
{
	struct pollfd word = { .fd = worker->signal_fd, .events = POLLIN };

	(void)poll(&word, 1, HEARSAY_MS);
	read_signals(worker);
	if (worker->leaving || worker->empty_until_ms != 0)
		return true;
	log_error("the listening socket was shut down");
	return false;
}

/* Returns the exit status.  Whoever has been let in is served before the worker
 * leaves. */
static int
serve_all(struct worker *worker)
{
	for (;;) {
		if (!may_stay(worker))
			fcgi_shut(worker->fcgi);
		switch (fcgi_accept(worker->fcgi, worker->empty_until_ms == 0)) {
		case FCGI_ACCEPTED:
			serve(worker);
			break;
		case FCGI_NOBODY:
		case FCGI_WOKEN:
			break;
		case FCGI_SHUT:
			if (!was_told_to_leave(worker))
				return 1;
			break;
		case FCGI_QUIET:
			return 0;
		case FCGI_BROKEN:
			return 1;
		}
		read_signals(worker);
	}
}

int
worker_run(const struct worker_start *start)
{
	struct worker worker = { 0 };
	int status;

	worker.signal_fd = take_signals();
	if (worker.signal_fd == -1) {
		log_error("could not take signals: %s", strerror(errno));
		return 1;
	}
	if (!follow_parent(start->parent))
		return 0;
	secret_keep_inside();
	if (open_worker(&worker, start) != 0 || confine(start->config) != 0)
		return 1;

	/* Connected now, the first request need not wait for it.  A database
	 * that is away is no reason not to serve: it will be tried again. */
	db_ready(worker.service.db);
	/* To make the filter of system calls alone took 100 KB. */
	malloc_trim(0);
	show(&worker, BOARD_IDLE);
	status = serve_all(&worker);
	show(&worker, BOARD_LEAVING);
	close_worker(&worker);
	log_finish();
	return status;
}

int
worker_run_cgi(const struct config *config)
{
	char why[KEYS_WHY_SIZE];
	struct gate_plan plan;
	struct service service = { 0 };
	struct buckets *buckets = NULL;
	struct gateway gateway;
	struct keys *keys;
	struct gate *gate;

	worker_handle(SIGPIPE, SIG_IGN);
	secret_keep_inside();
	set_alarm(config->request_deadline_ms);
	keys = keys_open(config->key_dir, why);
	if (keys == NULL) {
		log_error("%s", why);
		return 1;
	}
	gate = gate_plan_make(&plan, config, true) == 0 ?
	    worker_prepare(&plan) :
	    NULL;
	if (gate == NULL || throttle_open(config, true, &buckets) != 0) {
		gate_free(gate);
		keys_close(keys);
		return 1;
	}
	open_service(&service, config, keys, gate, NULL);
	service.buckets = buckets;
	if (confine(config) != 0) {
		close_service(&service);
		return 1;
	}
	cgi_open(&gateway, config->io_timeout_ms);
	route_serve(&service, &gateway);
	cgi_finish();
	close_service(&service);
	buckets_free(buckets);

	/* Confined, this process cannot take the gate's name away; but what it
	 * computed in must not stay behind. */
	gate_tend(gate, 0);
	gate_free(gate);
	return 0;
}
