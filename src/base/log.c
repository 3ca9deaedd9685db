/* log.c - one event, one line, one write(). */

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_escape.h"
#include "base/log_sink.h"

/* Kept free at the end of every line, for: quote, brace, newline. */
#define TAIL_ROOM 3

/* Of the one log of the process; where that is, log_sink.c knows. */
static struct {
	enum log_format format;
	enum log_level level;
} form = { LOG_FORMAT_PLAIN, LOG_LEVEL_INFO };

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

int
log_open(const char *target, enum log_format format, enum log_level level)
{
	if (log_sink_open(target) != 0)
		return -1;
	form.format = format;
	form.level = level;
	return 0;
}

int
log_reopen(void)
{
	return log_sink_reopen();
}

int
log_fd(void)
{
	return log_sink_fd();
}

static void
report_lost(void)
{
	/* First, or the report of a report would never end. */
	uint64_t lost = log_sink_lost();

	if (lost == 0)
		return;
	log_warning("%" PRIu64 " log lines before this one were lost", lost);
	log_sink_tell_again(lost);
}

void
log_finish(void)
{
	report_lost();
}

/* ---- building a line ----------------------------------------------------- */

/* What still fits before the end of the line. */
static size_t
line_room(const struct log_line *line)
{
	const size_t end = sizeof(line->text) - TAIL_ROOM;

	/* The quote behind a value that was cut stands in the tail. */
	return line->used < end ? end - line->used : 0;
}

/* Put all of it, or nothing. */
static bool
line_put(struct log_line *line, const char *text, size_t size)
{
	if (size > line_room(line))
		return false;
	memcpy(line->text + line->used, text, size);
	line->used += size;
	return true;
}

static bool
line_put_text(struct log_line *line, const char *text)
{
	return line_put(line, text, strlen(text));
}

/* Put a text, escaped; what does not fit is cut off between characters. */
static void
line_put_escaped(struct log_line *line, const char *text,
    enum log_escape_style style)
{
	line->used += log_escape(text, style, line->text + line->used,
	    line_room(line));
}

/* Does a value read well without quotes? */
static bool
is_bare(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || *text == '"' ||
		    *text == '\\' || *text == '=')
			return false;
	return true;
}

/* Start a line: all that stands before the sentence or the event. */
static void
line_start(struct log_line *line, enum log_level level)
{
	char now[CLOCK_TEXT_SIZE];
	int size;

	line->used = 0;
	line->level = level;
	line->off = level > form.level;
	if (line->off)
		return;

	clock_format(clock_now_us(), now);
	if (form.format == LOG_FORMAT_JSON)
		size = snprintf(line->text, sizeof(line->text),
		    "{\"time\":\"%s\",\"level\":\"%s\",\"pid\":%ld", now,
		    levels[level].name, (long)getpid());
	else if (log_sink_fd() != -1)
		size = snprintf(line->text, sizeof(line->text),
		    "%s %s [%ld] ", now, levels[level].name, (long)getpid());
	else
		size = 0;
	line->used = (size_t)size;
}

/* Put the name of a field; false when there is no room for a value either. */
static bool
line_put_name(struct log_line *line, const char *name)
{
	/* Of JSON: comma, two quotes, colon, and a number or two quotes. */
	if (strlen(name) + 4 + 20 > line_room(line))
		return false;
	if (form.format == LOG_FORMAT_JSON)
		return line_put_text(line, ",\"") &&
		    line_put_text(line, name) && line_put_text(line, "\":");
	return line_put_text(line, " ") && line_put_text(line, name) &&
	    line_put_text(line, "=");
}

/* Put a value between quotes; the closing one has its room in the tail. */
static void
line_put_quoted(struct log_line *line, const char *text,
    enum log_escape_style style)
{
	line_put_text(line, "\"");
	line_put_escaped(line, text, style);
	line->text[line->used++] = '"';
}

void
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	line_start(line, level);
	if (line->off)
		return;
	if (form.format == LOG_FORMAT_JSON)
		log_add(line, "event", event);
	else
		line_put_text(line, event);
}

void
log_add(struct log_line *line, const char *name, const char *text)
{
	if (line->off || text == NULL || !line_put_name(line, name))
		return;
	if (form.format == LOG_FORMAT_JSON)
		line_put_quoted(line, text, LOG_ESCAPE_JSON);
	else if (is_bare(text))
		line_put_escaped(line, text, LOG_ESCAPE_QUOTED);
	else
		line_put_quoted(line, text, LOG_ESCAPE_QUOTED);
}

void
log_add_int(struct log_line *line, const char *name, int64_t number)
{
	char digits[24];

	if (line->off || !line_put_name(line, name))
		return;
	snprintf(digits, sizeof(digits), "%" PRId64, number);
	line_put_text(line, digits);
}

void
log_end(struct log_line *line)
{
	int reason = errno;

	if (line->off)
		return;
	if (form.format == LOG_FORMAT_JSON)
		line->text[line->used++] = '}';
	line->text[line->used++] = '\n';
	if (log_sink_write(levels[line->level].priority, line->text,
		line->used))
		report_lost();
	line->off = 1;
	errno = reason;
}

/* ---- sentences ----------------------------------------------------------- */

static void __attribute__((format(printf, 2, 0)))
log_sentence(enum log_level level, const char *format, va_list values)
{
	char sentence[LOG_LINE_SIZE];
	struct log_line line;
	int reason = errno;

	line_start(&line, level);
	if (line.off)
		return;
	vsnprintf(sentence, sizeof(sentence), format, values);
	if (form.format == LOG_FORMAT_JSON)
		log_add(&line, "message", sentence);
	else
		line_put_escaped(&line, sentence, LOG_ESCAPE_SENTENCE);
	log_end(&line);
	errno = reason;
}

void
log_error(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	log_sentence(LOG_LEVEL_ERROR, format, values);
	va_end(values);
}

void
log_warning(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	log_sentence(LOG_LEVEL_WARNING, format, values);
	va_end(values);
}

void
log_info(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	log_sentence(LOG_LEVEL_INFO, format, values);
	va_end(values);
}

void
log_debug(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	log_sentence(LOG_LEVEL_DEBUG, format, values);
	va_end(values);
}
