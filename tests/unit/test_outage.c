/* test_outage.c - who may try to connect while the database is away. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/outage.h"

static int64_t
in_a_while(void)
{
	return clock_steady_ms() + 60000;
}

/* Wait until somebody may; for how long that took. */
static int64_t
wait_for_turn(struct outage *outage)
{
	int64_t began_ms = clock_steady_ms();

	while (!outage_may_try(outage, in_a_while())) {
		assert_in_range(clock_steady_ms() - began_ms, 0, 5000);
		usleep(1000);
	}
	return clock_steady_ms() - began_ms;
}

static void
test_all_may_while_all_is_well(void **state)
{
	struct outage outage = { 0 };

	(void)state;
	assert_true(outage_may_try(&outage, in_a_while()));
	assert_true(outage_may_try(&outage, in_a_while()));
	outage_is_over(&outage);
	assert_true(outage_may_try(&outage, in_a_while()));
}

static void
test_one_tries_for_all(void **state)
{
	struct outage outage = { 0 };

	(void)state;
	outage_goes_on(&outage);
	assert_false(outage_may_try(&outage, in_a_while()));
	assert_true(wait_for_turn(&outage) >= 90);
	for (int i = 0; i < 3; i++)
		assert_false(outage_may_try(&outage, in_a_while()));

	/* A pause after each failure, and none when it is back. */
	outage_goes_on(&outage);
	assert_true(wait_for_turn(&outage) >= 90);
	assert_false(outage_may_try(&outage, in_a_while()));
	outage_is_over(&outage);
	assert_true(outage_may_try(&outage, in_a_while()));
	assert_true(outage_may_try(&outage, in_a_while()));
}

/* The longer it lasts, the longer is the pause, up to a second. */
static void
test_pause_grows(void **state)
{
	struct outage outage = { 0 };

	(void)state;
	outage_goes_on(&outage);
	outage.since_ms -= 400;
	outage_goes_on(&outage);
	assert_in_range(outage.pause_until_ms - clock_steady_ms(), 300, 3000);
	outage.since_ms -= 1000 * 3600;
	outage_goes_on(&outage);
	assert_in_range(outage.pause_until_ms - clock_steady_ms(), 500, 1000);
	outage_is_over(&outage);
	outage_goes_on(&outage);
	assert_in_range(outage.pause_until_ms - clock_steady_ms(), 0, 100);
}

/* Whoever was to try may have died. */
static void
test_a_claim_ends(void **state)
{
	struct outage outage = { 0 };

	(void)state;
	outage_goes_on(&outage);
	outage.pause_until_ms = 0;
	assert_true(outage_may_try(&outage, clock_steady_ms() - 100));
	assert_false(outage_may_try(&outage, in_a_while()));
	assert_true(wait_for_turn(&outage) >= 200);
	assert_false(outage_may_try(&outage, in_a_while()));
}

/* A suspicion does not end the turn of the one who tries. */
static void
test_suspicion(void **state)
{
	struct outage outage = { 0 };

	(void)state;
	outage_suspect(&outage);
	assert_false(outage_may_try(&outage, in_a_while()));
	wait_for_turn(&outage);
	outage_suspect(&outage);
	outage.pause_until_ms = 0;
	assert_false(outage_may_try(&outage, in_a_while()));
}

/* Many that are late, one after the other, are silence; an answer ends it. */
static void
test_silence(void **state)
{
	struct outage outage = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		assert_false(outage_suspect(&outage));
		assert_false(outage_suspect(&outage));
		assert_false(outage_is_silence(&outage));
		outage_answered(&outage);
	}
	assert_false(outage_suspect(&outage));
	assert_false(outage_suspect(&outage));
	assert_true(outage_suspect(&outage));
	assert_true(outage_is_silence(&outage));
	assert_false(outage_suspect(&outage)); /* it was told before */

	/* Who tries finds silence, and then an answer. */
	wait_for_turn(&outage);
	outage_goes_on(&outage);
	assert_true(outage_is_silence(&outage));
	wait_for_turn(&outage);
	assert_false(outage_may_try(&outage, in_a_while()));
	assert_true(outage_is_over(&outage));
	assert_false(outage_is_over(&outage));
	assert_false(outage_is_silence(&outage));
	assert_true(outage_may_try(&outage, in_a_while()));
}

/* No connection is to be had, which says nothing about those that there are. */
static void
test_no_connection_is_no_silence(void **state)
{
	struct outage outage = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		outage_goes_on(&outage);
	assert_false(outage_is_silence(&outage));
}

/* Of many who come at once, in processes of their own, one may. */
static void
test_processes(void **state)
{
	struct outage *outage = outage_new();
	int winners = 0, status;
	pid_t children[8];

	(void)state;
	assert_non_null(outage);
	outage_goes_on(outage);
	for (int i = 0; i < 8; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		while (clock_steady_ms() < outage->pause_until_ms)
			;
		_exit(outage_may_try(outage, in_a_while()));
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		winners += WEXITSTATUS(status);
	}
	assert_int_equal(winners, 1);
	outage_is_over(outage);
	outage_free(outage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_may_while_all_is_well),
		cmocka_unit_test(test_one_tries_for_all),
		cmocka_unit_test(test_pause_grows),
		cmocka_unit_test(test_a_claim_ends),
		cmocka_unit_test(test_suspicion),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_no_connection_is_no_silence),
		cmocka_unit_test(test_processes),
	};

	return cmocka_run_group_tests_name("outage", tests, NULL, NULL);
}
