/* lanes_avx2.c - vectors of 256 bits, two lanes in each; two groups of them fill
 * the sixteen registers. */

#include "hash/lanes_kernel.h"

#if defined(__x86_64__)

#define LANES_PER_VECTOR 2
#define LANES_GROUPS_MAX 2
#define LANES_TARGET     __attribute__((target("avx2")))
#include "hash/lanes_mix.h"

LANES_TARGET static void
mix2(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r)
{
	smix(blocks, memory, scratch, n, r, 1);
}

LANES_TARGET static void
mix4(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r)
{
	smix(blocks, memory, scratch, n, r, 2);
}

static const struct lanes_gear gears[] = {
	{ 2, mix2 },
	{ 4, mix4 },
};

static int
usable(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

const struct lanes_kernel lanes_avx2 = { "avx2", usable, 2, gears };

#endif
