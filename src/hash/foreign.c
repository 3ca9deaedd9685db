/* foreign.c - which form a verifier has, and what all forms have in common. */

#include <errno.h>
#include <string.h>

#include "base/normal.h"
#include "base/secret.h"
#include "hash/foreign_private.h"

/* The last one has no prefix, only a shape. */
static const struct foreign_form forms[] = {
	{ "$2a$", "bcrypt", foreign_crypt_parse_bcrypt,
	    foreign_crypt_derive_bcrypt, FOREIGN_PASSWORD_LIMIT, false },
	{ "$2b$", "bcrypt", foreign_crypt_parse_bcrypt,
	    foreign_crypt_derive_bcrypt, FOREIGN_PASSWORD_LIMIT, false },
	{ "$2y$", "bcrypt", foreign_crypt_parse_bcrypt,
	    foreign_crypt_derive_bcrypt, FOREIGN_PASSWORD_LIMIT, false },
	{ "$5$", "sha256-crypt", foreign_crypt_parse_sha256,
	    foreign_crypt_derive, FOREIGN_CRYPT_LONGEST, false },
	{ "$6$", "sha512-crypt", foreign_crypt_parse_sha512,
	    foreign_crypt_derive, FOREIGN_CRYPT_LONGEST, false },
	{ "$y$", "yescrypt", foreign_crypt_parse_yescrypt, foreign_crypt_derive,
	    FOREIGN_CRYPT_LONGEST, false },
	{ "$argon2id$", "argon2id", foreign_argon2_parse,
	    foreign_argon2_derive_id, FOREIGN_PASSWORD_LIMIT, false },
	{ "$argon2i$", "argon2i", foreign_argon2_parse, foreign_argon2_derive_i,
	    FOREIGN_PASSWORD_LIMIT, false },
	{ "$scrypt$", "scrypt", foreign_scrypt_parse_phc, foreign_scrypt_derive,
	    FOREIGN_PASSWORD_LIMIT, false },
	{ "$7$", "scrypt", foreign_scrypt_parse_7, foreign_scrypt_derive,
	    FOREIGN_PASSWORD_LIMIT, false },
	{ "$fbscrypt$", "Firebase scrypt", foreign_firebase_parse,
	    foreign_firebase_derive, FOREIGN_PASSWORD_LIMIT, false },
	{ "pbkdf2_sha256$", "pbkdf2-sha256", foreign_pbkdf2_parse_django,
	    foreign_pbkdf2_derive_sha256, FOREIGN_PASSWORD_LIMIT, false },
	{ "$pbkdf2-sha256$", "pbkdf2-sha256", foreign_pbkdf2_parse_sha256,
	    foreign_pbkdf2_derive_sha256, FOREIGN_PASSWORD_LIMIT, false },
	{ "$pbkdf2-sha512$", "pbkdf2-sha512", foreign_pbkdf2_parse_sha512,
	    foreign_pbkdf2_derive_sha512, FOREIGN_PASSWORD_LIMIT, false },
	{ "", "better-auth scrypt", foreign_scrypt_parse_better_auth,
	    foreign_scrypt_derive, FOREIGN_PASSWORD_LIMIT, true },
};

static const struct foreign_form *
form_of(const char *verifier)
{
	const struct foreign_form *form = forms;

	while (strncmp(verifier, form->prefix, strlen(form->prefix)) != 0)
		form++;
	return form;
}

static enum foreign_state
parse(const char *verifier, uint64_t memory_most, struct foreign *foreign)
{
	enum foreign_state state;

	if (strnlen(verifier, FOREIGN_LENGTH_LIMIT + 1) > FOREIGN_LENGTH_LIMIT)
		return FOREIGN_UNKNOWN;
	memset(foreign, 0, sizeof(*foreign));
	foreign->text = verifier;
	foreign->form = form_of(verifier);
	state = foreign->form->parse(verifier + strlen(foreign->form->prefix),
	    foreign);
	if (state == FOREIGN_READABLE && foreign->memory > memory_most)
		return FOREIGN_TOO_COSTLY;
	return state;
}

enum foreign_state
foreign_read(const char *verifier, uint64_t memory_most, const char **name)
{
	struct foreign foreign;
	enum foreign_state state = parse(verifier, memory_most, &foreign);

	*name = state == FOREIGN_UNKNOWN ? NULL : foreign.form->name;
	secret_wipe(&foreign, sizeof(foreign));
	return state;
}

/* Returns -1, with the empty password, for what never matches. */
static int
prepare(const char *text, size_t size, const struct foreign_form *form,
    struct foreign_password *password)
{
	ssize_t written = (ssize_t)size;

	password->size = 0;
	password->text[0] = '\0';
	if (size == 0 || size > form->longest ||
	    memchr(text, '\0', size) != NULL)
		return -1;
	if (form->normalises)
		written =
		    normal_nfkc(text, size, password->text, form->longest);
	else
		memcpy(password->text, text, size);
	if (written <= 0)
		return -1;
	password->size = (size_t)written;
	password->text[written] = '\0';
	return 0;
}

/* What is done in a slot. */
struct work {
	const struct foreign *foreign;
	struct foreign_password password;
	unsigned char hash[FOREIGN_HASH_LIMIT];
	int error; /* of the form's derive */
};

static int
derive(void *argument)
{
	struct work *work = argument;

	work->error = work->foreign->form->derive(work->foreign,
	    &work->password, work->hash);
	return 0;
}

static enum foreign_result
derive_in_slot(struct work *work, struct gate_place *place)
{
	enum gate_result run = GATE_OK;

	if (place != NULL)
		run = gate_run(place, work->foreign->memory, derive, work);
	else
		derive(work);
	switch (run) {
	case GATE_OK:
		break;
	case GATE_LATE:
		return FOREIGN_BUSY;
	case GATE_GONE:
		return FOREIGN_ABANDONED;
	case GATE_TOO_LARGE:
		return FOREIGN_REFUSED;
	case GATE_FAILED:
		return FOREIGN_UNAVAILABLE;
	}
	if (work->error != 0)
		return work->error == ENOMEM ? FOREIGN_UNAVAILABLE
					     : FOREIGN_REFUSED;
	return secret_equal(work->hash, work->foreign->hash,
		   work->foreign->hash_size)
		   ? FOREIGN_MATCH
		   : FOREIGN_MISMATCH;
}

/* Derive and compare: the same steps whatever the password is. */
static enum foreign_result
compare(const char *text, size_t size, const struct foreign *foreign,
    struct gate_place *place)
{
	struct work work = { .foreign = foreign };
	enum foreign_result result;
	bool possible;

	possible = prepare(text, size, foreign->form, &work.password) == 0;
	result = derive_in_slot(&work, place);
	secret_wipe(&work, sizeof(work));
	if (result == FOREIGN_MATCH && !possible)
		return FOREIGN_MISMATCH;
	return result;
}

enum foreign_result
foreign_check(const char *password, size_t size, const char *verifier,
    struct gate_place *place)
{
	struct foreign foreign;
	enum foreign_result result = FOREIGN_REFUSED;

	if (parse(verifier, FOREIGN_MEMORY_MOST, &foreign) == FOREIGN_READABLE)
		result = compare(password, size, &foreign, place);
	secret_wipe(&foreign, sizeof(foreign));
	return result;
}
