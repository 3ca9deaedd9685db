/* test_list.c - lists as settings write them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

static void
test_lists(void **state)
{
	const char *rest = " a ,, b c\t,d";
	const char *item;
	size_t size;

	(void)state;
	item = list_next(&rest, &size);
	assert_int_equal(size, 1);
	assert_int_equal(*item, 'a');
	item = list_next(&rest, &size);
	assert_int_equal(size, 3);
	assert_memory_equal(item, "b c", 3);
	item = list_next(&rest, &size);
	assert_int_equal(size, 1);
	assert_int_equal(*item, 'd');
	assert_null(list_next(&rest, &size));
	assert_null(list_next(&rest, &size));

	assert_true(list_has("example.org", "example.org"));
	assert_true(list_has("a.b, Example.ORG ,c", "example.org"));
	assert_true(list_has("a.b,c", "C"));
	assert_false(list_has("example.org", "example.or"));
	assert_false(list_has("example.org", "xexample.org"));
	assert_false(list_has("example.org", "org"));
	assert_false(list_has("a,b", "a,b"));
	assert_false(list_has("", "a"));
	assert_false(list_has("a,,b", ""));
	assert_false(list_has(" , ", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
