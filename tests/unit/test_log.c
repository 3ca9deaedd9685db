/* Lines of the log: their form, what cannot be forged in them, and what happens
 * when nobody takes them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

static char dir[] = "/tmp/postern-test-XXXXXX";
static char path[64], moved[64];

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(moved, sizeof(moved), "%s/log.1", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	return rmdir(dir);
}

/* A new, empty log file. */
static void
start(enum log_format format, enum log_level level)
{
	unlink(path);
	assert_int_equal(log_open(path, format, level), 0);
}

/* What is in a file so far. */
static const char *
content(const char *name)
{
	static char text[8 * LOG_LINE_SIZE];
	FILE *file = fopen(name, "r");
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	text[size] = '\0';
	fclose(file);
	return text;
}

static const char *
logged(void)
{
	return content(path);
}

/* Behind time, level and process id. */
static const char *
sentence(void)
{
	const char *text = strstr(logged(), "] ");

	assert_non_null(text);
	return text + 2;
}

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t compiled;

	assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED), 0);
	if (regexec(&compiled, text, 0, NULL, 0) != 0)
		fail_msg("\"%s\" does not match \"%s\"", text, pattern);
	regfree(&compiled);
}

/* ---- plain --------------------------------------------------------------- */

static void
test_sentence(void **state)
{
	char pattern[300];

	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_DEBUG);
	log_error("could not open \"%s\": %s", "a b", "no such file");
	log_warning("two");
	log_info("three");
	log_debug("four %d", 4);
	snprintf(pattern, sizeof(pattern),
	    "^" TIME " error \\[%ld\\] could not open \"a b\": no such file\n"
	    TIME " warning \\[%ld\\] two\n", (long)getpid(), (long)getpid());
	assert_matches(logged(), pattern);
	assert_matches(logged(), " info \\[[0-9]+\\] three\n");
	assert_matches(logged(), " debug \\[[0-9]+\\] four 4\n$");
}

static void
test_levels(void **state)
{
	struct log_line line;

	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_WARNING);
	log_info("not this");
	log_debug("nor this");
	log_begin(&line, LOG_LEVEL_INFO, "request");
	log_add(&line, "name", "value");
	log_add_int(&line, "number", 1);
	log_end(&line);
	assert_string_equal(logged(), "");
	log_warning("this");
	assert_matches(logged(), "^[^\n]* warning [^\n]* this\n$");
}

static void
test_event(void **state)
{
	struct log_line line;

	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	log_begin(&line, LOG_LEVEL_INFO, "request");
	log_add(&line, "path", "/v2/auth/sign-in");
	log_add(&line, "absent", NULL);
	log_add(&line, "empty", "");
	log_add(&line, "agent", "Mozilla/5.0 (X11)");
	log_add(&line, "quote", "a\"b");
	log_add(&line, "slash", "a\\b");
	log_add(&line, "equals", "a=b");
	log_add(&line, "umlaut", "\xc3\xa4");
	log_add_int(&line, "ms", -12);
	log_add_int(&line, "least", INT64_MIN);
	log_end(&line);
	/* ending it again writes nothing */
	log_end(&line);
	assert_string_equal(sentence(),
	    "request path=/v2/auth/sign-in empty=\"\" "
	    "agent=\"Mozilla/5.0 (X11)\" quote=\"a\\\"b\" slash=\"a\\\\b\" "
	    "equals=\"a=b\" umlaut=\"\xc3\xa4\" ms=-12 "
	    "least=-9223372036854775808\n");
}

/* Whatever a name holds, the line stays one line, and one that can be read. */
static const struct {
	const char *text, *plain, *json;
} hostile[] = {
	{ "a\nb", "a\\nb", "a\\nb" },
	{ "a\r\tb", "a\\x0d\\tb", "a\\u000d\\tb" },
	{ "\x1b[31m", "\\x1b[31m", "\\u001b[31m" },
	{ "a\x7f", "a\\x7f", "a\\u007f" },
	{ "a\xff", "a\\xff", "a\\\\xff" },
	{ "\xc3(", "\\xc3(", "\\\\xc3(" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\\\xed\\\\xa0\\\\x80" },
	{ "\xc2\x9b" "1m", "\\u{9b}1m", "\\u009b1m" },
	{ "\xe2\x80\xae" "x", "\\u{202e}x", "\\u202ex" },
	{ "\xe2\x80\xa8", "\\u{2028}", "\\u2028" },
	{ "\xe2\x80\x8b", "\\u{200b}", "\\u200b" },
	{ "\xf3\xa0\x81\x81", "\\u{e0041}", "\\\\u{e0041}" },
	{ "a\\nb", "a\\\\nb", "a\\\\nb" },
	{ "\xe2\x82\xac", "\xe2\x82\xac", "\xe2\x82\xac" },
};

static void
test_hostile_sentence(void **state)
{
	char expected[64];

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
		log_info("%s", hostile[i].text);
		snprintf(expected, sizeof(expected), "%s\n", hostile[i].plain);
		assert_string_equal(sentence(), expected);
	}
}

