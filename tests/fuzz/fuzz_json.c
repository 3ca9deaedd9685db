/* fuzz_json.c - the scanner and json-c agree about every text, and what was read
 * can be written and read again. */

#include <string.h>

#include "base/json.h"
#include "base/json_strict.h"
#include "base/text.h"
#include "fuzz.h"

/* Texts that are JSON and yet no value for us. */
static int
is_known_refusal(const char *why)
{
	return strcmp(why, "null alone") == 0 ||
	    strcmp(why, "a name that stands twice in one object") == 0;
}

/* Every way to ask, about members that are there and that are not. */
static void
look_around(const struct json_object *value)
{
	static const char *const names[] = { "email", "password", "a", "" };
	const char *text;
	int64_t number;
	size_t size;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		text = json_member_string(value, names[i], &size);
		if (text != NULL)
			MUST(text_is_utf8(text, size));
		if (json_member_int(value, names[i], &number))
			MUST(json_member_kind(value, names[i]) ==
			    JSON_NUMBER);
		MUST(json_member(value, names[i]) == NULL ||
		    json_member_kind(value, names[i]) == JSON_ARRAY ||
		    json_member_kind(value, names[i]) == JSON_OBJECT);
	}
	for (size_t i = 0; i < json_array_length(value); i++)
		look_around(json_array_item(value, i));
}

static void
write_and_read_again(struct json_object *value)
{
	struct json_object *again;
	const char *text, *same, *why;
	size_t size, same_size;

	text = json_text(value, &size);
	again = json_parse(text, size, &why);
	MUST(again != NULL);
	same = json_text(again, &same_size);
	MUST(same_size == size && memcmp(same, text, size) == 0);
	json_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *strict, *why = NULL;
	struct json_object *value;
	size_t members;

	strict = json_strict(text, size, &members);
	value = json_parse(text, size, &why);
	if (value == NULL) {
		MUST(why != NULL);
		MUST(strict == why || is_known_refusal(why));
		return 0;
	}
	MUST(strict == NULL && why == NULL);
	look_around(value);
	write_and_read_again(value);
	MUST(json_pretty(value) != NULL);
	json_free(value);
	return 0;
}
