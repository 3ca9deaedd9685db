/* openapi.c - the document, with the paths of this place. */

#include "web/openapi.h"

#include <string.h>

#include "base/memory.h"

/* What the paths in the file begin with; nothing else in it reads so. */
static const char written[] = "/v2/";

static size_t
count_paths(void)
{
	const char *at = strstr(openapi_text, written);
	size_t count = 0;

	for (; at != NULL; at = strstr(at + 1, written))
		count++;
	return count;
}

char *
openapi_under(const char *base_path, size_t *size)
{
	size_t base_size = strlen(base_path);
	size_t room = strlen(openapi_text) + 1 + count_paths() * base_size;
	char *text = memory_zeroed(room, 1);
	const char *from = openapi_text, *at;
	char *to = text;

	while ((at = strstr(from, written)) != NULL) {
		memcpy(to, from, (size_t)(at - from));
		to += at - from;
		memcpy(to, base_path, base_size);
		to += base_size;
		from = at + strlen("/v2");
	}
	memcpy(to, from, strlen(from));
	*size = (size_t)(to - text) + strlen(from);
	return text;
}