static void
test_hostile_value(void **state)
{
	char expected[64];
	struct log_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
		log_begin(&line, LOG_LEVEL_INFO, "event");
		log_add(&line, "x", hostile[i].text);
		log_end(&line);
		snprintf(expected, sizeof(expected), "event x=\"%s\"\n",
		    hostile[i].plain);
		assert_string_equal(sentence(), expected);
	}
}

/* ---- JSON ---------------------------------------------------------------- */

static struct json_object *
logged_json(void)
{
	const char *text = logged();
	struct json_object *value;
	const char *why;

	value = json_parse(text, strlen(text), &why);
	if (value == NULL)
		fail_msg("\"%s\": %s", text, why);
	return value;
}

static void
assert_member(const struct json_object *value, const char *name,
    const char *text)
{
	size_t size;
	const char *member = json_member_string(value, name, &size);

	assert_non_null(member);
	assert_string_equal(member, text);
}

static void
test_json_event(void **state)
{
	struct json_object *value;
	struct log_line line;
	int64_t number;

	(void)state;
	start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	log_begin(&line, LOG_LEVEL_WARNING, "request");
	log_add(&line, "path", "/a \"b\" \\");
	log_add(&line, "absent", NULL);
	log_add_int(&line, "ms", INT64_MIN);
	log_end(&line);
	assert_matches(logged(), "^\\{\"time\":\"" TIME "\",.*\\}\n$");
	value = logged_json();
	assert_member(value, "level", "warning");
	assert_member(value, "event", "request");
	assert_member(value, "path", "/a \"b\" \\");
	assert_int_equal(json_member_kind(value, "absent"), JSON_ABSENT);
	assert_true(json_member_int(value, "ms", &number));
	assert_true(number == INT64_MIN);
	assert_true(json_member_int(value, "pid", &number));
	assert_true(number == getpid());
	json_free(value);
}

static void
test_json_sentence(void **state)
{
	struct json_object *value;

	(void)state;
	start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	log_error("could not open \"%s\"", "x\n");
	value = logged_json();
	assert_member(value, "level", "error");
	assert_member(value, "message", "could not open \"x\n\"");
	assert_int_equal(json_member_kind(value, "event"), JSON_ABSENT);
	json_free(value);
}

static void
test_hostile_json(void **state)
{
	char expected[64];
	struct log_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
		log_begin(&line, LOG_LEVEL_INFO, "event");
		log_add(&line, "x", hostile[i].text);
		log_end(&line);
		json_free(logged_json());
		snprintf(expected, sizeof(expected), ",\"x\":\"%s\"}\n",
		    hostile[i].json);
		assert_non_null(strstr(logged(), expected));
	}
}

/* ---- long lines ---------------------------------------------------------- */

/* Fields of every size near the end of a line: it never gets longer, and in JSON
 * it stays JSON. */
static void
check_cut(enum log_format format, const char *filling)
{
	static char value[3 * LOG_LINE_SIZE];
	struct log_line line;
	size_t unit = strlen(filling), count;

	for (count = 0; (count + 1) * unit < sizeof(value); count++)
		memcpy(value + count * unit, filling, unit);
	for (size_t cut = LOG_LINE_SIZE - 120; cut < LOG_LINE_SIZE + 10;
	     cut++) {
		start(format, LOG_LEVEL_INFO);
		log_begin(&line, LOG_LEVEL_INFO, "event");
		log_add(&line, "long",
		    value + (count - cut / unit) * unit);
		log_add(&line, "next", value);
		log_add_int(&line, "number", INT64_MIN);
		log_end(&line);
		assert_true(line.used <= sizeof(line.text));
		assert_int_equal(strlen(logged()), line.used);
		assert_ptr_equal(strchr(logged(), '\n'),
		    logged() + line.used - 1);
		if (format == LOG_FORMAT_JSON)
			json_free(logged_json());
	}
}

