/* test_lanes.c - every kernel against RFC 7914 and against libscrypt.
 *
 * The random part takes another seed in each run and says which.
 * LANES_TEST_SEED=N repeats a run.  LANES_TEST_MS=N makes it longer, and
 * LANES_TEST_LOG2_N=15 as costly as hashes are:
 *
 *	LANES_TEST_LOG2_N=15 LANES_TEST_MS=600000 tests/unit/test_lanes
 *
 * (half a gigabyte of memory; every N to 2^15, r to 16 and p to 8). */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <libscrypt.h>

#include "hash/lanes.h"

#define KEY_SIZE 64

/* Spoil libscrypt's answers? */
static bool spoil;

int __real_libscrypt_scrypt(const uint8_t *, size_t, const uint8_t *, size_t,
    uint64_t, uint32_t, uint32_t, uint8_t *, size_t);
int __wrap_libscrypt_scrypt(const uint8_t *, size_t, const uint8_t *, size_t,
    uint64_t, uint32_t, uint32_t, uint8_t *, size_t);

/* The linker sends calls of libscrypt here, so that a test can make it wrong. */
int
__wrap_libscrypt_scrypt(const uint8_t *password, size_t size,
    const uint8_t *salt, size_t salt_size, uint64_t n, uint32_t r, uint32_t p,
    uint8_t *key, size_t key_size)
{
	int result = __real_libscrypt_scrypt(password, size, salt, salt_size, n,
	    r, p, key, key_size);

	if (spoil)
		key[key_size - 1] ^= 1;
	return result;
}

/* ---- random numbers that can be had again (Steele, Lea, Flood 2014) ------ */

static uint64_t random_state;

