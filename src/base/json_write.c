/* json_write.c - small JSON objects without a tree. */

#include "base/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void
put(struct json_write *write, const char *bytes, size_t size)
{
	write->full = write->full || size > write->room - write->used;
	if (write->full)
		return;
	memcpy(write->text + write->used, bytes, size);
	write->used += size;
}

static void
put_text(struct json_write *write, const char *text)
{
	put(write, text, strlen(text));
}

/* What stands for a character that may not stand for itself. */
static void
put_escape(struct json_write *write, unsigned char c)
{
	static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	char escape[8];

	for (const char *pair = shorts; *pair != '\0'; pair += 2) {
		if ((unsigned char)pair[0] != c)
			continue;
		put(write, (const char[]){ '\\', pair[1] }, 2);
		return;
	}
	snprintf(escape, sizeof(escape), "\\u%04x", c);
	put_text(write, escape);
}

/* How many bytes at the start may stand as they are. */
static size_t
plain_size(const char *text)
{
	size_t size = 0;

	while ((unsigned char)text[size] >= ' ' &&
	       (unsigned char)text[size] < 0x80 && text[size] != '"' &&
	       text[size] != '\\')
		size++;
	return size;
}

/* The character at the start, which may not; returns its size. */
static size_t
put_other(struct json_write *write, const char *text)
{
	uint32_t code;
	size_t size;

	if ((unsigned char)*text < 0x80) {
		put_escape(write, (unsigned char)*text);
		return 1;
	}
	size = text_next(text, strnlen(text, 4), &code);
	if (size > 0) {
		put(write, text, size);
		return size;
	}
	put_text(write, "\xef\xbf\xbd"); /* U+FFFD */
	return 1;
}

static void
put_string(struct json_write *write, const char *text)
{
	size_t size;

	put_text(write, "\"");
	for (;;) {
		size = plain_size(text);
		put(write, text, size);
		text += size;
		if (*text == '\0')
			break;
		text += put_other(write, text);
	}
	put_text(write, "\"");
}

static void
put_name(struct json_write *write, const char *name)
{
	put_text(write, write->used > 1 ? ",\"" : "\"");
	put_text(write, name);
	put_text(write, "\":");
}

void
json_write_begin(struct json_write *write, char *text, size_t room)
{
	memset(write, 0, sizeof(*write));
	write->text = text;
	write->room = room;
	put_text(write, "{");
}

void
json_write_string(struct json_write *write, const char *name, const char *text)
{
	put_name(write, name);
	put_string(write, text);
}

void
json_write_int(struct json_write *write, const char *name, int64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, number);
	put_name(write, name);
	put_text(write, digits);
}

void
json_write_strings(struct json_write *write, const char *name, const char *only)
{
	put_name(write, name);
	put_text(write, "[");
	put_string(write, only);
	put_text(write, "]");
}

size_t
json_write_end(struct json_write *write)
{
	put(write, "}", 2); /* with its NUL */
	return write->full ? 0 : write->used - 1;
}
