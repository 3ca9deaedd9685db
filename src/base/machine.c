/* machine.c - what this process may use of the machine it runs on. */

#include "base/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define GROUPS_ROOT "/sys/fs/cgroup"
#define TEXT_LIMIT  65536
#define PATH_SIZE   4096

/* All of a small file of the kernel's; NULL when it is not there. */
static char *
read_text(const char *path)
{
	size_t size;

	return file_read(path, TEXT_LIMIT, &size);
}

/* Where the files of this process's control group are (cgroups(7), version 2). */
static void
find_group(char path[static PATH_SIZE])
{
	char *text = read_text("/proc/self/cgroup");
	const char *own = text != NULL ? strstr(text, "0::/") : NULL;

	snprintf(path, PATH_SIZE, "%s", GROUPS_ROOT);
	if (own != NULL)
		snprintf(path, PATH_SIZE, "%s%.*s", GROUPS_ROOT,
		    (int)strcspn(own + 3, "\n"), own + 3);
	free(text);
}

/*
 * The least that a file of this name says, in the group and those around it, as
 * read by `limit`; UINT64_MAX for none.
 */
static uint64_t
least_limit(const char *name, uint64_t (*limit)(const char *text))
{
	char group[PATH_SIZE], path[PATH_SIZE + 32];
	uint64_t least = UINT64_MAX, here;
	char *text, *slash;

	find_group(group);
	while (strlen(group) >= strlen(GROUPS_ROOT)) {
		snprintf(path, sizeof(path), "%s/%s", group, name);
		text = read_text(path);
		here = text != NULL ? limit(text) : UINT64_MAX;
		free(text);
		if (here < least)
			least = here;
		slash = strrchr(group, '/');
		*slash = '\0';
	}
	return least;
}

/* The number that a text begins with, and where it ends; UINT64_MAX for none. */
static uint64_t
number_at(const char *text, char **end)
{
	text += strspn(text, " ");
	*end = NULL;
	return *text >= '0' && *text <= '9' ? strtoull(text, end, 10) :
					      UINT64_MAX;
}

/* "max" or bytes. */
static uint64_t
memory_limit(const char *text)
{
	char *end;

	return number_at(text, &end);
}

/* "max PERIOD" or "QUOTA PERIOD": cores, rounded up. */
static uint64_t
core_limit(const char *text)
{
	uint64_t quota, period;
	char *end;

	quota = number_at(text, &end);
	if (end == NULL)
		return UINT64_MAX;
	period = number_at(end, &end);
	if (end == NULL || period == 0)
		return UINT64_MAX;
	return quota < period ? 1 : quota / period + (quota % period != 0);
}

unsigned
machine_cores(void)
{
	uint64_t limit = least_limit("cpu.max", core_limit);
	cpu_set_t cores;
	unsigned count = 1;

	/* More than a set has room for is reported as an error. */
	if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
		count = (unsigned)CPU_COUNT(&cores);
	return limit < count ? (unsigned)limit : count;
}

/* What a line of /proc/meminfo says, or less where control groups do. */
static uint64_t
memory_of(const char *label)
{
	uint64_t limit = least_limit("memory.max", memory_limit);
	char *text = read_text("/proc/meminfo"), *end;
	const char *line = text != NULL ? strstr(text, label) : NULL;
	uint64_t kib = UINT64_MAX;

	if (line != NULL)
		kib = number_at(line + strlen(label), &end);
	free(text);
	return kib < limit / 1024 ? kib * 1024 : limit;
}

uint64_t
machine_memory(void)
{
	return memory_of("MemAvailable:");
}

uint64_t
machine_memory_in_all(void)
{
	return memory_of("MemTotal:");
}