static void
test_cut(void **state)
{
	(void)state;
	check_cut(LOG_FORMAT_PLAIN, "a");
	check_cut(LOG_FORMAT_PLAIN, "a b");
	check_cut(LOG_FORMAT_PLAIN, "\xf0\x9f\x98\x80");
	check_cut(LOG_FORMAT_JSON, "a");
	check_cut(LOG_FORMAT_JSON, "\"");
	check_cut(LOG_FORMAT_JSON, "\x01");
	check_cut(LOG_FORMAT_JSON, "\xf0\x9f\x98\x80");
	check_cut(LOG_FORMAT_JSON, "\xff");
}

static void
test_many_fields(void **state)
{
	struct log_line line;
	char name[16];

	(void)state;
	start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	log_begin(&line, LOG_LEVEL_INFO, "event");
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		log_add_int(&line, name, i);
	}
	log_end(&line);
	assert_true(line.used <= sizeof(line.text));
	json_free(logged_json());
}

static void
test_long_sentence(void **state)
{
	static char text[3 * LOG_LINE_SIZE];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	log_info("%s", text);
	assert_true(strlen(logged()) <= LOG_LINE_SIZE);
	assert_true(strlen(logged()) > LOG_LINE_SIZE - 10);
	memset(text, '\n', sizeof(text) - 1);
	start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	log_info("%s", text);
	assert_true(strlen(logged()) <= LOG_LINE_SIZE);
	json_free(logged_json());
}

/* ---- targets ------------------------------------------------------------- */

static void
test_file_mode(void **state)
{
	struct stat about;
	mode_t mask = umask(0);

	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	umask(mask);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0640);
	assert_true(log_fd() > STDERR_FILENO);
	assert_int_equal(fcntl(log_fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void
test_append(void **state)
{
	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	log_info("one");
	assert_int_equal(log_open(path, LOG_FORMAT_PLAIN, LOG_LEVEL_INFO), 0);
	log_info("two");
	assert_matches(logged(), "one\n.*two\n$");
}

static void
test_reopen(void **state)
{
	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	log_info("one");
	assert_int_equal(rename(path, moved), 0);
	log_info("two");
	assert_int_equal(log_reopen(), 0);
	log_info("three");
	assert_matches(content(moved), "one\n.*two\n$");
	assert_matches(logged(), "^[^\n]*three\n$");
	unlink(moved);
}

static void
test_bad_target_keeps_the_old(void **state)
{
	int fd;

	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	fd = log_fd();
	errno = 0;
	assert_int_equal(log_open("/nowhere/log", LOG_FORMAT_JSON,
			     LOG_LEVEL_ERROR), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(log_fd(), fd);
	log_info("still here");
	assert_matches(logged(), "info .*still here\n$");

	/* and where the file cannot be made again, the old one goes on */
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(log_reopen(), -1);
	log_info("and here");
	assert_matches(content(moved), "and here\n$");
	assert_int_equal(rmdir(path), 0);
	unlink(moved);
}

/* Until a log is opened, and again later: stderr. */
static void
test_stderr(void **state)
{
	char text[512] = "";
	int saved = dup(STDERR_FILENO), ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	assert_int_equal(log_fd(), STDERR_FILENO);
	assert_int_equal(log_reopen(), 0);
	log_info("to stderr");
	dup2(saved, STDERR_FILENO);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	assert_matches(text, "info .* to stderr\n$");
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

/* ---- the system's logger ------------------------------------------------- */

/* Of this test's own, in place of the machine's. */
int __real_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);

int
__wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	struct sockaddr_un ours;

	memcpy(&ours, address, sizeof(ours));
	assert_int_equal(size, sizeof(ours));
	assert_string_equal(ours.sun_path, "/dev/log");
	strcpy(ours.sun_path, moved);
	return __real_connect(fd, (const struct sockaddr *)&ours, size);
}

static int
start_logger(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	unlink(moved);
	strcpy(address.sun_path, moved);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
			     sizeof(address)), 0);
	return fd;
}

static void
end_logger(int fd)
{
	close(fd);
	unlink(moved);
}

