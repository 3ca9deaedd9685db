/* import_file.c - see import_file.h. */

#include "acts/import_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acts/account.h"
#include "acts/import_window.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "hash/password.h"

enum field {
	FIELD_EMAIL,
	FIELD_HASH,
	FIELD_STATUS,
	FIELD_NAME,
	FIELD_COUNT,
	FIELD_UNKNOWN = FIELD_COUNT,
};

static const struct {
	const char *name;
	enum field field;
} field_names[] = {
	{ "email", FIELD_EMAIL },
	{ "hash", FIELD_HASH },
	{ "password_hash", FIELD_HASH },
	{ "passwordHash", FIELD_HASH },
	{ "status", FIELD_STATUS },
	{ "name", FIELD_NAME },
	{ "display_name", FIELD_NAME },
	{ "displayName", FIELD_NAME },
};

/* What a record says, before it is judged; borrowed.  NULL: nothing. */
struct said {
	const char *text[FIELD_COUNT];
	size_t size[FIELD_COUNT];
};

struct import_file {
	struct import_rules rules;
	bool is_json;
	enum field columns[CSV_FIELDS_LIMIT]; /* of CSV */
	size_t column_count;
	struct import_window window;
};

/* ---- fields -------------------------------------------------------------- */

static enum field
field_of(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(field_names) / sizeof(field_names[0]);
	     i++)
		if (strlen(field_names[i].name) == size &&
		    strncasecmp(field_names[i].name, name, size) == 0)
			return field_names[i].field;
	return FIELD_UNKNOWN;
}

/* Why a field is not taken; its name only as far as it can be shown. */
static void
explain_unknown(const char *name, size_t size, char *why)
{
	if (size == 8 && strncasecmp(name, "password", size) == 0)
		snprintf(why, IMPORT_WHY_SIZE,
		    "passwords are not taken, only "
		    "their hashes (field \"hash\")");
	else if (size < 60 && text_is_utf8(name, size) &&
		 memchr(name, '\0', size) == NULL)
		snprintf(why, IMPORT_WHY_SIZE, "there is no field \"%.*s\"",
		    (int)size, name);
	else
		snprintf(why, IMPORT_WHY_SIZE, "one of the fields is unknown");
}

static void
refuse(char *why, const char *reason)
{
	snprintf(why, IMPORT_WHY_SIZE, "%s", reason);
}

/* ---- judging a record ---------------------------------------------------- */

static bool
take_email(const struct said *said, struct import_person *person)
{
	const char *text = said->text[FIELD_EMAIL];
	size_t size = said->size[FIELD_EMAIL];

	if (text == NULL || size == 0) {
		refuse(person->why, "there is no e-mail address");
		return false;
	}
	switch (email_canonical(text, size, person->login_key)) {
	case EMAIL_OK:
		memcpy(person->email, text, size);
		person->email[size] = '\0';
		return true;
	case EMAIL_TOO_LONG:
		refuse(person->why, "the e-mail address is too long");
		return false;
	case EMAIL_NOT_AN_ADDRESS:
		break;
	}
	refuse(person->why, "what should be the e-mail address is none");
	return false;
}

static bool
take_hash(const struct said *said, const struct import_rules *rules,
    struct import_person *person)
{
	const char *text = said->text[FIELD_HASH], *why;
	size_t size = said->size[FIELD_HASH];

	if (text == NULL || size == 0)
		return true;
	if (size >= sizeof(person->verifier) || !text_is_utf8(text, size) ||
	    memchr(text, '\0', size) != NULL) {
		refuse(person->why,
		    "the hash cannot be used: it is of no known form");
		return false;
	}
	memcpy(person->verifier, text, size);
	if (password_verifier_form(person->verifier, rules->hash_memory_most,
		&why) != NULL)
		return true;
	snprintf(person->why, sizeof(person->why),
	    "the hash cannot be used: %s", why);
	return false;
}

/* Our names, in upper or lower case, with "-" or "_". */
static bool
take_status(const struct said *said, struct import_person *person)
{
	const char *text = said->text[FIELD_STATUS];
	size_t size = said->size[FIELD_STATUS];
	char name[32] = "";

	if (text == NULL || size == 0)
		return true;
	for (size_t i = 0; i < size && size < sizeof(name); i++) {
		name[i] = text[i];
		if (text[i] >= 'A' && text[i] <= 'Z')
			name[i] = (char)(text[i] - 'A' + 'a');
		else if (text[i] == '_')
			name[i] = '-';
	}
	if (account_status_parse(name, &person->status) == 0 &&
	    strlen(name) == size)
		return true;
	refuse(person->why, "there is no such status");
	return false;
}

static bool
take_name(const struct said *said, struct import_person *person)
{
	const char *text = said->text[FIELD_NAME];
	size_t size = said->size[FIELD_NAME];

	if (text == NULL || size == 0)
		return true;
	if (!account_name_is_good(text, size)) {
		refuse(person->why, "the name is too long or no text");
		return false;
	}
	memcpy(person->name, text, size);
	return true;
}

static enum import_result
judge(const struct import_file *file, const struct said *said,
    struct import_person *person)
{
	person->status = file->rules.status;
	return take_email(said, person) &&
		       take_hash(said, &file->rules, person) &&
		       take_status(said, person) && take_name(said, person)
		   ? IMPORT_PERSON
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
	bool known[FIELD_COUNT + 1] = { false };

	for (size_t i = 0; i < record->count; i++) {
		const struct csv_field *heading = &record->fields[i];
		enum field field = field_of(heading->text, heading->size);

		file->columns[i] = field;
		if (field == FIELD_UNKNOWN && !file->rules.ignore_unknown) {
			explain_unknown(heading->text, heading->size, why);
			return false;
		}
		if (field != FIELD_UNKNOWN && known[field]) {
			refuse(why, "two columns have the same meaning");
			return false;
		}
		known[field] = true;
	}
	file->column_count = record->count;
	if (known[FIELD_EMAIL])
		return true;
	refuse(why, "no column is called \"email\"; is it CSV with commas?");
	return false;
}

static enum import_result
next_of_csv(struct import_file *file, struct import_person *person)
{
	struct said said = { 0 };
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
		if (file->columns[i] == FIELD_UNKNOWN)
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
    struct said *said, char *why)
{
	const char *name;
	enum field field;

	for (size_t i = 0; (name = json_member_name(object, i)) != NULL; i++) {
		field = field_of(name, strlen(name));
		if (field == FIELD_UNKNOWN) {
			if (file->rules.ignore_unknown)
				continue;
			explain_unknown(name, strlen(name), why);
			return false;
		}
		if (json_member_kind(object, name) == JSON_NULL)
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
	struct said said = { 0 };
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
