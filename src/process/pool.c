/* pool.c - the parent.  It reads nothing from the network and no database. */

#include "process/pool.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "acts/ended.h"
#include "acts/throttle.h"
#include "base/board.h"
#include "base/board_file.h"
#include "base/buckets.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "config.h"
#include "hash/gate_plan.h"
#include "process/confine.h"
#include "process/standby.h"
#include "process/status.h"
#include "process/worker.h"
#include "token/keys.h"

/* Workers of the settings before and after a reload, side by side. */
#define SLOTS 2048

/* A worker that dies younger is a sign that the next one will, too. */
#define YOUNG_MS        1000
#define BACK_OFF_LEAST  100
#define BACK_OFF_MOST   5000
#define BACK_OFF_RESET  10000 /* without a young death */
#define HOPELESS_ROUNDS 5     /* of all workers dying young */

#define HEARTBEAT_MS  1000
#define SHORTAGE_MS   2000 /* of all workers being busy */
#define SHORTAGE_SILENCE_MS 60000
#define HAND_OVER_MS  20   /* between looks for a new worker to be ready */
#define KILL_AFTER_MS 1000 /* from SIGTERM to SIGKILL */

/* To serve on when mod_fcgid wants us to leave: until nobody has come for so long,
 * and for how long at most.  It looks who has left after 340 ms, and then after
 * 1340. */
#define LINGER_MS      250
#define LINGER_LOOK_MS 50
#define LINGER_MOST_MS 1000

struct child {
	pid_t pid; /* 0: the slot is free */
	bool old;  /* of the program before: the board does not show it */
	int64_t started_ms;
	int64_t told_ms;    /* it was told to leave; 0: not yet */
	int64_t overdue_ms; /* found over the deadline; 0: never */
	bool killed;
};

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
	struct buckets *buckets;
	struct outage *outage;
	sigset_t signals;

	struct child children[SLOTS];
	int top;             /* slots beyond are free */
	int workers;         /* as many as there should be */
	struct program_trial trial;
	struct standby standby;

	int64_t start_at_ms; /* no new workers before */
	int64_t back_off_ms; /* 0: none */
	int64_t young_death_ms;
	int rounds; /* in which all died young */

	int64_t all_busy_ms; /* they have been since; 0: they are not */
	int64_t silent_until_ms;

	int stops; /* SIGTERM and SIGINT so far */
	bool lingers;
};

/* ---- counting ------------------------------------------------------------ */

static bool
is_current(const struct child *child)
{
	return child->pid != 0 && !child->old && child->told_ms == 0;
}

static int
count_current(const struct pool *pool)
{
	int count = 0;

	for (int slot = 0; slot < pool->top; slot++)
		count += is_current(&pool->children[slot]);
	return count;
}

static int
count_alive(const struct pool *pool)
{
	int count = 0;

	for (int slot = 0; slot < pool->top; slot++)
		count += pool->children[slot].pid != 0;
	return count;
}

/* ---- starting workers ---------------------------------------------------- */

static void
back_off(struct pool *pool, int64_t now_ms)
{
	pool->young_death_ms = now_ms;
	if (pool->start_at_ms > now_ms)
		return; /* one of several that died together */
	pool->back_off_ms *= 2;
	if (pool->back_off_ms < BACK_OFF_LEAST)
		pool->back_off_ms = BACK_OFF_LEAST;
	if (pool->back_off_ms > BACK_OFF_MOST)
		pool->back_off_ms = BACK_OFF_MOST;
	pool->start_at_ms = now_ms + pool->back_off_ms;
	log_warning("the next worker is started in %d ms, lest one after the "
		    "other dies",
	    (int)pool->back_off_ms);
}

static _Noreturn void
become_worker(struct pool *pool, int slot, pid_t parent)
{
	const struct worker_start start = {
		.config = pool->config,
		.listener = pool->listener,
		.keys = pool->keys,
		.board = pool->board,
		.ended = pool->ended,
		.gate = pool->gate,
		.outage = pool->outage,
		.buckets = pool->buckets,
		.slot = slot,
		.parent = parent,
		.outlived = standby_is_wanted(pool->config, pool->listener),
	};

	exit(worker_run(&start));
}

static int
start_worker(struct pool *pool, int slot)
{
	struct child *child = &pool->children[slot];
	pid_t parent = getpid();
	pid_t pid;

	board_assign(pool->board, slot);
	pid = fork();
	if (pid == 0)
		become_worker(pool, slot, parent);
	if (pid == -1) {
		log_error("could not start a worker: %s", strerror(errno));
		board_clear(pool->board, slot);
		return -1;
	}
	board_name(pool->board, slot, pid);
	*child = (struct child){
		.pid = pid,
		.started_ms = clock_steady_ms(),
	};
	if (slot >= pool->top)
		pool->top = slot + 1;
	return 0;
}

