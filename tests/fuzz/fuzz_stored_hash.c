/* fuzz_stored_hash.c - a verifier from the database may be any text. */

#include <string.h>

#include "base/memory.h"
#include "fuzz.h"
#include "hash/scrypt.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = memory_text_part((const char *)data, size);
	char again[SCRYPT_STORED_SIZE];
	struct scrypt_stored stored;

	/* What is read may be computed, and has this one spelling. */
	if (scrypt_parse(text, &stored) == 0) {
		MUST(scrypt_cost_allowed(&stored.cost));
		scrypt_format(&stored, again);
		MUST(strcmp(text, again) == 0);
	}
	free(text);
	return 0;
}
