/* test_metrics.c - counters and histograms, alone and over a fork. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metrics.h"
#include "base/shared.h"

#define CHILDREN 4
#define ROUNDS   10000

static void
test_counters(void **state)
{
	uint64_t before = metrics_counted(METRICS_SIGN_INS, 3);

	(void)state;
	metrics_count(METRICS_SIGN_INS, 3);
	metrics_count(METRICS_SIGN_INS, 3);
	assert_int_equal(metrics_counted(METRICS_SIGN_INS, 3), before + 2);
	/* Neighbours, within the counter and across its ends. */
	assert_int_equal(metrics_counted(METRICS_SIGN_INS, 2), 0);
	assert_int_equal(metrics_counted(METRICS_SIGN_INS, 4), 0);
	assert_int_equal(metrics_counted(METRICS_REQUESTS,
			     metrics_cells(METRICS_REQUESTS) - 1),
	    0);
	assert_int_equal(metrics_counted(METRICS_THROTTLED, 0), 0);
}

static void
test_no_such_cell(void **state)
{
	(void)state;
	for (int counter = 0; counter < METRICS_COUNTERS; counter++) {
		size_t cells = metrics_cells((enum metrics_counter)counter);

		metrics_count((enum metrics_counter)counter, cells);
		metrics_count((enum metrics_counter)counter, SIZE_MAX);
		assert_int_equal(
		    metrics_counted((enum metrics_counter)counter, cells), 0);
	}
	assert_int_equal(metrics_counted(METRICS_SIGN_INS, 0), 0);
	assert_int_equal(metrics_counted(METRICS_THROTTLED, 0), 0);
	assert_int_equal(metrics_counted(METRICS_STATEMENTS, 0), 0);

	metrics_time(METRICS_HASH_WAIT, 1, 5);
	assert_int_equal(metrics_timed(METRICS_HASH_WAIT, 1).count, 0);
	assert_int_equal(metrics_timed(METRICS_HASH_RUN, 0).count, 0);
}

static void
test_times_fall_into_buckets(void **state)
{
	static const int64_t times_us[] = { 0, 100, 101, 250, 10000000,
		10000001, INT64_C(86400000000), -1 };
	struct metrics_times times;

	(void)state;
	for (size_t i = 0; i < sizeof(times_us) / sizeof(times_us[0]); i++)
		metrics_time(METRICS_HASH_RUN, 0, times_us[i]);
	times = metrics_timed(METRICS_HASH_RUN, 0);
	assert_int_equal(times.buckets[0], 2);
	assert_int_equal(times.buckets[1], 2);
	assert_int_equal(times.buckets[METRICS_BOUNDS - 1], 1);
	assert_int_equal(times.buckets[METRICS_BOUNDS], 2);
	assert_int_equal(times.count, 7);
	assert_int_equal(times.sum_us, INT64_C(86400000000) + 20000452);
}

static void
test_bounds_grow(void **state)
{
	(void)state;
	for (size_t i = 1; i < METRICS_BOUNDS; i++)
		assert_true(metrics_bounds_us[i] > metrics_bounds_us[i - 1]);
}

/* Children count at the same time, and the parent sees every one. */
static void
test_shared_with_children(void **state)
{
	const size_t cell = METRICS_REQUEST_CELL(1, 2);
	void *memory = shared_new(metrics_size());
	int status;

	(void)state;
	assert_non_null(memory);
	metrics_use(memory);
	assert_int_equal(metrics_counted(METRICS_REQUESTS, cell), 0);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		for (int j = 0; j < ROUNDS; j++) {
			metrics_count(METRICS_REQUESTS, cell);
			metrics_time(METRICS_REQUEST_TIME, 1, j);
		}
		_exit(0);
	}
	for (int i = 0; i < CHILDREN; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(metrics_counted(METRICS_REQUESTS, cell),
	    CHILDREN * ROUNDS);
	assert_int_equal(metrics_timed(METRICS_REQUEST_TIME, 1).count,
	    CHILDREN * ROUNDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_no_such_cell),
		cmocka_unit_test(test_times_fall_into_buckets),
		cmocka_unit_test(test_bounds_grow),
		cmocka_unit_test(test_shared_with_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
