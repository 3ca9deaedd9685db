/* fuzz_address.c - lists of networks, as settings and as they are looked through:
 * one that is valid holds each of its networks. */

#include <string.h>

#include "base/address.h"
#include "base/config.h"
#include "base/list.h"
#include "fuzz.h"

/* The address of an item of the list. */
static int
first_address(const char *item, size_t size, struct address *address)
{
	char text[64];

	if (size >= sizeof(text))
		return -1;
	memcpy(text, item, size);
	text[size] = '\0';
	text[strcspn(text, "/")] = '\0';
	return address_parse(text, address);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address address = { { 0 } };
	const char *item, *rest;
	size_t item_size;
	char *list;

	list = malloc(size + 1);
	MUST(list != NULL);
	memcpy(list, data, size);
	list[size] = '\0';

	address_in_list(&address, list);
	rest = list;
	while (address_list_is_valid(list) &&
	       (item = list_next(&rest, &item_size)) != NULL) {
		MUST(first_address(item, item_size, &address) == 0);
		MUST(address_in_list(&address, list));
	}
	free(list);
	return 0;
}
