/* import_person.c - what a record says of somebody, judged. */

#include "acts/import_person.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "acts/account.h"
#include "base/text.h"
#include "hash/password.h"

static const struct {
	const char *name;
	enum import_field field;
} field_names[] = {
	{ "email", IMPORT_FIELD_EMAIL },
	{ "hash", IMPORT_FIELD_HASH },
	{ "password_hash", IMPORT_FIELD_HASH },
	{ "passwordHash", IMPORT_FIELD_HASH },
	{ "status", IMPORT_FIELD_STATUS },
	{ "name", IMPORT_FIELD_NAME },
	{ "display_name", IMPORT_FIELD_NAME },
	{ "displayName", IMPORT_FIELD_NAME },
};

static enum import_field
field_of(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(field_names) / sizeof(field_names[0]);
	     i++)
		if (strlen(field_names[i].name) == size &&
		    strncasecmp(field_names[i].name, name, size) == 0)
			return field_names[i].field;
	return IMPORT_FIELD_UNKNOWN;
}

/* Why a field is not taken; its name only as far as it can be shown. */
static void
explain_unknown(const char *name, size_t size, char *why)
{
	if (size == 8 && strncasecmp(name, "password", size) == 0)
		snprintf(why, IMPORT_WHY_SIZE,
		    "passwords are not taken, only "
		    "their hashes (field \"hash\")");
	else if (size < 60 && text_is_utf8(name, size) &&
		 memchr(name, '\0', size) == NULL)
		snprintf(why, IMPORT_WHY_SIZE, "there is no field \"%.*s\"",
		    (int)size, name);
	else
		snprintf(why, IMPORT_WHY_SIZE, "one of the fields is unknown");
}

bool
import_person_field(const struct import_rules *rules, const char *name,
    size_t size, enum import_field *field, char why[static IMPORT_WHY_SIZE])
{
	*field = field_of(name, size);
	if (*field != IMPORT_FIELD_UNKNOWN || rules->ignore_unknown)
		return true;
	explain_unknown(name, size, why);
	return false;
}

static bool
refuse(struct import_person *person, const char *why)
{
	snprintf(person->why, sizeof(person->why), "%s", why);
	return false;
}

static bool
take_email(const struct import_said *said, struct import_person *person)
{
	const char *text = said->text[IMPORT_FIELD_EMAIL];
	size_t size = said->size[IMPORT_FIELD_EMAIL];

	if (text == NULL || size == 0)
		return refuse(person, "there is no e-mail address");
	switch (email_canonical(text, size, person->login_key)) {
	case EMAIL_OK:
		memcpy(person->email, text, size);
		person->email[size] = '\0';
		return true;
	case EMAIL_TOO_LONG:
		return refuse(person, "the e-mail address is too long");
	case EMAIL_NOT_AN_ADDRESS:
		break;
	}
	return refuse(person, "what should be the e-mail address is none");
}

static bool
take_hash(const struct import_said *said, const struct import_rules *rules,
    struct import_person *person)
{
	const char *text = said->text[IMPORT_FIELD_HASH], *why;
	size_t size = said->size[IMPORT_FIELD_HASH];

	if (text == NULL || size == 0)
		return true;
	if (size >= sizeof(person->verifier) || !text_is_utf8(text, size) ||
	    memchr(text, '\0', size) != NULL)
		return refuse(person,
		    "the hash cannot be used: it is of no known form");
	memcpy(person->verifier, text, size);
	if (password_verifier_form(person->verifier, rules->hash_memory_most,
		&why) != NULL)
		return true;
	snprintf(person->why, sizeof(person->why),
	    "the hash cannot be used: %s", why);
	return false;
}

/* Our names, in upper or lower case, with "-" or "_". */
static bool
take_status(const struct import_said *said, struct import_person *person)
{
	const char *text = said->text[IMPORT_FIELD_STATUS];
	size_t size = said->size[IMPORT_FIELD_STATUS];
	char name[32] = "";

	if (text == NULL || size == 0)
		return true;
	for (size_t i = 0; i < size && size < sizeof(name); i++) {
		name[i] = text[i];
		if (text[i] >= 'A' && text[i] <= 'Z')
			name[i] = (char)(text[i] - 'A' + 'a');
		else if (text[i] == '_')
			name[i] = '-';
	}
	if (account_status_parse(name, &person->status) == 0 &&
	    strlen(name) == size)
		return true;
	return refuse(person, "there is no such status");
}

static bool
take_name(const struct import_said *said, struct import_person *person)
{
	const char *text = said->text[IMPORT_FIELD_NAME];
	size_t size = said->size[IMPORT_FIELD_NAME];

	if (text == NULL || size == 0)
		return true;
	if (!account_name_is_good(text, size))
		return refuse(person, "the name is too long or no text");
	memcpy(person->name, text, size);
	return true;
}

bool
import_person_judge(const struct import_said *said,
    const struct import_rules *rules, struct import_person *person)
{
	person->status = rules->status;
	return take_email(said, person) && take_hash(said, rules, person) &&
	       take_status(said, person) && take_name(said, person);
}
