/* lanes.c - which kernel, how many lanes, what memory; and the parts of scrypt
 * around them. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/pbkdf2.h"
#include "base/secret.h"
#include "hash/lanes.h"
#include "hash/lanes_kernel.h"

/* Best first. */
static const struct lanes_kernel *const kernels[] = {
#if defined(__x86_64__)
	&lanes_avx512,
	&lanes_avx2,
#endif
	&lanes_portable,
};

#define KERNEL_COUNT (sizeof(kernels) / sizeof(kernels[0]))

/* Set by lanes_choose(); NULL is the best that this processor can run. */
static const struct lanes_kernel *chosen;

/* The i-th that this processor can run, or NULL. */
static const struct lanes_kernel *
usable_kernel(unsigned i)
{
	size_t k;

	for (k = 0; k < KERNEL_COUNT; k++)
		if (kernels[k]->usable() && i-- == 0)
			return kernels[k];
	return NULL;
}

static const struct lanes_kernel *
kernel_in_use(void)
{
	return chosen != NULL ? chosen : usable_kernel(0);
}

static unsigned
kernel_width(const struct lanes_kernel *kernel)
{
	return kernel->gears[kernel->gear_count - 1].lanes;
}

int
lanes_choose(const char *name)
{
	const struct lanes_kernel *kernel;
	unsigned i;

	if (name == NULL || strcmp(name, "auto") == 0) {
		chosen = NULL;
		return 0;
	}
	for (i = 0; (kernel = usable_kernel(i)) != NULL; i++)
		if (strcmp(kernel->name, name) == 0) {
			chosen = kernel;
			return 0;
		}
	return -1;
}

const char *
lanes_name(void)
{
	return kernel_in_use()->name;
}

const char *
lanes_kernel_name(unsigned i)
{
	const struct lanes_kernel *kernel = usable_kernel(i);

	return kernel != NULL ? kernel->name : NULL;
}

unsigned
lanes_width(void)
{
	return kernel_width(kernel_in_use());
}

/* Are N and r within what the kernels count with, and N below 2^(128 * r / 8),
 * as RFC 7914 section 6 wants it? */
static bool
memory_allowed(const struct scrypt_cost *cost)
{
	if (cost->log2_n < 1 || cost->log2_n > LANES_LOG2_N_MAX)
		return false;
	if (cost->r < 1 || cost->r > LANES_R_MAX)
		return false;
	return cost->log2_n < 16 * cost->r;
}

static bool
cost_allowed(const struct scrypt_cost *cost)
{
	return memory_allowed(cost) && cost->p >= 1 && cost->p <= LANES_P_MAX;
}

/* What one lane keeps: N states. */
static uint64_t
lane_memory(const struct scrypt_cost *cost)
{
	return ((uint64_t)128 * cost->r) << cost->log2_n;
}

/* All lanes' scratch stands first, even when there are fewer: a gear may have
 * more lanes than there are blocks. */
static size_t
scratch_size(const struct scrypt_cost *cost)
{
	return LANES_MAX * LANES_SCRATCH(cost->r);
}

size_t
lanes_arena_size(const struct scrypt_cost *cost, unsigned width)
{
	uint64_t size;

	if (!memory_allowed(cost) || width < 1 || width > LANES_MAX)
		return 0;
	size = scratch_size(cost) + width * lane_memory(cost);
	return size <= SIZE_MAX ? (size_t)size : 0;
}

size_t
lanes_block_size(const struct scrypt_cost *cost)
{
	return memory_allowed(cost) ? (size_t)128 * cost->r : 0;
}

static bool
arena_holds(const struct lanes_arena *arena, const struct scrypt_cost *cost,
    unsigned width)
{
	size_t size = lanes_arena_size(cost, width);

	return size != 0 && size <= arena->size && arena->memory != NULL &&
	    (uintptr_t)arena->memory % LANES_ALIGNMENT == 0;
}

/* The smallest gear that has a lane for each of `count` blocks. */
static const struct lanes_gear *
gear_for(const struct lanes_kernel *kernel, unsigned count)
{
	const struct lanes_gear *gear = kernel->gears;

	while (gear->lanes < count)
		gear++;
	return gear;
}

