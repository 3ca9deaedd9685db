/* lanes_avx512.c - vectors of 512 bits, four lanes in each: a rotation is one
 * instruction, a block of a lane is one register, and two groups take half of
 * the thirty-two.  A third would give a sixth more for half as much memory
 * again. */

#include "hash/lanes_kernel.h"

#if defined(__x86_64__)

#define LANES_PER_VECTOR 4
#define LANES_GROUPS_MAX 2
#define LANES_TARGET     __attribute__((target("avx512f")))
#include "hash/lanes_mix.h"

LANES_TARGET static void
mix4(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r)
{
	smix(blocks, memory, scratch, n, r, 1);
}

LANES_TARGET static void
mix8(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r)
{
	smix(blocks, memory, scratch, n, r, 2);
}

static const struct lanes_gear gears[] = {
	{ 4, mix4 },
	{ 8, mix8 },
};

static int
usable(void)
{
	return __builtin_cpu_supports("avx512f") != 0;
}

const struct lanes_kernel lanes_avx512 = { "avx512", usable, 2, gears };

#endif
