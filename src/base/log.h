/* log.h - one event, one line, one write(). */

#ifndef POSTERN_BASE_LOG_H
#define POSTERN_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/*
 * PLAIN: time level [pid] sentence
 *        time level [pid] event name=value name="a \"longer\" value"
 * JSON:  {"time":...,"level":...,"pid":...,"message":...}
 *        {"time":...,"level":...,"pid":...,"event":...,"name":"value",...}
 * syslog has time, level and process id of its own: a plain line leaves them
 * out there.
 */
enum log_format {
	LOG_FORMAT_PLAIN,
	LOG_FORMAT_JSON,
};

/*
 * Where lines go: "stderr", "syslog", or the path of a file, opened for append
 * with mode 0640.  Until then, plain lines of level info go to stderr.  Returns
 * 0, or -1 with errno set and everything left as it was.  log_reopen() opens
 * the file again (after rotation); both may be called at any time.
 *
 * A line that cannot be written (disk full, reader gone or stuck) goes to
 * stderr, or else is lost, and the next one that gets through is followed by a
 * line with the number of lost ones.  Nobody waits longer than a moment for a
 * reader, and only once.  Writing to a closed pipe raises SIGPIPE: programs
 * ignore that signal.
 *
 * Lines of processes that share a log are never mixed.  One may be cut when the
 * disk becomes full in the middle of it; what comes next begins a new line.
 */
int log_open(const char *target, enum log_format format,
    enum log_level level);
int log_reopen(void);

/* Say how many lines were lost since the last one, if any: for the end of a
 * process, which writes no other that this could follow.  A reader that is still
 * stuck costs a moment once more. */
void log_finish(void);

/* The log's file descriptor, or -1 for syslog. */
int log_fd(void);

/*
 * A sentence for people: lower case, no full stop; what was being done, to
 * what, and why it failed.  Control bytes, invalid UTF-8 and characters that
 * reorder or hide text are escaped, so a hostile name cannot forge a line.
 * Lines are cut at LOG_LINE_SIZE.  errno is left as it was.
 */
#define LOG_LINE_SIZE 4096

void log_error(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * An event with fields, for machines: begin, add, end.  The line lives in the
 * caller's frame; log_end() writes it.  A field whose text is NULL is left out;
 * one that does not fit in the line is cut.  Event and names are constants of
 * the program: letters, digits and "_".  Never a password, token, cookie or
 * body.
 */
struct log_line {
	char text[LOG_LINE_SIZE];
	size_t used;
	enum log_level level;
	int off; /* below the level: adds and end do nothing */
};

void log_begin(struct log_line *line, enum log_level level,
    const char *event);
void log_add(struct log_line *line, const char *name, const char *text);
void log_add_int(struct log_line *line, const char *name, int64_t number);
void log_end(struct log_line *line);

#endif