/* Start the workers that are missing. */
static void
fill(struct pool *pool)
{
	int64_t now_ms = clock_steady_ms();
	int missing = pool->workers - count_current(pool);

	if (now_ms < pool->start_at_ms)
		return;
	for (int slot = 0; slot < SLOTS && missing > 0; slot++) {
		if (pool->children[slot].pid != 0)
			continue;
		if (start_worker(pool, slot) != 0) {
			back_off(pool, now_ms);
			return;
		}
		missing--;
	}
}

/* ---- ending workers ------------------------------------------------------ */

static void
tell(struct child *child, int signal_number)
{
	kill(child->pid, signal_number);
	if ((signal_number == SIGTERM || signal_number == SIGUSR2) &&
	    child->told_ms == 0)
		child->told_ms = clock_steady_ms();
	if (signal_number == SIGKILL)
		child->killed = true;
}

static void
tell_all(struct pool *pool, int signal_number)
{
	for (int slot = 0; slot < pool->top; slot++)
		if (pool->children[slot].pid != 0)
			tell(&pool->children[slot], signal_number);
}

/* How a process ended, as people call it. */
static void
name_end(int status, char *name, size_t room)
{
	const char *signal_name;

	if (WIFEXITED(status)) {
		snprintf(name, room, "exit status %d", WEXITSTATUS(status));
		return;
	}
	signal_name = sigabbrev_np(WTERMSIG(status));
	snprintf(name, room, "SIG%s", signal_name ? signal_name : "nal ?");
}

static void
log_end_of(const struct pool *pool, int slot, int status, int64_t age_ms)
{
	const struct child *child = &pool->children[slot];
	uint64_t requests = board_look(pool->board, slot).requests;
	char how[32], served[48] = "";

	if (!child->old)
		snprintf(served, sizeof(served),
		    " after %" PRIu64 " requests", requests);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		log_info("worker %ld left%s", (long)child->pid, served);
		return;
	}
	name_end(status, how, sizeof(how));
	log_warning("worker %ld died: %s, %" PRId64 ".%03d s old%s%s",
	    (long)child->pid, how, age_ms / 1000, (int)(age_ms % 1000),
	    *served != '\0' ? "," : "", served);
}

static enum metrics_end
kind_of_end(const struct child *child, int status)
{
	if (child->overdue_ms != 0 || child->killed)
		return METRICS_END_OVERDUE;
	return status == 0 ? METRICS_END_LEFT : METRICS_END_DIED;
}

/* A child has ended. */
static void
bury(struct pool *pool, int slot, int status)
{
	struct child *child = &pool->children[slot];
	int64_t now_ms = clock_steady_ms();
	int64_t age_ms = now_ms - child->started_ms;
	bool young = age_ms < YOUNG_MS && child->told_ms == 0 && status != 0;

	log_end_of(pool, slot, status, age_ms);
	metrics_count(METRICS_WORKER_ENDS, kind_of_end(child, status));
	/* What an old worker did, only the list it knew tells. */
	if (child->old || board_look(pool->board, slot).state == BOARD_BUSY)
		ended_doubt(pool->ended);
	board_clear(pool->board, slot);
	memset(child, 0, sizeof(*child));
	if (!young)
		return;
	back_off(pool, now_ms);
	if (count_alive(pool) == 0)
		pool->rounds++;
}

/* ---- watching workers ---------------------------------------------------- */

/*
 * Only an idle worker may take its time.  One that is over the deadline is
 * asked to go, which it does after its request if that ends yet; then it is
 * made to.
 */
static void
watch_deadline(struct pool *pool, int slot, int64_t now_ms)
{
	struct child *child = &pool->children[slot];
	struct board_sight sight = board_look(pool->board, slot);
	int limit_ms = pool->config->request_deadline_ms;

	if (child->killed)
		return;
	if (child->told_ms != 0 &&
	    now_ms - child->told_ms > limit_ms + KILL_AFTER_MS) {
		log_warning("worker %ld does not leave and is killed",
		    (long)child->pid);
		tell(child, SIGKILL);
		return;
	}
	if (child->old || sight.state == BOARD_IDLE ||
	    now_ms - sight.since_ms <= limit_ms)
		return;
	if (child->overdue_ms == 0) {
		log_warning("worker %ld has been busy for more than "
			    "request_deadline_ms (%d) and is ended",
		    (long)child->pid, limit_ms);
		child->overdue_ms = now_ms;
		tell(child, SIGTERM);
	} else if (now_ms - child->overdue_ms >= KILL_AFTER_MS) {
		tell(child, SIGKILL);
	}
}

