/* test_succession.c - what is left arrives, and nothing else does. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/succession.h"

static char text[SUCCESSION_TEXT_SIZE];
static struct succession read_back;

static struct succession *
whole(void)
{
	static struct succession left;

	left = (struct succession){
		.fd = INT32_MAX,
		.source = 2,
		.one_at_a_time = true,
		.has_path = true,
		.device = UINT64_MAX,
		.inode = UINT64_MAX,
		.giver_fd = INT32_MAX,
		.standby = INT32_MAX,
		.strangers_until_ms = INT64_MAX,
		.count = SUCCESSION_MOST,
	};
	for (size_t i = 0; i < left.count; i++)
		left.children[i] = (struct succession_child){
			.pid = INT32_MAX - (pid_t)i,
			.started_ms = INT64_MAX - (int64_t)i,
		};
	return &left;
}

static void
test_all_of_it_arrives(void **state)
{
	const struct succession *left = whole();

	(void)state;
	succession_format(left, INT32_MAX, text);
	assert_int_equal(succession_parse(text, INT32_MAX, &read_back), 0);
	assert_int_equal(read_back.fd, left->fd);
	assert_int_equal(read_back.source, left->source);
	assert_true(read_back.one_at_a_time);
	assert_true(read_back.has_path);
	assert_true(read_back.device == left->device);
	assert_true(read_back.inode == left->inode);
	assert_int_equal(read_back.giver_fd, left->giver_fd);
	assert_int_equal(read_back.standby, left->standby);
	assert_true(read_back.strangers_until_ms == left->strangers_until_ms);
	assert_int_equal(read_back.count, left->count);
	assert_memory_equal(read_back.children, left->children,
	    sizeof(left->children));
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"7",
		"8 5 0 0 0 0 0 0 0 0",   /* another heir */
		"7 5 0 0 0 0 0 0 0",     /* cut off */
		"7 5 0 0 0 0 0 0 0 0 ",  /* a blank at the end */
		"7 5 0 0 0 0 0 0 0 0 1", /* half a child */
		"7 5 0 0 0 0 0 0 0 0 0 1",
		"7 -5 0 0 0 0 0 0 0 0",
		"7 5 0 2 0 0 0 0 0 0",
		"7  5 0 0 0 0 0 0 0 0",
		"7 5 0 0 0 0 18446744073709551616 0 0 0",
		"7 2147483648 0 0 0 0 0 0 0 0",
		"7 5 0 0 0 0 0 2147483648 0 0",
		"7 5 0 0 0 0 0 0 2147483648 0",
		"7 5 0 0 0 0 0 0 0 9223372036854775808",
		"7 5 0 0 0 0 0 0 0 0x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(succession_parse(bad[i], 7, &read_back), -1);
	assert_int_equal(succession_parse("7 5 0 0 0 0 0 0 0 0", 7, &read_back),
	    0);
}

static void
test_one_child_too_many(void **state)
{
	size_t used;

	(void)state;
	succession_format(whole(), 7, text);
	used = strlen(text);
	snprintf(text + used, sizeof(text) - used, " 1 1");
	assert_int_equal(succession_parse(text, 7, &read_back), -1);
}

static void
test_environment(void **state)
{
	(void)state;
	assert_int_equal(succession_take(&read_back), SUCCESSION_NONE);
	(void)succession_bequeath(whole(), getpid());
	assert_int_equal(succession_take(&read_back), SUCCESSION_TAKEN);
	/* No child will think that it was meant for it. */
	assert_int_equal(succession_take(&read_back), SUCCESSION_NONE);

	(void)succession_bequeath(whole(), getppid());
	assert_int_equal(succession_take(&read_back), SUCCESSION_BAD);
	assert_int_equal(succession_take(&read_back), SUCCESSION_NONE);

	(void)succession_bequeath(whole(), getpid());
	succession_forget(whole());
	assert_int_equal(succession_take(&read_back), SUCCESSION_NONE);
}

static bool
is_kept(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
}

static void
test_descriptors(void **state)
{
	struct succession left = {
		.fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
		.giver_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
	};

	(void)state;
	assert_int_equal(succession_bequeath(&left, getpid()), 0);
	assert_true(is_kept(left.fd) && is_kept(left.giver_fd));
	succession_forget(&left);
	assert_false(is_kept(left.fd) || is_kept(left.giver_fd));
	close(left.fd);
	assert_int_equal(succession_bequeath(&left, getpid()), -1);
	succession_forget(&left);
	close(left.giver_fd);
	assert_int_equal(succession_bequeath(&left, getpid()), -1);
	succession_forget(&left);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_arrives),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_one_child_too_many),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests_name("succession", tests, NULL, NULL);
}
