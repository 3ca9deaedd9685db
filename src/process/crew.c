/* crew.c - the parent's workers. */

#include "process/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acts/ended.h"
#include "base/board.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

/* A worker that dies younger is a sign that the next one will, too. */
#define YOUNG_MS        1000
#define BACK_OFF_LEAST  100
#define BACK_OFF_MOST   5000
#define BACK_OFF_RESET  10000 /* without a young death */
#define HOPELESS_ROUNDS 5     /* of all workers dying young */

#define FIRST_MS      100 /* for the first worker to come to its feet */
#define FIRST_LOOK_MS 2

#define KILL_AFTER_MS       1000 /* from SIGTERM to SIGKILL */
#define SHORTAGE_MS         2000 /* of all workers being busy */
#define SHORTAGE_SILENCE_MS 60000

/* ---- counting ------------------------------------------------------------ */

static bool
is_current(const struct crew_child *child)
{
	return child->pid != 0 && !child->inherited && child->told_ms == 0;
}

static int
count_current(const struct crew *crew)
{
	int count = 0;

	for (int slot = 0; slot < crew->top; slot++)
		count += is_current(&crew->children[slot]);
	return count;
}

int
crew_alive(const struct crew *crew)
{
	int count = 0;

	for (int slot = 0; slot < crew->top; slot++)
		count += crew->children[slot].pid != 0;
	return count;
}

int
crew_inherited(const struct crew *crew)
{
	int count = 0;

	for (int slot = 0; slot < crew->top; slot++)
		count +=
		    crew->children[slot].pid != 0 && crew->children[slot].inherited;
	return count;
}

uint64_t
crew_served(const struct crew *crew)
{
	uint64_t count = 0;

	for (int slot = 0; slot < crew->top; slot++)
		count += board_look(crew->start.board, slot).requests;
	return count;
}

/* Is there a worker of this program that can serve? */
static bool
is_ready(const struct crew *crew)
{
	for (int slot = 0; slot < crew->top; slot++) {
		enum board_state state =
		    board_look(crew->start.board, slot).state;

		if (is_current(&crew->children[slot]) &&
		    (state == BOARD_IDLE || state == BOARD_BUSY))
			return true;
	}
	return false;
}

/* ---- starting workers ---------------------------------------------------- */

/* Dozens that are born at once keep each other, and the database, from the first
 * answer: so the first one comes to its feet before there are others, unless it takes
 * too long. */
static bool
is_first_on_its_way(const struct crew *crew)
{
	int64_t now_ms = clock_steady_ms();

	if (count_current(crew) == 0 || is_ready(crew))
		return false;
	for (int slot = 0; slot < crew->top; slot++)
		if (is_current(&crew->children[slot]) &&
		    now_ms - crew->children[slot].started_ms >= FIRST_MS)
			return false;
	return true;
}

static void
back_off(struct crew *crew, int64_t now_ms)
{
	crew->young_death_ms = now_ms;
	if (crew->start_at_ms > now_ms)
		return; /* one of several that died together */
	crew->back_off_ms *= 2;
	if (crew->back_off_ms < BACK_OFF_LEAST)
		crew->back_off_ms = BACK_OFF_LEAST;
	if (crew->back_off_ms > BACK_OFF_MOST)
		crew->back_off_ms = BACK_OFF_MOST;
	crew->start_at_ms = now_ms + crew->back_off_ms;
	log_warning("the next worker is started in %d ms, lest one after the "
		    "other dies",
	    (int)crew->back_off_ms);
}

static _Noreturn void
become_worker(const struct crew *crew, int slot, pid_t parent)
{
	struct worker_start start = crew->start;

	start.slot = slot;
	start.parent = parent;
	exit(worker_run(&start));
}

