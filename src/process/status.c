/* status.c - what running pools do, read from their boards. */

#include "process/status.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "config.h"
#include "web/metrics_text.h"
#include "web/response.h"
#include "web/route.h"

#define COLUMNS 80
#define MARGIN  12 /* what the headings of lines take */

/* ---- words --------------------------------------------------------------- */

#define SPAN_SIZE 32

/* "0.3 s", "12 s", "5 min 3 s", "2 h 5 min", "3 d 4 h"; of a time that is not
 * over yet, 0. */
static const char *
span(int64_t ms, char text[static SPAN_SIZE])
{
	int64_t s = ms > 0 ? ms / 1000 : 0;

	if (s < 10)
		snprintf(text, SPAN_SIZE, "%d.%d s", (int)s,
		    ms > 0 ? (int)(ms % 1000 / 100) : 0);
	else if (s < 60)
		snprintf(text, SPAN_SIZE, "%d s", (int)s);
	else if (s < 3600)
		snprintf(text, SPAN_SIZE, "%d min %d s", (int)(s / 60),
		    (int)(s % 60));
	else if (s < 86400)
		snprintf(text, SPAN_SIZE, "%d h %d min", (int)(s / 3600),
		    (int)(s % 3600 / 60));
	else
		snprintf(text, SPAN_SIZE, "%" PRId64 " d %d h", s / 86400,
		    (int)(s % 86400 / 3600));
	return text;
}

/* How long ago that was; the times on a board may be anything. */
static int64_t
since(int64_t now, int64_t then)
{
	return then >= 0 && then <= now ? now - then : 0;
}

static const char *
user_name(uid_t user, char text[static SPAN_SIZE])
{
	struct passwd entry, *found = NULL;
	char room[1024];

	if (getpwuid_r(user, &entry, room, sizeof(room), &found) == 0 &&
	    found != NULL)
		snprintf(text, SPAN_SIZE, "%s", entry.pw_name);
	else
		snprintf(text, SPAN_SIZE, "user %lu", (unsigned long)user);
	return text;
}

/* ---- lines of counts ----------------------------------------------------- */

/* A line that is broken before it gets too long. */
struct line {
	FILE *out;
	int used;
	bool empty;
};

static struct line
line_begin(FILE *out, const char *heading)
{
	fprintf(out, "%-*s", MARGIN, heading);
	return (struct line){ .out = out, .used = MARGIN, .empty = true };
}

static void
line_put(struct line *line, const char *text)
{
	if (!line->empty)
		line->used += fprintf(line->out, ",");
	if (line->used + 2 + (int)strlen(text) >= COLUMNS) {
		fprintf(line->out, "\n%*s", MARGIN, "");
		line->used = MARGIN;
	} else if (!line->empty) {
		line->used += fprintf(line->out, " ");
	}
	line->used += fprintf(line->out, "%s", text);
	line->empty = false;
}

static void
line_add(struct line *line, uint64_t number, const char *word)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 " %s", number, word);
	line_put(line, text);
}

static void
line_add_of(struct line *line, uint64_t number, uint64_t of, const char *word)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu64 " of %" PRIu64 " %s", number,
	    of, word);
	line_put(line, text);
}

static void
line_end(struct line *line)
{
	fprintf(line->out, "%s\n", line->empty ? "none" : "");
}

/* What has happened of a counter's cells. */
static void
write_counter(FILE *out, const char *heading, enum metrics_counter counter)
{
	struct line line = line_begin(out, heading);

	for (size_t cell = 0; cell < metrics_cells(counter); cell++) {
		const char *word = metrics_text_word(counter, cell);
		uint64_t number = metrics_counted(counter, cell);

		if (word != NULL && number > 0)
			line_add(&line, number, word);
	}
	line_end(&line);
}

static uint64_t
count_status(size_t status)
{
	uint64_t sum = 0;

	for (size_t row = 0; row < METRICS_ADDRESSES; row++)
		sum += metrics_counted(METRICS_REQUESTS,
		    METRICS_REQUEST_CELL(row, status));
	return sum;
}

static void
write_requests(FILE *out, const struct board *board)
{
	struct line line = line_begin(out, "answers");
	char word[24];

	for (size_t i = 0; i < METRICS_STATUSES; i++) {
		int status = response_status_at(i);
		uint64_t number = count_status(i);

		if (status == 0 || number == 0)
			continue;
		snprintf(word, sizeof(word), "with %d", status);
		line_add(&line, number, word);
	}
	if (board_held(board) > 0)
		line_add(&line, board_held(board), "held back");
	line_end(&line);
}

