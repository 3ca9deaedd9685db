/* replay.c - run a fuzz target over its seeds, without a fuzzer.
 *
 * usage: fuzz_NAME [FILE | DIRECTORY]...
 *
 * Directories are not entered any deeper.  Without arguments it takes the seeds of
 * its own name, in $top_srcdir/tests/fuzz/seeds/NAME.  Each input lies in a block
 * of just its size, so that a checker of memory sees the first byte read behind. */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define PREFIX "fuzz_"

static int
complain(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

/* Read a file whole into a block of its size. */
static uint8_t *
read_input(FILE *file, size_t *size)
{
	uint8_t *data;
	long end;

	if (fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0)
		return NULL;
	rewind(file);
	*size = (size_t)end;
	data = malloc(*size > 0 ? *size : 1);
	if (data == NULL || fread(data, 1, *size, file) != *size) {
		free(data);
		return NULL;
	}
	return data;
}

/* Returns the number of inputs run, or -1. */
static int
run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (file == NULL)
		return complain(path);
	data = read_input(file, &size);
	fclose(file);
	if (data == NULL)
		return complain(path);
	/* Said first: when it crashes, this names the input. */
	printf("%s (%zu bytes)\n", path, size);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static int
run_directory(const char *path)
{
	char file[PATH_MAX];
	struct dirent *entry;
	DIR *list = opendir(path);
	int count = 0, one;

	if (list == NULL)
		return complain(path);
	while ((entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		one = run_file(file);
		if (one == -1) {
			closedir(list);
			return -1;
		}
		count += one;
	}
	closedir(list);
	return count;
}

static int
run(const char *path)
{
	struct stat about;

	if (stat(path, &about) == -1)
		return complain(path);
	return S_ISDIR(about.st_mode) ? run_directory(path) : run_file(path);
}

/* The directory of this target's seeds, from its own name. */
static int
run_seeds(const char *program)
{
	const char *top = getenv("top_srcdir");
	const char *name = strrchr(program, '/');
	char path[PATH_MAX];

	name = name == NULL ? program : name + 1;
	if (strncmp(name, PREFIX, strlen(PREFIX)) == 0)
		name += strlen(PREFIX);
	snprintf(path, sizeof(path), "%s/tests/fuzz/seeds/%s",
	    top == NULL ? "." : top, name);
	return run(path);
}

int
main(int argc, char *argv[])
{
	int count = 0, more;

	if (argc < 2)
		count = run_seeds(argv[0]);
	for (int i = 1; i < argc && count != -1; i++) {
		more = run(argv[i]);
		count = more == -1 ? -1 : count + more;
	}
	if (count == 0)
		fprintf(stderr, "no inputs\n");
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