static int
start_worker(struct crew *crew, int slot)
{
	struct crew_child *child = &crew->children[slot];
	pid_t parent = getpid();
	pid_t pid;

	board_assign(crew->start.board, slot);
	pid = fork();
	if (pid == 0)
		become_worker(crew, slot, parent);
	if (pid == -1) {
		log_error("could not start a worker: %s", strerror(errno));
		board_clear(crew->start.board, slot);
		return -1;
	}
	board_name(crew->start.board, slot, pid);
	*child = (struct crew_child){
		.pid = pid,
		.started_ms = clock_steady_ms(),
	};
	if (slot >= crew->top)
		crew->top = slot + 1;
	return 0;
}

void
crew_fill(struct crew *crew)
{
	int64_t now_ms = clock_steady_ms();
	int missing = crew->workers - count_current(crew);

	if (now_ms < crew->start_at_ms)
		return;
	for (int slot = 0; slot < CREW_SLOTS && missing > 0; slot++) {
		if (crew->children[slot].pid != 0)
			continue;
		if (is_first_on_its_way(crew))
			return;
		if (start_worker(crew, slot) != 0) {
			back_off(crew, now_ms);
			return;
		}
		missing--;
	}
}

/* ---- ending workers ------------------------------------------------------ */

static void
tell(struct crew_child *child, int number)
{
	kill(child->pid, number);
	if ((number == SIGTERM || number == SIGUSR2) && child->told_ms == 0)
		child->told_ms = clock_steady_ms();
	if (number == SIGKILL)
		child->killed = true;
}

