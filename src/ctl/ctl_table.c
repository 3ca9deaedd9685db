/* ctl_table.c - see ctl_table.h. */

#include "ctl/ctl_table.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "ctl/ctl_text.h"

/* ---- cells --------------------------------------------------------------- */

#define CELL_NOTHING "-"

/* A text on one line; the caller frees it. */
static char *
cell_of_text(const char *text, size_t size)
{
	char *cell = memory_zeroed(size * CTL_TEXT_SHOWN_SIZE + 1, 1);
	char shown[CTL_TEXT_SHOWN_SIZE];
	size_t used = 0;
	size_t length;

	while (size > 0) {
		length = ctl_text_show(text, size, shown);
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
		return memory_text(CELL_NOTHING);
	snprintf(number, sizeof(number), "%" PRId64, value);
	return memory_text(number);
}

/* ---- tables -------------------------------------------------------------- */

#define TABLE_GAP  2  /* between columns, and before a further line */
#define TABLE_LONG 16 /* a long cell moves down before it gets narrower */

/* One column, and where its cells stand. */
struct place {
	const struct ctl_column *column;
	int width; /* of its widest cell */
	bool shown;
	bool begins_line; /* a further one, under that of the columns before */
};

struct table {
	struct place *places;
	size_t count; /* of places */
	char **cells; /* row by row, headings first */
	size_t lines;
};

/* "2026-11-29T01:42:20.431Z" without its milliseconds, in place. */
static void
shorten_time(char *cell)
{
	char *point = strchr(cell, '.');

	if (point == NULL)
		return;
	point[0] = 'Z';
	point[1] = '\0';
}

static void
fill_cells(struct table *table, const struct json_object *rows,
    bool short_times)
{
	struct place *place;
	char *cell;
	int width;

	for (size_t i = 0; i < table->lines * table->count; i++) {
		place = &table->places[i % table->count];
		if (i < table->count)
			cell = memory_text(place->column->heading);
		else
			cell = cell_make(
			    json_array_item(rows, i / table->count - 1),
			    place->column->member);
		if (short_times && place->column->kind == CTL_TIME)
			shorten_time(cell);
		width = ctl_text_width(cell);
		if (width > place->width)
			place->width = width;
		table->cells[i] = cell;
	}
}

static struct table *
table_new(const struct json_object *rows, const struct ctl_column *columns,
    bool short_times)
{
	struct table *table = memory_zeroed(1, sizeof(*table));

	while (columns[table->count].member != NULL)
		table->count++;
	table->lines = json_array_length(rows) + 1;
	table->places = memory_zeroed(table->count, sizeof(*table->places));
	for (size_t i = 0; i < table->count; i++)
		table->places[i].column = &columns[i];
	table->cells =
	    memory_zeroed(table->lines * table->count, sizeof(*table->cells));
	fill_cells(table, rows, short_times);
	return table;
}

static void
table_free(struct table *table)
{
	for (size_t i = 0; i < table->lines * table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->places);
	free(table);
}

static bool
fits_one_line(const struct table *table, int limit)
{
	int width = 0;

	for (size_t i = 0; i < table->count; i++)
		width += table->places[i].width + (i > 0 ? TABLE_GAP : 0);
	return width <= limit;
}

/* Put column beside column, and in a further line what would not fit. */
static void
lay_out(struct table *table, int limit)
{
	bool narrow = !fits_one_line(table, limit);
	struct place *place;
	int at = 0, needed;

	for (size_t i = 0; i < table->count; i++) {
		place = &table->places[i];
		place->shown = !narrow || place->column->kind != CTL_SPARE;
		if (!place->shown)
			continue;
		needed = place->width;
		if (place->column->kind == CTL_LONG && needed > TABLE_LONG)
			needed = TABLE_LONG;
		place->begins_line = at > 0 && at + needed > limit;
		if (place->begins_line)
			at = TABLE_GAP;
		if (place->column->kind == CTL_LONG &&
		    place->width > limit - at)
			place->width =
			    limit - at > needed ? limit - at : needed;
		at += place->width + TABLE_GAP;
	}
}

/* A cell, cut where it is wider than its column.  Returns its columns. */
static int
print_cell(const char *cell, int width)
{
	static const char cut[] = "...";
	int wide = ctl_text_width(cell);
	size_t size;

	if (wide <= width) {
		fputs(cell, stdout);
		return wide;
	}
	size = ctl_text_fitting(cell, width - (int)strlen(cut));
	printf("%.*s%s", (int)size, cell, cut);
	return width;
}

/* The column behind those that stand in one line with column `from`. */
static size_t
line_end(const struct table *table, size_t from)
{
	size_t end = from + 1;

	while (end < table->count && !table->places[end].begins_line)
		end++;
	return end;
}

static bool
tells_nothing(const struct table *table, char *const *cells, size_t from,
    size_t end)
{
	for (size_t i = from; i < end; i++)
		if (table->places[i].shown &&
		    strcmp(cells[i], CELL_NOTHING) != 0)
			return false;
	return true;
}

/* The cells of one line; nothing trails behind the last. */
static void
print_line(const struct table *table, char *const *cells, size_t from,
    size_t end)
{
	int gap = from == 0 ? 0 : TABLE_GAP;

	for (size_t i = from; i < end; i++) {
		if (!table->places[i].shown)
			continue;
		printf("%*s", gap, "");
		gap = TABLE_GAP + table->places[i].width -
		      print_cell(cells[i], table->places[i].width);
	}
	putchar('\n');
}

static void
print_row(const struct table *table, char *const *cells)
{
	size_t end;

	for (size_t from = 0; from < table->count; from = end) {
		end = line_end(table, from);
		if (from == 0 || !tells_nothing(table, cells, from, end))
			print_line(table, cells, from, end);
	}
}

void
ctl_table_print(const struct json_object *rows,
    const struct ctl_column *columns)
{
	int limit = ctl_text_limit(stdout);
	struct table *table = table_new(rows, columns, limit != INT_MAX);

	lay_out(table, limit);
	for (size_t i = 0; i < table->lines; i++)
		print_row(table, &table->cells[i * table->count]);
	table_free(table);
}

void
ctl_table_record(const struct json_object *object,
    const struct ctl_column *columns)
{
	char *cell;
	int width = 0;

	for (size_t i = 0; columns[i].member != NULL; i++)
		if (ctl_text_width(columns[i].heading) > width)
			width = ctl_text_width(columns[i].heading);
	for (size_t i = 0; columns[i].member != NULL; i++) {
		cell = cell_make(object, columns[i].member);
		printf("%s%*s%s\n", columns[i].heading,
		    width + 2 - ctl_text_width(columns[i].heading), "", cell);
		free(cell);
	}
}
