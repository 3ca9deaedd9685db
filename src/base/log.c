/* log.c - one event, one line, one write(). */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_syslog.h"
#include "base/metrics.h"
#include "base/text.h"

/* Kept free at the end of every line, for: quote, brace, newline. */
#define TAIL_ROOM 3

/* The longest escape of one byte or character: \u{10ffff}. */
#define ESCAPE_SIZE 16

/* How long a line waits for a reader that is behind. */
#define STALL_MS 200

/* The one log of the process. */
static struct {
	char *path; /* of a file, else NULL */
	int fd;     /* -1: syslog */
	enum log_format format;
	enum log_level level;
	uint64_t lost; /* lines that nobody could take, since the last one */
	bool cut;      /* of the last of them, the beginning is there */
} sink = { NULL, STDERR_FILENO, LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, 0, false };

/* stderr, in a way that lets nobody wait for its reader. */
static struct {
	int fd;
	bool is_socket; /* as systemd's journal is */
	bool is_shared; /* it would make us wait */
} standard = { STDERR_FILENO, false, false };

static const struct {
	const char *name;
	int priority; /* syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

/* ---- the target ---------------------------------------------------------- */

static int
open_file(const char *path)
{
	/* O_NONBLOCK: a FIFO that nobody reads must not stop the service. */
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
}

/*
 * A pipe or terminal whose reader does not read would hold us up for ever; but it
 * is not ours alone, so O_NONBLOCK is not ours to set.  It is opened once more.
 * That fails for a socket, which can be told with each line; and for a pipe that
 * another user made, which is asked before each line whether it has room.
 */
static void
find_standard(void)
{
	struct stat status;
	int fd;

	if (standard.fd != STDERR_FILENO)
		close(standard.fd);
	standard.fd = STDERR_FILENO;
	standard.is_socket = standard.is_shared = false;
	if (fstat(STDERR_FILENO, &status) == -1)
		return;
	standard.is_socket = S_ISSOCK(status.st_mode);
	if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
		return;
	fd = open("/proc/self/fd/2",
	    O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd != -1)
		standard.fd = fd;
	standard.is_shared = fd == -1;
}

/* Take a new target; what the old one held is released. */
static void
sink_set(int fd, char *path)
{
	if (sink.path != NULL)
		close(sink.fd);
	if (path != sink.path)
		free(sink.path);
	sink.fd = fd;
	sink.path = path;
}

int
log_open(const char *target, enum log_format format, enum log_level level)
{
	char *path;
	int fd;

	if (strcmp(target, "stderr") == 0) {
		sink_set(STDERR_FILENO, NULL);
	} else if (strcmp(target, "syslog") == 0) {
		sink_set(-1, NULL);
	} else {
		fd = open_file(target);
		if (fd == -1)
			return -1;
		path = strdup(target);
		if (path == NULL) {
			close(fd);
			errno = ENOMEM;
			return -1;
		}
		sink_set(fd, path);
	}
	sink.format = format;
	sink.level = level;
	find_standard();
	return 0;
}

int
log_reopen(void)
{
	int fd;

	if (sink.path == NULL)
		return 0;
	fd = open_file(sink.path);
	if (fd == -1)
		return -1;
	sink_set(fd, sink.path);
	return 0;
}

int
log_fd(void)
{
	return sink.fd;
}

/* ---- writing ------------------------------------------------------------- */

/* Wait until the reader takes more; false when it does not in time. */
static bool
wait_for_reader(int fd, int64_t deadline_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	int64_t left = deadline_ms - clock_steady_ms();

	if (left <= 0)
		return false;
	return poll(&poll_fd, 1, (int)left) != 0;
}

/* What errno says: is it worth another try, now? */
static bool
may_go_on(int fd, int64_t deadline_ms)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return wait_for_reader(fd, deadline_ms);
	return errno == EINTR;
}

static ssize_t
write_some(int fd, const char *text, size_t size)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	if (fd == standard.fd && standard.is_socket)
		return send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (fd == standard.fd && standard.is_shared &&
	    poll(&poll_fd, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, text, size);
}

/*
 * Write a whole line; a target that is behind gets `stall_ms` to catch up.  Files
 * that are appended to, pipes and sockets take a line of LOG_LINE_SIZE whole or
 * not at all, so lines of several processes are never mixed; but for a disk that
 * has just become full.
 */
static bool
write_line(int fd, const char *text, size_t size, int stall_ms)
{
	int64_t deadline_ms = clock_steady_ms() + stall_ms;
	const char *start = text;
	ssize_t put;

	while (size > 0) {
		put = write_some(fd, text, size);
		if (put > 0) {
			text += put;
			size -= (size_t)put;
		} else if (put == 0 || !may_go_on(fd, deadline_ms)) {
			sink.cut = sink.cut || text != start;
			return false;
		}
	}
	return true;
}

static void
report_lost(void)
{
	uint64_t lost = sink.lost;

	/* First, or the report of a report would never end. */
	sink.lost = 0;
	log_warning("%" PRIu64 " log lines before this one were lost", lost);
}

void
log_finish(void)
{
	if (sink.lost > 0)
		report_lost();
}

