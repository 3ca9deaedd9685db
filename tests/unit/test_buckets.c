/* test_buckets.c - token buckets: their arithmetic, and what no flood of keys can
 * do. */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
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

/* The settings may be others than when it was taken. */
static void
test_a_debt_under_another_limit(void **state)
{
	const struct buckets_limit tight = { 3600000, 100 };
	const uint64_t key = 7;
	int64_t now_ms;
	struct buckets *buckets = begin(16, &now_ms);

	(void)state;
	for (int i = 0; i < 150; i++)
		buckets_take(buckets, &tight, &key, sizeof(key), now_ms);
	assert_int_equal(wait_ms(buckets, key, now_ms),
	    (BURST + 1) * INTERVAL);
	take(buckets, key, 1, now_ms);
	assert_int_equal(wait_ms(buckets, key, now_ms + INTERVAL),
	    BURST * INTERVAL);
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

static void
test_the_empty_ones_are_counted(void **state)
{
	int64_t now_ms;
	struct buckets *buckets = begin(64, &now_ms);

	(void)state;
	assert_int_equal(buckets_count_empty(buckets, &limit, now_ms), 0);
	for (uint64_t key = 1; key <= 30; key++)
		take(buckets, key, key <= 9 ? BURST : BURST - 1, now_ms);
	assert_int_equal(buckets_count_empty(buckets, &limit, now_ms), 9);
	take(buckets, 3, 1, now_ms);
	now_ms += INTERVAL;
	assert_int_equal(buckets_count_empty(buckets, &limit, now_ms), 1);
	now_ms += INTERVAL;
	assert_int_equal(buckets_count_empty(buckets, &limit, now_ms), 0);
	buckets_free(buckets);
}

/* ---- by name --------------------------------------------------------------- */

static char name[32], path[40];

static int
choose_name(void **state)
{
	(void)state;
	snprintf(name, sizeof(name), "postern-test-%d", (int)getpid());
	snprintf(path, sizeof(path), "/%s", name);
	return 0;
}

static int
remove_name(void **state)
{
	(void)state;
	return shm_unlink(path);
}

static struct buckets *
open_named(size_t sets)
{
	return buckets_open(sets, (struct shared_name){
		.folder = "/dev/shm",
		.name = name,
		.use = "a test",
		.remedy = "run no tests",
	});
}

/* Also after the last of them has ended. */
static void
test_who_says_the_name_shares(void **state)
{
	struct buckets *one = open_named(16), *other = open_named(16);
	int64_t now_ms = clock_steady_ms();
	struct buckets *stranger = begin(16, &now_ms);

	(void)state;
	assert_non_null(one);
	assert_non_null(other);
	take(one, 1, BURST, now_ms);
	take(other, 1, 1, now_ms);
	assert_int_equal(wait_ms(one, 1, now_ms), 2 * INTERVAL);
	assert_int_equal(wait_ms(other, 1, now_ms), 2 * INTERVAL);
	assert_int_equal(wait_ms(stranger, 1, now_ms), 0);
	buckets_free(one);
	buckets_free(other);
	one = open_named(16);
	assert_non_null(one);
	assert_int_equal(wait_ms(one, 1, now_ms), 2 * INTERVAL);
	assert_int_equal(wait_ms(one, 2, now_ms), 0);
	buckets_free(one);
	buckets_free(stranger);
}

static void
take_for_ever(void)
{
	struct buckets *buckets = open_named(16);

	for (;;)
		take(buckets, 1, 1, clock_steady_ms());
}

/* Who is killed in the middle leaves buckets as they should be. */
static void
test_who_takes_is_killed(void **state)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	struct buckets *buckets;
	int64_t now_ms;
	int status;

	(void)state;
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			take_for_ever();
		nanosleep(&moment, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	buckets = open_named(16);
	assert_non_null(buckets);
	now_ms = clock_steady_ms();
	take(buckets, 1, 1000, now_ms);
	assert_int_equal(wait_ms(buckets, 1, now_ms), (BURST + 1) * INTERVAL);
	for (uint64_t key = 2; key < 2000; key++)
		assert_int_equal(wait_ms(buckets, key, now_ms), 0);
	buckets_free(buckets);
}

static void
test_what_is_not_ours_is_refused(void **state)
{
	const uint64_t nothing = 0;
	struct buckets *buckets = open_named(16);
	int fd;

	(void)state;
	assert_non_null(buckets);
	buckets_free(buckets);
	assert_null(open_named(32));
	fd = shm_open(path, O_RDWR | O_CLOEXEC, 0);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, &nothing, sizeof(nothing), 0),
	    sizeof(nothing));
	close(fd);
	assert_null(open_named(16));
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
		cmocka_unit_test(test_a_debt_under_another_limit),
		cmocka_unit_test(test_many_workers),
		cmocka_unit_test(test_the_empty_ones_are_counted),
		cmocka_unit_test_setup_teardown(test_who_says_the_name_shares,
		    choose_name, remove_name),
		cmocka_unit_test_setup_teardown(test_who_takes_is_killed,
		    choose_name, remove_name),
		cmocka_unit_test_setup_teardown(test_what_is_not_ours_is_refused,
		    choose_name, remove_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
