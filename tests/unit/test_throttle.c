/* test_throttle.c - which count an attempt is for, and what of an address is
 * counted with what.  How failures lead to locks is the database's business:
 * tests/store/test_throttle.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acts/service.h"
#include "acts/throttle.h"
#include "base/clock.h"
#include "temp_dir.h"
#include "token/keys_admin.h"

#define NOW_US INT64_C(1780272000123456)
#define DAY_US (86400 * CLOCK_SECOND_US)

static struct config config;
static struct service service = { .config = &config };

/* Settings of each test's own: an address may fail three times, and once more in
 * a minute. */
static int
start(void **state)
{
	char dir[TEMP_DIR_SIZE], why[KEYS_WHY_SIZE];

	(void)state;
	config = (struct config){
		.throttle_failures = 5,
		.throttle_lock_seconds = 900,
		.throttle_quiet_seconds = 86400,
		.device_cookie_days = 365,
		.throttle_address_rate = 1,
		.throttle_address_burst = 3,
	};
	temp_dir_make(dir);
	if (keys_init(dir, why) == 0)
		service.keys = keys_open(dir, why);
	temp_dir_remove(dir);
	service.buckets = buckets_new(64);
	return service.keys != NULL && service.buckets != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	keys_close(service.keys);
	buckets_free(service.buckets);
	return 0;
}

static struct throttle
choose(const char *login_key, const char *device_token, int64_t now_us)
{
	struct throttle throttle;

	throttle_choose(&service, login_key, device_token, now_us, &throttle);
	return throttle;
}

static bool
is_same(const struct throttle *one, const struct throttle *other)
{
	return memcmp(one->digest, other->digest, DIGEST_SIZE) == 0;
}

/* ---- accounts and devices ------------------------------------------------ */

static void
test_by_account(void **state)
{
	struct throttle ann, again, bob;
	unsigned char digest[DIGEST_SIZE];

	(void)state;
	ann = choose("ann@example.test", NULL, NOW_US);
	again = choose("ann@example.test", "", NOW_US + DAY_US);
	bob = choose("bob@example.test", "no.token", NOW_US);
	assert_int_equal(ann.by, METRICS_THROTTLE_ACCOUNT);
	assert_int_equal(bob.by, METRICS_THROTTLE_ACCOUNT);
	assert_true(is_same(&ann, &again));
	assert_false(is_same(&ann, &bob));
	throttle_account_digest(service.keys, "ann@example.test", digest);
	assert_memory_equal(ann.digest, digest, DIGEST_SIZE);
}

static void
test_the_rule_is_the_settings(void **state)
{
	struct throttle throttle;

	(void)state;
	throttle_choose(&service, "ann@example.test", NULL, NOW_US, &throttle);
	assert_ptr_equal(throttle.rule.digest, throttle.digest);
	assert_int_equal(throttle.rule.free_failures, 5);
	assert_int_equal(throttle.rule.most_seconds, 900);
	assert_int_equal(throttle.rule.quiet_seconds, 86400);
	assert_int_equal(throttle.rule.now_us, NOW_US);
	config.throttle_failures = 0;
	throttle_choose(&service, "ann@example.test", NULL, NOW_US, &throttle);
	assert_null(throttle.rule.digest);
}

static void
test_by_device(void **state)
{
	char token[DEVICE_TOKEN_SIZE], other_token[DEVICE_TOKEN_SIZE];
	struct throttle ann, device, again, other, bob;

	(void)state;
	ann = choose("ann@example.test", NULL, NOW_US);
	throttle_device(&service, &ann, NOW_US, token);
	throttle_device(&service, &ann, NOW_US, other_token);
	device = choose("ann@example.test", token, NOW_US);
	again = choose("ann@example.test", token, NOW_US + 300 * DAY_US);
	other = choose("ann@example.test", other_token, NOW_US);
	assert_int_equal(device.by, METRICS_THROTTLE_DEVICE);
	assert_int_equal(other.by, METRICS_THROTTLE_DEVICE);
	/* A count of its own, and the same one each time. */
	assert_true(is_same(&device, &again));
	assert_false(is_same(&device, &ann));
	assert_false(is_same(&device, &other));
	/* It is hers, which is known from the device as well. */
	assert_memory_equal(device.account, ann.account, DIGEST_SIZE);

	/* Nobody else's, not for ever, and not where settings want none. */
	bob = choose("bob@example.test", token, NOW_US);
	assert_int_equal(bob.by, METRICS_THROTTLE_ACCOUNT);
	again = choose("ann@example.test", token, NOW_US + 366 * DAY_US);
	assert_int_equal(again.by, METRICS_THROTTLE_ACCOUNT);
	assert_true(is_same(&again, &ann));
	config.device_cookie_days = 0;
	again = choose("ann@example.test", token, NOW_US);
	assert_int_equal(again.by, METRICS_THROTTLE_ACCOUNT);
	throttle_device(&service, &ann, NOW_US, token);
	assert_string_equal(token, "");
}

/* ---- addresses ----------------------------------------------------------- */

