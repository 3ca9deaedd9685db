/* password.h - make a stored verifier from a password, and check against it. */

#ifndef POSTERN_HASH_PASSWORD_H
#define POSTERN_HASH_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "hash/gate.h"
#include "hash/scrypt.h"

/* The longest password taken, in bytes of UTF-8, before and after
 * normalisation. */
#define PASSWORD_SIZE_LIMIT 1024

/* A verifier as the database holds it, and its NUL. */
#define PASSWORD_VERIFIER_SIZE SCRYPT_STORED_SIZE

enum password_result {
	PASSWORD_MATCH,
	PASSWORD_MISMATCH,
	PASSWORD_UNREADABLE,  /* the verifier is of no form or cost we can check */
	PASSWORD_BUSY,        /* not computed: waited until the deadline */
	PASSWORD_ABANDONED,   /* not computed: nobody wants to know any more */
	PASSWORD_UNAVAILABLE, /* not computed: memory is out */
};

/*
 * Once in a process, before the others: the cost of new verifiers, and a
 * verifier of this cost that nothing matches, for people who are not there.
 */
void password_init(const struct scrypt_cost *cost);

/*
 * Both calls below compute in a place of the gate; where that is NULL, here and
 * now, by libscrypt: for programs that have no gate.
 *
 * Make a verifier with a fresh salt.  A password with characters beyond ASCII
 * is normalised first (NFKC, NIST SP 800-63B section 5.1.1.2), so that it can be
 * typed on any keyboard.  Returns 0; or -1 when it is empty, too long, not UTF-8,
 * ends in U+0000 (scrypt would not see that end), or it cannot be computed now.
 */
int password_make(const char *password, size_t size,
    char verifier[static PASSWORD_VERIFIER_SIZE], struct gate_place *place);

/*
 * Check a password against a verifier, or against nobody's when it is NULL: the
 * same work, and never a match.  MATCH and MISMATCH take equally long, so the
 * answer cannot be read from the clock; an unreadable verifier costs as much as
 * nobody's, too.  (One made with another cost, or by another system
 * (foreign.h), takes the time of that, until it is made anew.)  The password is
 * a counted string: "right\0x" is not "right".  One that password_make() would
 * refuse is a MISMATCH, after the same work.  Nothing is logged: the caller
 * knows whose verifier it is.
 */
enum password_result password_check(const char *password, size_t size,
    const char *verifier, struct gate_place *place);

/*
 * Should the verifier be made anew: does it have another cost than password_init()
 * was given, or another system's form?  Asked after a MATCH; no for one that
 * cannot be read.
 */
bool password_needs_rehash(const char *verifier);

/*
 * What can be told of a verifier by its look: the name of its form, "scrypt" for
 * ours too; or NULL when password_check() would find it unreadable in a gate with
 * `memory_most` bytes for other systems' hashes, and the reason in *why, a
 * constant.
 */
const char *password_verifier_form(const char *verifier, uint64_t memory_most,
    const char **why);

#endif