static void
write_lost(FILE *out)
{
	uint64_t lost = metrics_counted(METRICS_LOG_LOST, 0);

	if (lost > 0)
		fprintf(out, "%-*s%" PRIu64 " lines of the log were lost\n",
		    MARGIN, "warning", lost);
}

static uint64_t
number_of(const struct board *board, enum board_number number)
{
	int64_t value = board_number(board, number);

	return value > 0 ? (uint64_t)value : 0;
}

static void
write_addresses(FILE *out, const struct board *board)
{
	struct line line = line_begin(out, "addresses");

	if (number_of(board, BOARD_ADDRESSES) > 0)
		line_add(&line, number_of(board, BOARD_ADDRESSES),
		    "refused at present");
	line_end(&line);
}

static void
write_counts(FILE *out, const struct board *board)
{
	write_requests(out, board);
	write_counter(out, "sign-ins", METRICS_SIGN_INS);
	write_counter(out, "refreshes", METRICS_REFRESHES);
	write_counter(out, "throttled", METRICS_THROTTLED);
	write_addresses(out, board);
	write_counter(out, "statements", METRICS_STATEMENTS);
	write_lost(out);
}

/* ---- hashing ------------------------------------------------------------- */

static void
write_hashing(FILE *out, const struct board *board)
{
	static const struct {
		enum board_number number;
		const char *word;
	} refusals[] = {
		{ BOARD_HASH_FULL, "found no place" },
		{ BOARD_HASH_LATE, "too late" },
		{ BOARD_HASH_GONE, "gone" },
		{ BOARD_HASH_FAILED, "failed" },
	};
	struct line line = line_begin(out, "passwords");

	line_add_of(&line, number_of(board, BOARD_HASH_SLOTS_BUSY),
	    number_of(board, BOARD_HASH_SLOTS), "slots busy");
	line_add_of(&line, number_of(board, BOARD_HASH_PLACES_TAKEN),
	    number_of(board, BOARD_HASH_PLACES), "places taken");
	line_add(&line, number_of(board, BOARD_HASH_QUEUE), "waiting");
	line_add(&line, number_of(board, BOARD_HASHES), "hashed");
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (number_of(board, refusals[i].number) > 0)
			line_add(&line, number_of(board, refusals[i].number),
			    refusals[i].word);
	line_end(&line);
}

/* ---- workers ------------------------------------------------------------- */

static void
write_states(FILE *out, const struct board *board)
{
	struct line line = line_begin(out, "workers");
	uint64_t wanted = number_of(board, BOARD_WORKERS), there = 0;
	int counts[BOARD_STATES];

	board_count(board, counts);
	for (int state = BOARD_EMPTY + 1; state < BOARD_STATES; state++) {
		there += (uint64_t)counts[state];
		if (counts[state] > 0)
			line_add(&line, (uint64_t)counts[state],
			    board_state_name((enum board_state)state));
	}
	if (there != wanted)
		line_add(&line, wanted, "wanted");
	if (number_of(board, BOARD_INHERITED) > 0)
		line_add(&line, number_of(board, BOARD_INHERITED),
		    "of the program before");
	line_end(&line);
	write_counter(out, "ended", METRICS_WORKER_ENDS);
}

static void
write_worker(FILE *out, const struct board_sight *sight, int64_t steady_ms)
{
	char text[SPAN_SIZE];
	const char *method = "", *address = NULL;

	if (sight->state == BOARD_BUSY && sight->row > 0)
		address = route_row(sight->row, &method);
	fprintf(out, "%10ld  %-8s  %12s  %12" PRIu64, (long)sight->pid,
	    board_state_name(sight->state),
	    span(since(steady_ms, sight->since_ms), text), sight->requests);
	if (address != NULL)
		fprintf(out, "  %s %s", method, address);
	fputc('\n', out);
}

static void
write_workers(FILE *out, const struct board *board, int64_t steady_ms)
{
	fprintf(out, "\n%10s  %-8s  %12s  %12s  %s\n", "PROCESS", "STATE",
	    "FOR", "ANSWERED", "ANSWERS NOW");
	for (int slot = 0; slot < board_slots(board); slot++) {
		struct board_sight sight = board_look(board, slot);

		if (sight.state != BOARD_EMPTY)
			write_worker(out, &sight, steady_ms);
	}
}

struct board_kind
status_board_kind(void)
{
	return (struct board_kind){ PACKAGE_VERSION, metrics_size() };
}

