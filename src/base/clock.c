/* clock.c - wall-clock time and steady time. */

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

/* The years that RFC 3339 can write: 0000-01-01 to the end of 9999. */
#define EARLIEST_SECOND INT64_C(-62167219200)
#define LATEST_SECOND   INT64_C(253402300799)

/* clock_gettime() fails only for a clock that does not exist. */
static int64_t
clock_read_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
	return clock_read_us(CLOCK_REALTIME);
}

int64_t
clock_steady_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

int64_t
clock_steady_ms(void)
{
	return clock_steady_us() / 1000;
}

void
clock_format(int64_t us, char text[static CLOCK_TEXT_SIZE])
{
	struct tm parts;
	time_t seconds;
	int64_t part_us;
	size_t used;

	seconds = (time_t)(us / CLOCK_SECOND_US);
	part_us = us % CLOCK_SECOND_US;
	if (part_us < 0) {
		part_us += CLOCK_SECOND_US;
		seconds--;
	}
	if (seconds < EARLIEST_SECOND)
		seconds = EARLIEST_SECOND;
	if (seconds > LATEST_SECOND)
		seconds = LATEST_SECOND;

	gmtime_r(&seconds, &parts);
	used = (size_t)snprintf(text, CLOCK_TEXT_SIZE, "%04u",
	    (unsigned)(parts.tm_year + 1900) % 10000);
	used += strftime(text + used, CLOCK_TEXT_SIZE - used,
	    "-%m-%dT%H:%M:%S", &parts);
	snprintf(text + used, CLOCK_TEXT_SIZE - used, ".%03dZ",
	    (int)(part_us / 1000));
}
