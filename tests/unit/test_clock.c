/* Times as people read them, and clocks that go forward. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static void
test_format(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} times[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ INT64_C(1709210096123456), "2024-02-29T12:34:56.123Z" },
		{ INT64_C(951782399999999), "2000-02-28T23:59:59.999Z" },
		{ INT64_C(253402300799999999), "9999-12-31T23:59:59.999Z" },
		/* before the epoch the fraction still counts forward */
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000000, "1969-12-31T23:59:59.000Z" },
		{ -1000001, "1969-12-31T23:59:58.999Z" },
		{ INT64_C(-62167219200000000), "0000-01-01T00:00:00.000Z" },
	};
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		clock_format(times[i].us, text);
		assert_string_equal(text, times[i].text);
	}
}

/* A row of the database may hold anything: the text keeps its form. */
static void
test_format_out_of_range(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	clock_format(INT64_MAX, text);
	assert_memory_equal(text, "9999-12-31T23:59:59.", 20);
	assert_int_equal(strlen(text), CLOCK_TEXT_SIZE - 1);
	clock_format(INT64_MIN, text);
	assert_memory_equal(text, "0000-01-01T00:00:00.", 20);
	assert_int_equal(strlen(text), CLOCK_TEXT_SIZE - 1);
}

static void
test_now(void **state)
{
	int64_t before = (int64_t)time(NULL) * CLOCK_SECOND_US;
	int64_t now = clock_now_us();

	(void)state;
	assert_true(now >= before - CLOCK_SECOND_US);
	assert_true(now < before + 10 * CLOCK_SECOND_US);
}

static void
test_steady(void **state)
{
	int64_t last = clock_steady_us(), now;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		now = clock_steady_us();
		assert_true(now >= last);
		last = now;
	}
	assert_true(clock_steady_ms() - last / 1000 < 1000);
	assert_true(clock_steady_ms() >= last / 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_out_of_range),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_steady),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
