/* fuzz_cookie.c - any Cookie lines: the first byte says how large the room is,
 * each line of the rest is a param. */

#include <string.h>

#include "fuzz.h"
#include "web/cookie.h"

#define LINE_LIMIT 8

/* A value that was found stands somewhere behind its name. */
static void
check(const char *const *params, const char *value)
{
	char sought[1024];

	snprintf(sought, sizeof(sought), "postern-access=%s", value);
	for (; *params != NULL; params++)
		if (strstr(*params, sought) != NULL)
			return;
	MUST(false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct config config = { .secure_cookies = COOKIES_NEVER };
	const char *params[LINE_LIMIT + 1] = { NULL };
	const struct gateway gateway = { .params = params };
	const struct request request = { .gateway = &gateway };
	char text[900], value[256], *rest = text;
	size_t room;

	if (size < 1 || size > sizeof(text))
		return 0;
	room = data[0] + 1u;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	for (size_t i = 0; i < LINE_LIMIT && rest != NULL; i++)
		params[i] = strsep(&rest, "\n");

	if (cookie_access(&config, &request, value, room) != COOKIE_FOUND)
		return 0;
	MUST(strlen(value) < room);
	MUST(strchr(value, ';') == NULL && strstr(value, ", ") == NULL);
	check(params, value);
	return 0;
}
