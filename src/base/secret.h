/* secret.h - what every secret needs: chance, comparison, an end, and a process
 * that keeps it. */

#ifndef POSTERN_BASE_SECRET_H
#define POSTERN_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Fill a buffer from OpenSSL's generator.  Does not return without
 * randomness: a service that cannot draw a secret must not go on, so the
 * process logs the reason and aborts.
 */
void secret_random(void *bytes, size_t size);

/*
 * The same for ids and the like, of which every request needs a few: taken from a
 * stock, which a child does not share after fork(), and which keeps nothing of what
 * was handed out.  For processes of one thread.
 */
void secret_chance(void *bytes, size_t size);

/* Overwrite a secret in a way the compiler may not drop. */
void secret_wipe(void *bytes, size_t size);

/* Compare in time that depends on the size alone. */
bool secret_equal(const void *a, const void *b, size_t size);

/* For a program through which passwords and keys pass, first of all: nobody may
 * look into the process, it leaves no core, and no program that it starts gains a
 * right. */
void secret_keep_inside(void);

#endif
