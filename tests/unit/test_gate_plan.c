/* test_gate_plan.c - what the settings of hashing come to. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine.h"
#include "hash/gate_plan.h"
#include "hash/lanes.h"

/* Settings: "NAME=VALUE" one after another, NULL behind the last. */
static struct config *
settings(const char *const *pairs)
{
	char why[CONFIG_WHY_SIZE], name[64];
	struct config *config = config_load(NULL, why);

	assert_non_null(config);
	for (; *pairs != NULL; pairs++) {
		size_t size = strcspn(*pairs, "=");

		memcpy(name, *pairs, size);
		name[size] = '\0';
		assert_int_equal(config_set(config, name, *pairs + size + 1,
		    why), 0);
	}
	return config;
}

#define PLAN(plan, one_at_a_time, ...) \
	make_plan(plan, one_at_a_time, \
	    (const char *const[]){ __VA_ARGS__, NULL })

static int
make_plan(struct gate_plan *plan, bool one_at_a_time, const char *const *pairs)
{
	struct config *config = settings(pairs);
	int result = gate_plan_make(plan, config, one_at_a_time);

	config_free(config);
	return result;
}

static void
test_machine(void **state)
{
	(void)state;
	assert_in_range(machine_cores(), 1, 1 << 16);
	assert_true(machine_memory() > 1 << 20);
}

static void
test_chosen(void **state)
{
	struct gate_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, false, "hash_slots=2",
	    "memory_limit_mib=100000"), 0);
	assert_int_equal(plan.options.engine, GATE_ENGINE_LANES);
	assert_string_equal(gate_plan_engine(&plan), lanes_name());
	assert_int_equal(plan.options.slots, 2);
	assert_int_equal(plan.options.lanes, lanes_width());
	assert_int_equal(plan.workers, 48);
	assert_int_equal(plan.options.places, 36);
	assert_null(plan.options.folder);
	assert_int_equal(plan.options.cost.log2_n, 15);
	assert_true(plan.memory >=
	    gate_memory(&plan.options) + 48 * GATE_PLAN_WORKER_BYTES);

	assert_int_equal(PLAN(&plan, false, "memory_limit_mib=100000"), 0);
	assert_int_equal(plan.options.slots, machine_cores());
	assert_int_equal(PLAN(&plan, false, "hash_slots=64",
	    "memory_limit_mib=100000"), 0);
	assert_int_equal(plan.workers, 64);
	assert_int_equal(plan.options.places, 48);
	assert_int_equal(plan.options.slots, 48);
}

/* Some workers are always free, unless there are too few of them. */
static void
test_places(void **state)
{
	static const struct {
		const char *workers;
		unsigned places;
	} cases[] = { { "workers=1", 1 }, { "workers=2", 2 },
		{ "workers=3", 3 }, { "workers=4", 3 }, { "workers=8", 6 },
		{ "workers=100", 75 } };
	struct gate_plan plan;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(PLAN(&plan, false, cases[i].workers,
		    "hash_slots=1", "memory_limit_mib=100000"), 0);
		assert_int_equal(plan.options.places, cases[i].places);
	}
	assert_int_equal(PLAN(&plan, false, "workers=8", "hash_queue=20"), 0);
	assert_int_equal(plan.options.places, 20);
	assert_int_equal(PLAN(&plan, true, "workers=8", "hash_slots=2"), 0);
	assert_int_equal(plan.workers, 1);
	assert_int_equal(plan.options.places, 32);
	assert_non_null(plan.options.folder);
}

