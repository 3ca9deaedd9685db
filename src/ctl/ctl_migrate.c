/* ctl_migrate.c - bring the database's schema up to this program's version. */

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "store/admin_catalog.h"
#include "store/admin_migrate.h"
#include "store/schema.h"

/* Rewriting a large table takes its time. */
#define MIGRATION_TIMEOUT_MS (3600 * 1000)

/* ---- may it run here? ---------------------------------------------------- */

static enum ctl_exit
check_roles(struct db *db)
{
	struct catalog_missing_roles missing;
	enum store_result result;
	char mend[320];

	result = store_catalog_missing_roles(db, &missing);
	if (result != STORE_OK)
		return ctl_refuse_db(db, result, NULL, "look for the roles");
	if (missing.names[0] == '\0')
		return CTL_DONE;
	snprintf(mend, sizeof(mend),
	    "let a superuser run sql/roles.sql, or: %s", missing.remedy);
	return ctl_refuse(CTL_REFUSED, mend,
	    "the database cluster lacks roles: %s", missing.names);
}

static enum ctl_exit
check_owner(struct db *db, int version)
{
	struct catalog_standing standing;
	bool is_owner, owner_may_create;
	enum store_result result;
	char mend[256];

	result = store_catalog_standing(db, &standing);
	if (result == STORE_OK)
		result = store_catalog_may_migrate(db, &is_owner,
		    &owner_may_create);
	if (result != STORE_OK)
		return ctl_refuse_db(db, result, NULL, "look at the roles");
	if (!is_owner)
		return ctl_refuse(CTL_REFUSED,
		    "let the setting owner_database connect as postern_owner",
		    "role \"%s\" may not act as postern_owner",
		    standing.role);
	if (version > 0 || owner_may_create)
		return CTL_DONE;
	snprintf(mend, sizeof(mend),
	    "let a superuser run: ALTER DATABASE \"%s\" OWNER TO postern_owner",
	    standing.database);
	return ctl_refuse(CTL_REFUSED, mend,
	    "postern_owner may not make a schema in the database \"%s\"",
	    standing.database);
}

static enum ctl_exit
read_version(struct db *db, int *version)
{
	enum store_result result = store_schema_version(db, version);

	if (result != STORE_OK)
		return ctl_refuse_db(db, result,
		    "let the setting owner_database connect as postern_owner",
		    "read the version of the schema");
	if (*version <= migration_count)
		return CTL_DONE;
	return ctl_refuse(CTL_REFUSED,
	    "install the Postern that the database was migrated for",
	    "the database has version %d of the schema, newer than this "
	    "program's %d", *version, migration_count);
}

/* ---- applying ------------------------------------------------------------ */

/* Apply one.  Where that fails, somebody else may have been faster, and then all
 * is well. */
static enum ctl_exit
apply(struct db *db, const struct migration *migration, bool *ours)
{
	enum store_result result, asked;
	char problem[512];
	int version;

	*ours = true;
	result = store_migration_apply(db, migration, clock_now_us());
	if (result == STORE_OK)
		return CTL_DONE;
	snprintf(problem, sizeof(problem), "%s", db_problem(db));
	asked = store_schema_version(db, &version);
	if (asked == STORE_OK && version >= migration->number) {
		*ours = false;
		return CTL_DONE;
	}
	return ctl_refuse(
	    result == STORE_UNAVAILABLE ? CTL_UNREACHABLE : CTL_REFUSED,
	    "nothing of it was kept; mend the reason and run it again",
	    "could not apply %s: %s", migration->name, problem);
}

struct progress {
	int before;
	int version;
	struct json_object *applied; /* names; those of others are not in it */
	struct json_object *pending;
};

static enum ctl_exit
apply_pending(const struct ctl *ctl, struct db *db, struct progress *progress)
{
	enum ctl_exit done;
	bool ours;

	while (progress->version < migration_count) {
		const struct migration *next = &migrations[progress->version];

		done = apply(db, next, &ours);
		if (done != CTL_DONE)
			return done;
		progress->version = next->number;
		if (ours)
			json_append_string(progress->applied, next->name);
		if (!ctl->json)
			printf("%s %s\n", ours ? "applied" :
			    "somebody else applied", next->name);
	}
	return CTL_DONE;
}

static void
list_pending(const struct ctl *ctl, struct progress *progress)
{
	for (int i = progress->version; i < migration_count; i++) {
		json_append_string(progress->pending, migrations[i].name);
		if (!ctl->json)
			printf("would apply %s\n", migrations[i].name);
	}
}

/* Say how it ended; uses up the lists. */
static void
print_progress(const struct ctl *ctl, const struct progress *progress)
{
	struct json_object *answer = json_new_object();

	json_add_int(answer, "versionBefore", progress->before);
	json_add_int(answer, "version", progress->version);
	json_add(answer, "applied", progress->applied);
	json_add(answer, "pending", progress->pending);
	ctl_output_sentence(ctl, answer, "%sthe schema has version %d",
	    progress->before == migration_count ? "nothing to do: " : "",
	    progress->version);
}

static enum ctl_exit
migrate_db(const struct ctl *ctl, struct db *db, bool dry_run)
{
	struct progress progress = { 0 };
	enum ctl_exit done;

	done = check_roles(db);
	if (done == CTL_DONE)
		done = read_version(db, &progress.before);
	if (done == CTL_DONE && progress.before < migration_count)
		done = check_owner(db, progress.before);
	if (done != CTL_DONE)
		return done;

	progress.version = progress.before;
	progress.applied = json_new_array();
	progress.pending = json_new_array();
	if (dry_run)
		list_pending(ctl, &progress);
	else
		done = apply_pending(ctl, db, &progress);
	print_progress(ctl, &progress);
	return done;
}

static enum ctl_exit
migrate(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	const char *conninfo = ctl_owner_database(ctl->config);
	struct db *db;
	enum ctl_exit done;

	done = ctl_connect(ctl->config, conninfo, MIGRATION_TIMEOUT_MS, &db);
	if (done == CTL_DONE)
		done = migrate_db(ctl, db, arguments->dry_run);
	db_close(db);
	return done;
}

/* ---- the command --------------------------------------------------------- */

static const struct ctl_option options[] = {
	{ "dry-run", NULL, CTL_FLAG_AT(dry_run),
	  "say what would be applied, and change nothing" },
	{ 0 },
};

static const struct ctl_command commands[] = {
	{ "", "", 0, 0, options, CTL_NEEDS_SETTINGS, migrate,
	  "bring the database's schema up to date" },
	{ 0 },
};

const struct ctl_group ctl_migrate_group = {
	.name = "migrate",
	.help = "Brings the schema up to this program's version, each migration in a "
		"transaction\n"
		"of its own.  Connects as the setting owner_database says (else "
		"admin_database,\n"
		"else database).  May be run twice, and by two people at once.",
	.commands = commands,
	.examples = "  posternctl migrate --dry-run\n"
		    "  posternctl migrate\n",
};
