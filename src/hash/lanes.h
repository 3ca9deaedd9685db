/* lanes.h - several scrypt computations side by side on one core, one in each
 * lane of the processor's vectors. */

#ifndef POSTERN_HASH_LANES_H
#define POSTERN_HASH_LANES_H

#include <stddef.h>

#include "hash/scrypt.h"

/*
 * scrypt (RFC 7914 section 6; C. Percival, "Stronger key derivation via
 * sequential memory-hard functions", 2009) spreads a password over p blocks,
 * mixes each block by itself with 128*N*r bytes of memory (SMix, section 5),
 * and gathers them into a key.  One SMix is a chain in which each step waits for
 * the one before, so that it leaves most of a core idle.  Several of them,
 * of one password or of several people's, fill that core:
 *
 *	lanes_spread()	password, salt -> p blocks	PBKDF2, cheap
 *	lanes_smix()	up to lanes_width() blocks	all of the cost
 *	lanes_gather()	password, p blocks -> key	PBKDF2, cheap
 *
 * lanes_scrypt() is the three of them for one password.  Passwords are counted
 * strings.  Nothing here logs, and nothing here takes memory of the size of
 * 128*N*r: that is the caller's.
 */

/* The most lanes that any kernel has. */
#define LANES_MAX 8

/* Bounds of a cost; who reads one from a database wants narrower ones. */
#define LANES_LOG2_N_MAX 20
#define LANES_R_MAX      32
#define LANES_P_MAX      256

/* Where an arena begins: a cache line. */
#define LANES_ALIGNMENT 64

/*
 * Memory to compute in: the caller's, shared or private, written by one call at
 * a time.  It needs no initial content and keeps nothing from one call to the
 * next, but what is left in it is as secret as the password: whoever gives it
 * back wipes it, and keeps it out of core dumps.  Huge pages help a little.
 */
struct lanes_arena {
	void *memory; /* aligned to LANES_ALIGNMENT */
	size_t size;  /* bytes, at least lanes_arena_size() */
};

/*
 * Choose the kernel by name, or the best for this processor when `name` is NULL
 * or "auto".  For the whole process: call it at start, before there are threads
 * or children.  Without it the best is used.  Returns 0, or -1 when the name is
 * unknown or this processor cannot run it; then nothing changes.
 */
int lanes_choose(const char *name);

/* The name of the kernel in use. */
const char *lanes_name(void);

/* The i-th kernel that this processor can run, best first; NULL past the last.
 * Its name is for lanes_choose(). */
const char *lanes_kernel_name(unsigned i);

/* How many blocks the kernel in use mixes side by side: 4 or 8.  Fewer take
 * about as long as all of them. */
unsigned lanes_width(void);

/*
 * Bytes of arena for `width` blocks (1 to LANES_MAX) at the cost's N and r; its
 * p does not matter.  About width * 128*N*r; the same for every kernel.  Returns
 * 0 when the cost is out of bounds or the sum does not fit a size_t.
 */
size_t lanes_arena_size(const struct scrypt_cost *cost, unsigned width);

/* Bytes of one block: 128*r.  Returns 0 when the cost is out of bounds. */
size_t lanes_block_size(const struct scrypt_cost *cost);

/*
 * Mix `count` blocks in place (scryptROMix, RFC 7914 section 5), side by side,
 * at the cost's N and r.  The blocks are lanes_block_size() bytes each, all
 * different, with any alignment, in nobody else's hands meanwhile; they may
 * belong to different passwords.  The time depends on the blocks only through
 * scrypt's own reads of its memory.  Returns 0; or -1 with all blocks untouched
 * when there are none or more than lanes_width(), the cost is out of bounds, or
 * the arena is misaligned or too small.
 */
int lanes_smix(const struct scrypt_cost *cost, unsigned char *const blocks[],
    unsigned count, const struct lanes_arena *arena);

/*
 * The first part of scrypt (RFC 7914 section 6 step 1): fill p blocks, one after
 * another, p * lanes_block_size() bytes.  They are secret.  Returns 0; or -1
 * when the cost is out of bounds, a size is above INT_MAX, or OpenSSL fails.
 */
int lanes_spread(const struct scrypt_cost *cost, const void *password,
    size_t size, const void *salt, size_t salt_size, unsigned char *blocks);

/*
 * The last part (step 3): make `key_size` bytes of key from the mixed blocks.
 * Does not wipe the blocks.  Returns 0; or -1 as lanes_spread() does, also when
 * key_size is 0.
 */
int lanes_gather(const struct scrypt_cost *cost, const void *password,
    size_t size, const unsigned char *blocks, unsigned char *key,
    size_t key_size);

/*
 * scrypt of one password (RFC 7914 section 6), as many of its p blocks side by
 * side as the kernel and the arena have room for.  Takes p * 128*r bytes of
 * memory for the time of the call, and wipes them.  Returns 0; or -1 in the
 * cases of the three parts, or when that memory is out; then the key is all
 * zeros.
 */
int lanes_scrypt(const struct scrypt_cost *cost, const void *password,
    size_t size, const void *salt, size_t salt_size, unsigned char *key,
    size_t key_size, const struct lanes_arena *arena);

/*
 * Does every kernel that this processor can run compute scrypt?  Compares each
 * number of lanes with the vectors of RFC 7914 section 12 and with libscrypt, in
 * a few milliseconds.  For the start of a program: leaves the choice of kernel
 * as it was.  Returns 0; or -1 when any answer differs or memory is out: then
 * nothing else here may be used.
 */
int lanes_self_test(void);

#endif
