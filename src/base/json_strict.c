/* json_strict.c - is this text JSON as RFC 8259 has it? */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/json_strict.h"
#include "base/text.h"

/* Where the scan stands.  Each scan_ call moves over one thing and says true,
 * or says false and leaves the reason. */
struct scan {
	const char *at, *end;
	size_t members;
	const char *why;
};

static bool scan_value(struct scan *scan, int depth);

static bool
refuse(struct scan *scan, const char *why)
{
	scan->why = why;
	return false;
}

/* The next byte, or NUL at the end (no rule has a use for a real NUL). */
static char
next(const struct scan *scan)
{
	return scan->at < scan->end ? *scan->at : '\0';
}

/* Step over one character if it is the next. */
static bool
take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static void
skip_space(struct scan *scan)
{
	while (take(scan, ' ') || take(scan, '\t') || take(scan, '\n') ||
	    take(scan, '\r'))
		continue;
}

static bool
scan_word(struct scan *scan, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(scan->end - scan->at) < size ||
	    memcmp(scan->at, word, size) != 0)
		return refuse(scan, "a word that is not true, false or null");
	scan->at += size;
	return true;
}

/* ---- numbers (section 6) ------------------------------------------------- */

static bool
scan_digits(struct scan *scan)
{
	const char *start = scan->at;

	while (next(scan) >= '0' && next(scan) <= '9')
		scan->at++;
	if (scan->at == start)
		return refuse(scan, "a number without the digits it needs");
	return true;
}

/* Do these digits, with their sign, fit in 64 bits?  Where they do not, some
 * json-c refuse them and others put the nearest number in their place. */
static bool
fits_int64(const char *digits, const char *end, bool is_negative)
{
	int64_t number = 0;

	for (; digits < end; digits++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_sub_overflow(number, *digits - '0', &number))
			return false;
	return is_negative || number != INT64_MIN;
}

static bool
scan_number(struct scan *scan)
{
	bool is_negative = take(scan, '-');
	const char *digits = scan->at;

	if (!scan_digits(scan))
		return false;
	if (*digits == '0' && scan->at - digits > 1)
		return refuse(scan, "a number that begins with 0");
	if (next(scan) != '.' && next(scan) != 'e' && next(scan) != 'E' &&
	    !fits_int64(digits, scan->at, is_negative))
		return refuse(scan, "an integer beyond 64 bits");

	if (take(scan, '.') && !scan_digits(scan))
		return false;
	if (!take(scan, 'e') && !take(scan, 'E'))
		return true;
	if (!take(scan, '+'))
		take(scan, '-');
	return scan_digits(scan);
}

/* ---- strings (section 7) ------------------------------------------------- */

/* The four digits of a \u escape. */
static bool
scan_code(struct scan *scan, unsigned *code)
{
	unsigned digit;
	char c;

	*code = 0;
	for (int i = 0; i < 4; i++) {
		c = next(scan);
		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a') + 10;
		else if (c >= 'A' && c <= 'F')
			digit = (unsigned)(c - 'A') + 10;
		else
			return refuse(scan, "\\u without four digits");
		*code = *code << 4 | digit;
		scan->at++;
	}
	return true;
}

/*
 * Behind "\u".  A surrogate needs its other half: json-c puts U+FFFD in place of
 * a lone one, and different passwords would become equal.
 */
static bool
scan_unicode(struct scan *scan, bool is_name)
{
	unsigned code, low;

	if (!scan_code(scan, &code))
		return false;
	if (code == 0 && is_name)
		return refuse(scan, "a name with U+0000");
	if (code < 0xd800 || code > 0xdfff)
		return true;
	if (code > 0xdbff || !take(scan, '\\') || !take(scan, 'u'))
		return refuse(scan, "half of a surrogate pair");
	if (!scan_code(scan, &low))
		return false;
	if (low < 0xdc00 || low > 0xdfff)
		return refuse(scan, "half of a surrogate pair");
	return true;
}

static bool
scan_escape(struct scan *scan, bool is_name)
{
	char c = next(scan);

	if (take(scan, 'u'))
		return scan_unicode(scan, is_name);
	if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
		return refuse(scan, "an escape that JSON does not have");
	scan->at++;
	return true;
}

/*
 * A string, from quote to quote.  json-c keeps names as C strings: one that holds
 * U+0000 would be cut and pass for another, so `is_name` refuses it.
 */
static bool
scan_string(struct scan *scan, bool is_name)
{
	if (!take(scan, '"'))
		return refuse(scan, "a name that is not a string");
	while (!take(scan, '"')) {
		if (scan->at == scan->end)
			return refuse(scan, "a string without its end");
		if ((unsigned char)*scan->at < ' ')
			return refuse(scan, "a control character in a string");
		if (!take(scan, '\\'))
			scan->at++;
		else if (!scan_escape(scan, is_name))
			return false;
	}
	return true;
}

/* ---- objects and arrays (sections 4 and 5) ------------------------------- */

static bool
scan_member(struct scan *scan, int depth)
{
	skip_space(scan);
	if (!scan_string(scan, true))
		return false;
	skip_space(scan);
	if (!take(scan, ':'))
		return refuse(scan, "a name without a colon behind it");
	scan->members++;
	return scan_value(scan, depth);
}

/* Behind the opening bracket. */
static bool
scan_object(struct scan *scan, int depth)
{
	skip_space(scan);
	if (take(scan, '}'))
		return true;
	do {
		if (!scan_member(scan, depth))
			return false;
	} while (take(scan, ','));
	if (!take(scan, '}'))
		return refuse(scan, "an object without its end");
	return true;
}

static bool
scan_array(struct scan *scan, int depth)
{
	skip_space(scan);
	if (take(scan, ']'))
		return true;
	do {
		if (!scan_value(scan, depth))
			return false;
	} while (take(scan, ','));
	if (!take(scan, ']'))
		return refuse(scan, "an array without its end");
	return true;
}

static bool
scan_bare_value(struct scan *scan, int depth)
{
	char c = next(scan);

	if (c == '"')
		return scan_string(scan, false);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(scan);
	if (c == 't')
		return scan_word(scan, "true");
	if (c == 'f')
		return scan_word(scan, "false");
	if (c == 'n')
		return scan_word(scan, "null");
	if (c != '{' && c != '[')
		return refuse(scan, "something else where a value belongs");

	if (depth == JSON_DEPTH_LIMIT)
		return refuse(scan, "too many levels");
	scan->at++;
	return c == '{' ? scan_object(scan, depth + 1) :
			  scan_array(scan, depth + 1);
}

/* A value with the white space around it, inside `depth` brackets; recursion is
 * bounded by JSON_DEPTH_LIMIT. */
static bool
scan_value(struct scan *scan, int depth)
{
	skip_space(scan);
	if (!scan_bare_value(scan, depth))
		return false;
	skip_space(scan);
	return true;
}

const char *
json_strict(const char *text, size_t size, size_t *members)
{
	struct scan scan = { .at = text, .end = text + size };

	*members = 0;
	if (!text_is_utf8(text, size))
		return "not UTF-8";
	if (!scan_value(&scan, 0))
		return scan.why;
	if (scan.at != scan.end)
		return "something behind the value";
	*members = scan.members;
	return NULL;
}
