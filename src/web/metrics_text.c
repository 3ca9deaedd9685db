/* metrics_text.c - Prometheus's text format 0.0.4: names, labels, numbers.
 *
 * Labels are constants of the program, so that no client can make a series, and
 * nothing in them needs an escape. */

#include "web/metrics_text.h"

#include <inttypes.h>

#include "acts/session.h"
#include "acts/sign_in.h"
#include "base/board.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "config.h"
#include "hash/gate.h"
#include "store/db.h"
#include "web/response.h"
#include "web/route.h"

#define LABELS_SIZE 128

/* Write the labels of a cell; false when the cell stands for nothing. */
typedef bool label_writer(size_t cell, char labels[static LABELS_SIZE]);

/* ---- labels -------------------------------------------------------------- */

static bool
label_nothing(size_t cell, char labels[static LABELS_SIZE])
{
	labels[0] = '\0';
	return cell == 0;
}

static bool
label_row(size_t row, char labels[static LABELS_SIZE])
{
	const char *method;
	const char *address = route_row(row, &method);

	if (address == NULL)
		return false;
	snprintf(labels, LABELS_SIZE, "method=\"%s\",address=\"%s\"", method,
	    address);
	return true;
}

static bool
label_request(size_t cell, char labels[static LABELS_SIZE])
{
	const char *method;
	const char *address = route_row(cell / METRICS_STATUSES, &method);
	int status = response_status_at(cell % METRICS_STATUSES);

	if (address == NULL || status == 0)
		return false;
	snprintf(labels, LABELS_SIZE,
	    "method=\"%s\",address=\"%s\",status=\"%d\"", method, address,
	    status);
	return true;
}

/* The one word for a cell; NULL: it stands for nothing. */
typedef const char *cell_word(size_t cell);

static const char *
word_of_sign_in(size_t cell)
{
	return cell < SIGN_IN_RESULTS
		   ? sign_in_result_name((enum sign_in_result)cell)
		   : NULL;
}

static const char *
word_of_refresh(size_t cell)
{
	return cell < SESSION_REFRESH_RESULTS
		   ? session_refresh_result_name(
			 (enum session_refresh_result)cell)
		   : NULL;
}

static const char *
word_of_throttle(size_t cell)
{
	static const char *const words[METRICS_THROTTLES] = {
		[METRICS_THROTTLE_ACCOUNT] = "account",
		[METRICS_THROTTLE_DEVICE] = "device",
		[METRICS_THROTTLE_ADDRESS] = "address",
		[METRICS_THROTTLE_TOKENS] = "tokens",
	};

	return cell < METRICS_THROTTLES ? words[cell] : NULL;
}

static const char *
word_of_statement(size_t cell)
{
	static const char *const words[] = {
		[STORE_OK] = "ok",
		[STORE_NONE] = "none",
		[STORE_CONFLICT] = "conflict",
		[STORE_UNAVAILABLE] = "unavailable",
		[STORE_FAILED] = "failed",
	};

	return cell < sizeof(words) / sizeof(words[0]) ? words[cell] : NULL;
}

static const char *
word_of_end(size_t cell)
{
	static const char *const words[METRICS_ENDS] = {
		[METRICS_END_LEFT] = "left",
		[METRICS_END_DIED] = "died",
		[METRICS_END_OVERDUE] = "overdue",
	};

	return cell < METRICS_ENDS ? words[cell] : NULL;
}

/* ---- families ------------------------------------------------------------ */

struct family {
	const char *name;
	const char *help;
	label_writer *labels; /* or, with one label alone: */
	const char *label;
	cell_word *word;
	bool sparse; /* what is 0 is left out */
};

