/* ctl_calibrate.c - what a hash costs on this machine, and what it could. */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "hash/gate_plan.h"
#include "hash/lanes.h"

/* How long all slots are watched at work. */
#define WATCH_MS 2000

/* Before it is measured: memory is touched, clocks are up. */
#define WARM_UP_MS 500

/* A hash alone: the middle one of so many. */
#define TRIES 5

/* More lanes are not worth less memory for each than this allows. */
#define LANES_LEAST 4

#define LOG2_N_LEAST 10
#define LOG2_N_MOST  20
#define P_MOST       16

/* r is left alone: 8 fits the cache lines of all machines of today. */
#define R 8

/* What longer hashes are told from. */
#define LOG2_N_TRIED 14

/* How often a recommendation is lowered at most. */
#define CORRECTIONS 4

/* What is asked of a machine. */
struct wish {
	int64_t latency_us;
	uint64_t memory; /* bytes, of all arenas */
};

/* What one cost came to. */
struct measure {
	struct gate_options options;
	int64_t alone_us;
	uint64_t per_minute; /* hashes, when all slots are full */
};

/* The least p that OWASP's password storage cheat sheet gives for each N, at
 * r = 8; 0: N is too small for any. */
static const struct {
	unsigned log2_n, p;
} owasp[] = { { 17, 1 }, { 16, 2 }, { 15, 3 }, { 14, 5 }, { 13, 10 } };

static bool
is_weak(const struct scrypt_cost *cost)
{
	for (size_t i = 0; i < sizeof(owasp) / sizeof(owasp[0]); i++)
		if (cost->log2_n >= owasp[i].log2_n)
			return cost->r < R || cost->p < owasp[i].p;
	return true;
}

/* ---- measuring ----------------------------------------------------------- */

/* Hash a password in a gate: microseconds, or -1. */
static int64_t
hash(struct gate *gate, const struct scrypt_cost *cost)
{
	static const struct gate_caller patient = { NULL, NULL };
	struct gate_place *place = gate_enter(gate, &patient);
	unsigned char key[SCRYPT_HASH_SIZE];
	int64_t began_us = clock_steady_us();
	enum gate_result result = GATE_FAILED;

	if (place != NULL)
		result = gate_scrypt(place, cost, "correct horse", 13,
		    "sixteen bytes ..", 16, key, sizeof(key));
	gate_leave(place);
	return result == GATE_OK ? clock_steady_us() - began_us : -1;
}

static int
compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A hash alone; -1 when it cannot be computed. */
static int64_t
measure_alone(struct gate *gate, const struct scrypt_cost *cost)
{
	int64_t us[TRIES];

	if (hash(gate, cost) == -1)
		return -1;
	for (int i = 0; i < TRIES; i++)
		us[i] = hash(gate, cost);
	qsort(us, TRIES, sizeof(us[0]), compare);
	return us[0] == -1 ? -1 : us[TRIES / 2];
}

static _Noreturn void
hash_until(struct gate *gate, const struct scrypt_cost *cost, int64_t end_us)
{
	while (clock_steady_us() < end_us && hash(gate, cost) != -1)
		continue;
	_exit(0);
}

/* Hashes a minute by as many processes as there are places. */
static uint64_t
measure_full(struct gate *gate, const struct gate_options *options)
{
	int64_t end_us =
	    clock_steady_us() + (WARM_UP_MS + WATCH_MS) * INT64_C(1000);
	struct gate_stats before, after;
	int64_t began_us;
	unsigned started;

	for (started = 0; started < options->places; started++) {
		pid_t pid = fork();

		if (pid == 0)
			hash_until(gate, &options->cost, end_us);
		if (pid == -1)
			break;
	}
	poll(NULL, 0, WARM_UP_MS);
	gate_stats(gate, &before);
	began_us = clock_steady_us();
	poll(NULL, 0, WATCH_MS);
	gate_stats(gate, &after);
	began_us = clock_steady_us() - began_us;
	while (started > 0 && (wait(NULL) != -1 || errno == EINTR))
		started--;
	return (after.hashes - before.hashes) * 60 * 1000000 /
	    (uint64_t)began_us;
}

/* Enough for every lane of every slot, and as many who wait. */
static unsigned
crowd(const struct gate_options *options)
{
	return 2 * options->slots *
	    (options->lanes / options->cost.p + 1);
}