static bool
are_all_busy(const struct pool *pool)
{
	if (count_current(pool) < pool->workers)
		return false;
	for (int slot = 0; slot < pool->top; slot++)
		if (is_current(&pool->children[slot]) &&
		    board_look(pool->board, slot).state != BOARD_BUSY)
			return false;
	return true;
}

/* Say it when requests have to wait for a worker for longer than a moment; once
 * a while, since it does not get truer by repetition. */
static void
watch_shortage(struct pool *pool, int64_t now_ms)
{
	if (pool->listener->one_at_a_time || !are_all_busy(pool)) {
		pool->all_busy_ms = 0;
		return;
	}
	if (pool->all_busy_ms == 0)
		pool->all_busy_ms = now_ms;
	if (now_ms - pool->all_busy_ms < SHORTAGE_MS ||
	    now_ms < pool->silent_until_ms)
		return;
	pool->silent_until_ms = now_ms + SHORTAGE_SILENCE_MS;
	log_warning("all %d workers have been busy for a while: requests wait "
		    "(see the setting workers)",
	    pool->workers);
}

static void
watch(struct pool *pool)
{
	int64_t now_ms = clock_steady_ms();

	program_watch(&pool->trial, now_ms);
	watch_shortage(pool, now_ms);

	for (int slot = 0; slot < pool->top; slot++) {
		const struct child *child = &pool->children[slot];

		if (child->pid == 0)
			continue;
		if (is_current(child) &&
		    now_ms - child->started_ms >= YOUNG_MS)
			pool->rounds = 0;
		watch_deadline(pool, slot, now_ms);
	}
	if (now_ms - pool->young_death_ms > BACK_OFF_RESET)
		pool->back_off_ms = 0;
}

/* ---- from one program to the next ---------------------------------------- */

/* Is there a worker of this program that can serve? */
static bool
is_ready(const struct pool *pool)
{
	for (int slot = 0; slot < pool->top; slot++) {
		enum board_state state = board_look(pool->board, slot).state;

		if (is_current(&pool->children[slot]) &&
		    (state == BOARD_IDLE || state == BOARD_BUSY))
			return true;
	}
	return false;
}

static bool
is_old(const struct child *child)
{
	return child->pid != 0 && child->old && child->told_ms == 0;
}

static bool
has_old(const struct pool *pool)
{
	for (int slot = 0; slot < pool->top; slot++)
		if (is_old(&pool->children[slot]))
			return true;
	return false;
}

/* Old workers serve until a new one can: should something keep new workers from
 * starting, the service goes on. */
static void
hand_over(struct pool *pool)
{
	if (!has_old(pool) || !is_ready(pool))
		return;
	ended_doubt(pool->ended);
	for (int slot = 0; slot < pool->top; slot++)
		if (is_old(&pool->children[slot]))
			tell(&pool->children[slot], SIGTERM);
}

/* What is left to the next program. */
static struct succession *
will_of(const struct pool *pool)
{
	struct succession *will = memory_zeroed(1, sizeof(*will));

	listen_leave(pool->listener, will);
	will->standby = pool->standby.pid;
	for (int slot = 0; slot < pool->top; slot++) {
		const struct child *child = &pool->children[slot];

		if (child->pid == 0)
			continue;
		will->children[will->count++] = (struct succession_child){
			.pid = child->pid,
			.started_ms = child->started_ms,
		};
	}
	return will;
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
	will = will_of(pool);
	program_become(pool->program, will);
	log_warning("nothing was reloaded: the old program goes on");
	free(will);
}

static bool
is_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	       0;
}

/* Children of the program before this one, or nobody's. */
static void
adopt(struct pool *pool, const struct succession *before)
{
	if (before->standby != 0 && is_child(before->standby))
		pool->standby.old = before->standby;
	for (size_t i = 0; i < before->count && pool->top < SLOTS; i++) {
		const struct succession_child *child = &before->children[i];

		if (!is_child(child->pid))
			continue;
		pool->children[pool->top++] = (struct child){
			.pid = child->pid,
			.old = true,
			.started_ms = child->started_ms,
		};
	}
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
		for (int slot = 0; slot < pool->top; slot++)
			if (pool->children[slot].pid == pid)
				bury(pool, slot, status);
	}
}

/* ---- signals ------------------------------------------------------------- */

static const int taken_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };

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
	tell_all(pool, SIGUSR1);
}

