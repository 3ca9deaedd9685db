/* import_file.c - see import_file.h. */

#include "acts/import_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "acts/import_window.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/memory.h"

struct import_file {
	struct import_rules rules;
	bool is_json;
	enum import_field columns[CSV_FIELDS_LIMIT]; /* of CSV */
	size_t column_count;
	struct import_window window;
};

static void
refuse(char *why, const char *reason)
{
	snprintf(why, IMPORT_WHY_SIZE, "%s", reason);
}

static enum import_result
judge(const struct import_file *file, const struct import_said *said,
    struct import_person *person)
{
	return import_person_judge(said, &file->rules, person) ? IMPORT_PERSON
							       : IMPORT_REFUSED;
}

/* ---- CSV ----------------------------------------------------------------- */

static bool
is_blank(const struct csv_record *record)
{
	return record->count == 1 && record->fields[0].size == 0;
}

/*
 * Pass over a record that is longer than any, up to the first line end that stands
 * outside of quotes: what somebody once typed into a field, line ends and all, is
 * never taken for a record.
 */
static int
pass_record(struct import_window *window)
{
	bool is_quoted = false, is_over = false;
	const char *bytes;
	size_t size, at;

	do {
		bytes = import_window_see(window, &size);
		if (bytes == NULL)
			return -1;
		for (at = 0; at < size && !is_over; at++) {
			if (bytes[at] == '"')
				is_quoted = !is_quoted;
			is_over = bytes[at] == '\n' && !is_quoted;
		}
		import_window_pass(window, at);
	} while (!is_over && size > 0);
	return 0;
}

/* Refuse what does not end within a window, and say how far that went. */
static enum import_result
refuse_long(struct import_window *window, int64_t line, char *why)
{
	if (pass_record(window) != 0)
		return IMPORT_BROKEN;
	if (window->line - line <= 1)
		refuse(why, "the line is too long");
	else
		snprintf(why, IMPORT_WHY_SIZE,
		    "the record is too long, or a quote in it is not closed; "
		    "passed over up to line %" PRId64,
		    window->line - 1);
	return IMPORT_REFUSED;
}

/*
 * Take a record that is not blank; its bytes are good until the next one is taken.
 * PERSON stands for any record.
 */
static enum import_result
csv_next(struct import_window *window, struct csv_record *record, int64_t *line,
    char *why)
{
	enum csv_result result;
	const char *reason;
	size_t size, used;
	char *bytes;

	do {
		bytes = import_window_see(window, &size);
		if (bytes == NULL)
			return IMPORT_BROKEN;
		*line = window->line;
		if (size == 0)
			return IMPORT_END;
		/* A window that is full is all there can be of a record. */
		result = csv_take(bytes, size, size < IMPORT_RECORD_LIMIT,
		    record, &used, &reason);
		if (result == CSV_MORE)
			return refuse_long(window, *line, why);
		import_window_pass(window, used);
		if (result == CSV_BAD) {
			refuse(why, reason);
			return IMPORT_REFUSED;
		}
	} while (is_blank(record));
	return IMPORT_PERSON;
}

/* Which column holds what; false and why when the headings are not ours. */
static bool
read_headings(struct import_file *file, const struct csv_record *record,
    char *why)
{
	bool known[IMPORT_FIELD_COUNT + 1] = { false };

	for (size_t i = 0; i < record->count; i++) {
		const struct csv_field *heading = &record->fields[i];
		enum import_field field;

		if (!import_person_field(&file->rules, heading->text,
			heading->size, &field, why))
			return false;
		file->columns[i] = field;
		if (field != IMPORT_FIELD_UNKNOWN && known[field]) {
			refuse(why, "two columns have the same meaning");
			return false;
		}
		known[field] = true;
	}
	file->column_count = record->count;
	if (known[IMPORT_FIELD_EMAIL])
		return true;
	refuse(why, "no column is called \"email\"; is it CSV with commas?");
	return false;
}

static enum import_result
next_of_csv(struct import_file *file, struct import_person *person)
{
	struct import_said said = { 0 };
	struct csv_record record;
	enum import_result result;

	result = csv_next(&file->window, &record, &person->line, person->why);
	if (result != IMPORT_PERSON)
		return result;
	if (record.count != file->column_count) {
		snprintf(person->why, sizeof(person->why),
		    "there are %zu fields instead of %zu", record.count,
		    file->column_count);
		return IMPORT_REFUSED;
	}
	for (size_t i = 0; i < record.count; i++) {
		if (file->columns[i] == IMPORT_FIELD_UNKNOWN)
			continue;
		said.text[file->columns[i]] = record.fields[i].text;
		said.size[file->columns[i]] = record.fields[i].size;
	}
	return judge(file, &said, person);
}

/* ---- lines of JSON ------------------------------------------------------- */

/* Collect the members; false and why when one is not ours or no string. */
static bool
read_members(const struct import_file *file, struct json_object *object,
    struct import_said *said, char *why)
{
	const char *name;
	enum import_field field;

