/* test_metrics_text.c - the text for Prometheus, with every cell counted. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/board.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "hash/gate.h"
#include "web/metrics_text.h"

static char *
write_text(const struct board *board, const struct gate *gate)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	metrics_text_write(board, gate, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static struct board *
new_board(int slots)
{
	const struct board_kind kind = { "1", 0 };
	struct board *board = board_new(&kind, slots, NULL, "");

	assert_non_null(board);
	return board;
}

static struct gate *
new_gate(void)
{
	const struct gate_options options = {
		.engine = GATE_ENGINE_LANES,
		.slots = 3,
		.lanes = 1,
		.places = 7,
		.cost = { 10, 8, 1 },
		.deadline_ms = 1000,
	};
	struct gate *gate = gate_new(&options);

	assert_non_null(gate);
	return gate;
}

static void
count_everything(void)
{
	for (int i = 0; i < METRICS_COUNTERS; i++) {
		enum metrics_counter counter = (enum metrics_counter)i;

		for (size_t cell = 0; cell < metrics_cells(counter); cell++)
			metrics_count(counter, cell);
	}
	for (int i = 0; i < METRICS_TIMERS; i++) {
		enum metrics_timer timer = (enum metrics_timer)i;

		for (size_t cell = 0; cell < metrics_timer_cells(timer); cell++)
			metrics_time(timer, cell, 2500);
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The series' names and labels, sorted; the text is cut into them. */
static size_t
series(char *text, char **list, size_t room)
{
	size_t count = 0;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (*line == '\0' || *line == '#')
			continue;
		assert_true(count < room);
		*strrchr(line, ' ') = '\0';
		list[count++] = line;
	}
	qsort(list, count, sizeof(*list), compare);
	return count;
}

/* Of two cells with the same labels, Prometheus would refuse the whole. */
static void
test_no_series_twice(void **state)
{
	static char *list[8192];
	struct board *board = new_board(2);
	struct gate *gate = new_gate();
	char *text;
	size_t count;

	(void)state;
	count_everything();
	text = write_text(board, gate);
	count = series(text, list, sizeof(list) / sizeof(list[0]));
	assert_true(count > 100);
	for (size_t i = 1; i < count; i++)
		if (strcmp(list[i - 1], list[i]) == 0)
			fail_msg("twice: %s", list[i]);
	free(text);
	gate_free(gate);
	board_free(board);
}

static void
test_a_histogram_in_full(void **state)
{
	static const char expected[] =
	    "# TYPE postern_hash_wait_seconds histogram\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.000100\"} 0\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.000250\"} 0\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.000500\"} 0\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.001000\"} 0\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.002500\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.005000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.010000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.025000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.050000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.100000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.250000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"0.500000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"1.000000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"2.500000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"5.000000\"} 1\n"
	    "postern_hash_wait_seconds_bucket{le=\"10.000000\"} 2\n"
	    "postern_hash_wait_seconds_bucket{le=\"+Inf\"} 3\n"
	    "postern_hash_wait_seconds_sum 20.002501\n"
	    "postern_hash_wait_seconds_count 3\n";
	void *memory;
	char *text;

	(void)state;
	memory = memory_zeroed(1, metrics_size());
	metrics_use(memory);
	metrics_time(METRICS_HASH_WAIT, 0, 2500);
	metrics_time(METRICS_HASH_WAIT, 0, 10000000);
	metrics_time(METRICS_HASH_WAIT, 0, 10000001);
	text = write_text(NULL, NULL);
	assert_non_null(strstr(text, expected));
	metrics_use(NULL);
	free(memory);
	free(text);
}

static void
test_workers_only_with_a_board(void **state)
{
	struct board *board = new_board(3);
	char *text;

	(void)state;
	board_set(board, 2, BOARD_BUSY);
	board_holds(board, 1, 4);
	board_holds(board, 2, 2);
	text = write_text(board, NULL);
	assert_non_null(strstr(text, "\npostern_answers_held 6\n"));
	assert_non_null(strstr(text, "\npostern_workers{state=\"busy\"} 1\n"));
	assert_non_null(strstr(text, "\npostern_workers{state=\"idle\"} 0\n"));
	assert_null(strstr(text, "empty"));
	free(text);
	board_free(board);

	text = write_text(NULL, NULL);
	assert_null(strstr(text, "postern_workers{"));
	assert_null(strstr(text, "postern_answers_held"));
	assert_null(strstr(text, "postern_hash_slots"));
	assert_non_null(strstr(text, "\npostern_build_info{version=\""));
	free(text);
}

/* A first time can only be seen where there was a 0 before. */
static void
test_what_never_happened(void **state)
{
	static const char *const zeros[] = {
		"postern_sign_ins_total{result=\"denied\"} 0\n",
		"postern_refreshes_total{result=\"reused\"} 0\n",
		"postern_throttled_total{by=\"address\"} 0\n",
		"postern_db_statements_total{result=\"failed\"} 0\n",
		"postern_worker_ends_total{how=\"died\"} 0\n",
		"postern_log_lines_lost_total 0\n",
		"postern_hash_refused_total{reason=\"full\"} 0\n",
		"postern_hash_places 7\n",
		"postern_hash_slots_busy 0\n",
	};
	void *memory = memory_zeroed(1, metrics_size());
	struct gate *gate = new_gate();
	char *text;

	(void)state;
	metrics_use(memory);
	text = write_text(NULL, gate);
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		if (strstr(text, zeros[i]) == NULL)
			fail_msg("not there: %s", zeros[i]);
	assert_null(strstr(text, "postern_http_requests_total{"));
	assert_null(strstr(text, "postern_http_request_duration_seconds_"));
	metrics_use(NULL);
	free(memory);
	free(text);
	gate_free(gate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_series_twice),
		cmocka_unit_test(test_a_histogram_in_full),
		cmocka_unit_test(test_workers_only_with_a_board),
		cmocka_unit_test(test_what_never_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
