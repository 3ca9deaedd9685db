/* lanes_portable.c - vectors of 128 bits: SSE2, NEON, or what the compiler makes
 * of them.  A fourth group still pays where there are registers for three; one
 * group alone is no faster than two. */

#include "hash/lanes_kernel.h"

#define LANES_PER_VECTOR 1
#define LANES_GROUPS_MAX 4
#define LANES_TARGET
#include "hash/lanes_mix.h"

static void
mix2(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r)
{
	smix(blocks, memory, scratch, n, r, 2);
}

static void
mix3(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r)
{
	smix(blocks, memory, scratch, n, r, 3);
}

static void
mix4(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r)
{
	smix(blocks, memory, scratch, n, r, 4);
}

static const struct lanes_gear gears[] = {
	{ 2, mix2 },
	{ 3, mix3 },
	{ 4, mix4 },
};

static int
usable(void)
{
	return 1;
}

const struct lanes_kernel lanes_portable = { "portable", usable, 3, gears };
