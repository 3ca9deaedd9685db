/* confine.h - what a process cannot do any more; the only home of libseccomp.
 *
 * Bytes of strangers pass through our processes.  Each call here takes something
 * away for good. */

#ifndef POSTERN_PROCESS_CONFINE_H
#define POSTERN_PROCESS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * From now on the process may take so many more bytes of memory, and no more: a
 * request that finds a way to make it grow is the end of it, not of the machine.
 * Under a sanitizer, whose shadow takes terabytes, there is no such limit.
 */
void confine_memory(size_t bytes);

/*
 * Leave the system calls that serving takes: a database, files, sockets, a
 * log.  What only an intruder would ask for (another program, another process's
 * memory, memory that is written and then run) ends the process with SIGSYS;
 * the rest fails with ENOSYS, as in an older kernel, which the C library knows
 * to bear.  Denied calls are told to the kernel's log.  Returns 0, or -1
 * (logged).  Where confine_has_calls() says no, nothing happens: a build without
 * libseccomp, one with a sanitizer, or another machine than x86-64 and arm64.
 */
int confine_calls(void);
bool confine_has_calls(void);

#endif