void
crew_tell(struct crew *crew, int number)
{
	for (int slot = 0; slot < crew->top; slot++)
		if (crew->children[slot].pid != 0)
			tell(&crew->children[slot], number);
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
log_end_of(const struct crew *crew, int slot, int status, int64_t age_ms)
{
	const struct crew_child *child = &crew->children[slot];
	uint64_t requests = board_look(crew->start.board, slot).requests;
	char how[32], served[48] = "";

	if (!child->inherited)
		snprintf(served, sizeof(served), " after %" PRIu64 " requests",
		    requests);
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
kind_of_end(const struct crew_child *child, int status)
{
	if (child->overdue_ms != 0 || child->killed)
		return METRICS_END_OVERDUE;
	return status == 0 ? METRICS_END_LEFT : METRICS_END_DIED;
}

static void
bury(struct crew *crew, int slot, int status)
{
	struct crew_child *child = &crew->children[slot];
	int64_t now_ms = clock_steady_ms();
	int64_t age_ms = now_ms - child->started_ms;
	bool young = age_ms < YOUNG_MS && child->told_ms == 0 && status != 0;

	log_end_of(crew, slot, status, age_ms);
	metrics_count(METRICS_WORKER_ENDS, kind_of_end(child, status));
	if (board_look(crew->start.board, slot).state == BOARD_BUSY)
		ended_doubt(crew->start.ended);
	board_clear(crew->start.board, slot);
	memset(child, 0, sizeof(*child));
	if (!young)
		return;
	back_off(crew, now_ms);
	if (crew_alive(crew) == 0)
		crew->rounds++;
}

void
crew_bury(struct crew *crew, pid_t pid, int status)
{
	for (int slot = 0; slot < crew->top; slot++)
		if (crew->children[slot].pid == pid)
			bury(crew, slot, status);
}

/* Workers of another program may not know SIGUSR2. */
void
crew_dismiss(struct crew *crew, bool kept)
{
	for (int slot = 0; slot < crew->top; slot++) {
		struct crew_child *child = &crew->children[slot];

		if (child->pid != 0)
			tell(child, kept || child->inherited ? SIGTERM : SIGUSR2);
	}
}

/* ---- watching workers ---------------------------------------------------- */

/*
 * Only an idle worker may take its time.  One that is over the deadline is
 * asked to go, which it does after its request if that ends yet; then it is
 * made to.
 */
static void
watch_deadline(struct crew *crew, int slot, int64_t now_ms)
{
	struct crew_child *child = &crew->children[slot];
	struct board_sight sight = board_look(crew->start.board, slot);
	int limit_ms = crew->start.config->request_deadline_ms;

	if (child->killed)
		return;
	if (child->told_ms != 0 &&
	    now_ms - child->told_ms > limit_ms + KILL_AFTER_MS) {
		log_warning("worker %ld does not leave and is killed",
		    (long)child->pid);
		tell(child, SIGKILL);
		return;
	}
	if (child->inherited || sight.state == BOARD_IDLE ||
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

bool
crew_are_all_busy(const struct crew *crew)
{
	if (count_current(crew) < crew->workers)
		return false;
	for (int slot = 0; slot < crew->top; slot++)
		if (is_current(&crew->children[slot]) &&
		    board_look(crew->start.board, slot).state != BOARD_BUSY)
			return false;
	return true;
}

/* Say it when requests have to wait for a worker for longer than a moment; once
 * a while, since it does not get truer by repetition. */
static void
watch_shortage(struct crew *crew, int64_t now_ms)
{
	if (crew->start.listener->one_at_a_time || !crew_are_all_busy(crew)) {
		crew->all_busy_ms = 0;
		return;
	}
	if (crew->all_busy_ms == 0)
		crew->all_busy_ms = now_ms;
	if (now_ms - crew->all_busy_ms < SHORTAGE_MS ||
	    now_ms < crew->silent_until_ms)
		return;
	crew->silent_until_ms = now_ms + SHORTAGE_SILENCE_MS;
	log_warning("all %d workers have been busy for a while: requests wait "
		    "(see the setting workers)",
	    crew->workers);
}

void
crew_watch(struct crew *crew)
{
	int64_t now_ms = clock_steady_ms();

	watch_shortage(crew, now_ms);
	for (int slot = 0; slot < crew->top; slot++) {
		const struct crew_child *child = &crew->children[slot];

		if (child->pid == 0)
			continue;
		if (is_current(child) && now_ms - child->started_ms >= YOUNG_MS)
			crew->rounds = 0;
		watch_deadline(crew, slot, now_ms);
	}
	if (now_ms - crew->young_death_ms > BACK_OFF_RESET)
		crew->back_off_ms = 0;
}

bool
crew_is_hopeless(const struct crew *crew)
{
	return crew->rounds >= HOPELESS_ROUNDS;
}

int64_t
crew_rest_ms(const struct crew *crew)
{
	int64_t left_ms = crew->start_at_ms - clock_steady_ms();

	if (left_ms > 0)
		return left_ms;
	return is_first_on_its_way(crew) ? FIRST_LOOK_MS : 0;
}

/* ---- from one program to the next ---------------------------------------- */

void
crew_adopt(struct crew *crew, const struct succession *before)
{
	for (size_t i = 0; i < before->count && crew->top < CREW_SLOTS; i++) {
		const struct succession_child *child = &before->children[i];

		if (!succession_is_child(child->pid))
			continue;
		crew->children[crew->top++] = (struct crew_child){
			.pid = child->pid,
			.inherited = true,
			.started_ms = child->started_ms,
		};
	}
}

void
crew_bequeath(const struct crew *crew, struct succession *will)
{
	for (int slot = 0; slot < crew->top; slot++) {
		const struct crew_child *child = &crew->children[slot];

		if (child->pid == 0)
			continue;
		will->children[will->count++] = (struct succession_child){
			.pid = child->pid,
			.started_ms = child->started_ms,
		};
	}
}

static bool
is_untold(const struct crew_child *child)
{
	return child->pid != 0 && child->inherited && child->told_ms == 0;
}

bool
crew_has_untold(const struct crew *crew)
{
	for (int slot = 0; slot < crew->top; slot++)
		if (is_untold(&crew->children[slot]))
			return true;
	return false;
}

void
crew_hand_over(struct crew *crew)
{
	if (!crew_has_untold(crew) || !is_ready(crew))
		return;
	for (int slot = 0; slot < crew->top; slot++)
		if (is_untold(&crew->children[slot]))
			tell(&crew->children[slot], SIGTERM);
}
