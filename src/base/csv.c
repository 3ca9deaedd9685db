/* csv.c - records of comma-separated values. */

#include <string.h>

#include "base/csv.h"

static const char behind_quote[] = "there is text behind a closing quote";

static bool
is_line_end(const char *bytes, size_t size)
{
	if (size > 0 && bytes[0] == '\n')
		return true;
	return size > 1 && bytes[0] == '\r' && bytes[1] == '\n';
}

/* The length of a field with its quotes, up to what ends it; `size` where it is
 * not ended.  *why is set when it is none. */
static size_t
field_length(const char *bytes, size_t size, const char **why)
{
	size_t at = 0;

	if (size > 0 && bytes[0] == '"') {
		for (at = 1; at < size; at++) {
			if (bytes[at] != '"')
				continue;
			if (at + 1 == size || bytes[at + 1] != '"')
				break;
			at++;
		}
		if (at >= size) {
			*why = "a quote is not closed";
			return size;
		}
		at++;
		if (at < size && bytes[at] != ',' && bytes[at] != '\r' &&
		    bytes[at] != '\n')
			*why = behind_quote;
		return at;
	}
	while (at < size && bytes[at] != ',' &&
	       !is_line_end(bytes + at, size - at)) {
		if (bytes[at] == '"')
			*why = "there is a quote in a field without quotes";
		at++;
	}
	return at;
}

/* Note a field and take its quotes off: pairs of them become one.  They are put
 * behind it, so that its line ends can still be counted. */
static void
add_field(struct csv_record *record, char *bytes, size_t length)
{
	struct csv_field *field = &record->fields[record->count++];
	size_t size = 0;

	*field = (struct csv_field){ .text = bytes, .size = length };
	if (length == 0 || bytes[0] != '"')
		return;
	for (size_t at = 1; at + 1 < length; at++) {
		if (bytes[at] == '"')
			at++;
		bytes[size++] = bytes[at];
	}
	field->size = size;
	memset(bytes + size, '"', length - size);
}

/* Where the record ends, without its line end; nothing is changed.  `size` where
 * that is not here. */
static size_t
record_length(const char *bytes, size_t size, const char **why)
{
	size_t at = 0, fields = 1;

	for (;; fields++) {
		at += field_length(bytes + at, size - at, why);
		if (*why != NULL || at == size || bytes[at] != ',')
			break;
		at++;
	}
	if (*why == NULL && at < size && !is_line_end(bytes + at, size - at))
		*why = behind_quote;
	if (*why == NULL && fields > CSV_FIELDS_LIMIT)
		*why = "there are too many fields";
	return at;
}

static void
split(char *bytes, size_t length, struct csv_record *record)
{
	const char *why = NULL;
	size_t at = 0, field;

	record->count = 0;
	for (;;) {
		field = field_length(bytes + at, length - at, &why);
		add_field(record, bytes + at, field);
		at += field;
		if (at == length)
			return;
		at++;
	}
}

enum csv_result
csv_take(char *bytes, size_t size, bool is_all, struct csv_record *record,
    size_t *used, const char **why)
{
	const char *line_end = memchr(bytes, '\n', size);
	size_t length;

	*why = NULL;
	length = record_length(bytes, size, why);
	/* More bytes may close a quote, double it, or make "\r" a line end. */
	if (!is_all && (line_end == NULL || length == size ||
			   (length + 1 == size && bytes[length] == '\r')))
		return CSV_MORE;
	if (*why != NULL) {
		*used =
		    line_end == NULL ? size : (size_t)(line_end - bytes) + 1;
		return CSV_BAD;
	}
	*used = length;
	if (length < size)
		*used += bytes[length] == '\r' ? 2 : 1;
	split(bytes, length, record);
	return CSV_RECORD;
}