/* The next line that it got, "" for none. */
static const char *
received(int fd)
{
	static char text[2 * LOG_LINE_SIZE];
	ssize_t size = recv(fd, text, sizeof(text) - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void
test_syslog(void **state)
{
	char pattern[128];
	int fd = start_logger();

	(void)state;
	assert_int_equal(log_open("syslog", LOG_FORMAT_PLAIN, LOG_LEVEL_WARNING),
	    0);
	assert_int_equal(log_fd(), -1);
	assert_int_equal(log_reopen(), 0);
	log_error("a disk is full");
	log_warning("another is nearly so");
	log_info("nobody wants to know");
	snprintf(pattern, sizeof(pattern), "^<27>[A-Z][a-z]{2} [ 123][0-9] "
					   "[0-9]{2}:[0-9]{2}:[0-9]{2} "
					   "postern\\[%ld\\]: a disk is full$",
	    (long)getpid());
	assert_matches(received(fd), pattern);
	assert_matches(received(fd), "^<28>.*: another is nearly so$");
	assert_string_equal(received(fd), "");

	/* It is started anew. */
	end_logger(fd);
	fd = start_logger();
	log_error("found again");
	assert_matches(received(fd), ": found again$");
	end_logger(fd);
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	assert_int_not_equal(log_fd(), -1);
}

static void
test_no_syslog(void **state)
{
	char text[1024] = "";
	int saved = dup(STDERR_FILENO), ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	assert_int_equal(log_open("syslog", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	log_error("no logger is there");
	dup2(saved, STDERR_FILENO);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "no logger is there\n");
	close(saved);
	close(ends[0]);
	close(ends[1]);
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
}

/* One that hangs holds up one line, for a moment. */
static void
test_stuck_syslog(void **state)
{
	int saved = dup(STDERR_FILENO), full = open("/dev/full", O_WRONLY);
	int fd = start_logger(), got = 0;
	int64_t start_ms, took_ms;

	(void)state;
	dup2(full, STDERR_FILENO);
	close(full);
	assert_int_equal(log_open("syslog", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	start_ms = clock_steady_ms();
	for (int i = 0; i < 2000; i++)
		log_error("into the void");
	took_ms = clock_steady_ms() - start_ms;
	while (*received(fd) != '\0')
		got++;
	log_error("heard again");
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_in_range(got, 1, 1999);
	assert_in_range(took_ms, 100, 5000);
	assert_matches(received(fd), ": heard again$");
	assert_matches(received(fd), "<28>.*: [0-9]+ log lines before this one "
				     "were lost$");
	end_logger(fd);
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
}

static void
test_errno_stays(void **state)
{
	struct log_line line;

	(void)state;
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	errno = EXDEV;
	log_info("x");
	log_debug("x");
	assert_int_equal(errno, EXDEV);
	log_begin(&line, LOG_LEVEL_INFO, "event");
	log_end(&line);
	assert_int_equal(errno, EXDEV);
}

/* ---- targets that fail --------------------------------------------------- */

/* The disk is full: lines go to stderr. */
static void
test_full_disk(void **state)
{
	char text[1024] = "";
	int saved = dup(STDERR_FILENO), ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	assert_int_equal(log_open("/dev/full", LOG_FORMAT_PLAIN,
			     LOG_LEVEL_INFO), 0);
	log_error("nowhere to go");
	dup2(saved, STDERR_FILENO);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	assert_matches(text, "error .* nowhere to go\n$");
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

static void
read_all(int fd, char *text, size_t room)
{
	size_t used = 0;
	ssize_t got;

	while (used < room - 1 &&
	    (got = read(fd, text + used, room - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
}

/* Fill it up, and leave it as it was: writing to it waits. */
static void
fill(int fd)
{
	static char text[1 << 12];
	int flags = fcntl(fd, F_GETFL);

	memset(text, 'x', sizeof(text));
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	for (size_t size = sizeof(text); size > 0; size /= 2)
		while (write(fd, text, size) > 0)
			continue;
	fcntl(fd, F_SETFL, flags);
}

static void
open_pipe(int ends[static 2])
{
	assert_int_equal(pipe(ends), 0);
}

static void
open_pipe_of_root(int ends[static 2])
{
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(seteuid(65534), 0);
}

/* As systemd gives it to a service. */
static void
open_socket(int ends[static 2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

/*
 * A reader that does not read: the first line waits a moment, the others none,
 * and the log tells how many were lost once somebody reads again.  That stderr is
 * not ours alone stays as it was: others' writes to it may wait.
 */
static void
check_stuck_reader(void (*open_ends)(int ends[static 2]))
{
	static char text[1 << 20];
	int saved = dup(STDERR_FILENO), ends[2];
	int64_t start_ms, took_ms;
	int flags;

	open_ends(ends);
	dup2(ends[1], STDERR_FILENO);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	fill(ends[1]);
	flags = fcntl(STDERR_FILENO, F_GETFL);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	start_ms = clock_steady_ms();
	for (int i = 0; i < 100; i++)
		log_error("into the void");
	took_ms = clock_steady_ms() - start_ms;
	read_all(ends[0], text, sizeof(text));
	log_error("heard again");
	dup2(saved, STDERR_FILENO);
	read_all(ends[0], text, sizeof(text));
	close(saved);
	close(ends[0]);
	close(ends[1]);

	assert_int_equal(flags & O_NONBLOCK, 0);
	assert_true(took_ms >= 100);
	assert_true(took_ms < 5000);
	assert_matches(text, "heard again\n.*warning .* 100 log lines before "
			     "this one were lost\n$");
}

/* Two lines into a pipe that is full. */
static void
lose_two(int ends[static 2])
{
	open_pipe(ends);
	dup2(ends[1], STDERR_FILENO);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	fill(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	log_error("into the void");
	log_error("into the void");
}

/* Also when no other line follows; and nothing is said of nothing. */
static void
test_lost_is_told_at_the_end(void **state)
{
	static char text[1 << 20];
	int saved = dup(STDERR_FILENO), ends[2];

	(void)state;
	lose_two(ends);
	read_all(ends[0], text, sizeof(text));
	log_finish();
	log_finish();
	dup2(saved, STDERR_FILENO);
	read_all(ends[0], text, sizeof(text));
	close(saved);
	close(ends[0]);
	close(ends[1]);
	assert_matches(text, " warning [^\n]* 2 log lines before this one were "
			     "lost\n$");
	assert_null(strstr(strstr(text, "were lost") + 1, "were lost"));
}

/* The line that tells of them finds no room, as behind many siblings: all is told
 * later, itself included. */
static void
test_lost_is_told_though_that_was_lost(void **state)
{
	static char text[1 << 20];
	int saved = dup(STDERR_FILENO), ends[2];

	(void)state;
	lose_two(ends);
	log_finish();
	read_all(ends[0], text, sizeof(text));
	log_finish();
	log_finish();
	dup2(saved, STDERR_FILENO);
	read_all(ends[0], text, sizeof(text));
	close(saved);
	close(ends[0]);
	close(ends[1]);
	assert_matches(text, "^[^\n]* warning [^\n]* 3 log lines before this one "
			     "were lost\n$");
}

static void
test_stuck_pipe(void **state)
{
	(void)state;
	check_stuck_reader(open_pipe);
}

/* It cannot be opened by whom the program became since. */
static void
test_stuck_pipe_of_root(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		alarm(30);
		check_stuck_reader(open_pipe_of_root);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_stuck_socket(void **state)
{
	(void)state;
	check_stuck_reader(open_socket);
}

/* The disk is full in the middle of a line. */
static void
test_cut_by_a_full_disk(void **state)
{
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	struct rlimit limit, little;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	dup2(null, STDERR_FILENO);
	close(null);
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	little = (struct rlimit){ 20, limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	log_info("this one does not fit");
	log_info("nor does this");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_info("but this");
	log_info("and this");
	dup2(saved, STDERR_FILENO);
	close(saved);
	/* Whole, they went to stderr; here one begins. */
	assert_matches(logged(), "^.{20}\n" TIME " info [^\n]* but this\n" TIME
				 " info [^\n]* and this\n$");
	signal(SIGXFSZ, SIG_DFL);
}

#define WRITERS 8
#define LINES   200

static _Noreturn void
write_lines(int writer)
{
	static char text[2 * LOG_LINE_SIZE];
	struct log_line line;

	for (int i = 0; i < LINES; i++) {
		/* Up to the longest line, and beyond. */
		size_t size = (size_t)(i * 7919 + writer) % (LOG_LINE_SIZE + 64);

		memset(text, 'a' + writer, size);
		text[size] = '\0';
		log_begin(&line, LOG_LEVEL_INFO, "many");
		log_add_int(&line, "writer", writer);
		log_add_int(&line, "number", i);
		log_add(&line, "text", text);
		log_end(&line);
	}
	_exit(0);
}

/* One line: whole, all of it by the writer that it names, and later than that
 * writer's others. */
static void
check_line(char *text, int next[static WRITERS])
{
	const char *why, *filling;
	struct json_object *object = json_parse(text, strlen(text), &why);
	size_t size;
	int64_t writer, number;

	if (object == NULL)
		fail_msg("%s: %s", why, text);
	assert_true(strlen(text) < LOG_LINE_SIZE);
	if (json_member_kind(object, "message") == JSON_STRING) {
		json_free(object); /* that lines were lost */
		return;
	}
	assert_int_equal(sscanf(strstr(text, "\"writer\":"),
			     "\"writer\":%" SCNd64 ",\"number\":%" SCNd64,
			     &writer, &number), 2);
	assert_in_range(writer, 0, WRITERS - 1);
	assert_true(number >= next[writer]);
	next[writer] = (int)number + 1;
	filling = json_member_string(object, "text", &size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(filling[i], 'a' + writer);
	json_free(object);
}

/* What many processes write at once, read to its end.  None is missing, but where
 * a busy machine's reader may have been late. */
static void
check_lines(FILE *file, bool may_miss)
{
	static char text[2 * LOG_LINE_SIZE];
	int next[WRITERS] = { 0 };
	int count = 0;

	while (fgets(text, sizeof(text), file) != NULL) {
		size_t size = strlen(text);

		assert_true(size > 0 && text[size - 1] == '\n');
		text[size - 1] = '\0';
		check_line(text, next);
		count++;
	}
	assert_true(may_miss ? count > LINES : count == WRITERS * LINES);
}

static void
start_writers(void)
{
	for (int writer = 0; writer < WRITERS; writer++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			write_lines(writer);
	}
}

static void
end_writers(void)
{
	int status;

	for (int i = 0; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void
test_many_write_one_file(void **state)
{
	FILE *file;

	(void)state;
	start(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	start_writers();
	end_writers();
	file = fopen(path, "r");
	check_lines(file, false);
	fclose(file);
}

static void
check_many_write(void (*open_ends)(int ends[static 2]))
{
	const size_t room = (size_t)WRITERS * LINES * LOG_LINE_SIZE;
	int saved = dup(STDERR_FILENO), ends[2];
	char *text;
	FILE *file;

	open_ends(ends);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	assert_int_equal(log_open("stderr", LOG_FORMAT_JSON, LOG_LEVEL_INFO),
	    0);
	start_writers();
	/* Nobody else is to have it open when the last of them ends. */
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	/* First read, then look: the writers do not wait for long. */
	text = malloc(room);
	assert_non_null(text);
	read_all(ends[0], text, room);
	end_writers();
	close(ends[0]);
	file = fmemopen(text, strlen(text), "r");
	check_lines(file, true);
	fclose(file);
	free(text);
}

static void
test_many_write_one_pipe(void **state)
{
	(void)state;
	check_many_write(open_pipe);
}

static void
test_many_write_one_socket(void **state)
{
	(void)state;
	check_many_write(open_socket);
}

/* A reader that is gone. */
static void
test_closed_pipe(void **state)
{
	int saved = dup(STDERR_FILENO), ends[2];
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

	(void)state;
	sigaction(SIGPIPE, &ignore, &before);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	close(ends[0]);
	log_error("nobody listens");
	start(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO);
	log_error("somebody does");
	dup2(saved, STDERR_FILENO);
	close(saved);
	sigaction(SIGPIPE, &before, NULL);
	assert_matches(logged(), "somebody does\n.* 1 log lines before this "
				 "one were lost\n$");
}

/* A pipe as the file, with nobody at its other end, is told at once. */
static void
test_fifo(void **state)
{
	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	errno = 0;
	assert_int_equal(log_open(path, LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    -1);
	assert_int_equal(errno, ENXIO);
	unlink(path);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_hostile_sentence),
		cmocka_unit_test(test_hostile_value),
		cmocka_unit_test(test_json_event),
		cmocka_unit_test(test_json_sentence),
		cmocka_unit_test(test_hostile_json),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_many_fields),
		cmocka_unit_test(test_long_sentence),
		cmocka_unit_test(test_file_mode),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_reopen),
		cmocka_unit_test(test_bad_target_keeps_the_old),
		cmocka_unit_test(test_stderr),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_no_syslog),
		cmocka_unit_test(test_stuck_syslog),
		cmocka_unit_test(test_errno_stays),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_stuck_pipe),
		cmocka_unit_test(test_lost_is_told_at_the_end),
		cmocka_unit_test(test_lost_is_told_though_that_was_lost),
		cmocka_unit_test(test_stuck_pipe_of_root),
		cmocka_unit_test(test_stuck_socket),
		cmocka_unit_test(test_cut_by_a_full_disk),
		cmocka_unit_test(test_many_write_one_file),
		cmocka_unit_test(test_many_write_one_pipe),
		cmocka_unit_test(test_many_write_one_socket),
		cmocka_unit_test(test_closed_pipe),
		cmocka_unit_test(test_fifo),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
