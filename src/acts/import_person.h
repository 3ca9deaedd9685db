/* import_person.h - what a record of another system says of somebody, and whether
 * they may be added. */

#ifndef POSTERN_ACTS_IMPORT_PERSON_H
#define POSTERN_ACTS_IMPORT_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/email.h"
#include "store/admin_accounts.h"
#include "store/logins.h"

#define IMPORT_WHY_SIZE 160

/* Somebody who may be added, or why not. */
struct import_person {
	int64_t line; /* of the file, where the record begins; from 1 */
	char why[IMPORT_WHY_SIZE];
	char login_key[EMAIL_SIZE];
	char email[EMAIL_SIZE];
	char name[ACCOUNT_NAME_SIZE];       /* "": none */
	char verifier[LOGIN_VERIFIER_SIZE]; /* "": no password */
	enum account_status status;
};

struct import_rules {
	enum account_status status; /* where a record has none */
	bool ignore_unknown;        /* fields that are none of ours */
	uint64_t hash_memory_most;  /* bytes that checking a hash may take */
};

enum import_field {
	IMPORT_FIELD_EMAIL,
	IMPORT_FIELD_HASH,
	IMPORT_FIELD_STATUS,
	IMPORT_FIELD_NAME,
	IMPORT_FIELD_COUNT,
	IMPORT_FIELD_UNKNOWN = IMPORT_FIELD_COUNT,
};

/* What a record says, before it is judged; borrowed.  NULL: nothing. */
struct import_said {
	const char *text[IMPORT_FIELD_COUNT]; /* counted; no NUL behind it */
	size_t size[IMPORT_FIELD_COUNT];
};

/*
 * Which field has this name, in upper or lower case?  UNKNOWN where the rules
 * ignore such; where they do not, returns false and why.
 */
bool import_person_field(const struct import_rules *rules, const char *name,
    size_t size, enum import_field *field, char why[static IMPORT_WHY_SIZE]);

/*
 * Hold each field against the rules of its kind, and the hash against the forms
 * that can be checked at a sign-in.  True, and the person, who was all zero but for
 * the line, is complete; or false and person->why, which repeats nothing of the
 * record.
 */
bool import_person_judge(const struct import_said *said,
    const struct import_rules *rules, struct import_person *person);

#endif
