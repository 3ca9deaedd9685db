/* test_reload.c - settings read again keep what only a new start can change. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "process/reload.h"

static struct config *
load(void)
{
	char why[CONFIG_WHY_SIZE];
	struct config *config = config_load(NULL, why);

	assert_non_null(config);
	return config;
}

static void
set(struct config *config, const char *name, const char *value)
{
	char why[CONFIG_WHY_SIZE];

	assert_int_equal(config_set(config, name, value, why), 0);
}

static void
test_fixed_settings_stay(void **state)
{
	struct config *current = load(), *fresh = load();

	(void)state;
	set(current, "listen", "unix:/run/old.sock");
	set(fresh, "listen", "unix:/run/new.sock");
	set(fresh, "listen_mode", "0600");
	reload_keep_fixed(current, fresh);
	assert_string_equal(fresh->listen, "unix:/run/old.sock");
	assert_int_equal(fresh->listen_mode, 0660);
	config_free(current); /* each frees its own */
	assert_string_equal(fresh->listen, "unix:/run/old.sock");
	config_free(fresh);
}

static void
test_others_change(void **state)
{
	struct config *current = load(), *fresh = load();

	(void)state;
	set(fresh, "workers", "7");
	set(fresh, "issuer", "https://sign-in.example");
	set(fresh, "db_prepare", "off");
	reload_keep_fixed(current, fresh);
	assert_int_equal(fresh->workers, 7);
	assert_string_equal(fresh->issuer, "https://sign-in.example");
	assert_false(fresh->db_prepare);
	config_free(current);
	config_free(fresh);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_settings_stay),
		cmocka_unit_test(test_others_change),
	};

	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
