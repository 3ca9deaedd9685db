/* foreign_argon2.c - Argon2 (RFC 9106) in the form of its reference library; the
 * only home of libargon2. */

#include <argon2.h>
#include <errno.h>
#include <string.h>

#include "hash/foreign_private.h"

#define SALT_LEAST 8
#define HASH_MOST  64

/* "v=19$": without it a hash is of the version before. */
static bool
take_version(const char **at, uint32_t *version)
{
	*version = ARGON2_VERSION_10;
	if (!foreign_text_word(at, "v="))
		return true;
	return foreign_text_number(at, version) &&
	       (*version == ARGON2_VERSION_10 ||
		   *version == ARGON2_VERSION_13) &&
	       foreign_text_word(at, "$");
}

/* "m=65536,t=3,p=4" */
static bool
take_cost(const char **at, struct foreign *foreign)
{
	return foreign_text_word(at, "m=") &&
	       foreign_text_number(at, &foreign->memory_kib) &&
	       foreign_text_word(at, ",t=") &&
	       foreign_text_number(at, &foreign->passes) &&
	       foreign_text_word(at, ",p=") &&
	       foreign_text_number(at, &foreign->lanes) &&
	       foreign->passes >= 1 && foreign->lanes >= 1 &&
	       foreign->memory_kib >= (uint64_t)8 * foreign->lanes;
}

static bool
take_salt_and_hash(const char *at, struct foreign *foreign)
{
	return foreign_text_word(&at, "$") &&
	       foreign_text_base64(&at, '$', foreign->salt,
		   sizeof(foreign->salt), &foreign->salt_size) &&
	       foreign_text_word(&at, "$") &&
	       foreign_text_base64(&at, '\0', foreign->hash, HASH_MOST,
		   &foreign->hash_size) &&
	       foreign->salt_size >= SALT_LEAST &&
	       foreign->hash_size >= FOREIGN_HASH_LEAST;
}

enum foreign_state
foreign_argon2_parse(const char *rest, struct foreign *foreign)
{
	if (!take_version(&rest, &foreign->version) ||
	    !take_cost(&rest, foreign) || !take_salt_and_hash(rest, foreign))
		return FOREIGN_DAMAGED;
	foreign->memory = (uint64_t)foreign->memory_kib << 10;
	return foreign->passes > FOREIGN_WORK_MOST / foreign->memory
		   ? FOREIGN_TOO_COSTLY
		   : FOREIGN_READABLE;
}

static int
derive(const struct foreign *foreign, struct foreign_password *password,
    unsigned char *hash, argon2_type type)
{
	unsigned char salt[FOREIGN_SALT_LIMIT];
	argon2_context context = {
		.out = hash,
		.outlen = (uint32_t)foreign->hash_size,
		.pwd = (uint8_t *)password->text,
		.pwdlen = (uint32_t)password->size,
		.salt = salt,
		.saltlen = (uint32_t)foreign->salt_size,
		.t_cost = foreign->passes,
		.m_cost = foreign->memory_kib,
		.lanes = foreign->lanes,
		.threads = 1, /* a hash has one core, however many lanes */
		.version = foreign->version,
		.flags = ARGON2_DEFAULT_FLAGS,
	};

	memcpy(salt, foreign->salt, sizeof(salt));
	switch (argon2_ctx(&context, type)) {
	case ARGON2_OK:
		return 0;
	case ARGON2_MEMORY_ALLOCATION_ERROR:
		return ENOMEM;
	default:
		return EINVAL;
	}
}

int
foreign_argon2_derive_i(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	return derive(foreign, password, hash, Argon2_i);
}

int
foreign_argon2_derive_id(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT])
{
	return derive(foreign, password, hash, Argon2_id);
}
