/* fuzz_foreign_hash.c - a verifier of another system may be any text. */

#include <string.h>

#include "base/memory.h"
#include "fuzz.h"
#include "hash/foreign.h"
#include "hash/password.h"

/* May it be computed here, some hundred times a second? */
static bool
is_cheap(const char *text)
{
	static const char *const cheap[] = { "$2a$04$", "$2b$04$", "$2y$04$",
		"$5$rounds=1000$", "$6$rounds=1000$", "$y$j75$",
		"$argon2id$v=19$m=64,t=1,p=1$", "$argon2i$m=64,t=1,p=1$",
		"$scrypt$ln=4,r=8,p=1$", "$fbscrypt$v=1,n=4,r=8,p=1,",
		"$7$26..../....",
		"pbkdf2_sha256$1000$", "$pbkdf2-sha256$1200$",
		"$pbkdf2-sha512$1100$" };

	for (size_t i = 0; i < sizeof(cheap) / sizeof(cheap[0]); i++)
		if (strncmp(text, cheap[i], strlen(cheap[i])) == 0)
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = memory_text_part((const char *)data, size);
	const char *name, *why;
	enum foreign_state state = foreign_read(text, FOREIGN_MEMORY_MOST, &name);

	MUST((name == NULL) == (state == FOREIGN_UNKNOWN));
	MUST(password_needs_rehash(text) == (state == FOREIGN_READABLE) ||
	     strncmp(text, "$s1$", 4) == 0);
	MUST((password_verifier_form(text, FOREIGN_MEMORY_MOST, &why) == NULL) == (why != NULL));
	if (state == FOREIGN_READABLE) {
		MUST(strlen(text) <= FOREIGN_LENGTH_LIMIT);
		/* A library takes every text that passes. */
		if (is_cheap(text))
			MUST(foreign_check("p", 1, text, NULL) == FOREIGN_MISMATCH);
	} else {
		MUST(foreign_check("p", 1, text, NULL) == FOREIGN_REFUSED);
	}
	free(text);
	return 0;
}
