/* ctl_check.c - is everything there that Postern needs?  If not: what to do. */

#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_text.h"
#include "store/admin_api_keys.h"
#include "store/admin_catalog.h"
#include "store/schema.h"
#include "token/keys.h"

/* Times are those of the programs; a clock that is off only confuses people. */
#define CLOCK_OFF_MS 2000

#define MISFITS_LIMIT 32

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

static const char *const verdict_names[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_WARN] = "warn",
	[VERDICT_FAIL] = "fail",
};

struct report {
	const struct ctl *ctl;
	struct json_object *checks;
	enum verdict worst;
};

/* One line of the report: what was looked at, what was found, how to mend it. */
static void __attribute__((format(printf, 5, 6)))
report_add(struct report *report, enum verdict verdict, const char *check,
    const char *mend, const char *format, ...)
{
	struct json_object *line = json_new_object();
	char found[2048];
	va_list values;

	va_start(values, format);
	vsnprintf(found, sizeof(found), format, values);
	va_end(values);
	if (verdict > report->worst)
		report->worst = verdict;

	json_add_string(line, "check", check);
	json_add_string(line, "result", verdict_names[verdict]);
	json_add_string(line, "found", found);
	ctl_output_add_text(line, "mend", mend != NULL ? mend : "");
	json_append(report->checks, line);
	if (report->ctl->json)
		return;
	printf("%-4s  %-14s  ", verdict_names[verdict], check);
	ctl_text_wrapped(stdout, found, 22, 22);
	if (mend != NULL) {
		printf("\n%*s", 22, "");
		ctl_text_wrapped(stdout, mend, 22, 22);
	}
	putchar('\n');
}

/* ---- settings and keys --------------------------------------------------- */

static bool
check_settings(struct report *report, struct ctl *ctl)
{
	char why[CONFIG_WHY_SIZE];

	ctl->config = config_load(ctl->config_path, why);
	if (ctl->config == NULL) {
		report_add(report, VERDICT_FAIL, "settings",
		    "\"postern.fcgi --settings\" tells every setting", "%s",
		    why);
		return false;
	}
	report_add(report, VERDICT_OK, "settings", NULL, "%s",
	    ctl->config->file[0] != '\0' ? ctl->config->file :
					   "no file; defaults and environment");
	return true;
}

#define USER_SIZE 64

/* Whose keys they are: postern.fcgi must run as that user. */
static void
owner_name(const char *dir, char name[static USER_SIZE])
{
	char room[4096];
	struct stat status;
	struct passwd user;
	struct passwd *found = NULL;

	if (stat(dir, &status) == 0 &&
	    getpwuid_r(status.st_uid, &user, room, sizeof(room), &found) != 0)
		found = NULL;
	snprintf(name, USER_SIZE, "%s",
	    found != NULL ? found->pw_name : "without a name");
}

static void
check_signing(struct report *report, const struct keys *keys, const char *dir)
{
	const struct key *key = keys_signing(keys, clock_now_us());
	char owner[USER_SIZE];

	owner_name(dir, owner);
	if (key == NULL)
		report_add(report, VERDICT_FAIL, "keys",
		    "run: posternctl key new --sign-in-seconds 0",
		    "%s: none of %zu keys signs now", dir, keys_count(keys));
	else
		report_add(report, VERDICT_OK, "keys", NULL,
		    "%s: %s key %s signs; they belong to user %s", dir,
		    key_algorithm_name(key->algorithm), key->kid, owner);
}

static void
check_keys(struct report *report, const struct config *config)
{
	char why[KEYS_WHY_SIZE];
	struct keys *keys = keys_open(config->key_dir, why);

	if (keys == NULL) {
		report_add(report, VERDICT_FAIL, "keys", ctl_mend_keys, "%s",
		    why);
		return;
	}
	check_signing(report, keys, config->key_dir);
	keys_close(keys);
}

/* ---- the database, as the service sees it -------------------------------- */

static void
check_clock(struct report *report, int64_t theirs_us, int64_t before_us)
{
	int64_t ours_us = before_us + (clock_now_us() - before_us) / 2;
	int64_t off_ms = (theirs_us - ours_us) / 1000;

	if (llabs(off_ms) < CLOCK_OFF_MS)
		report_add(report, VERDICT_OK, "clock", NULL,
		    "%" PRId64 " ms from the database's", off_ms);
	else
		report_add(report, VERDICT_WARN, "clock",
		    "let NTP set the clocks of both machines",
		    "%" PRId64 " ms from the database's", off_ms);
}

static bool
check_database(struct report *report, struct db *db)
{
	struct catalog_standing standing;
	int64_t before_us;
	enum store_result result = db_ready(db);

	before_us = clock_now_us();
	if (result == STORE_OK)
		result = store_catalog_standing(db, &standing);
	if (result != STORE_OK) {
		report_add(report, VERDICT_FAIL, "database",
		    "is PostgreSQL running?  Is the setting database right?",
		    "%s", db_problem(db));
		return false;
	}
	if (standing.superuser)
		report_add(report, VERDICT_WARN, "database",
		    "let the setting database connect as postern_service",
		    "the service connects as \"%s\", a superuser",
		    standing.role);
	else
		report_add(report, VERDICT_OK, "database", NULL,
		    "role %s, database %s, PostgreSQL %s", standing.role,
		    standing.database, standing.server);
	check_clock(report, standing.clock_us, before_us);
	return true;
}

