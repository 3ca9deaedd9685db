/* test_cgi.c - one request from the environment and fd 0 to fd 1. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "web/cgi.h"

/* Longer than a machine stands still; and for tests that let it go by. */
#define TIMEOUT_MS 10000
#define HASTY_MS   1000

static int timeout_ms = TIMEOUT_MS;

/* What a CGI program did that sends its body back. */
struct outcome {
	ssize_t last; /* what the last read() gave: 0 or -1 */
	char output[64];
	const char *body; /* as it came back */
	int64_t ms;
};

/* In the child: fd 0 and 1 are its own. */
static int
be_program(void)
{
	struct gateway gateway;
	char body[64];
	size_t used = 0;
	ssize_t got;

	cgi_open(&gateway, timeout_ms);
	if (gateway.authorizer || gateway.gone(gateway.self))
		return 9;
	while ((got = gateway.read(gateway.self, body + used, 5)) > 0)
		used += (size_t)got;
	if (gateway.write(gateway.self, "Status: 200\r\n\r\n", 15) != 0 ||
	    gateway.write(gateway.self, body, used) != 0)
		return 8;
	return got == 0 ? 0 : 1;
}

/* Run it with this body on a pipe, which may stay open. */
static void
run(const char *length, const char *body, bool open, struct outcome *outcome)
{
	int in[2], out[2], status;
	int64_t before_ms = clock_steady_ms();
	size_t used = 0;
	ssize_t got;
	pid_t pid;

	memset(outcome, 0, sizeof(*outcome));
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		unsetenv("CONTENT_LENGTH");
		if (length != NULL)
			setenv("CONTENT_LENGTH", length, 1);
		_exit(be_program());
	}
	close(out[1]);
	assert_int_equal(write(in[1], body, strlen(body)), strlen(body));
	if (!open)
		close(in[1]);
	while ((got = read(out[0], outcome->output + used,
		    sizeof(outcome->output) - 1 - used)) > 0)
		used += (size_t)got;
	assert_memory_equal(outcome->output, "Status: 200\r\n\r\n", 15);
	outcome->body = outcome->output + 15;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	outcome->last = WEXITSTATUS(status) == 0 ? 0 : -1;
	outcome->ms = clock_steady_ms() - before_ms;
	if (open)
		close(in[1]);
	close(in[0]);
	close(out[0]);
}

static void
test_body(void **state)
{
	struct outcome outcome;

	(void)state;
	run("9", "{\"a\": 12}", false, &outcome);
	assert_int_equal(outcome.last, 0);
	assert_string_equal(outcome.body, "{\"a\": 12}");
}

static void
test_body_ends_at_its_length(void **state)
{
	struct outcome outcome;

	(void)state;
	run("4", "abcdefgh", true, &outcome);
	assert_int_equal(outcome.last, 0);
	assert_string_equal(outcome.body, "abcd");
	assert_in_range(outcome.ms, 0, TIMEOUT_MS);
}

static void
test_no_length_is_no_body(void **state)
{
	struct outcome outcome;

	(void)state;
	run(NULL, "abc", true, &outcome);
	assert_int_equal(outcome.last, 0);
	assert_string_equal(outcome.body, "");
	run("", "abc", true, &outcome);
	assert_int_equal(outcome.last, 0);
	run("0", "abc", true, &outcome);
	assert_int_equal(outcome.last, 0);
	assert_in_range(outcome.ms, 0, TIMEOUT_MS);
}

static void
test_bad_lengths(void **state)
{
	static const char *const lengths[] = { "-1", "+3", " 3", "3 ", "0x3",
		"3a", "99999999999999999999" };
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		run(lengths[i], "abc", true, &outcome);
		assert_int_equal(outcome.last, -1);
	}
}

static void
test_body_cut_off(void **state)
{
	struct outcome outcome;

	(void)state;
	run("10", "abc", false, &outcome);
	assert_int_equal(outcome.last, -1);
	assert_in_range(outcome.ms, 0, TIMEOUT_MS);
}

static void
test_body_that_stalls(void **state)
{
	struct outcome outcome;

	(void)state;
	timeout_ms = HASTY_MS;
	run("10", "abc", true, &outcome);
	timeout_ms = TIMEOUT_MS;
	assert_int_equal(outcome.last, -1);
	assert_in_range(outcome.ms, HASTY_MS - 20, 10 * HASTY_MS);
}

