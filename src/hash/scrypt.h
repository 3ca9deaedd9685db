/* scrypt.h - scrypt (RFC 7914) and the form its results are stored in; the only
 * home of libscrypt. */

#ifndef POSTERN_HASH_SCRYPT_H
#define POSTERN_HASH_SCRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRYPT_SALT_SIZE 16
#define SCRYPT_HASH_SIZE 64

/* "$s1$0f0803$" + 24 + "$" + 88, and the NUL. */
#define SCRYPT_STORED_SIZE 128

/* The cost: N = 2^log2_n, block size r, parallelism p (RFC 7914 section 2). */
struct scrypt_cost {
	unsigned log2_n;
	unsigned r;
	unsigned p;
};

/* A stored verifier, taken apart. */
struct scrypt_stored {
	struct scrypt_cost cost;
	unsigned char salt[SCRYPT_SALT_SIZE];
	unsigned char hash[SCRYPT_HASH_SIZE];
};

/*
 * May this cost be computed here?  1 <= log2_n <= 20, 1 <= r <= 32,
 * 1 <= p <= 16, and 128*N*r within 256 MiB: so a row in the database cannot take
 * the machine's memory.  N < 2^(16*r), as RFC 7914 section 6 wants.
 */
bool scrypt_cost_allowed(const struct scrypt_cost *cost);

/* Bytes of memory that one computation takes: 128*N*r.  (libscrypt takes some
 * KiB beside.) */
uint64_t scrypt_memory(const struct scrypt_cost *cost);

/*
 * Compute scrypt of `size` bytes (not cut at a NUL).  Returns 0, or -1 when the
 * cost is not allowed or memory is out; nothing is logged.
 */
int scrypt_derive(const struct scrypt_cost *cost, const void *password,
    size_t size, const void *salt, size_t salt_size,
    unsigned char hash[static SCRYPT_HASH_SIZE]);

/*
 * Write libscrypt's form, NUL-terminated: "$s1$", log2_n, r and p as two
 * hexadecimal digits each, "$", salt, "$", hash, both in base64 with padding
 * (RFC 4648 section 4).
 */
void scrypt_format(const struct scrypt_stored *stored,
    char text[static SCRYPT_STORED_SIZE]);

/* Read exactly what scrypt_format() writes for an allowed cost, and nothing
 * behind it.  Returns 0; or -1 and leaves *stored alone. */
int scrypt_parse(const char *text, struct scrypt_stored *stored);

#endif
