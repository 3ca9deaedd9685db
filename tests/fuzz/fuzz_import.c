/* fuzz_import.c - a file of people may be any bytes; what passes fits the
 * database. */

#include <string.h>

#include "acts/account.h"
#include "acts/import_file.h"
#include "base/text.h"
#include "fuzz.h"
#include "hash/password.h"

#define MEMORY_MOST ((uint64_t)64 << 20)

static void
check_person(const struct import_person *person)
{
	char key[EMAIL_SIZE];
	const char *why;

	MUST(person->why[0] == '\0');
	MUST(email_canonical(person->email, strlen(person->email), key) ==
	     EMAIL_OK);
	MUST(strcmp(key, person->login_key) == 0);
	MUST(person->name[0] == '\0' ||
	     account_name_is_good(person->name, strlen(person->name)));
	MUST(person->verifier[0] == '\0' ||
	     password_verifier_form(person->verifier, MEMORY_MOST, &why) != NULL);
	MUST(text_is_utf8(person->verifier, strlen(person->verifier)));
	MUST(account_status_name(person->status)[0] != '\0');
}

static void
read_all(FILE *stream, size_t size, bool ignore_unknown)
{
	const struct import_rules rules = {
		.status = ACCOUNT_UNCONFIRMED,
		.ignore_unknown = ignore_unknown,
		.hash_memory_most = MEMORY_MOST,
	};
	struct import_person person;
	char why[IMPORT_WHY_SIZE];
	struct import_file *file = import_file_open(stream, &rules, why);
	enum import_result result;
	int64_t line = 0;

	if (file == NULL) {
		MUST(why[0] != '\0');
		return;
	}
	while ((result = import_file_next(file, &person)) != IMPORT_END) {
		MUST(result != IMPORT_BROKEN);
		MUST(person.line > line);
		line = person.line;
		if (result == IMPORT_PERSON)
			check_person(&person);
		else
			MUST(person.why[0] != '\0');
	}
	MUST(import_file_position(file) == (int64_t)size);
	import_file_close(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* fmemopen() takes no empty buffer, and may end text at a NUL. */
	FILE *stream = tmpfile();

	MUST(stream != NULL);
	MUST(fwrite(data, 1, size, stream) == size);
	for (int i = 0; i < 2; i++) {
		rewind(stream);
		read_all(stream, size, i == 1);
	}
	fclose(stream);
	return 0;
}
