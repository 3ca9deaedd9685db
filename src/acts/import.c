/* import.c - see import.h. */

#include "acts/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/memory.h"
#include "base/secret.h"

/* An address, and where it stood.  Two that share 96 bits of SHA-256 do not come
 * together in one file. */
struct seen {
	unsigned char digest[12];
	uint32_t line; /* 0: nobody */
};

#define SEEN_ROOM_AT_FIRST 1024

struct import {
	struct db *db;
	bool dry;
	int64_t now_us;
	struct import_counts counts;

	struct seen *seen;            /* open addressing, at most half full */
	size_t seen_count, seen_room; /* room: a power of two */

	struct import_person people[IMPORT_BATCH];
	struct new_account accounts[IMPORT_BATCH];
	bool were_there[IMPORT_BATCH];
	size_t count;
};

struct import *
import_new(struct db *db, bool dry)
{
	struct import *import = memory_zeroed(1, sizeof(*import));

	import->db = db;
	import->dry = dry;
	import->now_us = clock_now_us();
	import->seen_room = SEEN_ROOM_AT_FIRST;
	import->seen = memory_zeroed(import->seen_room, sizeof(struct seen));
	return import;
}

void
import_free(struct import *import)
{
	if (import == NULL)
		return;
	secret_wipe(import->people, sizeof(import->people));
	free(import->seen);
	free(import);
}

/* ---- who has come before ------------------------------------------------- */

/* The place of an address, or the free one where it belongs. */
static struct seen *
place_of(struct seen *table, size_t room, const unsigned char *digest)
{
	size_t at;

	memcpy(&at, digest, sizeof(at));
	at &= room - 1;
	while (table[at].line != 0 &&
	       memcmp(table[at].digest, digest, sizeof(table[at].digest)) != 0)
		at = (at + 1) & (room - 1);
	return &table[at];
}

static void
grow(struct import *import)
{
	size_t room = import->seen_room * 2;
	struct seen *larger = memory_zeroed(room, sizeof(*larger));

	for (size_t i = 0; i < import->seen_room; i++)
		if (import->seen[i].line != 0)
			*place_of(larger, room, import->seen[i].digest) =
			    import->seen[i];
	free(import->seen);
	import->seen = larger;
	import->seen_room = room;
}

int64_t
import_seen(struct import *import, const struct import_person *person)
{
	unsigned char digest[DIGEST_SIZE];
	struct seen *place;

	digest_sha256(person->login_key, strlen(person->login_key), digest);
	place = place_of(import->seen, import->seen_room, digest);
	if (place->line != 0)
		return place->line;
	memcpy(place->digest, digest, sizeof(place->digest));
	place->line =
	    person->line < UINT32_MAX ? (uint32_t)person->line : UINT32_MAX;
	if (++import->seen_count * 2 > import->seen_room)
		grow(import);
	return 0;
}

/* ---- batches ------------------------------------------------------------- */

/* Write, or look up, those that are waiting. */
static enum store_result
flush(struct import *import)
{
	enum store_result result;

	if (import->count == 0)
		return STORE_OK;
	result = (import->dry ? store_account_find_many
			      : store_account_add_many)(import->db,
	    import->accounts, import->count, import->were_there);
	if (result == STORE_OK)
		for (size_t i = 0; i < import->count; i++) {
			import->counts.were_there += import->were_there[i];
			import->counts.added += !import->were_there[i];
		}
	secret_wipe(import->people, import->count * sizeof(import->people[0]));
	import->count = 0;
	return result;
}

enum store_result
import_take(struct import *import, const struct import_person *person)
{
	struct import_person *own = &import->people[import->count];

	*own = *person;
	import->accounts[import->count++] = (struct new_account){
		.user = id_random(),
		.login_key = own->login_key,
		.email = own->email,
		.name = own->name[0] != '\0' ? own->name : NULL,
		.verifier = own->verifier[0] != '\0' ? own->verifier : NULL,
		.status = own->status,
		.now_us = import->now_us,
	};
	return import->count == IMPORT_BATCH ? flush(import) : STORE_OK;
}

enum store_result
import_finish(struct import *import)
{
	return flush(import);
}

struct import_counts
import_counts(const struct import *import)
{
	return import->counts;
}