static int
smix_with(const struct lanes_kernel *kernel, const struct scrypt_cost *cost,
    unsigned char *const blocks[], unsigned count,
    const struct lanes_arena *arena)
{
	const struct lanes_gear *gear;
	unsigned char *lane_blocks[LANES_MAX];
	unsigned char *memory[LANES_MAX];
	unsigned char *first;
	unsigned i;

	if (count < 1 || count > kernel_width(kernel) ||
	    !arena_holds(arena, cost, count))
		return -1;

	gear = gear_for(kernel, count);
	first = (unsigned char *)arena->memory + scratch_size(cost);
	for (i = 0; i < gear->lanes; i++) {
		/* A lane without a block does the first one's work again: it
		 * costs no memory and, in a vector, no time. */
		unsigned own = i < count ? i : 0;

		lane_blocks[i] = blocks[own];
		memory[i] = first + own * (size_t)lane_memory(cost);
	}
	gear->mix(lane_blocks, memory, arena->memory,
	    (uint32_t)1 << cost->log2_n, cost->r);
	return 0;
}

int
lanes_smix(const struct scrypt_cost *cost, unsigned char *const blocks[],
    unsigned count, const struct lanes_arena *arena)
{
	return smix_with(kernel_in_use(), cost, blocks, count, arena);
}

int
lanes_spread(const struct scrypt_cost *cost, const void *password, size_t size,
    const void *salt, size_t salt_size, unsigned char *blocks)
{
	if (!cost_allowed(cost))
		return -1;
	return pbkdf2_sha256(password, size, salt, salt_size, 1, blocks,
	    cost->p * lanes_block_size(cost));
}

int
lanes_gather(const struct scrypt_cost *cost, const void *password, size_t size,
    const unsigned char *blocks, unsigned char *key, size_t key_size)
{
	if (!cost_allowed(cost))
		return -1;
	return pbkdf2_sha256(password, size, blocks,
	    cost->p * lanes_block_size(cost), 1, key, key_size);
}

/* Mix p blocks that lie one after another, `width` of them at a time. */
static int
smix_all(const struct scrypt_cost *cost, unsigned char *blocks, unsigned width,
    const struct lanes_arena *arena)
{
	unsigned char *batch[LANES_MAX];
	unsigned done, count, i;

	for (done = 0; done < cost->p; done += count) {
		count = cost->p - done < width ? cost->p - done : width;
		for (i = 0; i < count; i++)
			batch[i] = blocks + (done + i) * lanes_block_size(cost);
		if (lanes_smix(cost, batch, count, arena) != 0)
			return -1;
	}
	return 0;
}

int
lanes_scrypt(const struct scrypt_cost *cost, const void *password, size_t size,
    const void *salt, size_t salt_size, unsigned char *key, size_t key_size,
    const struct lanes_arena *arena)
{
	unsigned width = lanes_width();
	unsigned char *blocks;
	size_t blocks_size;
	int result = -1;

	while (width > 0 && !arena_holds(arena, cost, width))
		width--;
	if (width == 0 || !cost_allowed(cost))
		goto out;
	blocks_size = cost->p * lanes_block_size(cost);
	blocks = malloc(blocks_size);
	if (blocks == NULL)
		goto out;

	if (lanes_spread(cost, password, size, salt, salt_size, blocks) == 0 &&
	    smix_all(cost, blocks, width, arena) == 0)
		result = lanes_gather(cost, password, size, blocks, key,
		    key_size);

	secret_wipe(blocks, blocks_size);
	free(blocks);
out:
	if (result != 0)
		memset(key, 0, key_size);
	return result;
}

/* ---- the self-test ------------------------------------------------------- */

/* Small enough for every start: 16 KiB a lane. */
static const struct scrypt_cost test_cost = { .log2_n = 4, .r = 8, .p = 1 };

/* Every lane's work is another password, so that no two can be exchanged. */
static const unsigned char test_passwords[LANES_MAX] = "abcdefgh";
static const unsigned char test_salt[] = "side by side";

