/* pool.c - the parent.  It reads nothing from the network and no database. */

#include "process/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "acts/ended.h"
#include "acts/throttle.h"
#include "base/board.h"
#include "base/board_file.h"
#include "base/buckets.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "config.h"
#include "hash/gate_plan.h"
#include "process/crew.h"
#include "process/standby.h"
#include "process/status.h"
#include "token/keys.h"

#define HEARTBEAT_MS  1000
#define HAND_OVER_MS  20   /* between looks for a new worker to be ready */
#define KILL_AFTER_MS 1000 /* for workers that have lost our patience */

/* To serve on when mod_fcgid wants us to leave: until nobody has come for so long,
 * and for how long at most.  mod_fcgid looks who has left after 340 ms, and then
 * after 1340. */
#define LINGER_MS      250
#define LINGER_LOOK_MS 50
#define LINGER_MOST_MS 1000

struct pool {
	const struct config *config;
	const struct program *program;
	struct listener *listener;
	struct keys *keys;
	const char *folder; /* where the board is found; NULL: nowhere */
	struct board *board;
	struct gate_plan plan;
	struct gate *gate;
	struct ended *ended; /* NULL under mod_fcgid, see share_memory() */
	bool doubled;        /* there may be another list beside it */
	struct buckets *buckets;
	struct outage *outage;
	sigset_t signals;

	struct crew crew;
	struct program_trial trial;
	struct standby standby;

	int64_t strangers_until_ms; /* as in struct succession */
	int stops;                  /* SIGTERM and SIGINT so far */
	bool lingers;
};

/* ---- from one program to the next ---------------------------------------- */

/* What is left to the next program. */
static struct succession *
will_of(const struct pool *pool)
{
	struct succession *will = memory_zeroed(1, sizeof(*will));

	listen_bequeath(pool->listener, will);
	will->standby = standby_bequest(&pool->standby);
	will->strangers_until_ms = pool->strangers_until_ms;
	crew_bequeath(&pool->crew, will);
	return will;
}

/* What the workers of another program end, only the list that those know tells. */
static void
suspend_ended(struct pool *pool)
{
	pool->doubled = true;
	ended_suspend(pool->ended);
}

static void
resume_ended(struct pool *pool)
{
	if (!pool->doubled || crew_inherited(&pool->crew) > 0)
		return;
	pool->doubled = false;
	ended_resume(pool->ended);
}

static void
begin_trial(struct pool *pool)
{
	struct succession *will = will_of(pool);

	program_abandon(&pool->trial);
	if (program_try(pool->program, will, &pool->trial) != 0)
		log_warning("nothing was reloaded");
	free(will);
}

static void
end_trial(struct pool *pool, int status)
{
	struct succession *will;

	if (!program_judge(&pool->trial, status)) {
		log_warning("nothing was reloaded: the old settings hold");
		return;
	}
	/* That we were told to stop, the next program would not know. */
	if (pool->stops > 0)
		return;
	will = will_of(pool);
	/* Our workers serve beside the next program's, until they are told. */
	suspend_ended(pool);
	program_become(pool->program, will);
	log_warning("nothing was reloaded: the old program goes on");
	free(will);
}

static void
adopt(struct pool *pool, const struct succession *before)
{
	crew_adopt(&pool->crew, before);
	standby_adopt(&pool->standby, before);
	pool->strangers_until_ms = before->strangers_until_ms;
}

/* Who started us is gone, and would have told us to stop. */
static void
follow_giver(struct pool *pool)
{
	if (pool->stops > 0)
		return;
	log_warning("the web server that started the pool is gone");
	pool->stops = 1;
}

static void
reap(struct pool *pool)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == pool->trial.pid)
			end_trial(pool, status);
		if (standby_bury(&pool->standby, pid, status) ==
		    STANDBY_LEFT_ALONE)
			follow_giver(pool);
		crew_bury(&pool->crew, pid, status);
	}
}

/* ---- signals ------------------------------------------------------------- */

/* SIGUSR2 is for workers alone; one that was just made does not know it yet. */
static const int taken_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1,
	SIGUSR2, SIGCHLD };

static void
list_signals(sigset_t *signals)
{
	sigemptyset(signals);
	for (size_t i = 0; i < sizeof(taken_signals) / sizeof(taken_signals[0]);
	     i++)
		sigaddset(signals, taken_signals[i]);
}

/* Blocked for good and taken by sigtimedwait(), so there are no handlers, and
 * what our parent ignored does not matter. */
