/* gate_plan.c - the settings of hashing, and what they leave open, as numbers. */

#include "hash/gate_plan.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/machine.h"
#include "hash/lanes.h"

/* Chosen workers.  Each holds a connection to the database, which by default
 * has 100 for all who come; and the lanes of one core need some ten people who
 * wait to be always full. */
#define WORKERS_PER_SLOT 24
#define WORKERS_MOST     64

/* With fewer workers than this none is kept free from hashing. */
#define WORKERS_FEW 4

/* Where each process is its only worker, how many there are is not known. */
#define PLACES_PER_SLOT 16

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Which engine computes: 0, or -1 (logged). */
static int
choose_engine(enum gate_engine *engine, int setting)
{
	*engine = GATE_ENGINE_LIBSCRYPT;
	if (setting == HASH_ENGINE_LIBSCRYPT)
		return 0;
	if (lanes_self_test() == 0) {
		*engine = GATE_ENGINE_LANES;
		return 0;
	}
	if (setting == HASH_ENGINE_LANES) {
		log_error("the lanes do not compute what libscrypt computes on "
			  "this machine, and hash_engine asks for them");
		return -1;
	}
	log_warning("the lanes do not compute what libscrypt computes on this "
		    "machine: passwords are hashed by libscrypt");
	return 0;
}

/* Half of the memory at most, with one lane in each. */
static unsigned
choose_slots(const struct config *config, const struct gate_plan *plan)
{
	struct gate_options options = plan->options;

	if (config->hash_slots > 0)
		return (unsigned)config->hash_slots;
	options.slots = machine_cores();
	options.lanes = options.places = 1;
	while (options.slots > 1 && gate_memory(&options) > plan->limit / 2)
		options.slots--;
	return options.slots;
}

static unsigned
choose_workers(const struct config *config, unsigned slots, bool one_at_a_time)
{
	if (one_at_a_time)
		return 1;
	if (config->workers > 0)
		return (unsigned)config->workers;
	return least(slots * WORKERS_PER_SLOT, WORKERS_MOST);
}

static unsigned
choose_places(const struct config *config, const struct gate_plan *plan,
    bool one_at_a_time)
{
	if (config->hash_queue > 0)
		return (unsigned)config->hash_queue;
	if (one_at_a_time)
		return plan->options.slots * PLACES_PER_SLOT;
	if (plan->workers < WORKERS_FEW)
		return plan->workers;
	return plan->workers - plan->workers / 4;
}

static unsigned
choose_lanes(const struct config *config, const struct gate_plan *plan)
{
	struct gate_options options = plan->options;

	options.other_memory = 0;
	if (options.engine == GATE_ENGINE_LIBSCRYPT)
		return 1;
	options.lanes = lanes_width();
	if (config->hash_lanes > 0)
		return least((unsigned)config->hash_lanes, options.lanes);
	while (options.lanes > 1 && gate_memory(&options) > plan->limit / 4)
		options.lanes--;
	return options.lanes;
}

static int
check_memory(const struct gate_plan *plan)
{
	if (plan->memory <= plan->limit)
		return 0;
	log_error("hashing may take %" PRIu64 " MiB of memory (%u slots of %u "
		  "lanes) and %u workers %" PRIu64 " MiB, but there are %" PRIu64
		  " MiB: lower hash_slots, hash_lanes, hash_other_mib, workers "
		  "or the cost of a hash, or raise memory_limit_mib",
	    gate_memory(&plan->options) >> 20, plan->options.slots,
	    plan->options.lanes, plan->workers,
	    plan->workers * GATE_PLAN_WORKER_BYTES >> 20, plan->limit >> 20);
	return -1;
}

int
gate_plan_make(struct gate_plan *plan, const struct config *config,
    bool one_at_a_time)
{
	struct gate_options *options = &plan->options;

	*plan = (struct gate_plan){
		.options = {
			.deadline_ms = config->hash_deadline_ms,
			.folder = one_at_a_time ? config->shared_dir : NULL,
			.other_memory = (uint64_t)config->hash_other_mib << 20,
			.cost = {
				.log2_n = (unsigned)config->scrypt_log2_n,
				.r = (unsigned)config->scrypt_r,
				.p = (unsigned)config->scrypt_p,
			},
		},
		.limit = (uint64_t)config->memory_limit_mib << 20,
	};
	if (!scrypt_cost_allowed(&options->cost)) {
		log_error("scrypt_log2_n %u, scrypt_r %u and scrypt_p %u "
			  "cannot be computed together",
		    options->cost.log2_n, options->cost.r, options->cost.p);
		return -1;
	}
	if (choose_engine(&options->engine, config->hash_engine) != 0)
		return -1;
	if (plan->limit == 0)
		plan->limit = one_at_a_time ? machine_memory_in_all() / 2
					    : machine_memory();

	options->slots = choose_slots(config, plan);
	plan->workers = choose_workers(config, options->slots, one_at_a_time);
	options->places = choose_places(config, plan, one_at_a_time);
	options->slots = least(options->slots, options->places);
	options->lanes = choose_lanes(config, plan);
	plan->memory = gate_memory(options) +
	    plan->workers * GATE_PLAN_WORKER_BYTES;
	return check_memory(plan);
}

const char *
gate_plan_engine(const struct gate_plan *plan)
{
	return plan->options.engine == GATE_ENGINE_LANES ? lanes_name() :
							   "libscrypt";
}
