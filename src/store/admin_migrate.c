/* admin_migrate.c - see admin_migrate.h. */

#include "store/admin_migrate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#define CLAIM_SIZE 512

/* The statement that claims a migration; all its parts are our own words. */
static void
write_claim(const struct migration *migration, int64_t now_us,
    char claim[static CLAIM_SIZE])
{
	char now[CLOCK_TEXT_SIZE];

	clock_format(now_us, now);
	snprintf(claim, CLAIM_SIZE,
	    "INSERT INTO postern.schema_migrations (number, name, applied_at)"
	    " VALUES (%d, '%s', '%s');\n",
	    migration->number, migration->name, now);
}

enum store_result
store_migration_apply(struct db *db, const struct migration *migration,
    int64_t now_us)
{
	/* A migration gives up rather than keep the service waiting behind its
	 * own wait for a table. */
	static const char before[] = "SET LOCAL ROLE postern_owner;\n"
				     "SET LOCAL lock_timeout = '10s';\n";
	/* The first one makes the table that the others claim their number in
	 * before they do anything. */
	bool first = migration->number == 1;
	size_t size = sizeof(before) + strlen(migration->sql) + CLAIM_SIZE;
	char *script = memory_zeroed(size, 1);
	char claim[CLAIM_SIZE];
	enum store_result result;

	write_claim(migration, now_us, claim);
	snprintf(script, size, "%s%s%s%s", before, first ? "" : claim,
	    migration->sql, first ? claim : "");
	result = db_script(db, script);
	free(script);
	return result;
}
