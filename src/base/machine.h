/* machine.h - what this process may use of the machine it runs on. */

#ifndef POSTERN_BASE_MACHINE_H
#define POSTERN_BASE_MACHINE_H

#include <stdint.h>

/* Cores that it may run on, 1 or more: by affinity, and by the quota of its
 * control groups, rounded up. */
unsigned machine_cores(void);

/* Bytes of memory that are still to be had: what the kernel thinks can be given
 * out without swapping, and no more than the limits of its control groups.
 * UINT64_MAX when nothing tells. */
uint64_t machine_memory(void);

/* The same of all memory, given out or not: for processes that come one after
 * the other, and must think the same. */
uint64_t machine_memory_in_all(void);

#endif
