/* machine.c - what this process may use of the machine it runs on. */

#include "base/machine.h"

#include <inttypes.h>
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

/* "max" or bytes. */
static uint64_t
memory_limit(const char *text)
{
	uint64_t bytes;

	return sscanf(text, "%20" SCNu64, &bytes) == 1 ? bytes : UINT64_MAX;
}

/* "max PERIOD" or "QUOTA PERIOD": cores, rounded up. */
static uint64_t
core_limit(const char *text)
{
	uint64_t quota, period;

	if (sscanf(text, "%18" SCNu64 " %18" SCNu64, &quota, &period) != 2 ||
	    period == 0)
		return UINT64_MAX;
	return quota < period ? 1 : (quota + period - 1) / period;
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

uint64_t
machine_memory(void)
{
	uint64_t limit = least_limit("memory.max", memory_limit);
	char *text = read_text("/proc/meminfo");
	const char *line = text != NULL ? strstr(text, "MemAvailable:") : NULL;
	uint64_t kib;

	if (line != NULL && sscanf(line, "MemAvailable: %18" SCNu64, &kib) == 1 &&
	    kib * 1024 < limit)
		limit = kib * 1024;
	free(text);
	return limit;
}