static bool
check_schema(struct report *report, struct db *db)
{
	enum store_result result;
	int version;

	result = store_schema_version(db, &version);
	if (result != STORE_OK)
		report_add(report, VERDICT_FAIL, "schema",
		    "run: posternctl migrate", "%s", db_problem(db));
	else if (version < migration_count)
		report_add(report, VERDICT_FAIL, "schema",
		    "run: posternctl migrate",
		    "version %d, and this program needs %d", version,
		    migration_count);
	else if (version > migration_count)
		report_add(report, VERDICT_FAIL, "schema",
		    "install the Postern that the database was migrated for",
		    "version %d, newer than this program's %d", version,
		    migration_count);
	else
		report_add(report, VERDICT_OK, "schema", NULL, "version %d",
		    version);
	return result == STORE_OK && version == migration_count;
}

/* List the misfits of one kind; returns how many there are. */
static size_t
join_misfits(const struct catalog_misfit *list, size_t count, bool lacking,
    char *text, size_t room)
{
	size_t found = 0;
	size_t used = 0;
	int put;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (list[i].lacking != lacking)
			continue;
		put = snprintf(text + used, room - used, "%s%s",
		    found > 0 ? ", " : "", list[i].grant);
		if (put > 0 && (size_t)put < room - used)
			used += (size_t)put;
		found++;
	}
	return found;
}

static void
check_privileges(struct report *report, struct db *db)
{
	struct catalog_misfit misfits[MISFITS_LIMIT];
	enum store_result result;
	char grants[1800];
	size_t count;

	result = store_catalog_privileges(db, misfits, MISFITS_LIMIT, &count);
	if (result != STORE_OK) {
		report_add(report, VERDICT_FAIL, "privileges", NULL, "%s",
		    db_problem(db));
		return;
	}
	if (join_misfits(misfits, count, true, grants, sizeof(grants)) > 0)
		report_add(report, VERDICT_FAIL, "privileges",
		    "let the setting database connect as postern_service",
		    "the service's role lacks %s", grants);
	if (join_misfits(misfits, count, false, grants, sizeof(grants)) > 0)
		report_add(report, VERDICT_WARN, "privileges",
		    "let the setting database connect as postern_service",
		    "the service's role has more than it needs: %s", grants);
	if (count == 0)
		report_add(report, VERDICT_OK, "privileges", NULL,
		    "what the service needs, and no more");
}

static void
check_api_keys(struct report *report, const struct config *config,
    struct db *db)
{
	bool wanted = config->client_auth == CLIENT_AUTH_REQUIRED;
	enum store_result result;
	int64_t count;

	result = store_api_key_count(db, clock_now_us(), &count);
	if (result != STORE_OK)
		report_add(report, VERDICT_FAIL, "api-keys", NULL, "%s",
		    db_problem(db));
	else if (count == 0 && wanted)
		report_add(report, VERDICT_FAIL, "api-keys",
		    "run: posternctl api-key create --scope publishable",
		    "none is active, and client_auth is \"required\"");
	else
		report_add(report, VERDICT_OK, "api-keys", NULL,
		    "%" PRId64 " active", count);
}

static void
check_service(struct report *report, const struct config *config)
{
	struct db *db = ctl_db_open(config, config->database,
	    config->db_timeout_ms);

	if (check_database(report, db) && check_schema(report, db)) {
		check_privileges(report, db);
		check_api_keys(report, config, db);
	}
	db_close(db);
}

/* ---- the database, as posternctl sees it --------------------------------- */

static void
check_administration(struct report *report, const struct config *config)
{
	struct db *db = ctl_db_open(config, ctl_admin_database(config),
	    config->db_timeout_ms);
	struct catalog_standing standing;
	enum store_result result = db_ready(db);
	bool may = false;

	if (result == STORE_OK)
		result = store_catalog_standing(db, &standing);
	if (result == STORE_OK)
		result = store_catalog_may_administer(db, &may);
	if (result != STORE_OK)
		report_add(report, VERDICT_WARN, "administration",
		    "posternctl itself uses the setting admin_database", "%s",
		    db_problem(db));
	else if (!may)
		report_add(report, VERDICT_WARN, "administration",
		    "let the setting admin_database connect as postern_admin",
		    "role \"%s\" may not write accounts", standing.role);
	else
		report_add(report, VERDICT_OK, "administration", NULL,
		    "role %s", standing.role);
	db_close(db);
}

/* ---- the command --------------------------------------------------------- */

static enum ctl_exit
check(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct report report = { .ctl = ctl, .checks = json_new_array() };
	struct json_object *answer = json_new_object();

	(void)arguments;
	if (check_settings(&report, ctl)) {
		check_keys(&report, ctl->config);
		check_service(&report, ctl->config);
		check_administration(&report, ctl->config);
	}
	json_add_string(answer, "result", verdict_names[report.worst]);
	json_add(answer, "checks", report.checks);
	if (ctl->json)
		ctl_output_json(answer);
	else
		json_free(answer);
	return report.worst == VERDICT_FAIL ? CTL_REFUSED : CTL_DONE;
}

static const struct ctl_command commands[] = {
	{ "", "", 0, 0, NULL, CTL_NEEDS_NOTHING, check,
	  "say what is missing or wrong, and how to mend it" },
	{ 0 },
};

const struct ctl_group ctl_check_group = {
	.name = "check",
	.help = "Looks at settings, keys, database, schema, privileges and API "
		"keys.  Each line\n"
		"begins with ok, warn or fail; the exit status is 1 when one "
		"failed.",
	.commands = commands,
	.examples = "  posternctl check\n"
		    "  posternctl check --json | jq -r '.checks[].result'\n",
};
