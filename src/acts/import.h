/* import.h - many people at once: in batches, and nobody twice. */

#ifndef POSTERN_ACTS_IMPORT_H
#define POSTERN_ACTS_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "acts/import_person.h"
#include "store/db.h"

/* So many are one statement, which is done whole or not at all. */
#define IMPORT_BATCH 1000

struct import;

struct import_counts {
	int64_t added;
	int64_t were_there; /* had an account and were left alone */
};

/* Begin.  `dry` looks who is there and adds nobody.  Never NULL; freeing NULL does
 * nothing, and freeing adds nobody who has not been added yet. */
struct import *import_new(struct db *db, bool dry);
void import_free(struct import *import);

/*
 * Has this address come before?  Returns the line where it stood, or 0 and
 * remembers it.  Takes 16 to 64 bytes for each address.
 */
int64_t import_seen(struct import *import, const struct import_person *person);

/*
 * Add somebody whose address has not come before: sooner or later, at the latest
 * by import_finish().  What is not OK ends the import: of the people since the
 * last whole batch nobody knows (UNAVAILABLE) or none was added.
 */
enum store_result import_take(struct import *import,
    const struct import_person *person);
enum store_result import_finish(struct import *import);

/* What was done for certain. */
struct import_counts import_counts(const struct import *import);

#endif
