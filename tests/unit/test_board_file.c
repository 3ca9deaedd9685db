/* test_board_file.c - boards are found while their makers live, and by nobody else
 * than who may. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/board_file.h"
#include "temp_dir.h"

#define SIZE 4096

static char folder[TEMP_DIR_SIZE];

static int
make_folder(void **state)
{
	(void)state;
	temp_dir_make(folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	temp_dir_remove(folder);
	return 0;
}

/* What a visit found. */
struct found {
	int count;
	pid_t pid;
	char first; /* byte */
};

static void
look(const struct board_copy *copy, void *self)
{
	struct found *found = self;

	assert_int_equal(copy->owner, geteuid());
	assert_int_equal(copy->size, SIZE);
	found->count++;
	found->pid = copy->pid;
	found->first = *(const char *)copy->bytes;
}

static struct found
visit(void)
{
	struct found found = { 0 };

	assert_int_equal(board_file_visit(folder, look, &found), 0);
	return found;
}

/* Become a process with a file, and wait to be ended; by a test that fails,
 * too. */
static _Noreturn void
live(char first, int ready_fd)
{
	struct board_file file;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (board_file_make(&file, folder, SIZE) != 0)
		_exit(1);
	*(char *)file.memory = first;
	if (write(ready_fd, &first, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* What tells of its readiness is *ready_fd; nobody else can write there. */
static pid_t
launch(char first, int *ready_fd)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		live(first, ends[1]);
	close(ends[1]);
	*ready_fd = ends[0];
	return pid;
}

static void
assert_ready(int ready_fd)
{
	char byte;

	assert_int_equal(read(ready_fd, &byte, 1), 1);
	close(ready_fd);
}

static pid_t
start(char first)
{
	int ready_fd;
	pid_t pid = launch(first, &ready_fd);

	assert_ready(ready_fd);
	return pid;
}

static void
end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static size_t
files(void)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(stream)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(stream);
	return count;
}

static void
test_found_while_it_lives(void **state)
{
	struct found found;
	pid_t pid = start('a');

	(void)state;
	found = visit();
	assert_int_equal(found.count, 1);
	assert_int_equal(found.pid, pid);
	assert_int_equal(found.first, 'a');
	/* To look does not end what is looked at. */
	assert_int_equal(visit().count, 1);
	end(pid);
	assert_int_equal(visit().count, 0);
	assert_int_equal(files(), 1);
}

/* The next one takes away what the dead left, and leaves the living alone. */
static void
test_the_dead_are_swept(void **state)
{
	pid_t first = start('a'), second = start('b'), third;

	(void)state;
	assert_int_equal(visit().count, 2);
	end(first);
	third = start('c');
	assert_int_equal(files(), 2);
	assert_int_equal(visit().count, 2);
	end(second);
	end(third);
}

#define MANY 40

/* Who begins while others begin and sweep is found all the same. */
static void
test_many_begin_at_once(void **state)
{
	pid_t pids[MANY];
	int ready[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		pids[i] = launch('m', &ready[i]);
	for (int i = 0; i < MANY; i++)
		assert_ready(ready[i]);
	assert_int_equal(visit().count, MANY);
	for (int i = 0; i < MANY; i++)
		end(pids[i]);
}

/* Children have the memory, and not the lock. */
static void
test_a_child_is_not_its_maker(void **state)
{
	struct board_file file;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(board_file_make(&file, folder, SIZE), 0);
	pid = fork();
	if (pid == 0) {
		*(char *)file.memory = 'x';
		board_file_close(&file);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(*(char *)file.memory, 'x');
	/* Another process sees that it is still held. */
	pid = fork();
	if (pid == 0) {
		struct found found = visit();

		_exit(found.count == 1 && found.pid == getppid() &&
			found.first == 'x' ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	board_file_close(&file);
	assert_int_equal(files(), 0);
}

static void
put(const char *name, mode_t kind)
{
	char path[TEMP_PATH_SIZE];

	assert_int_equal(mknod(temp_path(folder, name, path), kind | 0600, 0),
	    0);
}

/* Whoever may write to the folder may put there what he likes. */
static void
test_what_is_no_board(void **state)
{
	char path[TEMP_PATH_SIZE];
	pid_t pid;

	(void)state;
	put("postern-board-1", S_IFIFO);
	put("postern-board-2", S_IFREG); /* empty, and nobody's */
	put("postern", S_IFREG);
	assert_int_equal(symlink("/dev/zero",
			     temp_path(folder, "postern-board-3", path)),
	    0);
	assert_int_equal(visit().count, 0);
	pid = start('a');
	assert_int_equal(visit().count, 1);
	end(pid);
	/* Only files of ours are swept. */
	assert_int_equal(files(), 4);
	assert_int_equal(unlink(temp_path(folder, "postern", path)), 0);
	assert_int_equal(unlink(temp_path(folder, "postern-board-1", path)), 0);
	assert_int_equal(unlink(temp_path(folder, "postern-board-3", path)), 0);
}

static void
test_no_folder(void **state)
{
	struct board_file file;
	struct found found = { 0 };

	(void)state;
	assert_int_equal(board_file_make(&file, "/nowhere", SIZE), -1);
	assert_int_equal(board_file_visit("/nowhere", look, &found), -1);
	assert_int_equal(found.count, 0);
}

static void
test_too_large(void **state)
{
	struct board_file file;

	(void)state;
	assert_int_equal(board_file_make(&file, folder, SIZE_MAX / 4), -1);
	assert_int_equal(files(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_found_while_it_lives,
		    make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_the_dead_are_swept,
		    make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_many_begin_at_once,
		    make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_a_child_is_not_its_maker,
		    make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_what_is_no_board,
		    make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_no_folder, make_folder,
		    remove_folder),
		cmocka_unit_test_setup_teardown(test_too_large, make_folder,
		    remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
