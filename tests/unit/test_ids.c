/* UUIDs: version, variant, order, and the one form in which they are read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ids.h"

#define TEXT "0190b5a7-1c2d-7e3f-8a4b-5c6d7e8f9a0b"

static void
test_random(void **state)
{
	struct id a, b;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		a = id_random();
		b = id_random();
		assert_int_equal(a.bytes[6] >> 4, 4);
		assert_int_equal(a.bytes[8] >> 6, 2);
		assert_false(id_equal(&a, &b));
	}
}

/* The milliseconds of a version 7 id. */
static int64_t
milliseconds(const struct id *id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->bytes[i];
	return ms;
}

static void
test_ordered_holds_its_time(void **state)
{
	int64_t now_us = clock_now_us();
	struct id id = id_ordered(now_us);

	(void)state;
	assert_int_equal(milliseconds(&id), now_us / 1000);
	assert_int_equal(id.bytes[6] >> 4, 7);
	assert_int_equal(id.bytes[8] >> 6, 2);
}

/* Many in one instant, and with a clock that goes back. */
static void
test_ordered_only_grows(void **state)
{
	int64_t now_us = clock_now_us() + CLOCK_SECOND_US;
	struct id last = id_ordered(now_us), next;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		next = id_ordered(i % 2 == 0 ? now_us : now_us - i * 100);
		assert_true(memcmp(last.bytes, next.bytes, 8) < 0);
		assert_int_equal(next.bytes[6] >> 4, 7);
		assert_int_equal(next.bytes[8] >> 6, 2);
		last = next;
	}
	/* It ran ahead, but by milliseconds. */
	assert_true(milliseconds(&last) <= now_us / 1000 + 10);
}

static void
test_ordered_takes_any_time(void **state)
{
	struct id past = id_ordered(INT64_MIN), zero = id_ordered(0);

	(void)state;
	assert_true(memcmp(past.bytes, zero.bytes, 8) < 0);
	assert_int_equal(past.bytes[6] >> 4, 7);
}

/* Siblings count from the same id; what is random must differ. */
static void
test_ordered_after_fork(void **state)
{
	int64_t now_us = clock_now_us();
	struct id mine, theirs;
	int ends[2], status;
	pid_t child;

	(void)state;
	id_ordered(now_us);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		theirs = id_ordered(now_us);
		_exit(write(ends[1], &theirs, sizeof(theirs)) !=
		    sizeof(theirs));
	}
	mine = id_ordered(now_us);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], &theirs, sizeof(theirs)),
	    sizeof(theirs));
	close(ends[0]);
	close(ends[1]);
	assert_memory_equal(mine.bytes, theirs.bytes, 8);
	assert_memory_not_equal(mine.bytes + 8, theirs.bytes + 8, 8);
}

static void
test_nil(void **state)
{
	struct id id = id_random();
	char text[ID_TEXT_SIZE];

	(void)state;
	assert_true(id_is_nil(&id_nil));
	assert_false(id_is_nil(&id));
	id_format(&id_nil, text);
	assert_string_equal(text, "00000000-0000-0000-0000-000000000000");
}

static void
test_text(void **state)
{
	struct id id, upper;
	char text[ID_TEXT_SIZE];

	(void)state;
	assert_int_equal(id_parse(TEXT, 36, &id), 0);
	assert_int_equal(id.bytes[0], 0x01);
	assert_int_equal(id.bytes[15], 0x0b);
	id_format(&id, text);
	assert_string_equal(text, TEXT);
	assert_int_equal(id_parse("0190B5A7-1C2D-7E3F-8A4B-5C6D7E8F9A0B", 36,
			     &upper), 0);
	assert_true(id_equal(&id, &upper));
}

static void
test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"0190b5a71c2d7e3f8a4b5c6d7e8f9a0b",
		"0190b5a7-1c2d-7e3f-8a4b-5c6d7e8f9a0",
		TEXT "0",
		"{0190b5a7-1c2d-7e3f-8a4b-5c6d7e8f9a}",
		"0190b5a7-1c2d-7e3f-8a4b-5c6d7e8f9a0g",
		"0190b5a7-1c2d-7e3f-8a4b-5c6d7e8f9a -",
		"0190b5a71-c2d-7e3f-8a4b-5c6d7e8f9a0b",
		"0190b5a7_1c2d_7e3f_8a4b_5c6d7e8f9a0b",
		"0190b5a7-1c2d-7e3f-8a4b+5c6d7e8f9a0b",
		" 190b5a7-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
		"0x90b5a7-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
	};
	struct id id = id_nil;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (id_parse(texts[i], strlen(texts[i]), &id) != -1)
			fail_msg("\"%s\" was read", texts[i]);
	assert_int_equal(id_parse(TEXT, 35, &id), -1);
	assert_int_equal(id_parse(TEXT, 37, &id), -1);
	assert_true(id_is_nil(&id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* the clock of ordered ids never goes back: lowest times first */
		cmocka_unit_test(test_ordered_takes_any_time),
		cmocka_unit_test(test_ordered_holds_its_time),
		cmocka_unit_test(test_ordered_after_fork),
		cmocka_unit_test(test_ordered_only_grows),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_nil),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
