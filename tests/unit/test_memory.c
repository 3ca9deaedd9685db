/* Blocks that are always there, or the process is not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

static void
test_zeroed(void **state)
{
	char *block = memory_zeroed(4, 8);

	(void)state;
	for (int i = 0; i < 32; i++)
		assert_int_equal(block[i], 0);
	free(block);
	block = memory_zeroed(0, 8);
	assert_non_null(block);
	free(block);
}

static void
test_text(void **state)
{
	char *copy = memory_text("postern");

	(void)state;
	assert_string_equal(copy, "postern");
	free(copy);
	copy = memory_text_part("postern", 4);
	assert_string_equal(copy, "post");
	free(copy);
	copy = memory_text_part("a\0b", 3);
	assert_memory_equal(copy, "a\0b", 4);
	free(copy);
	copy = memory_text_part("", 0);
	assert_string_equal(copy, "");
	free(copy);
}

/* AddressSanitizer, where this is built with it: let the call fail, as ours
 * must see it do. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* All that comes, until every writer is gone. */
static void
read_all(int fd, char *text, size_t room)
{
	size_t used = 0;
	ssize_t size;

	while ((size = read(fd, text + used, room - used - 1)) > 0)
		used += (size_t)size;
	text[used] = '\0';
}

/* A count times a size that overflows is as good as no memory. */
static void
test_exhausted(void **state)
{
	volatile size_t many = SIZE_MAX / 2;
	const struct rlimit no_core = { 0, 0 };
	char said[8192];
	int ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		/* cmocka has a handler of its own for it */
		sigaction(SIGABRT, &(struct sigaction){ .sa_handler = SIG_DFL },
		    NULL);
		dup2(ends[1], STDERR_FILENO);
		free(memory_zeroed(many, 4));
		_exit(0);
	}
	close(ends[1]);
	read_all(ends[0], said, sizeof(said));
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
	assert_non_null(strstr(said, "memory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_exhausted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
