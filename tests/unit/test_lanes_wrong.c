/* test_lanes_wrong.c - a kernel that is wrong is found out before it hashes
 * anybody's password: the linker puts one in the place of the portable one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "hash/gate_plan.h"
#include "hash/lanes.h"
#include "hash/lanes_kernel.h"
#include "temp_dir.h"

#define GEARS 3

/* ---- the kernel ---------------------------------------------------------- */

extern const struct lanes_kernel __real_lanes_portable, __wrap_lanes_portable;

/* What is wrong with it: one bit of one lane, in one gear alone; or the work of two
 * lanes exchanged. */
static struct fault {
	bool flip, exchange;
	unsigned gear, lane, byte;
} fault;

static void
mix_wrongly(unsigned gear, unsigned char *const blocks[],
    unsigned char *const memory[], void *scratch, uint32_t n, uint32_t r)
{
	unsigned char other[128 * 8];

	__real_lanes_portable.gears[gear].mix(blocks, memory, scratch, n, r);
	if (gear != fault.gear)
		return;
	if (fault.flip)
		blocks[fault.lane][fault.byte % (128 * r)] ^= 0x10;
	if (fault.exchange && blocks[0] != blocks[fault.lane]) {
		memcpy(other, blocks[0], (size_t)128 * r);
		memcpy(blocks[0], blocks[fault.lane], (size_t)128 * r);
		memcpy(blocks[fault.lane], other, (size_t)128 * r);
	}
}

#define GEAR(i) \
	static void mix##i(unsigned char *const blocks[], \
	    unsigned char *const memory[], void *scratch, uint32_t n, \
	    uint32_t r) \
	{ \
		mix_wrongly(i, blocks, memory, scratch, n, r); \
	}
GEAR(0)
GEAR(1)
GEAR(2)

static int
usable(void)
{
	return 1;
}

static const struct lanes_gear gears[GEARS] = {
	{ 2, mix0 },
	{ 3, mix1 },
	{ 4, mix2 },
};

const struct lanes_kernel __wrap_lanes_portable = { "portable", usable, GEARS,
	gears };

/* ---- the self-test ------------------------------------------------------- */

static void
test_right(void **state)
{
	(void)state;
	fault = (struct fault){ 0 };
	assert_int_equal(__real_lanes_portable.gear_count, GEARS);
	for (unsigned i = 0; i < GEARS; i++)
		assert_int_equal(gears[i].lanes,
		    __real_lanes_portable.gears[i].lanes);
	assert_int_equal(lanes_self_test(), 0);
}

/* In any lane of any gear, and anywhere in a block. */
static void
test_bit(void **state)
{
	static const unsigned bytes[] = { 0, 67, 1023 };

	(void)state;
	for (unsigned gear = 0; gear < GEARS; gear++)
		for (unsigned lane = 0; lane < gears[gear].lanes; lane++)
			for (unsigned i = 0; i < 3; i++) {
				fault = (struct fault){ .flip = true,
					.gear = gear, .lane = lane,
					.byte = bytes[i] };
				assert_int_equal(lanes_self_test(), -1);
			}
}

static void
test_exchanged(void **state)
{
	(void)state;
	for (unsigned gear = 0; gear < GEARS; gear++) {
		fault = (struct fault){ .exchange = true, .gear = gear,
			.lane = gears[gear].lanes - 1 };
		assert_int_equal(lanes_self_test(), -1);
	}
}

/* ---- and then ------------------------------------------------------------ */

static char dir[TEMP_DIR_SIZE];

/* What the settings come to with this engine, on a machine whose kernel is wrong,
 * and what is said of it; the caller frees that. */
static int
plan_with(const char *engine, struct gate_plan *plan, char **said)
{
	char why[CONFIG_WHY_SIZE], path[TEMP_PATH_SIZE];
	struct config *config = config_load(NULL, why);
	size_t size;
	int result;

	assert_non_null(config);
	assert_int_equal(config_set(config, "hash_engine", engine, why), 0);
	assert_int_equal(config_set(config, "scrypt_log2_n", "10", why), 0);
	fault = (struct fault){ .flip = true, .gear = GEARS - 1, .lane = 3 };
	assert_int_equal(log_open(temp_path(dir, "log", path), LOG_FORMAT_PLAIN,
	    LOG_LEVEL_INFO), 0);
	result = gate_plan_make(plan, config, false);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	*said = file_read(path, 4096, &size);
	assert_non_null(*said);
	unlink(path);
	config_free(config);
	return result;
}

static void
assert_hashes(const struct gate_options *options)
{
	static const struct gate_caller patient = { NULL, NULL };
	unsigned char key[SCRYPT_HASH_SIZE], expected[SCRYPT_HASH_SIZE];
	struct gate *gate = gate_new(options);
	struct gate_place *place;
	struct gate_stats stats;

	assert_non_null(gate);
	place = gate_enter(gate, &patient);
	assert_int_equal(gate_scrypt(place, &options->cost, "a", 1, "b", 1, key,
	    sizeof(key)), GATE_OK);
	assert_int_equal(scrypt_derive(&options->cost, "a", 1, "b", 1,
	    expected), 0);
	assert_memory_equal(key, expected, sizeof(key));
	gate_stats(gate, &stats);
	assert_int_equal(stats.blocks, 0);
	gate_leave(place);
	gate_free(gate);
}

/* Left to choose, libscrypt takes over. */
static void
test_libscrypt_takes_over(void **state)
{
	struct gate_plan plan;
	char *said;

	(void)state;
	assert_int_equal(plan_with("auto", &plan, &said), 0);
	assert_int_equal(plan.options.engine, GATE_ENGINE_LIBSCRYPT);
	assert_string_equal(gate_plan_engine(&plan), "libscrypt");
	assert_non_null(strstr(said, " warning "));
	assert_non_null(strstr(said, "passwords are hashed by libscrypt"));
	free(said);
	assert_hashes(&plan.options);
}

static void
test_lanes_refuse(void **state)
{
	struct gate_plan plan;
	char *said;

	(void)state;
	assert_int_equal(plan_with("lanes", &plan, &said), -1);
	assert_non_null(strstr(said, " error "));
	assert_non_null(strstr(said, "hash_engine asks for them"));
	free(said);
}

/* Nothing is tried that nobody will use. */
static void
test_libscrypt_asked_for(void **state)
{
	struct gate_plan plan;
	char *said;

	(void)state;
	assert_int_equal(plan_with("libscrypt", &plan, &said), 0);
	assert_string_equal(said, "");
	free(said);
}

static int
set_up(void **state)
{
	(void)state;
	temp_dir_make(dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	temp_dir_remove(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_bit),
		cmocka_unit_test(test_exchanged),
		cmocka_unit_test(test_libscrypt_takes_over),
		cmocka_unit_test(test_lanes_refuse),
		cmocka_unit_test(test_libscrypt_asked_for),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
