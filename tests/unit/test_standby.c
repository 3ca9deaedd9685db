/* test_standby.c - there is never more than one standby that could take over, nor
 * one that is forgotten. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "process/standby.h"
#include "temp_dir.h"

#define LONG_MS 20000 /* for what takes a moment on a machine that is free */

static const struct config config = { .standby = STANDBY_ALWAYS };
static const struct listener listener;
static const struct standby_needs needs = {
	.config = &config,
	.listener = &listener,
};

static struct standby standby;
static pid_t before; /* the standby of the program before */

/* ---- a parent that may die before it has ended anybody --------------------- */

static pid_t silenced; /* this process ends nobody; 0: none is */

int __real_kill(pid_t pid, int number);
int __wrap_kill(pid_t pid, int number);

int
__wrap_kill(pid_t pid, int number)
{
	return getpid() == silenced ? 0 : __real_kill(pid, number);
}

/* ---- one of the program before --------------------------------------------- */

static int
start_one_before(void **state)
{
	struct succession left = { 0 };

	(void)state;
	before = fork();
	if (before == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	standby = (struct standby){ 0 };
	left.standby = before;
	standby_adopt(&standby, &left);
	return before == -1 ? -1 : 0;
}

static int
end_all(void **state)
{
	(void)state;
	silenced = 0;
	standby_dismiss(&standby);
	if (before != 0 && __real_kill(before, SIGKILL) == 0)
		waitpid(before, NULL, 0);
	return 0;
}

/* Wait for the end of a child; its status, or -1 when it does not come. */
static int
end_of(pid_t pid)
{
	int64_t give_up_ms = clock_steady_ms() + LONG_MS;
	int status;

	while (clock_steady_ms() < give_up_ms) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(1000);
	}
	return -1;
}

static void
test_the_next_ends_the_one_before(void **state)
{
	int status;

	(void)state;
	silenced = getpid();
	standby_tend(&standby, &needs);
	assert_true(standby.pid > 0);
	status = end_of(before);
	assert_true(status != -1 && WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(standby_bury(&standby, before, status), STANDBY_ENDED);
	before = 0;
	assert_int_equal(standby_bequest(&standby), standby.pid);
}

static void
test_none_is_forgotten_while_the_next_has_to_wait(void **state)
{
	(void)state;
	standby.start_at_ms = clock_steady_ms() + 3600000;
	standby_tend(&standby, &needs);
	assert_int_equal(standby.pid, 0);
	assert_int_equal(standby_bequest(&standby), before);
	assert_int_equal(__real_kill(before, 0), 0);
}

/* ---- one that cannot start -------------------------------------------------- */

static void
read_all(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t size = fd != -1 ? read(fd, text, room - 1) : 0;

	text[size > 0 ? size : 0] = '\0';
	close(fd);
}

static void
test_says_why_it_could_not_start(void **state)
{
	char dir[TEMP_DIR_SIZE], path[TEMP_PATH_SIZE], text[1000];
	struct rlimit whole, none;
	int status;

	(void)state;
	temp_dir_make(dir);
	assert_int_equal(log_open(temp_path(dir, "log", path),
			     LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &whole), 0);
	none = (struct rlimit){ .rlim_max = whole.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	standby_tend(&standby, &needs);
	setrlimit(RLIMIT_NOFILE, &whole);
	status = end_of(standby.pid);
	log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	read_all(path, text, sizeof(text));
	temp_dir_remove(dir);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
	assert_non_null(strstr(text, "could not take signals: Too many"));
	assert_int_equal(standby_bury(&standby, standby.pid, status),
	    STANDBY_ENDED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_the_next_ends_the_one_before, start_one_before,
		    end_all),
		cmocka_unit_test_setup_teardown(
		    test_none_is_forgotten_while_the_next_has_to_wait,
		    start_one_before, end_all),
		cmocka_unit_test_setup_teardown(
		    test_says_why_it_could_not_start, start_one_before,
		    end_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
