/* ctl_output.c - see ctl_output.h. */

#include "ctl/ctl_output.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "ctl/ctl.h"

/* ---- text ---------------------------------------------------------------- */

/* The longest form of one byte or character: \u{10ffff}. */
#define ESCAPE_SIZE 12

/*
 * The next character of a text as it is shown, or the byte where there is none;
 * whatever a terminal would obey is escaped.  Returns how many bytes of the text
 * it stands for.
 */
static size_t
show_character(const char *text, size_t size, char shown[static ESCAPE_SIZE])
{
	uint32_t code;
	size_t length = text_next(text, size, &code);

	if (length == 0) {
		snprintf(shown, ESCAPE_SIZE, "\\x%02x", (unsigned char)*text);
		return 1;
	}
	if (code == ' ' || text_is_graphic(code))
		snprintf(shown, ESCAPE_SIZE, "%.*s", (int)length, text);
	else
		snprintf(shown, ESCAPE_SIZE, "\\u{%" PRIx32 "}", code);
	return length;
}

static void
put_text(FILE *out, const char *text, size_t left, int indent)
{
	char shown[ESCAPE_SIZE];
	size_t length;

	while (left > 0) {
		length = show_character(text, left, shown);
		if (*text == '\n')
			fprintf(out, "\n%*s", indent, "");
		else
			fputs(*text == '\t' ? " " : shown, out);
		text += length;
		left -= length;
	}
}

void
ctl_output_text(FILE *out, const char *text, int indent)
{
	put_text(out, text, strlen(text), indent);
}

/* Columns that a text takes, one a character. */
static int
columns_of(const char *text, size_t left)
{
	size_t length;
	uint32_t code;
	int width = 0;

	while ((length = text_next(text, left, &code)) > 0) {
		width += !text_is_mark(code);
		text += length;
		left -= length;
	}
	return width;
}

static int
text_width(const char *text)
{
	return columns_of(text, strlen(text));
}

#define TERMINAL_COLUMNS 80

void
ctl_output_wrapped(FILE *out, const char *text, int at, int indent)
{
	int limit = isatty(fileno(out)) == 1 ? TERMINAL_COLUMNS : INT_MAX;
	size_t blanks, word;

	while (*text != '\0') {
		if (*text == '\n') {
			put_text(out, text++, 1, indent);
			at = indent;
			continue;
		}
		blanks = strspn(text, " ");
		word = strcspn(text + blanks, " \n");
		at += (int)blanks + columns_of(text + blanks, word);
		if (blanks > 0 && at > limit) {
			fprintf(out, "\n%*s", indent, "");
			at = indent + columns_of(text + blanks, word);
		} else {
			put_text(out, text, blanks, indent);
		}
		put_text(out, text + blanks, word, indent);
		text += blanks + word;
	}
}

/* ---- cells --------------------------------------------------------------- */

/* A text on one line; the caller frees it. */
static char *
cell_of_text(const char *text, size_t size)
{
	char *cell = memory_zeroed(size * ESCAPE_SIZE + 1, 1);
	char shown[ESCAPE_SIZE];
	size_t used = 0;
	size_t length;

	while (size > 0) {
		length = show_character(text, size, shown);
		memcpy(cell + used, shown, strlen(shown));
		used += strlen(shown);
		text += length;
		size -= length;
	}
	return cell;
}

/* A member as it is shown; the caller frees it. */
static char *
cell_make(const struct json_object *object, const char *member)
{
	char number[24];
	const char *text;
	size_t size;
	int64_t value;

	text = json_member_string(object, member, &size);
	if (text != NULL)
		return cell_of_text(text, size);
	if (!json_member_int(object, member, &value))
		return memory_text("-");
	snprintf(number, sizeof(number), "%" PRId64, value);
	return memory_text(number);
}

static size_t
columns_count(const struct ctl_column *columns)
{
	size_t count = 0;

	while (columns[count].member != NULL)
		count++;
	return count;
}

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

static void
print_padded(const char *text, int width)
{
	printf("%s%*s", text, width - text_width(text), "");
}

/* Print a line of cells; nothing trails behind the last. */
static void
print_line(const char *const *cells, const int *widths, size_t count)
{
	for (size_t i = 0; i + 1 < count; i++)
		print_padded(cells[i], widths[i] + 2);
	puts(cells[count - 1]);
}

/* All cells, row by row, headings first; widths are those of the columns. */
static char **
cells_make(const struct json_object *rows, const struct ctl_column *columns,
    size_t count, int *widths)
{
	size_t lines = json_array_length(rows) + 1;
	char **cells = memory_zeroed(lines * count, sizeof(*cells));
	char *cell;
	int width;

	for (size_t i = 0; i < lines * count; i++) {
		const struct ctl_column *column = &columns[i % count];

		if (i < count)
			cell = memory_text(column->heading);
		else
			cell = cell_make(json_array_item(rows, i / count - 1),
			    column->member);
		width = text_width(cell);
		if (width > widths[i % count])
			widths[i % count] = width;
		cells[i] = cell;
	}
	return cells;
}

static void
print_table(const struct json_object *rows, const struct ctl_column *columns)
{
	size_t count = columns_count(columns);
	size_t lines = json_array_length(rows) + 1;
	int *widths = memory_zeroed(count, sizeof(*widths));
	char **cells = cells_make(rows, columns, count, widths);

	for (size_t i = 0; i < lines; i++)
		print_line((const char *const *)&cells[i * count], widths,
		    count);
	for (size_t i = 0; i < lines * count; i++)
		free(cells[i]);
	free(cells);
	free(widths);
}

static void
print_record(const struct json_object *object,
    const struct ctl_column *columns)
{
	char *cell;
	int width = 0;

	for (size_t i = 0; columns[i].member != NULL; i++)
		if (text_width(columns[i].heading) > width)
			width = text_width(columns[i].heading);
	for (size_t i = 0; columns[i].member != NULL; i++) {
		cell = cell_make(object, columns[i].member);
		print_padded(columns[i].heading, width + 2);
		puts(cell);
		free(cell);
	}
}

void
ctl_output_record(const struct ctl *ctl, struct json_object *answer,
    const struct ctl_column *columns)
{
	if (ctl->json) {
		ctl_output_json(answer);
		return;
	}
	print_record(answer, columns);
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
	print_table(rows, columns);
	if (after[0] != '\0') {
		fputs("\nThere are more: add --after ", stdout);
		ctl_output_text(stdout, after, 0);
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