/* 0, or -1 when this cost cannot be computed here (logged). */
static int
measure(struct measure *measure)
{
	struct gate_options *options = &measure->options;
	struct gate *gate;

	options->places = crowd(options);
	gate = gate_new(options);
	if (gate == NULL)
		return -1;
	measure->alone_us = measure_alone(gate, &options->cost);
	if (measure->alone_us != -1)
		measure->per_minute = measure_full(gate, options);
	gate_free(gate);
	return measure->alone_us == -1 ? -1 : 0;
}

/* ---- recommending -------------------------------------------------------- */

/* The most lanes for which a cost fits the wish; 0: it does not. */
static unsigned
lanes_for(const struct gate_options *options, const struct wish *wish)
{
	struct gate_options tried = *options;
	unsigned least;

	tried.lanes = options->engine == GATE_ENGINE_LANES ? lanes_width() : 1;
	least = tried.lanes < LANES_LEAST ? tried.lanes : LANES_LEAST;
	for (; tried.lanes >= least; tried.lanes--)
		if (gate_memory(&tried) <= wish->memory)
			return tried.lanes;
	return 0;
}

/* Set N to 2^log2_n, and the lanes that fit it.  False: none do. */
static bool
take_n(struct gate_options *options, unsigned log2_n, const struct wish *wish)
{
	options->cost.log2_n = log2_n;
	options->cost.r = R;
	options->lanes = lanes_for(options, wish);
	return options->lanes > 0 && scrypt_cost_allowed(&options->cost);
}

/* Lower the cost by the least that can be.  False: it is the least. */
static bool
lower(struct gate_options *options, const struct wish *wish)
{
	if (options->cost.p > 1) {
		options->cost.p--;
		return true;
	}
	return options->cost.log2_n > LOG2_N_LEAST &&
	    take_n(options, options->cost.log2_n - 1, wish);
}

/* How long a hash alone takes, with N no larger than this, and the rest told from
 * that: time grows with N.  Microseconds, or -1. */
static int64_t
estimate(const struct gate_options *options, unsigned log2_n_most)
{
	struct gate_options small = *options;
	struct gate *gate;
	int64_t us = -1;

	if (small.cost.log2_n > log2_n_most)
		small.cost.log2_n = log2_n_most;
	small.slots = small.places = 1;
	gate = gate_new(&small);
	if (gate != NULL)
		us = measure_alone(gate, &small.cost);
	gate_free(gate);
	return us == -1 ? -1 :
			  us << (options->cost.log2_n - small.cost.log2_n);
}

static bool
is_slow(const struct gate_options *options, const struct wish *wish)
{
	return estimate(options, LOG2_N_TRIED) > wish->latency_us;
}

/*
 * The largest N that is within the wish with p = 1, and then the largest p: what
 * a guesser has to pay is memory before all.  False: no N fits the memory.
 */
static bool
guess(struct gate_options *options, const struct wish *wish)
{
	unsigned log2_n = LOG2_N_MOST;

	options->cost.p = 1;
	while (!take_n(options, log2_n, wish) ||
	       (log2_n > LOG2_N_LEAST && is_slow(options, wish)))
		if (log2_n-- == LOG2_N_LEAST)
			return false;
	while (options->cost.p < P_MOST && !is_slow(options, wish))
		options->cost.p++;
	return true;
}

/* Try the guess, lower it while it takes longer than it should, and measure. */
static int
recommend(struct measure *found, const struct wish *wish)
{
	struct gate_options *options = &found->options;

	if (!guess(options, wish))
		return -1;
	for (int left = CORRECTIONS; left > 0; left--)
		if (estimate(options, LOG2_N_MOST) <= wish->latency_us ||
		    !lower(options, wish))
			break;
	return measure(found);
}

/* ---- the answer ---------------------------------------------------------- */

static struct json_object *
row(const struct measure *measure)
{
	const struct gate_options *options = &measure->options;
	struct json_object *row = json_new_object();

	json_add_int(row, "log2N", options->cost.log2_n);
	json_add_int(row, "r", options->cost.r);
	json_add_int(row, "p", options->cost.p);
	json_add_int(row, "lanes", options->lanes);
	json_add_int(row, "aloneMs", (measure->alone_us + 999) / 1000);
	json_add_int(row, "hashesPerMinute", (int64_t)measure->per_minute);
	json_add_int(row, "memoryMiB", (int64_t)(gate_memory(options) >> 20));
	json_add_bool(row, "belowOwasp", is_weak(&options->cost));
	return row;
}

