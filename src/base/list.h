/* list.h - lists as settings write them: items and commas in one string. */

#ifndef POSTERN_BASE_LIST_H
#define POSTERN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Step through a list: the item at *rest, without white space around it, and its
 * size; *rest moves behind it.  NULL at the end.  Empty items are passed over.
 */
const char *list_next(const char **rest, size_t *size);

/* Is `item` (compared without case) in the list? */
bool list_has(const char *list, const char *item);

#endif