static int
wait_of(const char *address)
{
	return throttle_address_wait(&service, THROTTLE_PASSWORDS, address);
}

static void
fail_at(const char *address, int times)
{
	for (int i = 0; i < times; i++)
		throttle_address_failed(&service, THROTTLE_PASSWORDS, address);
}

static void
test_an_address(void **state)
{
	(void)state;
	fail_at("192.0.2.7", 2);
	assert_int_equal(wait_of("192.0.2.7"), 0);
	fail_at("192.0.2.7", 1);
	assert_in_range(wait_of("192.0.2.7"), 59, 60);
	/* Neighbours are others; the same one is written in two ways. */
	assert_int_equal(wait_of("192.0.2.8"), 0);
	assert_in_range(wait_of("::ffff:192.0.2.7"), 59, 60);
}

static void
test_a_network_of_ipv6(void **state)
{
	(void)state;
	fail_at("2001:db8:1:2::1", 1);
	fail_at("2001:db8:1:2:ffff::", 1);
	fail_at("2001:db8:1:2:0:8::", 1);
	assert_int_not_equal(wait_of("2001:db8:1:2:3:4:5:6"), 0);
	assert_int_equal(wait_of("2001:db8:1:3::1"), 0);
	assert_int_equal(wait_of("2001:db8:1:1:ffff:ffff:ffff:ffff"), 0);
}

/* Who is out of one has all of the other. */
static void
test_two_buckets(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++)
		throttle_address_failed(&service, THROTTLE_TOKENS,
		    "192.0.2.7");
	assert_int_not_equal(throttle_address_wait(&service, THROTTLE_TOKENS,
				 "192.0.2.7"), 0);
	assert_int_equal(wait_of("192.0.2.7"), 0);
	fail_at("192.0.2.7", 2);
	assert_int_equal(wait_of("192.0.2.7"), 0);
	fail_at("192.0.2.9", 9);
	assert_int_equal(throttle_address_wait(&service, THROTTLE_TOKENS,
			     "192.0.2.9"), 0);
}

static void
test_without_a_limit(void **state)
{
	struct buckets *buckets = service.buckets;

	(void)state;
	fail_at("no address", 9);
	assert_int_equal(wait_of("no address"), 0);
	fail_at("192.0.2.7", 9);
	config.throttle_address_rate = 0;
	assert_int_equal(wait_of("192.0.2.7"), 0);
	config.throttle_address_rate = 1;
	assert_int_not_equal(wait_of("192.0.2.7"), 0);
	/* Nor without a memory for it. */
	service.buckets = NULL;
	fail_at("192.0.2.7", 9);
	assert_int_equal(wait_of("192.0.2.7"), 0);
	service.buckets = buckets;
}

/* Of the buckets as they are: is the address refused? */
static bool
refuses(struct buckets *buckets)
{
	struct buckets *others = service.buckets;
	bool refused;

	service.buckets = buckets;
	refused = wait_of("192.0.2.7") > 0;
	service.buckets = others;
	return refused;
}

/* By processes that know nothing of each other, but for their settings. */
static void
test_who_shares_an_address(void **state)
{
	char folder[] = "/dev/shm/postern-test-XXXXXX", keys[] = "/keys";
	struct buckets *mine = service.buckets, *buckets;

	(void)state;
	assert_non_null(mkdtemp(folder));
	config.shared_dir = folder;
	config.key_dir = keys;
	assert_int_equal(throttle_open(&config, true, &service.buckets), 0);
	fail_at("192.0.2.7", 9);
	buckets_free(service.buckets);
	service.buckets = mine;

	assert_int_equal(throttle_open(&config, true, &buckets), 0);
	assert_true(refuses(buckets));
	buckets_free(buckets);
	/* A pool has its own, and so has a service with other keys. */
	assert_int_equal(throttle_open(&config, false, &buckets), 0);
	assert_non_null(buckets);
	assert_false(refuses(buckets));
	buckets_free(buckets);
	keys[1]++;
	assert_int_equal(throttle_open(&config, true, &buckets), 0);
	assert_non_null(buckets);
	assert_false(refuses(buckets));
	buckets_free(buckets);
	temp_dir_remove(folder);

	/* The folder is gone: that is told, unless nobody asks for it. */
	assert_int_equal(throttle_open(&config, true, &buckets), -1);
	assert_null(buckets);
	config.throttle_address_rate = 0;
	assert_int_equal(throttle_open(&config, true, &buckets), 0);
	assert_null(buckets);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_by_account, start, end),
		cmocka_unit_test_setup_teardown(test_the_rule_is_the_settings,
		    start, end),
		cmocka_unit_test_setup_teardown(test_by_device, start, end),
		cmocka_unit_test_setup_teardown(test_an_address, start, end),
		cmocka_unit_test_setup_teardown(test_a_network_of_ipv6, start,
		    end),
		cmocka_unit_test_setup_teardown(test_two_buckets, start, end),
		cmocka_unit_test_setup_teardown(test_without_a_limit, start,
		    end),
		cmocka_unit_test_setup_teardown(test_who_shares_an_address,
		    start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
