/* skip.h - a test that cannot run here says why: tests/tally shows it. */

#ifndef POSTERN_TESTS_SKIP_H
#define POSTERN_TESTS_SKIP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline void
skip_because(const char *why)
{
	print_message("# skipped: %s\n", why);
	skip();
}

#endif
