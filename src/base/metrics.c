/* metrics.c - counters and histograms in memory that processes may share. */

#include "base/metrics.h"

#include <stdatomic.h>

const int64_t metrics_bounds_us[METRICS_BOUNDS] = { 100, 250, 500, 1000, 2500,
	5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000,
	5000000, 10000000 };

/* Room for the results of one act; each enum has fewer. */
#define RESULTS 16

static const size_t cells[METRICS_COUNTERS] = {
	[METRICS_REQUESTS] = (size_t)METRICS_ADDRESSES * METRICS_STATUSES,
	[METRICS_SIGN_INS] = RESULTS,
	[METRICS_THROTTLED] = METRICS_THROTTLES,
	[METRICS_REFRESHES] = RESULTS,
	[METRICS_STATEMENTS] = RESULTS,
	[METRICS_WORKER_ENDS] = METRICS_ENDS,
	[METRICS_LOG_LOST] = 1,
};

static const size_t timer_cells[METRICS_TIMERS] = {
	[METRICS_REQUEST_TIME] = METRICS_ADDRESSES,
	[METRICS_STATEMENT_TIME] = 1,
	[METRICS_HASH_WAIT] = 1,
	[METRICS_HASH_RUN] = 1,
};

#define ALL_CELLS \
	(METRICS_ADDRESSES * METRICS_STATUSES + 3 * RESULTS + \
	    METRICS_THROTTLES + METRICS_ENDS + 1)
#define ALL_TIMERS (METRICS_ADDRESSES + 3)

struct timer {
	_Atomic uint64_t buckets[METRICS_BOUNDS + 1];
	_Atomic uint64_t sum_us;
};

/*
 * The numbers are counted apart from each other, in no order: a reader may see
 * one of a moment before and one of a moment after.
 */
struct table {
	_Atomic uint64_t counters[ALL_CELLS];
	struct timer timers[ALL_TIMERS];
};

static struct table own;
static struct table *table = &own;

size_t
metrics_size(void)
{
	return sizeof(struct table);
}

void
metrics_use(void *memory)
{
	table = memory != NULL ? memory : &own;
}

static _Atomic uint64_t *
counter_at(enum metrics_counter counter, size_t cell)
{
	size_t first = 0;

	if (cell >= cells[counter])
		return NULL;
	for (int i = 0; i < (int)counter; i++)
		first += cells[i];
	return &table->counters[first + cell];
}

static struct timer *
timer_at(enum metrics_timer timer, size_t cell)
{
	size_t first = 0;

	if (cell >= timer_cells[timer])
		return NULL;
	for (int i = 0; i < (int)timer; i++)
		first += timer_cells[i];
	return &table->timers[first + cell];
}

static void
add(_Atomic uint64_t *number, uint64_t more)
{
	atomic_fetch_add_explicit(number, more, memory_order_relaxed);
}

static uint64_t
read_number(const _Atomic uint64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

void
metrics_count(enum metrics_counter counter, size_t cell)
{
	_Atomic uint64_t *number = counter_at(counter, cell);

	if (number != NULL)
		add(number, 1);
}

void
metrics_time(enum metrics_timer timer, size_t cell, int64_t us)
{
	struct timer *at = timer_at(timer, cell);
	size_t bucket = 0;

	if (at == NULL || us < 0)
		return;
	while (bucket < METRICS_BOUNDS && us > metrics_bounds_us[bucket])
		bucket++;
	add(&at->buckets[bucket], 1);
	add(&at->sum_us, (uint64_t)us);
}

size_t
metrics_cells(enum metrics_counter counter)
{
	return cells[counter];
}

uint64_t
metrics_counted(enum metrics_counter counter, size_t cell)
{
	const _Atomic uint64_t *number = counter_at(counter, cell);

	return number == NULL ? 0 : read_number(number);
}

size_t
metrics_timer_cells(enum metrics_timer timer)
{
	return timer_cells[timer];
}

struct metrics_times
metrics_timed(enum metrics_timer timer, size_t cell)
{
	const struct timer *at = timer_at(timer, cell);
	struct metrics_times times = { .count = 0 };

	if (at == NULL)
		return times;
	for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
		times.buckets[i] = read_number(&at->buckets[i]);
		times.count += times.buckets[i];
	}
	times.sum_us = read_number(&at->sum_us);
	return times;
}
