/* test_confine.c - what a confined process can still do, and what it cannot. */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret.h"
#include "process/confine.h"
#include "skip.h"

/* valgrind lives inside the process, and under the filter. */
static bool
is_watched(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

static void
skip_without_filter(void)
{
	if (!confine_has_calls())
		skip_because("no filter: without libseccomp, or with sanitizers");
	if (is_watched())
		skip_because("valgrind needs more system calls");
}

/* Run `act` in a confined child: its wait status. */
static int
confined(int (*act)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		secret_keep_inside();
		if (confine_calls() != 0)
			_exit(99);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
assert_killed(int (*act)(void))
{
	int status = confined(act);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void
assert_works(int (*act)(void))
{
	int status = confined(act);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- what an intruder would do ------------------------------------------- */

static int
start_a_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 1;
}

static int
look_into_another(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}

static int
map_to_write_and_run(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static int
run_what_was_written(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 1;
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static void
test_intruders_die(void **state)
{
	(void)state;
	skip_without_filter();
	assert_killed(start_a_program);
	assert_killed(look_into_another);
	assert_killed(map_to_write_and_run);
	assert_killed(run_what_was_written);
}

/* ---- what just fails ----------------------------------------------------- */

static int
make_children(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return !(pid == -1 && errno == ENOSYS);
}

static int
signal_others(void)
{
	return !(kill(getppid(), SIGWINCH) == -1 && errno == ENOSYS);
}

static int
send_packets(void)
{
	return !(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == ENOSYS);
}

static int
change_files(void)
{
	return !(unlink("/nowhere/at/all") == -1 && errno == ENOSYS &&
		 rename("/nowhere/at", "/all") == -1 && errno == ENOSYS &&
		 chmod("/nowhere/at/all", 0777) == -1 && errno == ENOSYS);
}

static void
test_others_fail(void **state)
{
	(void)state;
	skip_without_filter();
	assert_works(make_children);
	assert_works(signal_others);
	assert_works(send_packets);
	assert_works(change_files);
}

/* ---- what serving takes -------------------------------------------------- */

static int
resolve_a_name(void)
{
	struct addrinfo *found;

	if (getaddrinfo("localhost", "5432", NULL, &found) != 0)
		return 1;
	freeaddrinfo(found);
	return 0;
}

static int
write_to_the_system_log(void)
{
	openlog("test_confine", LOG_PID, LOG_DAEMON);
	syslog(LOG_DEBUG, "written under a filter of system calls");
	closelog();
	return 0;
}

static int
use_files_and_memory(void)
{
	FILE *file = fopen("/dev/null", "re");
	char *memory = malloc(64 << 20);

	if (file == NULL || memory == NULL)
		return 1;
	memset(memory, 1, 64 << 20);
	free(memory);
	return fclose(file) != 0;
}

static void
test_serving_works(void **state)
{
	(void)state;
	skip_without_filter();
	assert_works(resolve_a_name);
	assert_works(write_to_the_system_log);
	assert_works(use_files_and_memory);
}

static int
give_up(void)
{
	abort();
}

static void
test_abort_is_a_sigabrt(void **state)
{
	int status;

	(void)state;
	skip_without_filter();
	status = confined(give_up);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* ---- the rest ------------------------------------------------------------ */

/* `memory` is volatile, or the compiler would see that nobody uses it. */
static int
grow(size_t bytes)
{
	void *volatile memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? -1 : 0;
}

static int
run_child(int (*act)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
grow_within_limits(void)
{
	struct rlimit limit;

	confine_memory((size_t)64 << 20);
	if (getrlimit(RLIMIT_AS, &limit) != 0)
		return 1;
	if (limit.rlim_cur == RLIM_INFINITY)
		return 77; /* a sanitizer */
	if (grow((size_t)32 << 20) != 0)
		return 2;
	return grow((size_t)128 << 20) == 0 ? 3 : 0;
}

static void
test_memory_has_a_limit(void **state)
{
	int status;

	(void)state;
	if (is_watched())
		skip_because("valgrind needs more memory");
	status = run_child(grow_within_limits);
	if (status == 77)
		skip_because("a sanitizer needs all addresses");
	assert_int_equal(status, 0);
}

static int
look_at_oneself(void)
{
	struct rlimit limit;

	secret_keep_inside();
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0)
		return 1;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 2;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
}

static void
test_secrets_stay_inside(void **state)
{
	(void)state;
	assert_int_equal(run_child(look_at_oneself), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intruders_die),
		cmocka_unit_test(test_others_fail),
		cmocka_unit_test(test_serving_works),
		cmocka_unit_test(test_abort_is_a_sigabrt),
		cmocka_unit_test(test_memory_has_a_limit),
		cmocka_unit_test(test_secrets_stay_inside),
	};

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