/* To where the log is wanted. */
static bool
sink_take(enum log_level level, const char *text, size_t size)
{
	/* Once it is stuck, nobody waits for it again. */
	int stall_ms = sink.lost == 0 ? STALL_MS : 0;
	int fd = sink.fd == STDERR_FILENO ? standard.fd : sink.fd;

	if (fd == -1)
		return log_syslog(levels[level].priority, text, size - 1,
		    stall_ms);
	/* What follows is not to be taken for its end. */
	if (sink.cut && write_some(fd, "\n", 1) == 1)
		sink.cut = false;
	return write_line(fd, text, size, stall_ms);
}

/* Give a finished line, newline included, to the target, or else to stderr. */
static void
sink_write(enum log_level level, const char *text, size_t size)
{
	if (sink_take(level, text, size)) {
		if (sink.lost > 0)
			report_lost();
		return;
	}
	if (sink.fd != STDERR_FILENO && write_line(standard.fd, text, size, 0))
		return;
	sink.lost++;
	metrics_count(METRICS_LOG_LOST, 0);
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

enum escape_style {
	ESCAPE_SENTENCE, /* for people: quotes stay */
	ESCAPE_QUOTED,   /* between quotes of a plain line */
	ESCAPE_JSON,     /* between quotes of JSON (RFC 8259 section 7) */
};

/* Write the escaped form of one character (or bad byte); returns its size. */
static size_t
escape(uint32_t code, bool is_byte, enum escape_style style,
    char out[static ESCAPE_SIZE])
{
	const char *slash = style == ESCAPE_JSON ? "\\\\" : "\\";
	int size;

	if (code == '\\' || code == '"')
		size = snprintf(out, ESCAPE_SIZE, "\\%c", (char)code);
	else if (code == '\n')
		size = snprintf(out, ESCAPE_SIZE, "\\n");
	else if (code == '\t')
		size = snprintf(out, ESCAPE_SIZE, "\\t");
	else if (style == ESCAPE_JSON && !is_byte && code < 0x10000)
		size = snprintf(out, ESCAPE_SIZE, "\\u%04x", code);
	else if (is_byte || code < 0x80)
		size = snprintf(out, ESCAPE_SIZE, "%sx%02x", slash, code);
	else
		size = snprintf(out, ESCAPE_SIZE, "%su{%x}", slash, code);
	return (size_t)size;
}

/* May this character stand as it is? */
static bool
is_plain(uint32_t code, enum escape_style style)
{
	if (code == ' ')
		return true;
	if (code == '"')
		return style == ESCAPE_SENTENCE;
	if (code < 0x80)
		return code > ' ' && code != '\\' && code != 0x7f;
	return text_is_graphic(code);
}

/* Put a text, escaped; what does not fit is cut off between characters. */
static void
line_put_escaped(struct log_line *line, const char *text,
    enum escape_style style)
{
	char escaped[ESCAPE_SIZE];
	size_t left = strlen(text);
	size_t length, size;
	uint32_t code;
	bool is_byte, put;

	while (left > 0) {
		length = text_next(text, left, &code);
		is_byte = length == 0;
		if (is_byte) {
			code = (unsigned char)*text;
			length = 1;
		}
		if (!is_byte && is_plain(code, style)) {
			put = line_put(line, text, length);
		} else {
			size = escape(code, is_byte, style, escaped);
			put = line_put(line, escaped, size);
		}
		if (!put)
			return;
		text += length;
		left -= length;
	}
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
	line->off = level > sink.level;
	if (line->off)
		return;

	clock_format(clock_now_us(), now);
	if (sink.format == LOG_FORMAT_JSON)
		size = snprintf(line->text, sizeof(line->text),
		    "{\"time\":\"%s\",\"level\":\"%s\",\"pid\":%ld", now,
		    levels[level].name, (long)getpid());
	else if (sink.fd != -1)
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
	if (sink.format == LOG_FORMAT_JSON)
		return line_put_text(line, ",\"") &&
		    line_put_text(line, name) && line_put_text(line, "\":");
	return line_put_text(line, " ") && line_put_text(line, name) &&
	    line_put_text(line, "=");
}

/* Put a value between quotes; the closing one has its room in the tail. */
static void
line_put_quoted(struct log_line *line, const char *text,
    enum escape_style style)
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
	if (sink.format == LOG_FORMAT_JSON)
		log_add(line, "event", event);
	else
		line_put_text(line, event);
}

void
log_add(struct log_line *line, const char *name, const char *text)
{
	if (line->off || text == NULL || !line_put_name(line, name))
		return;
	if (sink.format == LOG_FORMAT_JSON)
		line_put_quoted(line, text, ESCAPE_JSON);
	else if (is_bare(text))
		line_put_escaped(line, text, ESCAPE_QUOTED);
	else
		line_put_quoted(line, text, ESCAPE_QUOTED);
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
	if (sink.format == LOG_FORMAT_JSON)
		line->text[line->used++] = '}';
	line->text[line->used++] = '\n';
	sink_write(line->level, line->text, line->used);
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
	if (sink.format == LOG_FORMAT_JSON)
		log_add(&line, "message", sentence);
	else
		line_put_escaped(&line, sentence, ESCAPE_SENTENCE);
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
