/* lanes_mix.h - the kernel itself, written once for vectors of any size.
 *
 * Each lanes_*.c includes this, having defined
 *	LANES_PER_VECTOR	1, 2 or 4: a vector is that many times 128 bits
 *	LANES_GROUPS_MAX	how many vectors' worth are interleaved at most
 *	LANES_TARGET		the attribute that allows the instructions
 * and makes its gears of smix(), where the number of groups is a constant.
 *
 * The Salsa20 core works on a matrix of 4 by 4 words.  Held as its diagonals,
 * four words to a row, a whole quarter of a round is one addition, one rotation
 * and one exclusive-or of rows, and going from columns to rows is turning three
 * of the rows (D. J. Bernstein's form for vectors of 128 bits).  Wider vectors
 * hold the same row of several lanes.  The chain of operations has a long
 * latency and little width, so groups of vectors, independent of each other, go
 * through it interleaved.
 *
 * A block keeps this order of words in the scratch and in memory; only the way
 * in and the way out reorder it.  In memory each lane has its own blocks, each
 * block one cache line: the second half of SMix reads from another place for
 * each lane, and must not drag its neighbours' bytes along.
 */

#ifndef POSTERN_HASH_LANES_MIX_H
#define POSTERN_HASH_LANES_MIX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The portable form, so that this can be read alone. */
#ifndef LANES_PER_VECTOR
#define LANES_PER_VECTOR 1
#define LANES_GROUPS_MAX 4
#define LANES_TARGET
#endif

#define LANES_INLINE static inline __attribute__((always_inline)) LANES_TARGET

typedef uint32_t vec __attribute__((vector_size(16 * LANES_PER_VECTOR)));

/* The same anywhere in an arena: bytes to the caller. */
typedef vec loose_vec __attribute__((aligned(16), may_alias));

/* The rows of one 64-byte block, in each lane of one vector. */
struct rows {
	vec a, b, c, d;
};

#if defined(__clang__)
#define UNROLLED           _Pragma("clang loop unroll(full)")
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define UNROLLED           _Pragma("GCC unroll 8")
#define SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (vec){ __VA_ARGS__ })
#endif

/* For each group g of `groups`, a constant wherever it reaches such a loop. */
#define EACH_GROUP UNROLLED for (unsigned g = 0; g < groups; g++)

/* Indices for SHUFFLE: four words of lane i, all of it, the same of every lane. */
#define WORDS(i, p, q, r, s) \
	4 * (i) + (p), 4 * (i) + (q), 4 * (i) + (r), 4 * (i) + (s)
#define LANE(i) WORDS(i, 0, 1, 2, 3)
#if LANES_PER_VECTOR == 1
#define EVERY_LANE(p, q, r, s) WORDS(0, p, q, r, s)
#elif LANES_PER_VECTOR == 2
#define EVERY_LANE(p, q, r, s) WORDS(0, p, q, r, s), WORDS(1, p, q, r, s)
#else
#define EVERY_LANE(p, q, r, s) \
	WORDS(0, p, q, r, s), WORDS(1, p, q, r, s), \
	WORDS(2, p, q, r, s), WORDS(3, p, q, r, s)
#endif
#define TURN1(x) ((x) = SHUFFLE(x, x, EVERY_LANE(1, 2, 3, 0)))
#define TURN2(x) ((x) = SHUFFLE(x, x, EVERY_LANE(2, 3, 0, 1)))
#define TURN3(x) ((x) = SHUFFLE(x, x, EVERY_LANE(3, 0, 1, 2)))