void
pool_hold_signals(void)
{
	sigset_t signals;

	list_signals(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	for (size_t i = 0; i < sizeof(taken_signals) / sizeof(taken_signals[0]);
	     i++)
		worker_handle(taken_signals[i], SIG_DFL);
	worker_handle(SIGPIPE, SIG_IGN);
}

static void
reopen_log(struct pool *pool)
{
	if (log_reopen() == -1)
		log_error("could not open the log again: %s", strerror(errno));
	crew_tell(&pool->crew, SIGUSR1);
	standby_reopen_log(&pool->standby);
}

/* Write down for who looks from outside what the workers do not. */
static void
publish(const struct pool *pool)
{
	struct gate_stats stats;

	gate_stats(pool->gate, &stats);
	board_put(pool->board, BOARD_WORKERS, pool->crew.workers);
	board_put(pool->board, BOARD_INHERITED, crew_inherited(&pool->crew));
	board_put(pool->board, BOARD_STANDBY, pool->standby.pid);
	board_put(pool->board, BOARD_HASH_SLOTS, stats.slots);
	board_put(pool->board, BOARD_HASH_SLOTS_BUSY, stats.busy_slots);
	board_put(pool->board, BOARD_HASH_PLACES, stats.places);
	board_put(pool->board, BOARD_HASH_PLACES_TAKEN, stats.taken_places);
	board_put(pool->board, BOARD_HASH_QUEUE, stats.waiting);
	board_put(pool->board, BOARD_HASHES, (int64_t)stats.hashes);
	board_put(pool->board, BOARD_HASH_FULL, (int64_t)stats.full);
	board_put(pool->board, BOARD_HASH_LATE, (int64_t)stats.late);
	board_put(pool->board, BOARD_HASH_GONE, (int64_t)stats.gone);
	board_put(pool->board, BOARD_HASH_FAILED, (int64_t)stats.failed);
	board_put(pool->board, BOARD_ADDRESSES,
	    (int64_t)throttle_addresses_refused(pool->config, pool->buckets));
	board_put(pool->board, BOARD_LOOKED_MS, clock_steady_ms());
}

/* How long nothing needs doing. */
static int64_t
patience(const struct pool *pool)
{
	int64_t rest_ms = crew_rest_ms(&pool->crew);
	int64_t wait_ms = HEARTBEAT_MS;

	if (wait_ms > pool->config->request_deadline_ms / 4)
		wait_ms = pool->config->request_deadline_ms / 4;
	if (crew_has_untold(&pool->crew))
		wait_ms = HAND_OVER_MS;
	if (pool->lingers)
		wait_ms = LINGER_LOOK_MS;
	return rest_ms > 0 && rest_ms < wait_ms ? rest_ms : wait_ms;
}

/* Wait for a signal, for a while, and do what it wants; then see to the
 * dead. */
static void
wait_signal(struct pool *pool)
{
	int64_t ms = patience(pool);
	const struct timespec limit = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000 * 1000000),
	};

	publish(pool);
	switch (sigtimedwait(&pool->signals, NULL, &limit)) {
	case SIGTERM:
	case SIGINT:
		pool->stops++;
		break;
	case SIGHUP:
		if (pool->stops == 0)
			begin_trial(pool);
		break;
	case SIGUSR1:
		reopen_log(pool);
		break;
	}
	reap(pool);
}

/* ---- the pool's life ----------------------------------------------------- */

static void
log_start(const struct pool *pool)
{
	const struct gate_plan *plan = &pool->plan;
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "start");
	log_add(&line, "version", PACKAGE_VERSION);
	log_add(&line, "listen", pool->listener->name);
	log_add_int(&line, "workers", pool->crew.workers);
	log_add(&line, "hash_engine", gate_plan_engine(plan));
	log_add_int(&line, "hash_slots", plan->options.slots);
	log_add_int(&line, "hash_lanes", plan->options.lanes);
	log_add_int(&line, "hash_queue", plan->options.places);
	log_add_int(&line, "hash_other_mib",
	    (int64_t)(gate_memory_beside(&plan->options) >> 20));
	log_add_int(&line, "hash_mib",
	    (int64_t)(gate_memory(&plan->options) >> 20));
	log_add_int(&line, "memory_mib", (int64_t)(plan->memory >> 20));
	if (crew_alive(&pool->crew) > 0)
		log_add_int(&line, "taken_over", crew_alive(&pool->crew));
	log_end(&line);
}

/*
 * Apache's graceful restart ends mod_fcgid's processes first, and then the children
 * that still have requests for them.  One that finds nobody is lost: there is no
 * longer anybody who would start another process for it.
 */
static void
linger(struct pool *pool)
{
	int64_t now_ms = clock_steady_ms(), quiet_ms = now_ms + LINGER_MS;
	int64_t end_ms = now_ms + LINGER_MOST_MS;
	uint64_t served = crew_served(&pool->crew), before;

	pool->lingers = true;
	while (pool->stops == 1 && now_ms < quiet_ms && now_ms < end_ms) {
		before = served;
		wait_signal(pool);
		served = crew_served(&pool->crew);
		now_ms = clock_steady_ms();
		if (served != before || crew_are_all_busy(&pool->crew))
			quiet_ms = now_ms + LINGER_MS;
	}
	pool->lingers = false;
}