static const struct family counters[METRICS_COUNTERS] = {
	[METRICS_REQUESTS] = {
		"postern_http_requests_total",
		"Requests by address and status.",
		.labels = label_request,
		.sparse = true,
	},
	[METRICS_SIGN_INS] = {
		"postern_sign_ins_total",
		"Attempts to sign in by their result.",
		.label = "result", .word = word_of_sign_in,
	},
	[METRICS_THROTTLED] = {
		"postern_throttled_total",
		"Requests refused by a throttle, by what was limited.",
		.label = "by", .word = word_of_throttle,
	},
	[METRICS_REFRESHES] = {
		"postern_refreshes_total",
		"Refresh tokens by what became of them.",
		.label = "result", .word = word_of_refresh,
	},
	[METRICS_STATEMENTS] = {
		"postern_db_statements_total",
		"Database statements by their result.",
		.label = "result", .word = word_of_statement,
	},
	[METRICS_WORKER_ENDS] = {
		"postern_worker_ends_total",
		"Workers that ended, by how.",
		.label = "how", .word = word_of_end,
	},
	[METRICS_LOG_LOST] = {
		"postern_log_lines_lost_total",
		"Lines of the log that nobody could take.",
		.labels = label_nothing,
	},
};

static const struct family timers[METRICS_TIMERS] = {
	[METRICS_REQUEST_TIME] = {
		"postern_http_request_duration_seconds",
		"Time from a request's head to its answer, which may be held "
		"back for longer.",
		.labels = label_row,
		.sparse = true,
	},
	[METRICS_STATEMENT_TIME] = {
		"postern_db_statement_duration_seconds",
		"Time of database statements, connecting included.",
		.labels = label_nothing,
	},
	[METRICS_HASH_WAIT] = {
		"postern_hash_wait_seconds",
		"Time that a password waited to be hashed.",
		.labels = label_nothing,
	},
	[METRICS_HASH_RUN] = {
		"postern_hash_run_seconds",
		"Time that hashing a password took.",
		.labels = label_nothing,
	},
};

static bool
write_labels(const struct family *family, size_t cell,
    char labels[static LABELS_SIZE])
{
	const char *word;

	if (family->labels != NULL)
		return family->labels(cell, labels);
	word = family->word(cell);
	if (word == NULL)
		return false;
	snprintf(labels, LABELS_SIZE, "%s=\"%s\"", family->label, word);
	return true;
}

const char *
metrics_text_word(enum metrics_counter counter, size_t cell)
{
	return counters[counter].word != NULL ? counters[counter].word(cell) :
						NULL;
}

static void
write_head(FILE *out, const char *name, const char *help, const char *type)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
write_counter(FILE *out, enum metrics_counter counter)
{
	const struct family *family = &counters[counter];
	bool bare = family->labels == label_nothing;
	char labels[LABELS_SIZE];
	uint64_t value;

	write_head(out, family->name, family->help, "counter");
	for (size_t cell = 0; cell < metrics_cells(counter); cell++) {
		if (!write_labels(family, cell, labels))
			continue;
		value = metrics_counted(counter, cell);
		if (value > 0 || !family->sparse)
			fprintf(out, "%s%s%s%s %" PRIu64 "\n", family->name,
			    bare ? "" : "{", labels, bare ? "" : "}", value);
	}
}

