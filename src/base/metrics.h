/* metrics.h - what is counted while the service runs: counters and histograms in
 * memory that all workers share. */

#ifndef POSTERN_BASE_METRICS_H
#define POSTERN_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A counter is a row of cells, one for each value of what it is counted by; the
 * cells' numbers are those of an enum that its floor keeps.  What they are called
 * outside is said by web/metrics_text.c.
 */
enum metrics_counter {
	METRICS_REQUESTS,      /* METRICS_REQUEST_CELL(address, status) */
	METRICS_SIGN_INS,      /* enum sign_in_result */
	METRICS_THROTTLED,     /* enum metrics_throttle */
	METRICS_REFRESHES,     /* enum session_refresh_result */
	METRICS_STATEMENTS,    /* enum store_result */
	METRICS_WORKER_ENDS,   /* enum metrics_end */
	METRICS_LOG_LOST,      /* 0 */
	METRICS_COUNTERS
};

/* Times; kept in buckets of growing width. */
enum metrics_timer {
	METRICS_REQUEST_TIME,   /* address */
	METRICS_STATEMENT_TIME, /* 0 */
	METRICS_HASH_WAIT,      /* 0: for a slot of the gate */
	METRICS_HASH_RUN,       /* 0: one password, checked or made */
	METRICS_TIMERS
};

/* Which limit refused. */
enum metrics_throttle {
	METRICS_THROTTLE_ACCOUNT,
	METRICS_THROTTLE_DEVICE,
	METRICS_THROTTLE_ADDRESS, /* of passwords that failed */
	METRICS_THROTTLE_TOKENS,  /* of an address: refresh tokens that are none */
	METRICS_THROTTLES
};

/* How a worker ended. */
enum metrics_end {
	METRICS_END_LEFT,    /* told to, or after max_requests */
	METRICS_END_DIED,
	METRICS_END_OVERDUE, /* made to, over its deadline */
	METRICS_ENDS
};

/* Of METRICS_REQUESTS: rows of the table of addresses, and statuses, in the
 * orders of web/route.c and web/response.c. */
#define METRICS_ADDRESSES 48
#define METRICS_STATUSES  20
#define METRICS_REQUEST_CELL(address, status) \
	((size_t)(address)*METRICS_STATUSES + (size_t)(status))

/*
 * Upper bounds of the buckets, in microseconds, for every timer; one more bucket
 * takes what is longer.
 */
#define METRICS_BOUNDS 16
extern const int64_t metrics_bounds_us[METRICS_BOUNDS];

struct metrics_times {
	uint64_t buckets[METRICS_BOUNDS + 1];
	uint64_t count; /* the sum of the buckets */
	uint64_t sum_us;
};

/*
 * From here on count, and read, in this memory of metrics_size() bytes, all zero at
 * first and aligned for numbers of 64 bits: for processes that share it.  NULL, as
 * in the beginning: this process counts for itself.
 */
size_t metrics_size(void);
void metrics_use(void *memory);

/* Safe everywhere and without locks; a cell that there is not is passed over. */
void metrics_count(enum metrics_counter counter, size_t cell);
void metrics_time(enum metrics_timer timer, size_t cell, int64_t us);

/* What was counted so far. */
size_t metrics_cells(enum metrics_counter counter);
uint64_t metrics_counted(enum metrics_counter counter, size_t cell);
size_t metrics_timer_cells(enum metrics_timer timer);
struct metrics_times metrics_timed(enum metrics_timer timer, size_t cell);

#endif
