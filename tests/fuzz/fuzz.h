/* fuzz.h - what every fuzz target shares.
 *
 * A target is one file, fuzz_NAME.c, that defines LLVMFuzzerTestOneInput(); its
 * seeds are the files of seeds/NAME/.  With configure --enable-fuzzing it becomes
 * a libFuzzer program; without, `make check` replays its seeds (replay.c). */

#ifndef POSTERN_TESTS_FUZZ_H
#define POSTERN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called with each input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What holds for every input, or the input is kept as a crash. */
#define MUST(condition)                                                     \
	do {                                                                \
		if (!(condition)) {                                         \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__,  \
			    __LINE__, #condition);                          \
			abort();                                            \
		}                                                           \
	} while (0)

#endif
