/* ctl_text.c - see ctl_text.h. */

#include "ctl/ctl_text.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

size_t
ctl_text_show(const char *text, size_t size,
    char shown[static CTL_TEXT_SHOWN_SIZE])
{
	uint32_t code;
	size_t length = text_next(text, size, &code);

	if (length == 0) {
		snprintf(shown, CTL_TEXT_SHOWN_SIZE, "\\x%02x",
		    (unsigned char)*text);
		return 1;
	}
	if (code == ' ' || text_is_graphic(code))
		snprintf(shown, CTL_TEXT_SHOWN_SIZE, "%.*s", (int)length, text);
	else
		snprintf(shown, CTL_TEXT_SHOWN_SIZE, "\\u{%" PRIx32 "}", code);
	return length;
}

static void
put_text(FILE *out, const char *text, size_t left, int indent)
{
	char shown[CTL_TEXT_SHOWN_SIZE];
	size_t length;

	while (left > 0) {
		length = ctl_text_show(text, left, shown);
		if (*text == '\n')
			fprintf(out, "\n%*s", indent, "");
		else
			fputs(*text == '\t' ? " " : shown, out);
		text += length;
		left -= length;
	}
}

void
ctl_text_put(FILE *out, const char *text, int indent)
{
	put_text(out, text, strlen(text), indent);
}

/* Columns that a text takes. */
static int
columns_of(const char *text, size_t left)
{
	size_t length;
	uint32_t code;
	int width = 0;

	while ((length = text_next(text, left, &code)) > 0) {
		width += text_columns(code);
		text += length;
		left -= length;
	}
	return width;
}

int
ctl_text_width(const char *text)
{
	return columns_of(text, strlen(text));
}

size_t
ctl_text_fitting(const char *text, int width)
{
	size_t left = strlen(text), size = 0, length;
	uint32_t code;

	while ((length = text_next(text + size, left - size, &code)) > 0) {
		width -= text_columns(code);
		if (width < 0)
			break;
		size += length;
	}
	return size;
}

/* What a terminal has that does not tell, and what words take of a wider one. */
#define TERMINAL_COLUMNS 80

int
ctl_text_limit(FILE *out)
{
	struct winsize size;

	if (isatty(fileno(out)) != 1)
		return INT_MAX;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return TERMINAL_COLUMNS;
	return size.ws_col;
}

void
ctl_text_wrapped(FILE *out, const char *text, int at, int indent)
{
	int limit = ctl_text_limit(out);
	size_t blanks, word;

	/* Longer lines are hard to read. */
	if (limit != INT_MAX && limit > TERMINAL_COLUMNS)
		limit = TERMINAL_COLUMNS;
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