/* A time in seconds, exact. */
static void
write_seconds(FILE *out, uint64_t us)
{
	fprintf(out, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void
write_times(FILE *out, const struct family *family, const char *labels,
    const struct metrics_times *times)
{
	const char *comma = labels[0] == '\0' ? "" : ",";
	const char *open = labels[0] == '\0' ? "" : "{";
	const char *close = labels[0] == '\0' ? "" : "}";
	uint64_t below = 0;

	for (size_t i = 0; i < METRICS_BOUNDS; i++) {
		below += times->buckets[i];
		fprintf(out, "%s_bucket{%s%sle=\"", family->name, labels,
		    comma);
		write_seconds(out, (uint64_t)metrics_bounds_us[i]);
		fprintf(out, "\"} %" PRIu64 "\n", below);
	}
	fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", family->name,
	    labels, comma, times->count);
	fprintf(out, "%s_sum%s%s%s ", family->name, open, labels, close);
	write_seconds(out, times->sum_us);
	fprintf(out, "\n%s_count%s%s%s %" PRIu64 "\n", family->name, open,
	    labels, close, times->count);
}

static void
write_timer(FILE *out, enum metrics_timer timer)
{
	const struct family *family = &timers[timer];
	struct metrics_times times;
	char labels[LABELS_SIZE];

	write_head(out, family->name, family->help, "histogram");
	for (size_t cell = 0; cell < metrics_timer_cells(timer); cell++) {
		if (!write_labels(family, cell, labels))
			continue;
		times = metrics_timed(timer, cell);
		if (times.count > 0 || !family->sparse)
			write_times(out, family, labels, &times);
	}
}

static void
write_number(FILE *out, const char *name, const char *type, uint64_t value,
    const char *help)
{
	write_head(out, name, help, type);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void
write_board(FILE *out, const struct board *board)
{
	int counts[BOARD_STATES];

	write_head(out, "postern_start_time_seconds",
	    "When the program that runs was started.", "gauge");
	fprintf(out, "postern_start_time_seconds %" PRId64 "\n",
	    board_started_us(board) / CLOCK_SECOND_US);
	board_count(board, counts);
	write_head(out, "postern_workers", "Workers by what they are doing.",
	    "gauge");
	for (int state = BOARD_EMPTY + 1; state < BOARD_STATES; state++)
		fprintf(out, "postern_workers{state=\"%s\"} %d\n",
		    board_state_name((enum board_state)state), counts[state]);
	write_number(out, "postern_answers_held", "gauge", board_held(board),
	    "Refusals that are held back for a while.");
}

static void
write_gate(FILE *out, const struct gate *gate)
{
	struct gate_stats stats;

	gate_stats(gate, &stats);
	write_number(out, "postern_hash_slots", "gauge", stats.slots,
	    "Hashes that can be computed at a time.");
	write_number(out, "postern_hash_slots_busy", "gauge", stats.busy_slots,
	    "Slots in which somebody computes.");
	write_number(out, "postern_hash_places", "gauge", stats.places,
	    "Sign-ins that may hash, or wait for it, at a time.");
	write_number(out, "postern_hash_places_taken", "gauge",
	    stats.taken_places, "Places that are taken.");
	write_number(out, "postern_hash_queue", "gauge", stats.waiting,
	    "Passwords that wait to be hashed.");
	write_number(out, "postern_hashes_total", "counter", stats.hashes,
	    "Passwords hashed.");
	write_number(out, "postern_hash_batches_total", "counter",
	    stats.batches, "Times that a slot's lanes were filled.");
	write_number(out, "postern_hash_blocks_total", "counter", stats.blocks,
	    "Lanes that were filled: over batches, how full slots are.");
	write_number(out, "postern_hash_rescued_total", "counter",
	    stats.rescued, "Lanes begun again after the death of a worker.");

	write_head(out, "postern_hash_refused_total",
	    "Passwords that were not hashed, by reason.", "counter");
	fprintf(out,
	    "postern_hash_refused_total{reason=\"full\"} %" PRIu64 "\n"
	    "postern_hash_refused_total{reason=\"late\"} %" PRIu64 "\n"
	    "postern_hash_refused_total{reason=\"gone\"} %" PRIu64 "\n"
	    "postern_hash_refused_total{reason=\"failed\"} %" PRIu64 "\n",
	    stats.full, stats.late, stats.gone, stats.failed);
}

void
metrics_text_write(const struct board *board, const struct gate *gate,
    FILE *out)
{
	write_head(out, "postern_build_info", "The version that runs.",
	    "gauge");
	fprintf(out, "postern_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	if (board != NULL)
		write_board(out, board);
	if (gate != NULL)
		write_gate(out, gate);
	for (int counter = 0; counter < METRICS_COUNTERS; counter++)
		write_counter(out, (enum metrics_counter)counter);
	for (int timer = 0; timer < METRICS_TIMERS; timer++)
		write_timer(out, (enum metrics_timer)timer);
}
