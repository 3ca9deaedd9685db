/* gate_plan.h - the settings of hashing, and what they leave open, as numbers. */

#ifndef POSTERN_HASH_GATE_PLAN_H
#define POSTERN_HASH_GATE_PLAN_H

#include "base/config.h"
#include "hash/gate.h"

/* What a worker takes beside the arenas, at most: most of it is libpq's and
 * OpenSSL's. */
#define GATE_PLAN_WORKER_BYTES (UINT64_C(1) << 20)

struct gate_plan {
	struct gate_options options;
	unsigned workers;
	uint64_t memory; /* bytes at worst: hashing and workers */
	uint64_t limit;  /* bytes there are */
};

/*
 * Choose what the settings leave open, and see that it fits.
 *
 *   slots    cores, as long as one lane in each, and what other hashes may take,
 *            are no more than half of the limit; fewer where they are
 *   lanes    as many as the processor has, as long as all arenas together take
 *            no more than a quarter of the limit; fewer where they do
 *   workers  so many that the lanes stay full and one in four is free for other
 *            requests; 1 where `one_at_a_time`
 *   places   three of four workers; where there are few, each
 *   limit    machine_memory(); where `one_at_a_time`, half of all there is, since
 *            those who share the gate by name must come to the same
 *
 * The kernels are tested here: one that does not agree with libscrypt is logged
 * and not used.  Returns 0, or -1 with the reason logged.
 */
int gate_plan_make(struct gate_plan *plan, const struct config *config,
    bool one_at_a_time);

/* For people and logs. */
const char *gate_plan_engine(const struct gate_plan *plan);

#endif
