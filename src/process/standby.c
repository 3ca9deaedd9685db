/* standby.c - a process that outlives the parent, and then takes its place. */

#include "process/standby.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define NAME "postern-standby" /* as long as a name may be: prctl(2) */

/* The exit status by which it says that nobody is left who wants the pool. */
#define ALONE 3

#define AGAIN_MS 1000 /* from one standby to the next, and between parents */
#define RETRY_MS 5000 /* after a program that would not start */
#define TRIAL_MS 20   /* between looks at its trial */

/* When their parent dies, workers have this and request_deadline_ms for what is in
 * hand, and then as long again for all whom they have let in beside. */
#define STRANGERS_GRACE_MS 5000

struct watch {
	const struct program *program;
	const struct listener *listener;
	struct succession will;
	pid_t parent;
	int signal_fd;
	int giver_fd; /* -1: there is none to be seen */
	int64_t since_ms;
	int64_t finish_ms; /* for how long its workers may outlive a parent */
};

bool
standby_is_wanted(const struct config *config, const struct listener *listener)
{
	/* mod_fcgid starts the next by itself, at another socket. */
	if (listener->one_at_a_time)
		return false;
	switch ((enum config_standby)config->standby) {
	case STANDBY_ALWAYS:
		return true;
	case STANDBY_NEVER:
		return false;
	case STANDBY_AUTO:
		break;
	}
	/* One that cannot see lighttpd go would stay behind it for ever. */
	return listen_is_lighttpds(listener) && listener->giver_fd != 0;
}

/* ---- in the child -------------------------------------------------------- */

static bool
is_orphan(const struct watch *watch)
{
	return getppid() != watch->parent;
}

/* Has the web server gone that started the pool? */
static bool
is_alone(const struct watch *watch)
{
	struct pollfd giver = { .fd = watch->giver_fd, .events = POLLIN };

	return poll(&giver, 1, 0) == 1;
}

/* Whoever takes the path away has ended the pool: a parent that could not start
 * after a reload, or somebody who makes a socket of his own there. */
static bool
is_wanted_still(const struct watch *watch)
{
	if (is_alone(watch))
		return false;
	if (listen_is_reachable(watch->listener))
		return true;
	log_warning("\"%s\" leads to no socket of ours any more",
	    watch->listener->name);
	return false;
}

/* None of what an operator or a terminal sends may still be pending when the
 * parent's place is taken.  SIGUSR1 tells of its death, too. */
static int
open_signals(void)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGUSR1);
	return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Wait for something to happen, for so long; -1: for ever.  Opens the log again if
 * told so.  True: somebody has sent us SIGTERM. */
static bool
rest(const struct watch *watch, int wait_ms)
{
	struct pollfd sights[] = {
		{ .fd = watch->signal_fd, .events = POLLIN },
		{ .fd = watch->giver_fd, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	bool told = false, reopen = false;

	(void)poll(sights, sizeof(sights) / sizeof(sights[0]), wait_ms);
	while (read(watch->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		told = told || info.ssi_signo == SIGTERM;
		reopen = reopen || info.ssi_signo == SIGUSR1;
	}
	if (reopen && log_reopen() == -1)
		log_error("could not open the log again: %s", strerror(errno));
	return told;
}

/* Would the program start, as it lies on the disk, with the settings and keys
 * that there are now? */
static bool
would_start(const struct watch *watch)
{
	struct program_trial trial;
	int status = 0;

	if (program_try(watch->program, &watch->will, &trial) != 0)
		return false;
	while (waitpid(trial.pid, &status, WNOHANG) == 0) {
		program_watch(&trial, clock_steady_ms());
		(void)poll(NULL, 0, TRIAL_MS);
	}
	return program_judge(&trial, status);
}

/* A parent that dies at once, again and again, is not followed by the next at
 * once.  Returns when nobody wants the pool any more. */
static void
take_over(struct watch *watch)
{
	int64_t age_ms = clock_steady_ms() - watch->since_ms;
	int wait_ms = age_ms < AGAIN_MS ? (int)(AGAIN_MS - age_ms) : 0;

	watch->will.strangers_until_ms = clock_steady_ms() + watch->finish_ms;
	(void)log_reopen();
	log_warning("the parent, process %ld, has died: process %ld takes its "
		    "place",
	    (long)watch->parent, (long)getpid());
	prctl(PR_SET_PDEATHSIG, 0);
	while (!rest(watch, wait_ms) && is_wanted_still(watch)) {
		if (would_start(watch))
			program_become(watch->program, &watch->will);
		wait_ms = RETRY_MS;
	}
}

static _Noreturn void
stand_by(const struct standby_needs *needs, pid_t parent)
{
	struct watch watch = {
		.program = needs->program,
		.listener = needs->listener,
		.parent = parent,
		.signal_fd = open_signals(),
		.since_ms = clock_steady_ms(),
		.finish_ms = 2 * ((int64_t)needs->config->request_deadline_ms +
				     STRANGERS_GRACE_MS),
	};

	if (watch.signal_fd == -1) {
		log_error("could not take signals: %s", strerror(errno));
		_exit(EXIT_FAILURE);
	}
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	prctl(PR_SET_NAME, NAME);
	keys_close(needs->keys);
	listen_bequeath(needs->listener, &watch.will);
	watch.giver_fd = watch.will.giver_fd != 0 ? watch.will.giver_fd : -1;
	while (!is_orphan(&watch)) {
		if (is_alone(&watch))
			_exit(ALONE);
		if (rest(&watch, -1))
			_exit(EXIT_SUCCESS);
	}
	take_over(&watch);
	_exit(EXIT_FAILURE);
}

/* ---- in the parent ------------------------------------------------------- */

static void
start(struct standby *standby, const struct standby_needs *needs)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		/* At once, not only by the parent: should that die now, two
		 * would take its place. */
		if (standby->inherited != 0)
			kill(standby->inherited, SIGKILL);
		stand_by(needs, parent);
	}
	standby->start_at_ms = clock_steady_ms() + AGAIN_MS;
	if (pid == -1)
		log_error("could not start the standby: %s", strerror(errno));
	else
		standby->pid = pid;
}

void
standby_adopt(struct standby *standby, const struct succession *before)
{
	if (before->standby != 0 && succession_is_child(before->standby))
		standby->inherited = before->standby;
}

pid_t
standby_bequest(const struct standby *standby)
{
	return standby->pid != 0 ? standby->pid : standby->inherited;
}

void
standby_tend(struct standby *standby, const struct standby_needs *needs)
{
	bool wanted = standby_is_wanted(needs->config, needs->listener);

	if (wanted && standby->pid == 0 &&
	    clock_steady_ms() >= standby->start_at_ms)
		start(standby, needs);
	if (standby->inherited != 0 && (standby->pid != 0 || !wanted))
		kill(standby->inherited, SIGKILL);
}

enum standby_end
standby_bury(struct standby *standby, pid_t pid, int status)
{
	if (pid == standby->inherited) {
		standby->inherited = 0;
		return STANDBY_ENDED;
	}
	if (pid != standby->pid)
		return STANDBY_OTHER;
	standby->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == ALONE)
		return STANDBY_LEFT_ALONE;
	log_warning("the standby, process %ld, has ended", (long)pid);
	return STANDBY_ENDED;
}

static void
end(pid_t *pid)
{
	if (*pid == 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

void
standby_reopen_log(const struct standby *standby)
{
	if (standby->pid != 0)
		kill(standby->pid, SIGUSR1);
}

void
standby_dismiss(struct standby *standby)
{
	end(&standby->pid);
	end(&standby->inherited);
}
