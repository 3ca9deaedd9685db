/* succession.c - what a parent leaves to the program that takes its place.
 *
 * The text: "HEIR FD SOURCE ONE_AT_A_TIME HAS_PATH DEVICE INODE GIVER_FD STANDBY
 * STRANGERS_UNTIL_MS", and for each child " PID STARTED_MS"; decimal numbers with
 * one blank between two. */

#include "process/succession.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

/* Not named POSTERN_...: those are settings. */
#define VARIABLE "SUCCESSION_OF_POSTERN"

void
succession_format(const struct succession *succession, pid_t heir,
    char text[static SUCCESSION_TEXT_SIZE])
{
	int used = snprintf(text, SUCCESSION_TEXT_SIZE,
	    "%ld %d %d %d %d %" PRIu64 " %" PRIu64 " %d %ld %" PRId64,
	    (long)heir, succession->fd, succession->source,
	    succession->one_at_a_time, succession->has_path, succession->device,
	    succession->inode, succession->giver_fd, (long)succession->standby,
	    succession->strangers_until_ms);

	for (size_t i = 0; i < succession->count; i++)
		used +=
		    snprintf(text + used, SUCCESSION_TEXT_SIZE - (size_t)used,
			" %ld %" PRId64, (long)succession->children[i].pid,
			succession->children[i].started_ms);
}

/* The number that stands at *text, from 0 to `most`; *text moves behind it and
 * the blank that follows.  -1 when there is none. */
static int
take_number(const char **text, uint64_t most, uint64_t *number)
{
	const char *at = *text;

	if (*at < '0' || *at > '9')
		return -1;
	for (*number = 0; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (digit > most || *number > (most - digit) / 10)
			return -1;
		*number = *number * 10 + digit;
	}
	if (*at == ' ' && at[1] != '\0')
		at++;
	else if (*at != '\0')
		return -1;
	*text = at;
	return 0;
}

static int
take_child(const char **text, struct succession_child *child)
{
	uint64_t pid, started_ms;

	if (take_number(text, INT_MAX, &pid) != 0 || pid == 0 ||
	    take_number(text, INT64_MAX, &started_ms) != 0)
		return -1;
	child->pid = (pid_t)pid;
	child->started_ms = (int64_t)started_ms;
	return 0;
}

int
succession_parse(const char *text, pid_t heir, struct succession *succession)
{
	uint64_t meant, fd, source, one_at_a_time, has_path, giver_fd, standby;
	uint64_t strangers_until_ms;

	succession->count = 0;
	if (take_number(&text, INT_MAX, &meant) != 0 ||
	    meant != (uint64_t)heir || take_number(&text, INT_MAX, &fd) != 0 ||
	    take_number(&text, 9, &source) != 0 ||
	    take_number(&text, 1, &one_at_a_time) != 0 ||
	    take_number(&text, 1, &has_path) != 0 ||
	    take_number(&text, UINT64_MAX, &succession->device) != 0 ||
	    take_number(&text, UINT64_MAX, &succession->inode) != 0 ||
	    take_number(&text, INT_MAX, &giver_fd) != 0 ||
	    take_number(&text, INT_MAX, &standby) != 0 ||
	    take_number(&text, INT64_MAX, &strangers_until_ms) != 0)
		return -1;
	succession->fd = (int)fd;
	succession->source = (int)source;
	succession->one_at_a_time = one_at_a_time;
	succession->has_path = has_path;
	succession->giver_fd = (int)giver_fd;
	succession->standby = (pid_t)standby;
	succession->strangers_until_ms = (int64_t)strangers_until_ms;
	while (*text != '\0') {
		struct succession_child *child =
		    &succession->children[succession->count];

		if (succession->count == SUCCESSION_MOST ||
		    take_child(&text, child) != 0)
			return -1;
		succession->count++;
	}
	return 0;
}

bool
succession_is_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	       0;
}

/* Does execve(2) keep the descriptors? */
static int
keep(const struct succession *succession, bool kept)
{
	int flags = kept ? 0 : FD_CLOEXEC;

	if (succession->giver_fd != 0 &&
	    fcntl(succession->giver_fd, F_SETFD, flags) == -1)
		return -1;
	return fcntl(succession->fd, F_SETFD, flags);
}

int
succession_bequeath(const struct succession *succession, pid_t heir)
{
	char *text = memory_zeroed(SUCCESSION_TEXT_SIZE, 1);

	succession_format(succession, heir, text);
	if (setenv(VARIABLE, text, 1) != 0)
		memory_exhausted();
	free(text);
	return keep(succession, true);
}

void
succession_forget(const struct succession *succession)
{
	unsetenv(VARIABLE);
	(void)keep(succession, false);
}

enum succession_taken
succession_take(struct succession *succession)
{
	const char *text = getenv(VARIABLE);
	int result;

	if (text == NULL)
		return SUCCESSION_NONE;
	result = succession_parse(text, getpid(), succession);
	unsetenv(VARIABLE);
	if (result == 0)
		return SUCCESSION_TAKEN;
	log_error("the variable " VARIABLE " was not left to this process");
	return SUCCESSION_BAD;
}
