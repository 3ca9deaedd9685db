/* lanes_kernel.h - the kernels that lanes.c chooses from; for nobody else. */

#ifndef POSTERN_HASH_LANES_KERNEL_H
#define POSTERN_HASH_LANES_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/*
 * SMix (RFC 7914 section 5) of a fixed number of lanes.  blocks[i] is 128*r
 * bytes, mixed in place; memory[i] is 128*n*r bytes, aligned to 64; scratch is
 * lanes * LANES_SCRATCH(r) bytes, aligned to 64.  n is a power of two, 2 or
 * more.  An idle lane is made by naming another lane's block and memory for it
 * too: both then compute the same and write the same.
 */
typedef void lanes_mix(unsigned char *const blocks[],
    unsigned char *const memory[], void *scratch, uint32_t n, uint32_t r);

/* Scratch bytes of one lane: the state, before and after a step. */
#define LANES_SCRATCH(r) ((size_t)2 * 128 * (r))

/* One function of a kernel, and how many lanes it has. */
struct lanes_gear {
	unsigned lanes;
	lanes_mix *mix;
};

struct lanes_kernel {
	const char *name;
	int (*usable)(void); /* on this processor, under this system? */
	unsigned gear_count;
	const struct lanes_gear *gears; /* fewest lanes first */
};

extern const struct lanes_kernel lanes_portable;
#if defined(__x86_64__)
extern const struct lanes_kernel lanes_avx2;
extern const struct lanes_kernel lanes_avx512;
#endif

#endif
