/* fuzz_succession.c - what is read from the environment can be written and read
 * again. */

#include <string.h>

#include "fuzz.h"
#include "process/succession.h"

#define HEIR 4242

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct succession first, again;
	static char text[SUCCESSION_TEXT_SIZE];
	char *input = malloc(size + 1);

	MUST(input != NULL);
	memcpy(input, data, size);
	input[size] = '\0';
	if (succession_parse(input, HEIR, &first) == 0) {
		MUST(first.count <= SUCCESSION_MOST);
		MUST(first.fd >= 0);
		succession_format(&first, HEIR, text);
		MUST(succession_parse(text, HEIR, &again) == 0);
		MUST(again.count == first.count && again.fd == first.fd);
		MUST(again.inode == first.inode);
		MUST(memcmp(again.children, first.children,
			 first.count * sizeof(first.children[0])) == 0);
	}
	free(input);
	return 0;
}
