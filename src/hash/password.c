/* password.c - passwords become verifiers, and are checked against them; the one
 * place that asks for a derivation. */

#include <string.h>

#include "base/secret.h"
#include "base/normal.h"
#include "base/text.h"
#include "hash/foreign.h"
#include "hash/password.h"

_Static_assert(PASSWORD_SIZE_LIMIT == FOREIGN_PASSWORD_LIMIT,
    "a password that is taken may be another system's");

/* A password as it goes into the derivation: counted bytes; secret. */
struct prepared {
	char bytes[PASSWORD_SIZE_LIMIT];
	size_t size;
};

/* The verifier of people who are not there; its cost is that of new ones.
 * Written by password_init() alone. */
static struct scrypt_stored nobody;

void
password_init(const struct scrypt_cost *cost)
{
	nobody.cost = *cost;
	secret_random(nobody.salt, sizeof(nobody.salt));
	secret_random(nobody.hash, sizeof(nobody.hash));
}

/* Returns -1, with no bytes, for what cannot be a password. */
static int
prepare(const char *password, size_t size, struct prepared *prepared)
{
	ssize_t written;

	prepared->size = 0;
	if (size == 0 || size > sizeof(prepared->bytes))
		return -1;

	/* HMAC fills its key up with zeros (RFC 2104 section 2), so scrypt
	 * cannot tell "right\0" from "right". */
	if (password[size - 1] == '\0')
		return -1;
	if (text_is_ascii(password, size)) {
		memcpy(prepared->bytes, password, size);
		prepared->size = size;
		return 0;
	}
	written =
	    normal_nfkc(password, size, prepared->bytes, sizeof(prepared->bytes));
	if (written <= 0)
		return -1;
	prepared->size = (size_t)written;
	return 0;
}

/* Fill in the hash that belongs to the cost and salt. */
static enum gate_result
derive(const struct prepared *prepared, struct scrypt_stored *stored,
    struct gate_place *place)
{
	if (place != NULL)
		return gate_scrypt(place, &stored->cost, prepared->bytes,
		    prepared->size, stored->salt, sizeof(stored->salt),
		    stored->hash, sizeof(stored->hash));
	return scrypt_derive(&stored->cost, prepared->bytes, prepared->size,
		   stored->salt, sizeof(stored->salt), stored->hash) == 0 ?
	    GATE_OK :
	    GATE_FAILED;
}

int
password_make(const char *password, size_t size,
    char verifier[static PASSWORD_VERIFIER_SIZE], struct gate_place *place)
{
	struct scrypt_stored stored = { .cost = nobody.cost };
	struct prepared prepared;
	int result;

	secret_random(stored.salt, sizeof(stored.salt));
	result = prepare(password, size, &prepared);
	if (result == 0 && derive(&prepared, &stored, place) != GATE_OK)
		result = -1;
	if (result == 0)
		scrypt_format(&stored, verifier);
	secret_wipe(&prepared, sizeof(prepared));
	secret_wipe(&stored, sizeof(stored));
	return result;
}

/* Derive with the cost and salt of `stored` and compare with its hash: the same
 * steps whatever the password is.  UNREADABLE, after none, when the cost is too
 * large for the gate. */
static enum password_result
compare(const char *password, size_t size, const struct scrypt_stored *stored,
    struct gate_place *place)
{
	struct scrypt_stored derived = *stored;
	enum password_result result = PASSWORD_UNAVAILABLE;
	struct prepared prepared;
	bool possible, same;

	possible = prepare(password, size, &prepared) == 0;
	switch (derive(&prepared, &derived, place)) {
	case GATE_OK:
		same = secret_equal(derived.hash, stored->hash,
		    sizeof(derived.hash));
		result = possible && same ? PASSWORD_MATCH : PASSWORD_MISMATCH;
		break;
	case GATE_LATE:
		result = PASSWORD_BUSY;
		break;
	case GATE_GONE:
		result = PASSWORD_ABANDONED;
		break;
	case GATE_TOO_LARGE:
		result = PASSWORD_UNREADABLE;
		break;
	case GATE_FAILED:
		break;
	}
	secret_wipe(&prepared, sizeof(prepared));
	secret_wipe(&derived, sizeof(derived));
	return result;
}

/* Say that a verifier is UNREADABLE, after comparing with nobody's for the sake of
 * the clock alone. */
static enum password_result
give_up(const char *password, size_t size, struct gate_place *place)
{
	enum password_result result = compare(password, size, &nobody, place);

	if (result != PASSWORD_MATCH && result != PASSWORD_MISMATCH)
		return result;
	return PASSWORD_UNREADABLE;
}

/* A verifier that is not ours: another system's, or none at all. */
static enum password_result
check_foreign(const char *password, size_t size, const char *verifier,
    struct gate_place *place)
{
	switch (foreign_check(password, size, verifier, place)) {
	case FOREIGN_MATCH:
		return PASSWORD_MATCH;
	case FOREIGN_MISMATCH:
		return PASSWORD_MISMATCH;
	case FOREIGN_BUSY:
		return PASSWORD_BUSY;
	case FOREIGN_ABANDONED:
		return PASSWORD_ABANDONED;
	case FOREIGN_UNAVAILABLE:
		return PASSWORD_UNAVAILABLE;
	case FOREIGN_REFUSED:
		break;
	}
	return give_up(password, size, place);
}

enum password_result
password_check(const char *password, size_t size, const char *verifier,
    struct gate_place *place)
{
	struct scrypt_stored stored = nobody;
	enum password_result result;

	if (verifier != NULL && scrypt_parse(verifier, &stored) != 0)
		return check_foreign(password, size, verifier, place);
	result = compare(password, size, &stored, place);
	secret_wipe(&stored, sizeof(stored));
	if (result == PASSWORD_UNREADABLE)
		return give_up(password, size, place);
	if (verifier == NULL && result == PASSWORD_MATCH)
		return PASSWORD_MISMATCH;
	return result;
}

bool
password_needs_rehash(const char *verifier)
{
	struct scrypt_stored stored;
	const char *name;
	bool differs;

	if (scrypt_parse(verifier, &stored) != 0)
		return foreign_read(verifier, FOREIGN_MEMORY_MOST, &name) ==
		    FOREIGN_READABLE;
	differs = stored.cost.log2_n != nobody.cost.log2_n ||
		  stored.cost.r != nobody.cost.r ||
		  stored.cost.p != nobody.cost.p;
	secret_wipe(&stored, sizeof(stored));
	return differs;
}

const char *
password_verifier_form(const char *verifier, uint64_t memory_most,
    const char **why)
{
	struct scrypt_stored stored;
	const char *name;

	*why = NULL;
	if (scrypt_parse(verifier, &stored) == 0) {
		secret_wipe(&stored, sizeof(stored));
		return "scrypt";
	}
	switch (foreign_read(verifier, memory_most, &name)) {
	case FOREIGN_READABLE:
		return name;
	case FOREIGN_DAMAGED:
		*why = "it is cut off or garbled";
		return NULL;
	case FOREIGN_TOO_COSTLY:
		*why = "checking it would take too much time, or more memory "
		       "than hash_other_mib";
		return NULL;
	case FOREIGN_UNKNOWN:
		break;
	}
	*why = "it is of no known form";
	return NULL;
}