/* ---- a pool -------------------------------------------------------------- */

/* A parent that is alive looks every second. */
#define SILENCE_MS 5000

static void
write_parent(FILE *out, const struct board_copy *copy,
    const struct board *board, const struct status_clock *clock)
{
	int64_t silent_ms = since(clock->steady_ms,
	    board_number(board, BOARD_LOOKED_MS));
	char name[SPAN_SIZE], time[SPAN_SIZE];

	fprintf(out, "postern.fcgi %s: process %ld of %s\n", PACKAGE_VERSION,
	    (long)copy->pid, user_name(copy->owner, name));
	fprintf(out, "%-*s%.*s\n", MARGIN, "listens at", COLUMNS - MARGIN - 1,
	    board_listen(board));
	fprintf(out, "%-*s%s\n", MARGIN, "runs for",
	    span(since(clock->now_us, board_started_us(board)) / 1000, time));
	if (board_number(board, BOARD_STANDBY) > 0)
		fprintf(out, "%-*sprocess %" PRId64 "\n", MARGIN, "standby",
		    board_number(board, BOARD_STANDBY));
	if (silent_ms > SILENCE_MS)
		fprintf(out,
		    "%-*sthe parent has not looked after its workers for %s\n",
		    MARGIN, "warning", span(silent_ms, time));
}

static void
write_other(FILE *out, const struct board_copy *copy, const char *version)
{
	char name[SPAN_SIZE];
	bool same = strcmp(version, PACKAGE_VERSION) == 0;

	fprintf(out,
	    "process %ld of %s is postern.fcgi %s, and this is %s%s:\n"
	    "only its own program can show it\n",
	    (long)copy->pid, user_name(copy->owner, name), version,
	    same ? "another build of " : "", PACKAGE_VERSION);
}

enum status_result
status_write(const struct board_copy *copy, const char *listen,
    const struct status_clock *clock, FILE *out)
{
	const struct board_kind kind = status_board_kind();
	char version[BOARD_VERSION_SIZE];
	struct board *board;

	switch (board_copy(copy->bytes, copy->size, &kind, version, &board)) {
	case BOARD_NONE:
		return STATUS_UNKNOWN;
	case BOARD_OTHER_VERSION:
		write_other(out, copy, version);
		return STATUS_UNKNOWN;
	case BOARD_COPIED:
		break;
	}
	if (listen != NULL && strcmp(listen, board_listen(board)) != 0) {
		board_free(board);
		return STATUS_ELSEWHERE;
	}
	metrics_use(board_rest(board));
	write_parent(out, copy, board, clock);
	write_states(out, board);
	write_hashing(out, board);
	write_counts(out, board);
	write_workers(out, board, clock->steady_ms);
	metrics_use(NULL);
	board_free(board);
	return STATUS_SHOWN;
}

/* ---- all pools ----------------------------------------------------------- */

struct tour {
	const char *listen;
	FILE *out;
	bool begun; /* something was written */
	int shown, unknown;
};

static void
look(const struct board_copy *copy, void *self)
{
	const struct status_clock clock = { clock_now_us(),
		clock_steady_ms() };
	struct tour *tour = self;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		memory_exhausted();
	switch (status_write(copy, tour->listen, &clock, out)) {
	case STATUS_SHOWN:
		tour->shown++;
		break;
	case STATUS_UNKNOWN:
		tour->unknown++;
		break;
	case STATUS_ELSEWHERE:
		break;
	}
	if (fclose(out) != 0)
		memory_exhausted();
	if (size > 0)
		fprintf(tour->out, "%s%s", tour->begun ? "\n" : "", text);
	tour->begun = tour->begun || size > 0;
	free(text);
}

int
status_show(const char *folder, const char *listen, FILE *out)
{
	struct tour tour = { .listen = listen, .out = out };
	int hidden = board_file_visit(folder, look, &tour);

	if (hidden == -1) {
		fprintf(stderr, "could not look into \"%s\": %s\n", folder,
		    strerror(errno));
		return 1;
	}
	if (tour.shown > 0)
		return 0;
	if (hidden > 0)
		fprintf(stderr, "no pool of this user runs%s%s, but there is "
				"one of another: root may look at it\n",
		    listen != NULL ? " at " : "", listen != NULL ? listen : "");
	else if (tour.unknown == 0)
		fprintf(stderr, "no pool runs%s%s\n",
		    listen != NULL ? " at " : "", listen != NULL ? listen : "");
	return 1;
}
