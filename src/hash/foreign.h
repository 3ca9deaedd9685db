/* foreign.h - verifiers that other systems made: checked once, at the first
 * sign-in after a move, and then replaced by one of our own. */

#ifndef POSTERN_HASH_FOREIGN_H
#define POSTERN_HASH_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "hash/gate.h"

/* The longest verifier and the longest password that are looked at, in bytes. */
#define FOREIGN_LENGTH_LIMIT   511
#define FOREIGN_PASSWORD_LIMIT 1024

/* More memory is taken for none. */
#define FOREIGN_MEMORY_MOST ((uint64_t)256 << 20)

enum foreign_state {
	FOREIGN_READABLE,
	FOREIGN_UNKNOWN,    /* of no form known here */
	FOREIGN_DAMAGED,    /* of a known form, but cut off or garbled */
	FOREIGN_TOO_COSTLY, /* asks for more time or memory than is given */
};

/*
 * Read a verifier without computing anything.  One that takes more bytes of memory
 * than `memory_most` is TOO_COSTLY.  *name is what its form is called ("bcrypt"),
 * NULL for UNKNOWN; a form made of nothing but its shape is UNKNOWN when it is
 * damaged.
 *
 *	$2a$ $2b$ $2y$                       bcrypt, cost 4 to 15
 *	$5$ $6$                              SHA-crypt, up to 1000000 rounds
 *	$y$                                  yescrypt
 *	$argon2id$ $argon2i$                 Argon2 (RFC 9106), versions 16 and 19
 *	$scrypt$ln=,r=,p=$  $7$              scrypt (RFC 7914)
 *	$fbscrypt$v=1,n=,r=,p=1,ss=,sk=      Firebase's scrypt
 *	pbkdf2_sha256$                       Django
 *	$pbkdf2-sha256$ $pbkdf2-sha512$      passlib
 *	SALT:HASH in hexadecimal             better-auth's scrypt
 *
 * What is READABLE takes at most FOREIGN_MEMORY_MOST, and about three seconds of
 * one core, whatever the password.  Sizes and parameters are held against that
 * before memory is taken.  One thread is used, also where an Argon2 hash was made
 * with several lanes.
 */
enum foreign_state foreign_read(const char *verifier, uint64_t memory_most,
    const char **name);

enum foreign_result {
	FOREIGN_MATCH,
	FOREIGN_MISMATCH,
	FOREIGN_REFUSED,     /* not READABLE, too large for a slot of the gate, or
	                        the library will not compute */
	FOREIGN_BUSY,        /* not computed: waited until the deadline */
	FOREIGN_ABANDONED,   /* not computed: nobody wants to know any more */
	FOREIGN_UNAVAILABLE, /* not computed: memory is out */
};

/*
 * Check a password, in a slot of the gate unless `place` is NULL.  MATCH and
 * MISMATCH take equally long, which is the time of the verifier's own form and
 * cost and not that of new ones: so the clock may tell that somebody has not
 * signed in since the move.
 *
 * The password is taken as it was typed, because that is what the other system
 * hashed; it is normalised (NFKC) only for better-auth, which did so too.  One
 * with a NUL, which some forms would cut there, or of no byte or more than
 * FOREIGN_PASSWORD_LIMIT, never matches.  bcrypt looks at 72 bytes and no more: a
 * longer password matches by its beginning, as it did where it came from.
 */
enum foreign_result foreign_check(const char *password, size_t size,
    const char *verifier, struct gate_place *place);

#endif