	for (size_t i = 0; (name = json_member_name(object, i)) != NULL; i++) {
		if (!import_person_field(&file->rules, name, strlen(name),
			&field, why))
			return false;
		if (field == IMPORT_FIELD_UNKNOWN ||
		    json_member_kind(object, name) == JSON_NULL)
			continue;
		if (said->text[field] != NULL) {
			refuse(why, "two members have the same meaning");
			return false;
		}
		said->text[field] =
		    json_member_string(object, name, &said->size[field]);
		if (said->text[field] == NULL) {
			refuse(why, "a member is no string");
			return false;
		}
	}
	return true;
}

static enum import_result
judge_line(const struct import_file *file, const char *bytes, size_t size,
    struct import_person *person)
{
	enum import_result result = IMPORT_REFUSED;
	struct json_object *object;
	struct import_said said = { 0 };
	const char *why;

	object = json_parse(bytes, size, &why);
	if (object == NULL)
		snprintf(person->why, sizeof(person->why),
		    "the line is not JSON: %s", why);
	else if (json_kind(object) != JSON_OBJECT)
		refuse(person->why, "the line is no JSON object");
	else if (read_members(file, object, &said, person->why))
		result = judge(file, &said, person);
	json_free(object);
	return result;
}

/* Nothing but white space? */
static bool
is_white(const char *bytes, size_t size)
{
	while (size > 0 && strchr(" \t\r", bytes[size - 1]) != NULL &&
	       bytes[size - 1] != '\0')
		size--;
	return size == 0;
}

/* Pass over the rest of a line that is longer than any record. */
static int
pass_line(struct import_window *window)
{
	const char *bytes, *line_end;
	size_t size;

	do {
		bytes = import_window_see(window, &size);
		if (bytes == NULL)
			return -1;
		line_end = memchr(bytes, '\n', size);
		import_window_pass(window,
		    line_end == NULL ? size : (size_t)(line_end - bytes) + 1);
	} while (line_end == NULL && size > 0);
	return 0;
}

static enum import_result
next_of_json(struct import_file *file, struct import_person *person)
{
	struct import_window *window = &file->window;
	const char *bytes, *line_end;
	size_t size, length;

	do {
		bytes = import_window_see(window, &size);
		if (bytes == NULL)
			return IMPORT_BROKEN;
		person->line = window->line;
		if (size == 0)
			return IMPORT_END;
		line_end = memchr(bytes, '\n', size);
		if (line_end == NULL && size == IMPORT_RECORD_LIMIT) {
			refuse(person->why, "the line is too long");
			return pass_line(window) == 0 ? IMPORT_REFUSED
						      : IMPORT_BROKEN;
		}
		length = line_end == NULL ? size : (size_t)(line_end - bytes);
		import_window_pass(window,
		    line_end == NULL ? length : length + 1);
	} while (is_white(bytes, length));
	return judge_line(file, bytes, length, person);
}

/* ---- what others call ---------------------------------------------------- */

/* Look at the beginning: a byte order mark, the format, headings. */
static bool
begin(struct import_file *file, char *why)
{
	struct import_window *window = &file->window;
	struct csv_record record;
	const char *bytes;
	int64_t line;
	size_t size;

	bytes = import_window_see(window, &size);
	if (bytes != NULL && size >= 3 &&
	    memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		import_window_pass(window, 3);
		bytes = import_window_see(window, &size);
	}
	if (bytes == NULL) {
		refuse(why, strerror(errno));
		return false;
	}
	if (size > 0 && bytes[0] == '[') {
		refuse(why, "it is a JSON array; wanted is one object a line");
		return false;
	}
	file->is_json = size > 0 && bytes[0] == '{';
	if (file->is_json)
		return true;
	switch (csv_next(window, &record, &line, why)) {
	case IMPORT_PERSON:
		return read_headings(file, &record, why);
	case IMPORT_REFUSED:
		return false;
	case IMPORT_BROKEN:
		refuse(why, strerror(errno));
		return false;
	case IMPORT_END:
		break;
	}
	refuse(why, "there is nothing in it");
	return false;
}

struct import_file *
import_file_open(FILE *stream, const struct import_rules *rules,
    char why[static IMPORT_WHY_SIZE])
{
	struct import_file *file = memory_zeroed(1, sizeof(*file));

	file->rules = *rules;
	import_window_start(&file->window, stream);
	if (begin(file, why))
		return file;
	import_file_close(file);
	return NULL;
}

void
import_file_close(struct import_file *file)
{
	if (file == NULL)
		return;
	import_window_wipe(&file->window);
	free(file);
}

enum import_result
import_file_next(struct import_file *file, struct import_person *person)
{
	memset(person, 0, sizeof(*person));
	return file->is_json ? next_of_json(file, person)
			     : next_of_csv(file, person);
}

int64_t
import_file_position(const struct import_file *file)
{
	return import_window_position(&file->window);
}