static void
test_body_in_chunks(void **state)
{
	struct outcome outcome;

	(void)state;
	setenv("HTTP_TRANSFER_ENCODING", "chunked", 1);
	run(NULL, "abcdefgh", false, &outcome);
	assert_int_equal(outcome.last, 0);
	assert_string_equal(outcome.body, "abcdefgh");
	run("", "abc", false, &outcome);
	assert_string_equal(outcome.body, "abc");
	run(NULL, "", false, &outcome);
	assert_int_equal(outcome.last, 0);
	assert_string_equal(outcome.body, "");

	timeout_ms = HASTY_MS;
	run(NULL, "abc", true, &outcome);
	timeout_ms = TIMEOUT_MS;
	assert_int_equal(outcome.last, -1);
	assert_in_range(outcome.ms, HASTY_MS - 20, 10 * HASTY_MS);

	/* What has a length ends there. */
	run("3", "abcdefgh", true, &outcome);
	assert_int_equal(outcome.last, 0);
	assert_string_equal(outcome.body, "abc");
	unsetenv("HTTP_TRANSFER_ENCODING");
}

/* Answer at once, with fd 0 and 1 on one socket, as Apache has it. */
static pid_t
start_hasty(int ends[static 2])
{
	struct gateway gateway;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		cgi_open(&gateway, TIMEOUT_MS);
		gateway.write(gateway.self, "answer", 6);
		cgi_finish();
		_exit(0);
	}
	close(ends[1]);
	return pid;
}

static void
test_the_rest_of_a_body_is_taken(void **state)
{
	static char body[100000];
	char answer[16] = "";
	int64_t took_ms = INT64_MAX;
	int ends[2];
	pid_t pid;

	(void)state;
	setenv("CONTENT_LENGTH", "100000", 1);
	pid = start_hasty(ends);
	assert_int_equal(write(ends[0], body, sizeof(body)), sizeof(body));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(ends[0], answer, sizeof(answer)), 6);
	assert_string_equal(answer, "answer");
	close(ends[0]);

	/* But not waited for; a machine that stands still may take long. */
	for (int i = 0; i < 5 && took_ms > 1500; i++) {
		took_ms = clock_steady_ms();
		pid = start_hasty(ends);
		assert_int_equal(write(ends[0], body, 10), 10);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		took_ms = clock_steady_ms() - took_ms;
		close(ends[0]);
	}
	assert_in_range(took_ms, 0, 1500);
	unsetenv("CONTENT_LENGTH");
}

static bool
asked_on(int fd)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (fd == -1)
			close(STDIN_FILENO);
		else
			dup2(fd, STDIN_FILENO);
		_exit(cgi_is_request() ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 1;
}

static void
test_is_request(void **state)
{
	const struct sockaddr_un name = { .sun_family = AF_UNIX };
	int listening = socket(AF_UNIX, SOCK_STREAM, 0);
	int ends[2], pair[2];

	(void)state;
	assert_int_equal(bind(listening, (const struct sockaddr *)&name,
	    sizeof(name.sun_family)), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);

	unsetenv("REQUEST_METHOD");
	assert_false(asked_on(ends[0]));
	setenv("REQUEST_METHOD", "GET", 1);
	assert_true(asked_on(ends[0]));
	assert_true(asked_on(pair[0]));
	assert_true(asked_on(-1));
	assert_false(asked_on(listening));

	unsetenv("REQUEST_METHOD");
	close(listening);
	close(ends[0]);
	close(ends[1]);
	close(pair[0]);
	close(pair[1]);
}

static void
test_params_are_the_environment(void **state)
{
	struct gateway gateway;
	bool found = false;

	(void)state;
	setenv("REQUEST_URI", "/v2/auth/health", 1);
	cgi_open(&gateway, TIMEOUT_MS);
	for (size_t i = 0; gateway.params[i] != NULL; i++)
		if (strcmp(gateway.params[i], "REQUEST_URI=/v2/auth/health") ==
		    0)
			found = true;
	assert_true(found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_body_ends_at_its_length),
		cmocka_unit_test(test_no_length_is_no_body),
		cmocka_unit_test(test_bad_lengths),
		cmocka_unit_test(test_body_cut_off),
		cmocka_unit_test(test_body_that_stalls),
		cmocka_unit_test(test_body_in_chunks),
		cmocka_unit_test(test_the_rest_of_a_body_is_taken),
		cmocka_unit_test(test_is_request),
		cmocka_unit_test(test_params_are_the_environment),
	};

	return cmocka_run_group_tests_name("cgi", tests, NULL, NULL);
}
