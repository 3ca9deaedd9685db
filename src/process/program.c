/* program.c - this program, as it lies on the disk now. */

#include "process/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define SELF "/proc/self/exe"

/* A start takes milliseconds; a home directory in a network, seconds. */
#define TRIAL_MS 10000

/* More than any complaint; less than a pipe holds, so nobody has to read while
 * the trial runs. */
#define SAID_SIZE 4096

void
program_find(struct program *program, char **arguments)
{
	char path[PATH_MAX];
	struct stat self, named;
	ssize_t size;

	program->arguments = arguments;
	if (arguments[0][0] == '/' && stat(SELF, &self) == 0 &&
	    stat(arguments[0], &named) == 0 && self.st_dev == named.st_dev &&
	    self.st_ino == named.st_ino) {
		program->path = memory_text(arguments[0]);
		return;
	}
	size = readlink(SELF, path, sizeof(path));
	program->path = size > 0 ? memory_text_part(path, (size_t)size)
				 : memory_text(arguments[0]);
}

/* The arguments, and one more. */
static char **
with_argument(char **arguments, const char *more)
{
	size_t count = 0;
	char **all;

	while (arguments[count] != NULL)
		count++;
	all = memory_zeroed(count + 2, sizeof(*all));
	memcpy(all, arguments, count * sizeof(*all));
	all[count] = memory_text(more);
	return all;
}

/* ---- the trial ----------------------------------------------------------- */

/* In the child: only the pipe, the socket, and no signal that the parent
 * holds back. */
static _Noreturn void
become_trial(const struct program *program,
    const struct succession *succession, int said)
{
	sigset_t none;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (nothing != -1 && dup2(nothing, STDOUT_FILENO) != -1 &&
	    dup2(said, STDERR_FILENO) != -1 &&
	    succession_bequeath(succession, getpid()) == 0)
		execv(program->path,
		    with_argument(program->arguments, "--test"));
	log_error("could not start \"%s\": %s", program->path,
	    strerror(errno));
	_exit(1);
}

int
program_try(const struct program *program,
    const struct succession *succession, struct program_trial *trial)
{
	int ends[2];
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
		pid = fork();
		if (pid == 0)
			become_trial(program, succession, ends[1]);
		close(ends[1]);
		if (pid == -1)
			close(ends[0]);
	}
	if (pid == -1) {
		log_error("could not try \"%s\": %s", program->path,
		    strerror(errno));
		return -1;
	}
	*trial = (struct program_trial){
		.pid = pid,
		.said = ends[0],
		.until_ms = clock_steady_ms() + TRIAL_MS,
	};
	return 0;
}

void
program_watch(struct program_trial *trial, int64_t now_ms)
{
	if (trial->pid != 0 && now_ms >= trial->until_ms)
		kill(trial->pid, SIGKILL);
}

/* Log its complaints as ours.  They are lines of a log, too: "time error [pid]
 * sentence". */
static void
repeat(int said)
{
	char text[SAID_SIZE];
	ssize_t size = read(said, text, sizeof(text) - 1);
	char *rest = text, *line;

	text[size > 0 ? size : 0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *sentence = strstr(line, "] ");

		if (*line != '\0')
			log_error("%s", sentence ? sentence + 2 : line);
	}
}

bool
program_judge(struct program_trial *trial, int status)
{
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (!good)
		repeat(trial->said);
	if (WIFSIGNALED(status))
		log_error("the program's trial was ended by signal %d",
		    WTERMSIG(status));
	close(trial->said);
	trial->pid = 0;
	return good;
}

void
program_abandon(struct program_trial *trial)
{
	if (trial->pid == 0)
		return;
	kill(trial->pid, SIGKILL);
	waitpid(trial->pid, NULL, 0);
	close(trial->said);
	trial->pid = 0;
}

/* ---- the change ---------------------------------------------------------- */

void
program_become(const struct program *program,
    const struct succession *succession)
{
	if (succession_bequeath(succession, getpid()) == 0)
		execv(program->path, program->arguments);
	log_error("could not start \"%s\": %s", program->path,
	    strerror(errno));
	succession_forget(succession);
}
