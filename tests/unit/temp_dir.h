/* temp_dir.h - a directory for one test, and its end. */

#ifndef POSTERN_TESTS_UNIT_TEMP_DIR_H
#define POSTERN_TESTS_UNIT_TEMP_DIR_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMP_DIR_SIZE  64
#define TEMP_PATH_SIZE 256

/* Make a directory that nobody else may enter; ends the test if it cannot. */
static inline void
temp_dir_make(char dir[static TEMP_DIR_SIZE])
{
	snprintf(dir, TEMP_DIR_SIZE, "/tmp/postern-test-XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		abort();
	}
}

/* A path in it. */
static inline const char *
temp_path(const char *dir, const char *name, char path[static TEMP_PATH_SIZE])
{
	if (snprintf(path, TEMP_PATH_SIZE, "%s/%s", dir, name) >=
	    TEMP_PATH_SIZE)
		abort();
	return path;
}

/* Remove it with the files in it; it holds no directories. */
static inline void
temp_dir_remove(const char *dir)
{
	char path[TEMP_PATH_SIZE];
	struct dirent *entry;
	DIR *stream = opendir(dir);

	if (stream == NULL)
		return;
	while ((entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			unlink(temp_path(dir, entry->d_name, path));
	}
	closedir(stream);
	rmdir(dir);
}

#endif
