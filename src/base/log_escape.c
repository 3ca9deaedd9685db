/* log_escape.c - text in a line of the log. */

#include "base/log_escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The longest escape of one byte or character: \u{10ffff}. */
#define ESCAPE_SIZE 16

/* Write the escaped form of one character (or bad byte); returns its size. */
static size_t
escape(uint32_t code, bool is_byte, enum log_escape_style style,
    char out[static ESCAPE_SIZE])
{
	const char *slash = style == LOG_ESCAPE_JSON ? "\\\\" : "\\";
	int size;

	if (code == '\\' || code == '"')
		size = snprintf(out, ESCAPE_SIZE, "\\%c", (char)code);
	else if (code == '\n')
		size = snprintf(out, ESCAPE_SIZE, "\\n");
	else if (code == '\t')
		size = snprintf(out, ESCAPE_SIZE, "\\t");
	else if (style == LOG_ESCAPE_JSON && !is_byte && code < 0x10000)
		size = snprintf(out, ESCAPE_SIZE, "\\u%04x", code);
	else if (is_byte || code < 0x80)
		size = snprintf(out, ESCAPE_SIZE, "%sx%02x", slash, code);
	else
		size = snprintf(out, ESCAPE_SIZE, "%su{%x}", slash, code);
	return (size_t)size;
}

/* May this character stand as it is? */
static bool
is_plain(uint32_t code, enum log_escape_style style)
{
	if (code == ' ')
		return true;
	if (code == '"')
		return style == LOG_ESCAPE_SENTENCE;
	if (code < 0x80)
		return code > ' ' && code != '\\' && code != 0x7f;
	return text_is_graphic(code);
}

size_t
log_escape(const char *text, enum log_escape_style style, char *out,
    size_t room)
{
	char escaped[ESCAPE_SIZE];
	size_t left = strlen(text), used = 0;
	size_t length, size;
	const char *put;
	uint32_t code;
	bool is_byte;

	while (left > 0) {
		length = text_next(text, left, &code);
		is_byte = length == 0;
		if (is_byte) {
			code = (unsigned char)*text;
			length = 1;
		}
		put = text;
		size = length;
		if (is_byte || !is_plain(code, style)) {
			put = escaped;
			size = escape(code, is_byte, style, escaped);
		}
		if (size > room - used)
			break;
		memcpy(out + used, put, size);
		used += size;
		text += length;
		left -= length;
	}
	return used;
}
