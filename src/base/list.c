/* list.c - items and commas in one string. */

#include "base/list.h"

#include <string.h>
#include <strings.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

const char *
list_next(const char **rest, size_t *size)
{
	const char *item;

	/* Commas and white space before an item; an empty one is no item. */
	item = *rest + strspn(*rest, ", \t");
	*size = strcspn(item, ",");
	*rest = item + *size;
	while (*size > 0 && is_space(item[*size - 1]))
		--*size;
	return *size == 0 ? NULL : item;
}

bool
list_has(const char *list, const char *item)
{
	size_t size = strlen(item), at_size;
	const char *at;

	while ((at = list_next(&list, &at_size)) != NULL)
		if (at_size == size && strncasecmp(at, item, size) == 0)
			return true;
	return false;
}