/* Requests that have begun are finished, within limits. */
static void
stop(struct pool *pool)
{
	int64_t now_ms, kill_at_ms, give_up_ms;
	bool hastened = false;

	standby_dismiss(&pool->standby);
	program_abandon(&pool->trial);
	/* Who comes next may be served by others before all of ours have left. */
	ended_suspend(pool->ended);
	listen_unlink(pool->listener);
	if (pool->listener->one_at_a_time)
		linger(pool);
	kill_at_ms = clock_steady_ms() + pool->config->request_deadline_ms;
	give_up_ms = kill_at_ms + KILL_AFTER_MS;
	crew_dismiss(&pool->crew, pool->listener->source == LISTEN_SYSTEMD);
	listen_shut(pool->listener);
	while (crew_alive(&pool->crew) > 0) {
		wait_signal(pool);
		now_ms = clock_steady_ms();
		if (pool->stops > 1 && !hastened) {
			hastened = true;
			kill_at_ms = now_ms + KILL_AFTER_MS;
		}
		if (now_ms >= kill_at_ms)
			crew_tell(&pool->crew, SIGKILL);
		if (now_ms >= give_up_ms)
			return; /* in the kernel's hands */
	}
}

static int
serve(struct pool *pool)
{
	const struct standby_needs needs = {
		.config = pool->config,
		.listener = pool->listener,
		.program = pool->program,
		.keys = pool->keys,
	};

	log_start(pool);
	while (pool->stops == 0) {
		standby_tend(&pool->standby, &needs);
		crew_fill(&pool->crew);
		wait_signal(pool);
		program_watch(&pool->trial, clock_steady_ms());
		crew_watch(&pool->crew);
		crew_hand_over(&pool->crew);
		resume_ended(pool);
		gate_tend(pool->gate, pool->config->hash_idle_seconds);
		if (crew_is_hopeless(&pool->crew)) {
			log_error("giving up: all workers died within a second "
				  "of their start, %d times in a row",
			    pool->crew.rounds);
			stop(pool);
			return 1;
		}
	}
	stop(pool);
	log_info("stopped");
	return 0;
}

/*
 * What workers share.  mod_fcgid starts several pools of one worker side by side;
 * what ends in one of them the others do not learn, so a list of it would be no
 * use.  Failures by address they share by name.
 */
static int
share_memory(struct pool *pool)
{
	const struct board_kind kind = status_board_kind();

	pool->board =
	    board_new(&kind, CREW_SLOTS, pool->folder, pool->listener->name);
	pool->outage = outage_new();
	if (pool->board == NULL || pool->outage == NULL)
		return -1;
	if (throttle_open(pool->config, pool->listener->one_at_a_time,
		&pool->buckets) != 0)
		return -1;
	metrics_use(board_rest(pool->board));
	if (pool->listener->one_at_a_time)
		return 0;
	pool->ended = ended_new(pool->config->access_token_seconds);
	ended_doubt_for(pool->ended,
	    pool->strangers_until_ms - clock_steady_ms());
	if (crew_inherited(&pool->crew) > 0)
		suspend_ended(pool);
	return pool->ended != NULL ? 0 : -1;
}

/* What the settings ask for.  0, or -1 (logged). */
static int
prepare(struct pool *pool)
{
	const struct config *config = pool->config;
	char why[KEYS_WHY_SIZE];

	pool->keys = keys_open(config->key_dir, why);
	if (pool->keys == NULL) {
		log_error("%s", why);
		return -1;
	}
	if (gate_plan_make(&pool->plan, config,
		pool->listener->one_at_a_time) != 0)
		return -1;
	pool->gate = worker_prepare(&pool->plan);
	pool->crew.workers = (int)pool->plan.workers;
	return pool->gate != NULL ? 0 : -1;
}

/* What each worker gets. */
static void
brief(struct pool *pool)
{
	pool->crew.start = (struct worker_start){
		.config = pool->config,
		.listener = pool->listener,
		.keys = pool->keys,
		.board = pool->board,
		.ended = pool->ended,
		.gate = pool->gate,
		.outage = pool->outage,
		.buckets = pool->buckets,
		.outlived = standby_is_wanted(pool->config, pool->listener),
	};
}

static struct pool *
pool_new(const struct config *config, struct listener *listener)
{
	struct pool *pool = memory_zeroed(1, sizeof(*pool));

	pool->config = config;
	pool->listener = listener;
	return pool;
}

static void
pool_free(struct pool *pool)
{
	metrics_use(NULL);
	keys_close(pool->keys);
	gate_free(pool->gate);
	ended_free(pool->ended);
	outage_free(pool->outage);
	buckets_free(pool->buckets);
	board_free(pool->board);
	free(pool);
}

int
pool_run(const struct config *config, struct listener *listener,
    const struct program *program, const struct succession *before)
{
	struct pool *pool = pool_new(config, listener);
	int status = 1;

	pool->program = program;
	pool->folder = BOARD_FILE_FOLDER;
	secret_keep_inside();
	list_signals(&pool->signals);
	if (before != NULL)
		adopt(pool, before);
	if (share_memory(pool) == 0 && prepare(pool) == 0) {
		brief(pool);
		status = serve(pool);
	}
	pool_free(pool);
	return status;
}

int
pool_test(const struct config *config, struct listener *listener)
{
	struct pool *pool = pool_new(config, listener);
	int result = -1;

	if (share_memory(pool) == 0)
		result = prepare(pool);
	pool_free(pool);
	return result;
}
