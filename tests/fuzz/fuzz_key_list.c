/* fuzz_key_list.c - keys.json may hold anything; what is read can be written and
 * read again. */

#include <string.h>

#include "fuzz.h"
#include "token/key_list.h"

static void
check_name(const char *kid)
{
	MUST(strlen(kid) == KEY_ID_SIZE - 1);
	MUST(strpbrk(kid, "/.") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct key_list list, again;
	size_t length;
	char *text;

	if (key_list_parse((const char *)data, size, &list) != NULL) {
		MUST(list.count == 0);
		return 0;
	}
	text = key_list_text(&list, &length);
	MUST(key_list_parse(text, length, &again) == NULL);
	MUST(again.count == list.count);
	for (size_t i = 0; i < list.count; i++) {
		const struct key *a = &list.keys[i], *b = &again.keys[i];

		check_name(a->kid);
		MUST(i == 0 || a[-1].sign_from_us >= a->sign_from_us);
		MUST(strcmp(a->kid, b->kid) == 0);
		MUST(a->algorithm == b->algorithm);
		MUST(a->created_us == b->created_us);
		MUST(a->sign_from_us == b->sign_from_us);
		MUST(a->retired_us == b->retired_us);
	}
	free(text);
	return 0;
}
