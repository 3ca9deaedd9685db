/* ctl_output.c - see ctl_output.h. */

#include "ctl/ctl_output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/ctl_table.h"
#include "ctl/ctl_text.h"

/* ---- answers ------------------------------------------------------------- */

/* A character that a terminal would obey or hide, as JSON escapes it (RFC 8259
 * section 7): in two halves where it has more than 16 bits. */
static void
put_json_escape(uint32_t code)
{
	if (code > 0xffff) {
		code -= 0x10000;
		printf("\\u%04" PRIx32, 0xd800 | code >> 10);
		code = 0xdc00 | (code & 0x3ff);
	}
	printf("\\u%04" PRIx32, code);
}

/* What JSON lets stand and a terminal would obey (C1, DEL, marks of direction) is in
 * strings only, where an escape means the same. */
void
ctl_output_json(struct json_object *answer)
{
	const char *text = json_pretty(answer);
	size_t left = strlen(text), length;
	uint32_t code;

	while ((length = text_next(text, left, &code)) > 0) {
		if (code == '\n' || code == ' ' || text_is_graphic(code))
			fwrite(text, 1, length, stdout);
		else
			put_json_escape(code);
		text += length;
		left -= length;
	}
	putchar('\n');
	json_free(answer);
}

bool
ctl_output_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

void
ctl_output_sentence(const struct ctl *ctl, struct json_object *answer,
    const char *format, ...)
{
	va_list arguments;

	if (ctl->json) {
		ctl_output_json(answer);
		return;
	}
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	json_free(answer);
}

void
ctl_output_record(const struct ctl *ctl, struct json_object *answer,
    const struct ctl_column *columns)
{
	if (ctl->json) {
		ctl_output_json(answer);
		return;
	}
	ctl_table_record(answer, columns);
	json_free(answer);
}

void
ctl_output_page(const struct ctl *ctl, const char *name,
    struct json_object *rows, const struct ctl_column *columns,
    const char *after)
{
	struct json_object *page = json_new_object();

	json_add(page, name, rows);
	ctl_output_add_text(page, "next", after);
	if (ctl->json) {
		ctl_output_json(page);
		return;
	}
	ctl_table_print(rows, columns);
	if (after[0] != '\0') {
		fputs("\nThere are more: add --after ", stdout);
		ctl_text_put(stdout, after, 0);
		fputc('\n', stdout);
	}
	json_free(page);
}

/* ---- members ------------------------------------------------------------- */

void
ctl_output_add_time(struct json_object *object, const char *member, int64_t us)
{
	char text[CLOCK_TEXT_SIZE];

	if (us == 0) {
		json_add_null(object, member);
		return;
	}
	clock_format(us, text);
	json_add_string(object, member, text);
}

void
ctl_output_add_id(struct json_object *object, const char *member,
    const struct id *id)
{
	char text[ID_TEXT_SIZE];

	if (id_is_nil(id)) {
		json_add_null(object, member);
		return;
	}
	id_format(id, text);
	json_add_string(object, member, text);
}

void
ctl_output_add_text(struct json_object *object, const char *member,
    const char *text)
{
	if (text[0] == '\0')
		json_add_null(object, member);
	else
		json_add_string(object, member, text);
}
