/* log_syslog.h - lines to the system's logger; for log_sink.c. */

#ifndef POSTERN_BASE_LOG_SYSLOG_H
#define POSTERN_BASE_LOG_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * As syslog(3), whose socket waits for a logger that hangs, and for as long as it
 * does: this one waits for `stall_ms` at the most.  `priority` is one of its
 * levels.  Finds the logger again after that was started anew.  False: nobody
 * took the line.
 */
bool log_syslog(int priority, const char *text, size_t size, int stall_ms);

#endif
