/* admin_migrate.c - see admin_migrate.h. */

#include "store/admin_migrate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

/* The statement that claims a migration; all its parts are our own words. */
static void
write_claim(FILE *script, const struct migration *migration, int64_t now_us)
{
	char now[CLOCK_TEXT_SIZE];

	clock_format(now_us, now);
	fprintf(script,
	    "INSERT INTO postern.schema_migrations (number, name, applied_at)"
	    " VALUES (%d, '%s', '%s');\n",
	    migration->number, migration->name, now);
}

/*
 * The first migration makes the table that the others claim their number in
 * before they do anything.  A migration gives up rather than keep the service
 * waiting behind its own wait for a table.
 */
static void
write_script(FILE *script, const struct migration *migration, int64_t now_us)
{
	fputs("SET LOCAL ROLE postern_owner;\n"
	      "SET LOCAL lock_timeout = '10s';\n", script);
	if (migration->number > 1)
		write_claim(script, migration, now_us);
	fputs(migration->sql, script);
	if (migration->number == 1)
		write_claim(script, migration, now_us);
}

enum store_result
store_migration_apply(struct db *db, const struct migration *migration,
    int64_t now_us)
{
	enum store_result result;
	FILE *script;
	char *sql;
	size_t size;

	script = open_memstream(&sql, &size);
	if (script == NULL)
		memory_exhausted();
	write_script(script, migration, now_us);
	if (fclose(script) != 0)
		memory_exhausted();
	result = db_script(db, sql);
	free(sql);
	return result;
}
