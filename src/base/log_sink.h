/* log_sink.h - where the lines of the log go; for log.c.
 *
 * There is one in a process.  Nothing here logs. */

#ifndef POSTERN_BASE_LOG_SINK_H
#define POSTERN_BASE_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As log_open(), log_reopen() and log_fd() have it. */
int log_sink_open(const char *target);
int log_sink_reopen(void);
int log_sink_fd(void);

/*
 * Give a finished line, newline included, to the target, or else to stderr; nobody
 * waits for a reader that is stuck longer than a moment, and only once.  `priority`
 * is syslog(3)'s.  True when the target took it: the time to tell how many lines
 * before were lost.
 */
bool log_sink_write(int priority, const char *text, size_t size);

/* How many lines nobody could take, since this was last asked. */
uint64_t log_sink_lost(void);

/* For the line that told of `lost` others: when it was lost as well, they count
 * once more. */
void log_sink_tell_again(uint64_t lost);

#endif
