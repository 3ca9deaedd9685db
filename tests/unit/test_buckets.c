/* test_buckets.c - token buckets: their arithmetic, and what no flood of keys can
 * do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buckets.h"
#include "base/clock.h"

#define BURST    5
#define INTERVAL 2000

static const struct buckets_limit limit = { INTERVAL, BURST };

/* A key is a number. */
static int64_t
wait_ms(const struct buckets *buckets, uint64_t key, int64_t now_ms)
{
	return buckets_wait_ms(buckets, &limit, &key, sizeof(key), now_ms);
}

static void
take(struct buckets *buckets, uint64_t key, int count, int64_t now_ms)
{
	for (int i = 0; i < count; i++)
		buckets_take(buckets, &limit, &key, sizeof(key), now_ms);
}

static struct buckets *
begin(size_t sets, int64_t *now_ms)
{
	struct buckets *buckets = buckets_new(sets);

	assert_non_null(buckets);
	*now_ms = clock_steady_ms();
	return buckets;
}

static void
test_a_burst_and_then_the_rate(void **state)
{
	int64_t now_ms;
	struct buckets *buckets = begin(16, &now_ms);

	(void)state;
	for (int i = 0; i < BURST; i++) {
		assert_int_equal(wait_ms(buckets, 1, now_ms), 0);
		take(buckets, 1, 1, now_ms);
	}
	assert_int_equal(wait_ms(buckets, 1, now_ms), INTERVAL);
	assert_int_equal(wait_ms(buckets, 1, now_ms + INTERVAL - 1), 1);
	assert_int_equal(wait_ms(buckets, 1, now_ms + INTERVAL), 0);
	take(buckets, 1, 1, now_ms + INTERVAL);
	assert_int_equal(wait_ms(buckets, 1, now_ms + INTERVAL), INTERVAL);
	/* Another key is not concerned. */
	assert_int_equal(wait_ms(buckets, 2, now_ms), 0);
	/* Full again, and no fuller. */
	now_ms += 1000 * INTERVAL;
	take(buckets, 1, BURST, now_ms);
	assert_int_equal(wait_ms(buckets, 1, now_ms), INTERVAL);
	buckets_free(buckets);
	buckets_free(NULL);
}

static void
test_what_is_overdrawn_comes_back_first(void **state)
{
	int64_t now_ms;
	struct buckets *buckets = begin(16, &now_ms);

	(void)state;
	take(buckets, 1, BURST + 3, now_ms);
	assert_int_equal(wait_ms(buckets, 1, now_ms), 4 * INTERVAL);
	/* But not without end. */
	take(buckets, 1, 1000, now_ms);
	assert_int_equal(wait_ms(buckets, 1, now_ms), (BURST + 1) * INTERVAL);
	buckets_free(buckets);
}

static void
test_a_burst_of_one(void **state)
{
	const struct buckets_limit one = { INTERVAL, 1 };
	const uint64_t key = 7;
	int64_t now_ms;
	struct buckets *buckets = begin(16, &now_ms);

	(void)state;
	assert_int_equal(
	    buckets_wait_ms(buckets, &one, &key, sizeof(key), now_ms), 0);
	buckets_take(buckets, &one, &key, sizeof(key), now_ms);
	assert_int_equal(
	    buckets_wait_ms(buckets, &one, &key, sizeof(key), now_ms),
	    INTERVAL);
	buckets_free(buckets);
}

static void
test_more_than_there_is_room_for(void **state)
{
	int64_t now_ms;
	struct buckets *buckets = begin(1, &now_ms);

	(void)state;
	/* One set of eight: the ninth pushes out who owes least. */
	for (uint64_t key = 1; key <= 8; key++)
		take(buckets, key, key == 3 ? 1 : BURST, now_ms);
	take(buckets, 9, BURST, now_ms);
	for (uint64_t key = 1; key <= 9; key++)
		assert_int_equal(wait_ms(buckets, key, now_ms),
		    key == 3 ? 0 : INTERVAL);
	buckets_free(buckets);
}

/* Who owes stays, whatever number of newcomers fails after him. */
static void
test_a_flood_pushes_nobody_out(void **state)
{
	int64_t now_ms;
	struct buckets *buckets = begin(4, &now_ms);

	(void)state;
	take(buckets, 1, BURST, now_ms);
	for (uint64_t key = 2; key < 10000; key++)
		take(buckets, key, 1, now_ms);
	assert_int_equal(wait_ms(buckets, 1, now_ms), INTERVAL);
	buckets_free(buckets);
}

/* And nobody is refused because of others. */
static void
test_a_flood_locks_nobody_out(void **state)
{
	int64_t now_ms;
	struct buckets *buckets = begin(4, &now_ms);

	(void)state;
	for (uint64_t key = 2; key < 5000; key++)
		take(buckets, key, BURST, now_ms);
	for (uint64_t key = 1000000; key < 1005000; key++)
		assert_int_equal(wait_ms(buckets, key, now_ms), 0);
	buckets_free(buckets);
}

/* A full bucket needs no place: it makes room for whoever comes. */
static void
test_full_buckets_make_room(void **state)
{
	int64_t now_ms;
	struct buckets *buckets = begin(1, &now_ms);

	(void)state;
	for (uint64_t key = 1; key <= 8; key++)
		take(buckets, key, BURST, now_ms);
	now_ms += BURST * INTERVAL;
	for (uint64_t key = 11; key <= 18; key++)
		take(buckets, key, BURST, now_ms);
	for (uint64_t key = 11; key <= 18; key++)
		assert_int_equal(wait_ms(buckets, key, now_ms), INTERVAL);
	buckets_free(buckets);
}

/* Workers that take from one bucket at the same time: no token is lost. */
static void
test_many_workers(void **state)
{
	enum { WORKERS = 8, EACH = 20 };
	const struct buckets_limit wide = { INTERVAL, WORKERS *EACH };
	const uint64_t key = 3;
	int64_t now_ms;
	struct buckets *buckets = begin(16, &now_ms);
	int status;

	(void)state;
	/* The first alone: two may begin one bucket in two places. */
	buckets_take(buckets, &wide, &key, sizeof(key), now_ms);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		for (int j = 0; j < EACH; j++)
			buckets_take(buckets, &wide, &key, sizeof(key),
			    now_ms);
		_exit(0);
	}
	for (int i = 0; i < WORKERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(
	    buckets_wait_ms(buckets, &wide, &key, sizeof(key), now_ms),
	    2 * INTERVAL);
	buckets_free(buckets);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_and_then_the_rate),
		cmocka_unit_test(test_what_is_overdrawn_comes_back_first),
		cmocka_unit_test(test_a_burst_of_one),
		cmocka_unit_test(test_more_than_there_is_room_for),
		cmocka_unit_test(test_a_flood_pushes_nobody_out),
		cmocka_unit_test(test_a_flood_locks_nobody_out),
		cmocka_unit_test(test_full_buckets_make_room),
		cmocka_unit_test(test_many_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
