/* Small files: read whole or not at all, replaced whole or not at all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "skip.h"

static char dir[] = "/tmp/postern-test-XXXXXX";

/* A name in the test's directory. */
static const char *
at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(at("file"));
	unlink(at("link"));
	unlink(at("pipe"));
	return rmdir(dir);
}

static void
put(const char *name, const char *bytes, size_t size)
{
	FILE *file = fopen(at(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* How many files there are, half-written ones included. */
static int
files(void)
{
	DIR *list = opendir(dir);
	int count = 0;

	assert_non_null(list);
	while (readdir(list) != NULL)
		count++;
	closedir(list);
	return count - 2;
}

static void
test_read(void **state)
{
	size_t size = 77;
	char *bytes;

	(void)state;
	put("file", "a\0b\n", 4);
	bytes = file_read(at("file"), 100, &size);
	assert_non_null(bytes);
	assert_int_equal(size, 4);
	assert_memory_equal(bytes, "a\0b\n", 5);
	free(bytes);
}

static void
test_read_empty(void **state)
{
	size_t size = 77;
	char *bytes;

	(void)state;
	put("file", "", 0);
	bytes = file_read(at("file"), 0, &size);
	assert_non_null(bytes);
	assert_int_equal(size, 0);
	assert_int_equal(bytes[0], '\0');
	free(bytes);
}

static void
test_read_limit(void **state)
{
	size_t size = 77;
	char *bytes;

	(void)state;
	put("file", "12345", 5);
	bytes = file_read(at("file"), 5, &size);
	assert_non_null(bytes);
	assert_string_equal(bytes, "12345");
	free(bytes);
	errno = 0;
	assert_null(file_read(at("file"), 4, &size));
	assert_int_equal(errno, EFBIG);
}

/* Its size says 0, and still there is something to read: the limit holds. */
static void
test_read_file_without_size(void **state)
{
	size_t size = 0;
	char *bytes;

	(void)state;
	bytes = file_read("/proc/self/stat", 4096, &size);
	assert_non_null(bytes);
	assert_true(size > 10);
	free(bytes);
	errno = 0;
	assert_null(file_read("/proc/self/stat", 10, &size));
	assert_int_equal(errno, EFBIG);
}

static void
test_read_what_is_no_file(void **state)
{
	size_t size;

	(void)state;
	errno = 0;
	assert_null(file_read(at("missing"), 100, &size));
	assert_int_equal(errno, ENOENT);
	errno = 0;
	assert_null(file_read(dir, 100, &size));
	assert_int_equal(errno, EISDIR);
	errno = 0;
	assert_null(file_read("/dev/zero", 100, &size));
	assert_int_equal(errno, EINVAL);
	/* a pipe that nobody writes to would hang the one who opens it */
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	errno = 0;
	assert_null(file_read(at("pipe"), 100, &size));
	assert_int_equal(errno, EINVAL);
	unlink(at("pipe"));
}

static void
assert_content(const char *name, const char *text)
{
	size_t size;
	char *bytes = file_read(at(name), 1000, &size);

	assert_non_null(bytes);
	assert_string_equal(bytes, text);
	free(bytes);
}

static void
test_write(void **state)
{
	struct stat about;
	mode_t mask = umask(0);

	(void)state;
	unlink(at("file"));
	assert_int_equal(file_write_private(at("file"), "secret", 6), FILE_WRITTEN);
	umask(mask);
	assert_content("file", "secret");
	assert_int_equal(stat(at("file"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_int_equal(files(), 1);
}

static void
test_write_replaces(void **state)
{
	struct stat about;

	(void)state;
	put("file", "an old and longer text", 22);
	assert_int_equal(chmod(at("file"), 0644), 0);
	assert_int_equal(file_write_private(at("file"), "new", 3), FILE_WRITTEN);
	assert_content("file", "new");
	assert_int_equal(stat(at("file"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_int_equal(files(), 1);
}

/* What reads while it is replaced keeps the old file. */
static void
test_write_leaves_readers_alone(void **state)
{
	char bytes[8] = "";
	int fd;

	(void)state;
	put("file", "old", 3);
	fd = open(at("file"), O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(file_write_private(at("file"), "newer", 5), FILE_WRITTEN);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "old", 3);
	close(fd);
}

/* A link is replaced, not followed to a file of somebody else. */
static void
test_write_does_not_follow_links(void **state)
{
	char target[256];

	(void)state;
	put("file", "untouched", 9);
	snprintf(target, sizeof(target), "%s", at("file"));
	assert_int_equal(symlink(target, at("link")), 0);
	assert_int_equal(file_write_private(at("link"), "mine", 4), FILE_WRITTEN);
	assert_content("file", "untouched");
	assert_content("link", "mine");
	unlink(at("link"));
}

static void
test_write_in_working_directory(void **state)
{
	int here = open(".", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_true(here >= 0);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(file_write_private("file", "here", 4), FILE_WRITTEN);
	assert_content("file", "here");
	assert_int_equal(fchdir(here), 0);
	close(here);
}

static void
test_write_fails_clean(void **state)
{
	char path[300];
	int before = files();

	(void)state;
	snprintf(path, sizeof(path), "%s/missing/file", dir);
	errno = 0;
	assert_int_equal(file_write_private(path, "x", 1), FILE_FAILED);
	assert_int_equal(errno, ENOENT);

	/* where the name is taken by a directory, the rename fails */
	errno = 0;
	assert_int_equal(file_write_private("/proc/self/fd", "x", 1), FILE_FAILED);
	assert_int_not_equal(errno, 0);
	assert_int_equal(mkdir(at("dir"), 0700), 0);
	errno = 0;
	assert_int_equal(file_write_private(at("dir"), "x", 1), FILE_FAILED);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(rmdir(at("dir")), 0);
	assert_int_equal(files(), before);
}

/* ---- a disk that does not keep what it was given ------------------------- */

/* What fsync() of a file or of a directory fails with; 0: it does not. */
static int file_error, directory_error;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int
__wrap_fsync(int fd)
{
	struct stat about;
	int error;

	assert_int_equal(fstat(fd, &about), 0);
	error = S_ISDIR(about.st_mode) ? directory_error : file_error;
	if (error == 0)
		return __real_fsync(fd);
	errno = error;
	return -1;
}

static void
test_write_that_may_not_last(void **state)
{
	(void)state;
	put("file", "old", 3);
	file_error = EIO;
	errno = 0;
	assert_int_equal(file_write_private(at("file"), "new", 3), FILE_FAILED);
	assert_int_equal(errno, EIO);
	file_error = 0;
	assert_content("file", "old");
	assert_int_equal(files(), 1);

	directory_error = EIO;
	errno = 0;
	assert_int_equal(file_write_private(at("file"), "new", 3), FILE_UNSURE);
	assert_int_equal(errno, EIO);
	assert_content("file", "new");
	assert_int_equal(files(), 1);

	/* A file system that has nothing to sync a directory for. */
	directory_error = EINVAL;
	assert_int_equal(file_write_private(at("file"), "newer", 5),
	    FILE_WRITTEN);
	directory_error = 0;
	assert_content("file", "newer");
}

/* What root makes belongs to the owner of the directory. */
static void
test_write_as_root(void **state)
{
	struct stat about;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root may give files away");
	assert_int_equal(chown(dir, 12345, 23456), 0);
	assert_int_equal(file_write_private(at("file"), "key", 3), FILE_WRITTEN);
	assert_int_equal(stat(at("file"), &about), 0);
	assert_int_equal(about.st_uid, 12345);
	assert_int_equal(about.st_gid, 23456);
	assert_int_equal(chown(dir, 0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_empty),
		cmocka_unit_test(test_read_limit),
		cmocka_unit_test(test_read_file_without_size),
		cmocka_unit_test(test_read_what_is_no_file),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_replaces),
		cmocka_unit_test(test_write_leaves_readers_alone),
		cmocka_unit_test(test_write_does_not_follow_links),
		cmocka_unit_test(test_write_in_working_directory),
		cmocka_unit_test(test_write_fails_clean),
		cmocka_unit_test(test_write_that_may_not_last),
		cmocka_unit_test(test_write_as_root),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
