/* fuzz_log.c - whatever a field holds, a line is one line, and JSON is JSON. */

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "fuzz.h"

static void
write_line(struct log_line *line, const char *text)
{
	log_begin(line, LOG_LEVEL_INFO, "event");
	log_add(line, "first", text);
	log_add_int(line, "number", -1);
	log_add(line, "second", text);
	log_end(line);
	MUST(line->used <= sizeof(line->text));
	MUST(memchr(line->text, '\n', line->used) ==
	    line->text + line->used - 1);
}

static void
check_plain(const char *text)
{
	struct log_line line;

	MUST(log_open("/dev/null", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO) == 0);
	write_line(&line, text);
	for (size_t i = 0; i + 1 < line.used; i++)
		MUST((unsigned char)line.text[i] >= ' ' &&
		    line.text[i] != 0x7f);
	log_info("%s", text);
}

static void
check_json(const char *text)
{
	struct json_object *value;
	struct log_line line;
	const char *why;

	MUST(log_open("/dev/null", LOG_FORMAT_JSON, LOG_LEVEL_INFO) == 0);
	write_line(&line, text);
	value = json_parse(line.text, line.used, &why);
	MUST(value != NULL);
	MUST(json_member_kind(value, "first") != JSON_ABSENT);
	json_free(value);
	log_info("%s", text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_plain(text);
	check_json(text);
	free(text);
	return 0;
}
