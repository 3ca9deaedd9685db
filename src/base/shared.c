/* shared.c - memory that a parent and its children share. */

#include "base/shared.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

void *
shared_new(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory != MAP_FAILED)
		return memory;
	log_error("could not share memory between processes: %s",
	    strerror(errno));
	return NULL;
}

void
shared_free(void *memory, size_t size)
{
	if (memory != NULL)
		munmap(memory, size);
}