/* RFC 7914 section 12, the first vector: no password, no salt. */
static const struct scrypt_cost rfc_cost = { .log2_n = 4, .r = 1, .p = 1 };
static const unsigned char rfc_key[SCRYPT_HASH_SIZE] = {
	0x77, 0xd6, 0x57, 0x62, 0x38, 0x65, 0x7b, 0x20, 0x3b, 0x19, 0xca, 0x42,
	0xc1, 0x8a, 0x04, 0x97, 0xf1, 0x6b, 0x48, 0x44, 0xe3, 0x07, 0x4a, 0xe8,
	0xdf, 0xdf, 0xfa, 0x3f, 0xed, 0xe2, 0x14, 0x42, 0xfc, 0xd0, 0x06, 0x9d,
	0xed, 0x09, 0x48, 0xf8, 0x32, 0x6a, 0x75, 0x3a, 0x0f, 0xc8, 0x1f, 0x17,
	0xe8, 0xd3, 0xe0, 0xfb, 0x2e, 0x0d, 0x36, 0x28, 0xcf, 0x35, 0xe2, 0x0c,
	0x38, 0xd1, 0x89, 0x06,
};

/* What libscrypt makes of the passwords. */
static int
reference_keys(unsigned char keys[LANES_MAX][SCRYPT_HASH_SIZE])
{
	unsigned i;

	for (i = 0; i < LANES_MAX; i++)
		if (scrypt_derive(&test_cost, &test_passwords[i], 1, test_salt,
			sizeof(test_salt), keys[i]) != 0)
			return -1;
	return 0;
}

/* Does a kernel make the same of the first `count` of them in one call? */
static int
test_count(const struct lanes_kernel *kernel, unsigned count,
    unsigned char keys[LANES_MAX][SCRYPT_HASH_SIZE],
    const struct lanes_arena *arena)
{
	unsigned char memory[LANES_MAX][128 * 8];
	unsigned char *blocks[LANES_MAX];
	unsigned char key[SCRYPT_HASH_SIZE];
	unsigned i;

	for (i = 0; i < LANES_MAX; i++) {
		blocks[i] = memory[i];
		if (lanes_spread(&test_cost, &test_passwords[i], 1, test_salt,
			sizeof(test_salt), blocks[i]) != 0)
			return -1;
	}
	if (smix_with(kernel, &test_cost, blocks, count, arena) != 0)
		return -1;
	for (i = 0; i < count; i++) {
		if (lanes_gather(&test_cost, &test_passwords[i], 1, blocks[i],
			key, sizeof(key)) != 0)
			return -1;
		if (memcmp(key, keys[i], sizeof(key)) != 0)
			return -1;
	}
	return 0;
}

static int
test_rfc(const struct lanes_kernel *kernel, const struct lanes_arena *arena)
{
	unsigned char memory[128];
	unsigned char *blocks[1] = { memory };
	unsigned char key[SCRYPT_HASH_SIZE];

	if (lanes_spread(&rfc_cost, "", 0, "", 0, memory) != 0 ||
	    smix_with(kernel, &rfc_cost, blocks, 1, arena) != 0 ||
	    lanes_gather(&rfc_cost, "", 0, memory, key, sizeof(key)) != 0)
		return -1;
	return memcmp(key, rfc_key, sizeof(key)) == 0 ? 0 : -1;
}

static int
test_kernel(const struct lanes_kernel *kernel,
    unsigned char keys[LANES_MAX][SCRYPT_HASH_SIZE],
    const struct lanes_arena *arena)
{
	unsigned count;

	if (test_rfc(kernel, arena) != 0)
		return -1;
	for (count = 1; count <= kernel_width(kernel); count++)
		if (test_count(kernel, count, keys, arena) != 0)
			return -1;
	return 0;
}

int
lanes_self_test(void)
{
	unsigned char keys[LANES_MAX][SCRYPT_HASH_SIZE];
	const struct lanes_kernel *kernel;
	struct lanes_arena arena;
	int result = 0;
	unsigned i;

	if (reference_keys(keys) != 0)
		return -1;
	arena.size = lanes_arena_size(&test_cost, LANES_MAX);
	arena.memory = aligned_alloc(LANES_ALIGNMENT, arena.size);
	if (arena.memory == NULL)
		return -1;
	for (i = 0; (kernel = usable_kernel(i)) != NULL; i++)
		if (test_kernel(kernel, keys, &arena) != 0)
			result = -1;
	free(arena.memory);
	return result;
}