LANES_INLINE uint32_t
le32_read(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

LANES_INLINE void
le32_write(unsigned char *p, uint32_t word)
{
	p[0] = (unsigned char)word;
	p[1] = (unsigned char)(word >> 8);
	p[2] = (unsigned char)(word >> 16);
	p[3] = (unsigned char)(word >> 24);
}

/* to ^= (p + q) <<< bits, which compilers know for a rotation. */
#define QUARTER(to, p, q, bits) \
	EACH_GROUP \
	{ \
		vec sum = x[g].p + x[g].q; \
		x[g].to ^= sum << (bits) | sum >> (32 - (bits)); \
	}

/* The Salsa20/8 core (RFC 7914 section 3). */
LANES_INLINE void
salsa20_8(struct rows *x, unsigned groups)
{
	struct rows before[LANES_GROUPS_MAX];

	EACH_GROUP
		before[g] = x[g];
	for (int round = 0; round < 8; round += 2) {
		QUARTER(b, a, d, 7)
		QUARTER(c, b, a, 9)
		QUARTER(d, c, b, 13)
		QUARTER(a, d, c, 18)
		EACH_GROUP {
			TURN3(x[g].b);
			TURN2(x[g].c);
			TURN1(x[g].d);
		}
		QUARTER(d, a, b, 7)
		QUARTER(c, d, a, 9)
		QUARTER(b, c, d, 13)
		QUARTER(a, b, c, 18)
		EACH_GROUP {
			TURN1(x[g].b);
			TURN2(x[g].c);
			TURN3(x[g].d);
		}
	}
	EACH_GROUP {
		x[g].a += before[g].a;
		x[g].b += before[g].b;
		x[g].c += before[g].c;
		x[g].d += before[g].d;
	}
}

LANES_INLINE void
xor_rows(struct rows *x, const struct rows *y, unsigned groups)
{
	EACH_GROUP {
		x[g].a ^= y[g].a;
		x[g].b ^= y[g].b;
		x[g].c ^= y[g].c;
		x[g].d ^= y[g].d;
	}
}

/*
 * From a row of all lanes in each vector to a lane's block in one vector (or
 * two halves of it, in a and c, for two lanes); and back, as it is its own
 * inverse.
 */
LANES_INLINE void
transpose(struct rows *x)
{
#if LANES_PER_VECTOR == 2
	struct rows y = *x;

	x->a = SHUFFLE(y.a, y.b, LANE(0), LANE(2));
	x->b = SHUFFLE(y.a, y.b, LANE(1), LANE(3));
	x->c = SHUFFLE(y.c, y.d, LANE(0), LANE(2));
	x->d = SHUFFLE(y.c, y.d, LANE(1), LANE(3));
#elif LANES_PER_VECTOR == 4
	vec low_ab = SHUFFLE(x->a, x->b, LANE(0), LANE(1), LANE(4), LANE(5));
	vec top_ab = SHUFFLE(x->a, x->b, LANE(2), LANE(3), LANE(6), LANE(7));
	vec low_cd = SHUFFLE(x->c, x->d, LANE(0), LANE(1), LANE(4), LANE(5));
	vec top_cd = SHUFFLE(x->c, x->d, LANE(2), LANE(3), LANE(6), LANE(7));

	x->a = SHUFFLE(low_ab, low_cd, LANE(0), LANE(2), LANE(4), LANE(6));
	x->b = SHUFFLE(low_ab, low_cd, LANE(1), LANE(3), LANE(5), LANE(7));
	x->c = SHUFFLE(top_ab, top_cd, LANE(0), LANE(2), LANE(4), LANE(6));
	x->d = SHUFFLE(top_ab, top_cd, LANE(1), LANE(3), LANE(5), LANE(7));
#else
	(void)x;
#endif
}

/* Where the i-th vector of a group lies after transpose(): lane by lane, and
 * in each as many vectors on as a block is longer than one of them. */
LANES_INLINE loose_vec *
place(unsigned char *const memory[], size_t at, unsigned g, unsigned i)
{
	unsigned lane = g * LANES_PER_VECTOR + i % LANES_PER_VECTOR;

	return (loose_vec *)(memory[lane] + at) + i / LANES_PER_VECTOR;
}

/* Write one block of each lane to its memory, `at` bytes on. */
LANES_INLINE void
hand_out(const struct rows *x, unsigned char *const memory[], size_t at,
    unsigned groups)
{
	EACH_GROUP {
		struct rows y = x[g];

		transpose(&y);
		*place(memory, at, g, 0) = y.a;
		*place(memory, at, g, 1) = y.b;
		*place(memory, at, g, 2) = y.c;
		*place(memory, at, g, 3) = y.d;
	}
}

/* Read one block of each lane from its memory, and xor it in. */
LANES_INLINE void
xor_in(struct rows *x, unsigned char *const memory[], size_t at,
    unsigned groups)
{
	EACH_GROUP {
		struct rows y = {
			*place(memory, at, g, 0),
			*place(memory, at, g, 1),
			*place(memory, at, g, 2),
			*place(memory, at, g, 3),
		};

		transpose(&y);
		xor_rows(&x[g], &y, 1);
	}
}

/* Where BlockMix puts its k-th block: the even ones first, then the odd. */
LANES_INLINE size_t
shuffled(size_t k, uint32_t r)
{
	return k / 2 + (k & 1 ? r : 0);
}

/*
 * One step of the first loop of SMix: V[i] = X; X = BlockMix(X), from `in` to
 * `out`.  A state is 2r times `groups` rows; `at` is where V[i] lies.
 */
LANES_INLINE void
fill_step(const struct rows *in, struct rows *out,
    unsigned char *const memory[], size_t at, uint32_t r, unsigned groups)
{
	struct rows x[LANES_GROUPS_MAX];
	size_t k;

	EACH_GROUP
		x[g] = in[(2 * r - 1) * groups + g];
	for (k = 0; k < 2 * r; k++) {
		hand_out(in + k * groups, memory, at + k * 64, groups);
		xor_rows(x, in + k * groups, groups);
		salsa20_8(x, groups);
		EACH_GROUP
			out[shuffled(k, r) * groups + g] = x[g];
	}
}

/*
 * Find each lane's V[j], j = Integerify(X) mod N.  N is at most 2^32, so the
 * first word of the last block tells, which stays first in the order of
 * diagonals.  All of V[j] is called up now, to arrive while the first blocks
 * of it are being worked on.
 */
LANES_INLINE void
find(const struct rows *x, unsigned char *const memory[],
    unsigned char *found[], uint32_t n, uint32_t r, unsigned groups)
{
	const struct rows *last = x + (2 * r - 1) * groups;
	size_t k, j;
	unsigned i;

	for (i = 0; i < groups * LANES_PER_VECTOR; i++) {
		j = last[i / LANES_PER_VECTOR].a[4 * (i % LANES_PER_VECTOR)] &
		    (n - 1);
		found[i] = memory[i] + j * 128 * r;
		for (k = 0; k < 2 * r; k++)
			__builtin_prefetch(found[i] + k * 64);
	}
}

/* One step of the second loop: X = BlockMix(X xor V[j]). */
LANES_INLINE void
mix_step(const struct rows *in, struct rows *out,
    unsigned char *const memory[], uint32_t n, uint32_t r, unsigned groups)
{
	unsigned char *found[LANES_GROUPS_MAX * LANES_PER_VECTOR];
	struct rows x[LANES_GROUPS_MAX];
	size_t k;

	find(in, memory, found, n, r, groups);
	EACH_GROUP
		x[g] = in[(2 * r - 1) * groups + g];
	xor_in(x, found, (2 * r - 1) * 64, groups);
	for (k = 0; k < 2 * r; k++) {
		xor_rows(x, in + k * groups, groups);
		xor_in(x, found, k * 64, groups);
		salsa20_8(x, groups);
		EACH_GROUP
			out[shuffled(k, r) * groups + g] = x[g];
	}
}

/* The order of diagonals: each word is five on from the one before, of 16. */
LANES_INLINE void
read_block(struct rows *x, unsigned lane, const unsigned char *block)
{
	uint32_t words[16];
	unsigned i;

	for (i = 0; i < 16; i++)
		words[i] = le32_read(block + 4 * (i * 5 % 16));
	for (i = 0; i < 4; i++)
		memcpy((unsigned char *)x + i * sizeof(vec) + lane * 16,
		    words + 4 * i, 16);
}

LANES_INLINE void
write_block(const struct rows *x, unsigned lane, unsigned char *block)
{
	uint32_t words[16];
	unsigned i;

	for (i = 0; i < 4; i++)
		memcpy(words + 4 * i, (const unsigned char *)x +
		    i * sizeof(vec) + lane * 16, 16);
	for (i = 0; i < 16; i++)
		le32_write(block + 4 * (i * 5 % 16), words[i]);
}

/* A lanes_mix, of `groups` times LANES_PER_VECTOR lanes. */
LANES_INLINE void
smix(unsigned char *const blocks[], unsigned char *const memory[],
    void *scratch, uint32_t n, uint32_t r, unsigned groups)
{
	struct rows *x = scratch, *y = x + (size_t)2 * r * groups;
	unsigned lanes = groups * LANES_PER_VECTOR;
	size_t step = (size_t)128 * r;
	size_t i, k;

	for (k = 0; k < 2 * r; k++)
		for (i = 0; i < lanes; i++)
			read_block(&x[k * groups + i / LANES_PER_VECTOR],
			    i % LANES_PER_VECTOR, blocks[i] + k * 64);

	/* Two steps at a time, there and back, as N is even. */
	for (i = 0; i < n; i += 2) {
		fill_step(x, y, memory, i * step, r, groups);
		fill_step(y, x, memory, (i + 1) * step, r, groups);
	}
	for (i = 0; i < n; i += 2) {
		mix_step(x, y, memory, n, r, groups);
		mix_step(y, x, memory, n, r, groups);
	}

	for (k = 0; k < 2 * r; k++)
		for (i = 0; i < lanes; i++)
			write_block(&x[k * groups + i / LANES_PER_VECTOR],
			    i % LANES_PER_VECTOR, blocks[i] + k * 64);
}

#endif
