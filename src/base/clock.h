/* clock.h - the two clocks: the one people read, and the one that never jumps. */

#ifndef POSTERN_BASE_CLOCK_H
#define POSTERN_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND_US INT64_C(1000000)

/* "2026-11-24T08:04:29.123Z" and its NUL. */
#define CLOCK_TEXT_SIZE 25

/* Wall-clock time in microseconds since 1970-01-01 UTC. */
int64_t clock_now_us(void);

/* Milliseconds of a clock that only moves forward; for deadlines. */
int64_t clock_steady_ms(void);

/* Microseconds of the same clock; for durations. */
int64_t clock_steady_us(void);

/* Write a wall-clock time as RFC 3339 UTC with milliseconds, cut off and not
 * rounded; one outside of the years 0000 to 9999 as the nearest that is not. */
void clock_format(int64_t us, char text[static CLOCK_TEXT_SIZE]);

#endif