/* A quarter of the memory; at least one lane, if that fits at all. */
static void
test_memory(void **state)
{
	struct gate_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, false, "hash_slots=1", "workers=4",
	    "hash_other_mib=0", "memory_limit_mib=300"), 0);
	assert_int_equal(plan.options.lanes, 2);
	assert_int_equal(plan.limit, 300 << 20);
	assert_int_equal(PLAN(&plan, false, "hash_slots=1", "workers=4",
	    "hash_other_mib=0", "memory_limit_mib=50"), 0);
	assert_int_equal(plan.options.lanes, 1);
	assert_int_equal(PLAN(&plan, false, "hash_slots=1", "workers=4",
	    "hash_other_mib=0", "memory_limit_mib=30"), -1);
	assert_int_equal(PLAN(&plan, false, "hash_slots=1", "workers=4",
	    "hash_lanes=4", "hash_other_mib=0", "memory_limit_mib=120"), -1);
	assert_int_equal(PLAN(&plan, false, "hash_slots=1", "workers=4",
	    "hash_lanes=3", "hash_other_mib=0", "memory_limit_mib=120"), 0);
	assert_int_equal(plan.options.lanes, 3);

	/* What other systems' hashes may take is in the sum, and takes no lanes
	 * away. */
	assert_int_equal(PLAN(&plan, false, "hash_slots=2", "workers=4",
	    "hash_lanes=1", "hash_other_mib=60", "memory_limit_mib=200"), 0);
	assert_in_range(plan.memory, (64 + 120 + 4) << 20,
	    (64 + 120 + 4 + 8) << 20);
	assert_int_equal(PLAN(&plan, false, "hash_slots=2", "workers=4",
	    "hash_lanes=1", "hash_other_mib=70", "memory_limit_mib=200"), -1);
	assert_int_equal(PLAN(&plan, false, "hash_slots=1", "workers=4",
	    "hash_other_mib=200", "memory_limit_mib=300"), 0);
	assert_int_equal(plan.options.lanes, 2);
	assert_int_equal(PLAN(&plan, false, "hash_lanes=8",
	    "memory_limit_mib=100000"), 0);
	assert_int_equal(plan.options.lanes, lanes_width());
}

/* Those who share a gate by name come to the same plan, whatever the first of
 * them has taken. */
static void
test_siblings_agree(void **state)
{
	const size_t size = (size_t)64 << 20;
	struct gate_plan first, second;
	char *taken;

	(void)state;
	assert_int_equal(PLAN(&first, true, NULL), 0);
	taken = malloc(size);
	assert_non_null(taken);
	memset(taken, 1, size);
	assert_int_equal(PLAN(&second, true, NULL), 0);
	assert_int_equal(taken[size / 2], 1);
	free(taken);
	assert_int_equal(second.limit, first.limit);
	assert_int_equal(second.options.slots, first.options.slots);
	assert_int_equal(second.options.lanes, first.options.lanes);
}

/* On a machine with many cores and little memory, not all of them hash. */
static void
test_few_slots(void **state)
{
	struct gate_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, false, "workers=4",
	    "memory_limit_mib=150"), 0);
	assert_int_equal(plan.options.slots, 1);
	assert_int_equal(plan.options.lanes, 1);
	assert_int_equal(PLAN(&plan, false, "workers=4", "hash_other_mib=0",
	    "memory_limit_mib=140"), 0);
	assert_in_range(plan.options.slots, 1, 2);
	assert_int_equal(PLAN(&plan, false, "workers=4", "hash_slots=2",
	    "memory_limit_mib=150"), -1);
}

static void
test_engines(void **state)
{
	struct gate_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, false, "hash_engine=libscrypt",
	    "hash_other_mib=1", "hash_slots=2"), 0);
	assert_int_equal(plan.options.engine, GATE_ENGINE_LIBSCRYPT);
	assert_string_equal(gate_plan_engine(&plan), "libscrypt");
	assert_in_range(gate_memory(&plan.options), 64 << 20, 72 << 20);
	assert_int_equal(PLAN(&plan, false, "hash_engine=lanes"), 0);
	assert_int_equal(plan.options.engine, GATE_ENGINE_LANES);
}

/* Each within its bounds, and nothing for scrypt together. */
static void
test_impossible_cost(void **state)
{
	struct gate_plan plan;

	(void)state;
	assert_int_equal(PLAN(&plan, false, "scrypt_log2_n=17", "scrypt_r=1"),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_siblings_agree),
		cmocka_unit_test(test_few_slots),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_impossible_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