/* Write down for who looks from outside what the workers do not. */
static void
publish(const struct pool *pool)
{
	struct gate_stats stats;
	int old = 0;

	for (int slot = 0; slot < pool->top; slot++)
		old += pool->children[slot].pid != 0 && pool->children[slot].old;
	gate_stats(pool->gate, &stats);
	board_put(pool->board, BOARD_WORKERS, pool->workers);
	board_put(pool->board, BOARD_OLD, old);
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
	board_put(pool->board, BOARD_LOOKED_MS, clock_steady_ms());
}

/* How long nothing needs doing. */
static int64_t
patience(const struct pool *pool)
{
	int64_t left_ms = pool->start_at_ms - clock_steady_ms();
	int64_t wait_ms = HEARTBEAT_MS;

	if (wait_ms > pool->config->request_deadline_ms / 4)
		wait_ms = pool->config->request_deadline_ms / 4;
	if (has_old(pool))
		wait_ms = HAND_OVER_MS;
	if (pool->lingers)
		wait_ms = LINGER_LOOK_MS;
	return left_ms > 0 && left_ms < wait_ms ? left_ms : wait_ms;
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
	log_add_int(&line, "workers", pool->workers);
	log_add(&line, "hash_engine", gate_plan_engine(plan));
	log_add_int(&line, "hash_slots", plan->options.slots);
	log_add_int(&line, "hash_lanes", plan->options.lanes);
	log_add_int(&line, "hash_queue", plan->options.places);
	log_add_int(&line, "hash_other_mib",
	    (int64_t)(gate_memory_beside(&plan->options) >> 20));
	log_add_int(&line, "hash_mib",
	    (int64_t)(gate_memory(&plan->options) >> 20));
	log_add_int(&line, "memory_mib", (int64_t)(plan->memory >> 20));
	if (count_alive(pool) > 0)
		log_add_int(&line, "taken_over", count_alive(pool));
	log_end(&line);
}

/*
 * Those who wait at the socket are served first.  But systemd keeps it, with who
 * waits there, for the next start; and workers of another program may not know
 * that signal.
 */
static void
tell_all_to_leave(struct pool *pool)
{
	bool kept = pool->listener->source == LISTEN_SYSTEMD;

	for (int slot = 0; slot < pool->top; slot++) {
		struct child *child = &pool->children[slot];

		if (child->pid != 0)
			tell(child, kept || child->old ? SIGTERM : SIGUSR2);
	}
}

static uint64_t
count_served(const struct pool *pool)
{
	uint64_t count = 0;

	for (int slot = 0; slot < pool->top; slot++)
		count += board_look(pool->board, slot).requests;
	return count;
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
	uint64_t served = count_served(pool), before;

	pool->lingers = true;
	while (pool->stops == 1 && now_ms < quiet_ms && now_ms < end_ms) {
		before = served;
		wait_signal(pool);
		served = count_served(pool);
		now_ms = clock_steady_ms();
		if (served != before || are_all_busy(pool))
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
	listen_unlink(pool->listener);
	if (pool->listener->one_at_a_time)
		linger(pool);
	kill_at_ms = clock_steady_ms() + pool->config->request_deadline_ms;
	give_up_ms = kill_at_ms + KILL_AFTER_MS;
	tell_all_to_leave(pool);
	listen_shut(pool->listener);
	while (count_alive(pool) > 0) {
		wait_signal(pool);
		now_ms = clock_steady_ms();
		if (pool->stops > 1 && !hastened) {
			hastened = true;
			kill_at_ms = now_ms + KILL_AFTER_MS;
		}
		if (now_ms >= kill_at_ms)
			tell_all(pool, SIGKILL);
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
		fill(pool);
		wait_signal(pool);
		watch(pool);
		hand_over(pool);
		gate_tend(pool->gate, pool->config->hash_idle_seconds);
		if (pool->rounds >= HOPELESS_ROUNDS) {
			log_error("giving up: all workers died within a second "
				  "of their start, %d times in a row",
			    pool->rounds);
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
 * use.
 */
static int
share_memory(struct pool *pool)
{
	const struct board_kind kind = status_board_kind();

	pool->board =
	    board_new(&kind, SLOTS, pool->folder, pool->listener->name);
	pool->buckets = buckets_new(THROTTLE_SETS);
	pool->outage = outage_new();
	if (pool->board == NULL || pool->buckets == NULL ||
	    pool->outage == NULL)
		return -1;
	metrics_use(board_rest(pool->board));
	if (pool->listener->one_at_a_time)
		return 0;
	pool->ended = ended_new(pool->config->access_token_seconds);
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
	pool->workers = (int)pool->plan.workers;
	return pool->gate != NULL ? 0 : -1;
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
	confine_secrets();
	list_signals(&pool->signals);
	if (before != NULL)
		adopt(pool, before);
	if (share_memory(pool) == 0 && prepare(pool) == 0)
		status = serve(pool);
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