static uint64_t
random_bits(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned
random_between(unsigned least, unsigned most)
{
	return least + (unsigned)(random_bits() % (most - least + 1));
}

static void
random_fill(unsigned char *bytes, size_t size)
{
	while (size-- > 0)
		*bytes++ = (unsigned char)random_bits();
}

static uint64_t
setting(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : fallback;
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- what the tests share ------------------------------------------------ */

static struct lanes_arena
arena_new(const struct scrypt_cost *cost, unsigned width)
{
	struct lanes_arena arena;

	arena.size = lanes_arena_size(cost, width);
	assert_int_not_equal(arena.size, 0);
	arena.memory = aligned_alloc(LANES_ALIGNMENT, arena.size);
	assert_non_null(arena.memory);
	return arena;
}

/* Run `test` once with every kernel that this processor has. */
static void
with_every_kernel(void (*test)(void))
{
	const char *name;
	unsigned i;

	for (i = 0; (name = lanes_kernel_name(i)) != NULL; i++) {
		assert_int_equal(lanes_choose(name), 0);
		assert_string_equal(lanes_name(), name);
		test();
	}
	assert_int_equal(lanes_choose(NULL), 0);
}

/* ---- RFC 7914 section 12 ------------------------------------------------- */

/* Its fourth vector needs a gigabyte. */
static const struct {
	const char *password;
	const char *salt;
	struct scrypt_cost cost;
	const char *key; /* hexadecimal */
} vectors[] = {
	{ "", "", { 4, 1, 1 },
	    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
	    "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906" },
	{ "password", "NaCl", { 10, 8, 16 },
	    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
	    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
	{ "pleaseletmein", "SodiumChloride", { 14, 8, 1 },
	    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
	    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887" },
};

static void
hex(const unsigned char *bytes, size_t size, char *text)
{
	size_t i;

	for (i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static void
check_vectors(void)
{
	unsigned char key[KEY_SIZE];
	char text[2 * KEY_SIZE + 1];
	struct lanes_arena arena;
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		arena = arena_new(&vectors[i].cost, lanes_width());
		assert_int_equal(lanes_scrypt(&vectors[i].cost,
		    vectors[i].password, strlen(vectors[i].password),
		    vectors[i].salt, strlen(vectors[i].salt), key, sizeof(key),
		    &arena), 0);
		free(arena.memory);
		hex(key, sizeof(key), text);
		assert_string_equal(text, vectors[i].key);
	}
}

static void
test_vectors(void **state)
{
	(void)state;
	with_every_kernel(check_vectors);
}

/* ---- people who sign in at once ------------------------------------------ */

#define PEOPLE_MAX 6
#define P_MAX      8

/* One scrypt computation, as a gate would keep it. */
struct person {
	unsigned char password[80];
	size_t size;
	unsigned char salt[40];
	size_t salt_size;
	struct scrypt_cost cost;
	size_t key_size;
	unsigned char *blocks;
};

/* N and r are everybody's, p is each person's own. */
static void
person_new(struct person *person, const struct scrypt_cost *common, unsigned p)
{
	person->size = random_between(0, sizeof(person->password));
	random_fill(person->password, person->size);
	person->salt_size = random_between(0, sizeof(person->salt));
	random_fill(person->salt, person->salt_size);
	person->key_size = random_between(1, KEY_SIZE);
	person->cost = *common;
	person->cost.p = p;
	person->blocks = malloc(person->cost.p * lanes_block_size(common));
	assert_non_null(person->blocks);
	assert_int_equal(lanes_spread(&person->cost, person->password,
	    person->size, person->salt, person->salt_size, person->blocks), 0);
}

static void
person_reference(const struct person *person, unsigned char *key)
{
	assert_int_equal(libscrypt_scrypt(person->password, person->size,
	    person->salt, person->salt_size, (uint64_t)1 << person->cost.log2_n,
	    person->cost.r, person->cost.p, key, person->key_size), 0);
}

static void
person_check(const struct person *person)
{
	unsigned char expected[KEY_SIZE], key[KEY_SIZE];

	person_reference(person, expected);
	assert_int_equal(lanes_gather(&person->cost, person->password,
	    person->size, person->blocks, key, person->key_size), 0);
	assert_memory_equal(key, expected, person->key_size);
}

/* The same by the call that does everything, in an arena of any width. */
static void
person_check_alone(const struct person *person)
{
	unsigned char expected[KEY_SIZE], key[KEY_SIZE];
	struct lanes_arena arena;

	person_reference(person, expected);
	arena = arena_new(&person->cost, random_between(1, LANES_MAX));
	assert_int_equal(lanes_scrypt(&person->cost, person->password,
	    person->size, person->salt, person->salt_size, key,
	    person->key_size, &arena), 0);
	free(arena.memory);
	assert_memory_equal(key, expected, person->key_size);
}

static void
shuffle(unsigned char **units, unsigned count)
{
	unsigned char *other;
	unsigned i;

	while (count > 1) {
		i = random_between(0, --count);
		other = units[i];
		units[i] = units[count];
		units[count] = other;
	}
}

/* Mix everybody's blocks in any order, any number at a time. */
static void
mix_together(const struct scrypt_cost *cost, struct person *people,
    unsigned count)
{
	unsigned char *units[PEOPLE_MAX * P_MAX];
	unsigned unit_count = 0, done, batch, i, k;
	struct lanes_arena arena;

	for (i = 0; i < count; i++)
		for (k = 0; k < people[i].cost.p; k++)
			units[unit_count++] = people[i].blocks +
			    k * lanes_block_size(cost);
	shuffle(units, unit_count);

	for (done = 0; done < unit_count; done += batch) {
		batch = random_between(1, lanes_width());
		if (batch > unit_count - done)
			batch = unit_count - done;
		arena = arena_new(cost, batch);
		assert_int_equal(lanes_smix(cost, units + done, batch, &arena),
		    0);
		free(arena.memory);
	}
}

static void
check_people(const struct scrypt_cost *cost, unsigned count)
{
	struct person people[PEOPLE_MAX];
	unsigned i;

	for (i = 0; i < count; i++)
		person_new(&people[i], cost, random_between(1, P_MAX));
	mix_together(cost, people, count);
	for (i = 0; i < count; i++)
		person_check(&people[i]);
	person_check_alone(&people[0]);
	for (i = 0; i < count; i++)
		free(people[i].blocks);
}

/* The largest N of many people; of one, it is 2^15 now and then. */
#define LOG2_N_OF_MANY 7

static void
check_random_people(void)
{
	struct scrypt_cost cost = { .p = 1 };

	cost.r = random_between(1, 16);
	cost.log2_n = random_between(1,
	    (unsigned)setting("LANES_TEST_LOG2_N", LOG2_N_OF_MANY));
	check_people(&cost, random_between(1, PEOPLE_MAX));
}

static void
check_one_with_large_n(void)
{
	struct scrypt_cost cost = { .p = 1 };

	cost.log2_n = random_between(8, 15);
	cost.r = random_between(1, cost.log2_n > 12 ? 2 : 8);
	check_people(&cost, 1);
}

static void
test_people(void **state)
{
	uint64_t end = now_ms() + setting("LANES_TEST_MS", 2000);
	unsigned rounds = 0;

	(void)state;
	do {
		with_every_kernel(check_random_people);
		if (rounds++ % 16 == 0)
			with_every_kernel(check_one_with_large_n);
	} while (now_ms() < end);
	print_message("# %u rounds\n", rounds);
}

/* ---- every mixture ------------------------------------------------------- */

/* The next way to share `count` lanes out: owners[i] is whom lane i works for,
 * somebody of an earlier lane or the next new one.  All 0 is the first way, each
 * for another one the last; false behind it. */
static bool
next_owners(unsigned *owners, unsigned count)
{
	unsigned i, j, newest;

	for (i = count; i-- > 1;) {
		newest = 0;
		for (j = 0; j < i; j++)
			if (owners[j] > newest)
				newest = owners[j];
		if (owners[i] <= newest) {
			owners[i]++;
			while (++i < count)
				owners[i] = 0;
			return true;
		}
	}
	return false;
}

/* Everybody's blocks in one call: p is the number of somebody's lanes. */
static void
check_mixture(const unsigned *owners, unsigned count,
    const struct lanes_arena *arena)
{
	struct scrypt_cost cost = { .log2_n = 1, .r = 1, .p = 1 };
	unsigned p[LANES_MAX] = { 0 }, taken[LANES_MAX] = { 0 };
	unsigned char *blocks[LANES_MAX] = { NULL };
	struct person people[LANES_MAX] = { { .blocks = NULL } };
	unsigned i, owner;

	for (i = 0; i < count; i++)
		p[owners[i]]++;
	for (i = 0; i < count && p[i] > 0; i++)
		person_new(&people[i], &cost, p[i]);
	for (i = 0; i < count; i++) {
		owner = owners[i];
		blocks[i] = people[owner].blocks +
		    taken[owner]++ * lanes_block_size(&cost);
	}
	assert_int_equal(lanes_smix(&cost, blocks, count, arena), 0);
	for (i = 0; i < count && p[i] > 0; i++) {
		person_check(&people[i]);
		free(people[i].blocks);
	}
}

/* Bell's numbers: how many ways there are to share so many lanes out. */
static const unsigned mixtures[LANES_MAX + 1] = { 1, 1, 2, 5, 15, 52, 203, 877,
	4140 };

static void
check_mixtures(void)
{
	struct scrypt_cost cost = { .log2_n = 1, .r = 1, .p = 1 };
	struct lanes_arena arena = arena_new(&cost, lanes_width());
	unsigned count, ways;

	for (count = 1; count <= lanes_width(); count++) {
		unsigned owners[LANES_MAX] = { 0 };

		ways = 0;
		do {
			check_mixture(owners, count, &arena);
			ways++;
		} while (next_owners(owners, count));
		assert_int_equal(ways, mixtures[count]);
	}
	free(arena.memory);
}

static void
test_every_mixture(void **state)
{
	(void)state;
	with_every_kernel(check_mixtures);
}

/* Each number of lanes on its own, with what a sign-in costs for r. */
static void
check_every_count(void)
{
	struct scrypt_cost cost = { .log2_n = 5, .r = 8, .p = 1 };
	unsigned count;

	for (count = 1; count <= lanes_width(); count++) {
		unsigned char blocks[LANES_MAX][1024];
		unsigned char alone[LANES_MAX][1024];
		unsigned char *together[LANES_MAX];
		struct lanes_arena arena = arena_new(&cost, count);
		unsigned i;

		random_fill(blocks[0], sizeof(blocks));
		memcpy(alone, blocks, sizeof(blocks));
		for (i = 0; i < count; i++)
			together[i] = blocks[i];
		assert_int_equal(lanes_smix(&cost, together, count, &arena), 0);
		for (i = 0; i < count; i++) {
			unsigned char *one[1] = { alone[i] };

			assert_int_equal(lanes_smix(&cost, one, 1, &arena), 0);
			assert_memory_equal(alone[i], blocks[i], 1024);
		}
		/* What was not named was not touched. */
		for (; i < LANES_MAX; i++)
			assert_memory_equal(alone[i], blocks[i], 1024);
		free(arena.memory);
	}
}

static void
test_every_count(void **state)
{
	(void)state;
	with_every_kernel(check_every_count);
}

/* Blocks may lie anywhere. */
static void
check_unaligned_blocks(void)
{
	struct scrypt_cost cost = { .log2_n = 3, .r = 3, .p = 1 };
	unsigned char at_odd[1 + 384], aligned[384];
	unsigned char *odd[1] = { at_odd + 1 }, *even[1] = { aligned };
	struct lanes_arena arena = arena_new(&cost, 1);

	random_fill(aligned, sizeof(aligned));
	memcpy(at_odd + 1, aligned, sizeof(aligned));
	assert_int_equal(lanes_smix(&cost, odd, 1, &arena), 0);
	assert_int_equal(lanes_smix(&cost, even, 1, &arena), 0);
	assert_memory_equal(at_odd + 1, aligned, sizeof(aligned));
	free(arena.memory);
}

static void
test_unaligned_blocks(void **state)
{
	(void)state;
	with_every_kernel(check_unaligned_blocks);
}

/* Nothing is written behind the arena's size, and a fresh or a used arena give
 * the same. */
static void
check_arena_edges(void)
{
	struct scrypt_cost cost = { .log2_n = 2, .r = 1, .p = 3 };
	size_t size = lanes_arena_size(&cost, 2);
	unsigned char first[32], second[32];
	struct lanes_arena arena;
	size_t i;

	arena.memory = aligned_alloc(LANES_ALIGNMENT, size + LANES_ALIGNMENT);
	arena.size = size;
	assert_non_null(arena.memory);
	memset(arena.memory, 0xa5, size + LANES_ALIGNMENT);
	assert_int_equal(lanes_scrypt(&cost, "a", 1, "b", 1, first, 32, &arena),
	    0);
	assert_int_equal(lanes_scrypt(&cost, "a", 1, "b", 1, second, 32,
	    &arena), 0);
	assert_memory_equal(first, second, 32);
	for (i = 0; i < LANES_ALIGNMENT; i++)
		assert_int_equal(((unsigned char *)arena.memory)[size + i],
		    0xa5);
	free(arena.memory);
}

static void
test_arena_edges(void **state)
{
	(void)state;
	with_every_kernel(check_arena_edges);
}

/* ---- refusals ------------------------------------------------------------ */

static void
test_kernel_choice(void **state)
{
	const char *best = lanes_name();

	(void)state;
	assert_string_equal(best, lanes_kernel_name(0));
	assert_null(lanes_kernel_name(100));
	assert_int_equal(lanes_choose("portable"), 0);
	assert_string_equal(lanes_name(), "portable");
	assert_int_equal(lanes_width(), 4);
	assert_int_equal(lanes_choose("abacus"), -1);
	assert_int_equal(lanes_choose(""), -1);
	assert_string_equal(lanes_name(), "portable");
	assert_int_equal(lanes_choose("auto"), 0);
	assert_string_equal(lanes_name(), best);
	assert_true(lanes_width() <= LANES_MAX);
}

static void
test_sizes(void **state)
{
	struct scrypt_cost owasp = { .log2_n = 15, .r = 8, .p = 3 };
	struct scrypt_cost most = { LANES_LOG2_N_MAX, LANES_R_MAX, 1 };
	uint64_t lane = (uint64_t)32 << 20;
	size_t one = lanes_arena_size(&owasp, 1);

	(void)state;
	assert_int_equal(lanes_block_size(&owasp), 1024);
	assert_true(one > lane && one < lane + (lane >> 10));
	assert_int_equal(lanes_arena_size(&owasp, 8), one + 7 * lane);
	assert_int_equal(lanes_arena_size(&owasp, 8) % LANES_ALIGNMENT, 0);
	if (sizeof(size_t) > 4)
		assert_true(lanes_arena_size(&most, LANES_MAX) >=
		    (uint64_t)LANES_MAX << 32);
	else
		assert_int_equal(lanes_arena_size(&most, LANES_MAX), 0);

	assert_int_equal(lanes_arena_size(&owasp, 0), 0);
	assert_int_equal(lanes_arena_size(&owasp, LANES_MAX + 1), 0);
}

/* Costs as a damaged row of the database could hold them. */
static const struct scrypt_cost bad_costs[] = {
	{ .log2_n = 0, .r = 8, .p = 1 },
	{ .log2_n = LANES_LOG2_N_MAX + 1, .r = 8, .p = 1 },
	{ .log2_n = 64, .r = 8, .p = 1 },
	{ .log2_n = UINT32_MAX, .r = 8, .p = 1 },
	{ .log2_n = 16, .r = 1, .p = 1 }, /* no scrypt: N >= 2^(128 * r / 8) */
	{ .log2_n = 4, .r = 0, .p = 1 },
	{ .log2_n = 4, .r = LANES_R_MAX + 1, .p = 1 },
	{ .log2_n = 4, .r = 1U << 25, .p = 1 },
	{ .log2_n = 4, .r = UINT32_MAX, .p = UINT32_MAX },
};

static void
assert_refused(const struct scrypt_cost *cost, const struct lanes_arena *arena)
{
	unsigned char block[1024], key[32], zeros[32] = { 0 };
	unsigned char *blocks[LANES_MAX + 1] = { block };

	memset(block, 0x5a, sizeof(block));
	memset(key, 0xff, sizeof(key));
	assert_int_equal(lanes_smix(cost, blocks, 1, arena), -1);
	assert_int_equal(block[0], 0x5a);
	assert_int_equal(lanes_scrypt(cost, "a", 1, "b", 1, key, sizeof(key),
	    arena), -1);
	assert_memory_equal(key, zeros, sizeof(key));
}

static void
test_refused_costs(void **state)
{
	struct scrypt_cost good = { .log2_n = 4, .r = 8, .p = 1 };
	struct lanes_arena arena = arena_new(&good, LANES_MAX);
	unsigned char block[1024], key[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_costs) / sizeof(bad_costs[0]); i++) {
		const struct scrypt_cost *bad = &bad_costs[i];

		assert_int_equal(lanes_arena_size(bad, 1), 0);
		assert_int_equal(lanes_block_size(bad), 0);
		assert_int_equal(lanes_spread(bad, "a", 1, "b", 1, block), -1);
		assert_int_equal(lanes_gather(bad, "a", 1, block, key, 32), -1);
		assert_refused(bad, &arena);
	}
	free(arena.memory);
}

/* p bounds what is filled and gathered, not what is mixed. */
static void
assert_p_refused(unsigned p)
{
	struct scrypt_cost cost = { .log2_n = 4, .r = 1, .p = p };
	struct lanes_arena arena = arena_new(&cost, 1);
	unsigned char block[128] = { 0 }, key[32];
	unsigned char *blocks[1] = { block };

	assert_int_equal(lanes_smix(&cost, blocks, 1, &arena), 0);
	assert_int_equal(lanes_spread(&cost, "a", 1, "b", 1, block), -1);
	assert_int_equal(lanes_gather(&cost, "a", 1, block, key, 32), -1);
	assert_int_equal(lanes_scrypt(&cost, "a", 1, "b", 1, key, 32, &arena),
	    -1);
	free(arena.memory);
}

static void
test_refused_p(void **state)
{
	(void)state;
	assert_p_refused(0);
	assert_p_refused(LANES_P_MAX + 1);
	assert_p_refused(UINT32_MAX);
}

static void
test_refused_arenas(void **state)
{
	struct scrypt_cost cost = { .log2_n = 4, .r = 8, .p = 2 };
	struct lanes_arena good = arena_new(&cost, 2), bad = good;

	(void)state;
	bad.size = lanes_arena_size(&cost, 1) - 1;
	assert_refused(&cost, &bad);
	bad.size = 0;
	assert_refused(&cost, &bad);
	bad = good;
	bad.memory = NULL;
	assert_refused(&cost, &bad);
	bad.memory = (unsigned char *)good.memory + 16;
	bad.size = lanes_arena_size(&cost, 1);
	assert_refused(&cost, &bad);
	free(good.memory);
}

static void
test_refused_counts(void **state)
{
	struct scrypt_cost cost = { .log2_n = 4, .r = 8, .p = 1 };
	struct lanes_arena arena = arena_new(&cost, LANES_MAX);
	unsigned char memory[LANES_MAX + 1][1024] = { { 0 } };
	unsigned char *blocks[LANES_MAX + 1];
	unsigned i;

	(void)state;
	for (i = 0; i <= LANES_MAX; i++)
		blocks[i] = memory[i];
	assert_int_equal(lanes_smix(&cost, blocks, 0, &arena), -1);
	assert_int_equal(lanes_smix(&cost, blocks, lanes_width() + 1, &arena),
	    -1);
	assert_int_equal(lanes_smix(&cost, blocks, UINT32_MAX, &arena), -1);

	/* Room for one lane is not room for two. */
	arena.size = lanes_arena_size(&cost, 1);
	assert_int_equal(lanes_smix(&cost, blocks, 2, &arena), -1);
	assert_int_equal(lanes_smix(&cost, blocks, 1, &arena), 0);
	free(arena.memory);
}

static void
test_refused_key_sizes(void **state)
{
	struct scrypt_cost cost = { .log2_n = 1, .r = 1, .p = 1 };
	struct lanes_arena arena = arena_new(&cost, 1);
	unsigned char block[128], key[1];

	(void)state;
	assert_int_equal(lanes_spread(&cost, NULL, 0, NULL, 0, block), 0);
	assert_int_equal(lanes_gather(&cost, NULL, 0, block, key, 0), -1);
	assert_int_equal(lanes_scrypt(&cost, "a", 1, "b", 1, key, 0, &arena),
	    -1);
	if (SIZE_MAX > INT32_MAX)
		assert_int_equal(lanes_spread(&cost, "a", (size_t)1 << 31, "b",
		    1, block), -1);
	free(arena.memory);
}

/* ---- the self-test ------------------------------------------------------- */

static void
test_self_test(void **state)
{
	(void)state;
	assert_int_equal(lanes_choose("portable"), 0);
	assert_int_equal(lanes_self_test(), 0);
	assert_string_equal(lanes_name(), "portable");
	assert_int_equal(lanes_choose(NULL), 0);
}

static void
test_self_test_notices(void **state)
{
	(void)state;
	spoil = true;
	assert_int_equal(lanes_self_test(), -1);
	spoil = false;
	assert_int_equal(lanes_self_test(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_every_count),
		cmocka_unit_test(test_every_mixture),
		cmocka_unit_test(test_unaligned_blocks),
		cmocka_unit_test(test_arena_edges),
		cmocka_unit_test(test_kernel_choice),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_refused_costs),
		cmocka_unit_test(test_refused_p),
		cmocka_unit_test(test_refused_arenas),
		cmocka_unit_test(test_refused_counts),
		cmocka_unit_test(test_refused_key_sizes),
		cmocka_unit_test(test_self_test),
		cmocka_unit_test(test_self_test_notices),
		cmocka_unit_test(test_people),
	};

	random_state = setting("LANES_TEST_SEED", (uint64_t)time(NULL));
	print_message("# LANES_TEST_SEED=%llu\n",
	    (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
