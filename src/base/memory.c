/* memory.c - allocate, or do not return. */

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

void
memory_exhausted(void)
{
	log_error("out of memory");
	abort();
}

void *
memory_zeroed(size_t count, size_t size)
{
	void *block;

	/* calloc() may answer NULL for nothing; a caller never sees that. */
	if (count == 0 || size == 0)
		count = size = 1;
	block = calloc(count, size);
	if (block == NULL)
		memory_exhausted();
	return block;
}

char *
memory_text(const char *text)
{
	return memory_text_part(text, strlen(text));
}

char *
memory_text_part(const char *text, size_t size)
{
	char *copy;

	copy = malloc(size + 1);
	if (copy == NULL)
		memory_exhausted();
	memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}