static void
print_row(const char *name, const struct measure *measure)
{
	const struct gate_options *options = &measure->options;

	printf("%-12s  2^%-2u  %2u  %2u  %5u  %8.1f ms  %8.1f /s  %6" PRIu64
	       " MiB%s\n",
	    name, options->cost.log2_n, options->cost.r, options->cost.p,
	    options->lanes, (double)measure->alone_us / 1000,
	    (double)measure->per_minute / 60, gate_memory(options) >> 20,
	    is_weak(&options->cost) ? "  !" : "");
}

static void
print(const struct gate_plan *plan, const struct measure *now,
    const struct measure *best)
{
	const struct gate_options *options = &best->options;

	printf("%u at a time, by %s\n\n", plan->options.slots,
	    gate_plan_engine(plan));
	printf("%-12s  %-4s  %2s  %2s  %5s  %11s  %11s  %10s\n", "", "N", "r",
	    "p", "lanes", "one alone", "full", "memory");
	print_row("now", now);
	print_row("recommended", best);
	if (is_weak(&now->options.cost) || is_weak(&options->cost))
		puts("\n! below what OWASP recommends: N=2^17 p=1, 2^16 p=2, "
		     "2^15 p=3, 2^14 p=5\n  or 2^13 p=10, with r=8");
	printf("\nscrypt_log2_n=%u\nscrypt_r=%u\nscrypt_p=%u\n",
	    options->cost.log2_n, options->cost.r, options->cost.p);
	if (options->engine == GATE_ENGINE_LANES)
		printf("hash_lanes=%u\n", options->lanes);
}

/* ---- the command --------------------------------------------------------- */

static const struct ctl_option calibrate_options[] = {
	{ "latency-ms", "MS", CTL_NUMBER_AT(latency_ms, 250, 1, 60000),
	  "a sign-in alone takes no longer (default: 250)" },
	{ "memory-mib", "MIB", CTL_NUMBER_AT(memory_mib, 0, 1, 16777216),
	  "all hashes at a time take no more (default: 1/4 of RAM)" },
	{ 0 },
};

static enum ctl_exit
calibrate(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct wish wish = { .latency_us = arguments->latency_ms * 1000 };
	struct json_object *answer;
	struct measure now, best;
	struct gate_plan plan;

	if (gate_plan_make(&plan, ctl->config, false) != 0)
		return CTL_REFUSED;
	wish.memory = arguments->memory_mib != 0 ?
	    (uint64_t)arguments->memory_mib << 20 :
	    plan.limit / 4;
	plan.options.deadline_ms = 600000;
	plan.options.other_memory = 0;
	now = best = (struct measure){ .options = plan.options };

	if (measure(&now) != 0 || recommend(&best, &wish) != 0)
		return ctl_refuse(CTL_REFUSED,
		    "allow more with --memory-mib, or set hash_slots lower",
		    "no hash fits into %" PRIu64 " MiB", wish.memory >> 20);
	if (!ctl->json) {
		print(&plan, &now, &best);
		return CTL_DONE;
	}
	answer = json_new_object();
	json_add_string(answer, "engine", gate_plan_engine(&plan));
	json_add_int(answer, "slots", plan.options.slots);
	json_add(answer, "now", row(&now));
	json_add(answer, "recommended", row(&best));
	ctl_output_json(answer);
	return CTL_DONE;
}

static const struct ctl_command commands[] = {
	{ "", "", 0, 0, calibrate_options, CTL_NEEDS_SETTINGS, calibrate,
	  "measure what a password hash costs here, and recommend one" },
	{ 0 },
};

const struct ctl_group ctl_calibrate_group = {
	.name = "calibrate",
	.help = "Measures the cost of a password hash on this machine, for "
		"some ten seconds: one\n"
		"alone, and on all cores.  Recommends the highest cost whose "
		"hash takes no longer\n"
		"and no more memory than the options say, as settings to "
		"copy.  What else runs\n"
		"here meanwhile makes hashes look dearer.",
	.commands = commands,
	.examples = "  posternctl calibrate\n"
		    "  posternctl calibrate --latency-ms 100 --memory-mib 256\n",
};
