/* Chance, wiping, comparison. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

static void
test_random(void **state)
{
	unsigned char seen[256] = { 0 }, bytes[4096], again[4096];
	int kinds = 0;

	(void)state;
	secret_random(bytes, sizeof(bytes));
	secret_random(again, sizeof(again));
	assert_memory_not_equal(bytes, again, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		seen[bytes[i]] = 1;
	for (size_t i = 0; i < sizeof(seen); i++)
		kinds += seen[i];
	/* Each value is missing with a chance of one in ten million. */
	assert_true(kinds > 250);
}

static void
test_random_stays_in_its_buffer(void **state)
{
	char bytes[] = "..........";

	(void)state;
	secret_random(bytes + 1, 8);
	assert_int_equal(bytes[0], '.');
	assert_int_equal(bytes[9], '.');
	secret_random(bytes, 0);
	assert_int_equal(bytes[0], '.');
}

/* Of any size, beyond the stock's too, and each other than the one before. */
static void
test_chance(void **state)
{
	unsigned char bytes[1024] = { 0 }, before[16] = { 0 };

	(void)state;
	for (size_t size = 16; size <= sizeof(bytes); size++) {
		secret_chance(bytes, size);
		assert_memory_not_equal(bytes, before, sizeof(before));
		assert_memory_not_equal(bytes + size - 16, before,
		    sizeof(before));
		memcpy(before, bytes, sizeof(before));
	}
}

static void
test_chance_stays_in_its_buffer(void **state)
{
	char bytes[] = "..........";

	(void)state;
	for (int i = 0; i < 100; i++) {
		secret_chance(bytes + 1, 8);
		assert_int_equal(bytes[0], '.');
		assert_int_equal(bytes[9], '.');
	}
}

/* A child draws what neither its parent nor its sibling does. */
static void
test_chance_after_fork(void **state)
{
	unsigned char drawn[3][16];
	int pipes[2];

	(void)state;
	secret_chance(drawn[0], 1); /* there is a stock */
	assert_int_equal(pipe(pipes), 0);
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			secret_chance(drawn[i], 16);
			_exit(write(pipes[1], drawn[i], 16) == 16 ? 0 : 1);
		}
		assert_int_equal(read(pipes[0], drawn[i], 16), 16);
		assert_true(wait(NULL) > 0);
	}
	secret_chance(drawn[2], 16);
	assert_memory_not_equal(drawn[0], drawn[1], 16);
	assert_memory_not_equal(drawn[0], drawn[2], 16);
	assert_memory_not_equal(drawn[1], drawn[2], 16);
	close(pipes[0]);
	close(pipes[1]);
}

static void
test_wipe(void **state)
{
	char bytes[] = "xsecretx";

	(void)state;
	secret_wipe(bytes + 1, 6);
	assert_memory_equal(bytes, "x\0\0\0\0\0\0x", 8);
	secret_wipe(bytes, 0);
	assert_int_equal(bytes[0], 'x');
	secret_wipe(NULL, 0);
}

static void
test_equal(void **state)
{
	char a[32], b[32];

	(void)state;
	secret_random(a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(secret_equal(a, b, sizeof(a)));
	assert_true(secret_equal(a, b, 0));
	for (size_t bit = 0; bit < sizeof(a) * 8; bit++) {
		b[bit / 8] = (char)(b[bit / 8] ^ 1 << bit % 8);
		assert_false(secret_equal(a, b, sizeof(a)));
		b[bit / 8] = a[bit / 8];
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_stays_in_its_buffer),
		cmocka_unit_test(test_chance),
		cmocka_unit_test(test_chance_stays_in_its_buffer),
		cmocka_unit_test(test_chance_after_fork),
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
