/* ctl.c - see ctl.h. */

#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "acts/account.h"
#include "base/clock.h"
#include "base/secret.h"
#include "ctl/ctl_text.h"
#include "store/admin_accounts.h"
#include "store/schema.h"

/* For one statement: a thousand people of an import on a busy machine, a table of
 * sessions read as a whole. */
#define STATEMENT_TIMEOUT_MS (60 * 1000)

/* ---- refusals ------------------------------------------------------------ */

enum ctl_exit
ctl_refuse(enum ctl_exit code, const char *mend, const char *format, ...)
{
	char why[2048];
	va_list values;

	va_start(values, format);
	vsnprintf(why, sizeof(why), format, values);
	va_end(values);

	fflush(stdout);
	fputs("posternctl: ", stderr);
	ctl_text_wrapped(stderr, why, (int)strlen("posternctl: "), 2);
	if (mend != NULL) {
		fputs("\n  ", stderr);
		ctl_text_wrapped(stderr, mend, 2, 2);
	}
	fputc('\n', stderr);
	return code;
}

enum ctl_exit
ctl_refuse_db(const struct db *db, enum store_result result, const char *mend,
    const char *what)
{
	if (db_was_ended(db))
		mend = "it was undone; does somebody hold a lock?  "
		       "pg_stat_activity tells";
	return ctl_refuse(
	    result == STORE_UNAVAILABLE ? CTL_UNREACHABLE : CTL_REFUSED, mend,
	    "could not %s: %s", what, db_problem(db));
}

enum ctl_exit
ctl_refuse_store(const struct ctl *ctl, enum store_result result,
    const char *what)
{
	return ctl_refuse_db(ctl->db, result, "see: posternctl check", what);
}

/* ---- the database -------------------------------------------------------- */

const char *
ctl_admin_database(const struct config *config)
{
	return config->admin_database[0] != '\0' ? config->admin_database :
						   config->database;
}

const char *
ctl_owner_database(const struct config *config)
{
	return config->owner_database[0] != '\0' ? config->owner_database :
						   ctl_admin_database(config);
}

struct db *
ctl_db_open(const struct config *config, const char *conninfo, int timeout_ms)
{
	const struct db_options options = {
		.conninfo = conninfo,
		.program = "posternctl",
		.prepare = config->db_prepare,
		.timeout_ms = timeout_ms,
		.connect_ms = config->db_timeout_ms,
	};

	return db_open(&options);
}

enum ctl_exit
ctl_connect(const struct config *config, const char *conninfo, int timeout_ms,
    struct db **db)
{
	enum store_result result;

	*db = ctl_db_open(config, conninfo, timeout_ms);
	result = db_ready(*db);
	if (result == STORE_OK)
		return CTL_DONE;
	return ctl_refuse_db(*db, result,
	    "is PostgreSQL running, and are the settings right?  "
	    "Try: posternctl check", "connect to the database");
}

/* Every command needs the schema that it was written for. */
static enum ctl_exit
check_schema(const struct ctl *ctl)
{
	enum store_result result;
	int version;

	result = store_schema_version(ctl->db, &version);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result,
		    "read the version of the schema");
	if (version < migration_count)
		return ctl_refuse(CTL_REFUSED, "run: posternctl migrate",
		    "the database has version %d of the schema, and this "
		    "program needs version %d", version, migration_count);
	if (version > migration_count)
		return ctl_refuse(CTL_REFUSED,
		    "install the Postern that the database was migrated for",
		    "the database has version %d of the schema, newer than "
		    "this program's %d", version, migration_count);
	return CTL_DONE;
}

static enum ctl_exit
load_settings(struct ctl *ctl)
{
	char why[CONFIG_WHY_SIZE];

	ctl->config = config_load(ctl->config_path, why);
	if (ctl->config != NULL)
		return CTL_DONE;
	return ctl_refuse(CTL_UNREACHABLE,
	    "\"postern.fcgi --settings\" tells every setting",
	    "could not use the settings: %s", why);
}

enum ctl_exit
ctl_prepare(struct ctl *ctl, enum ctl_needs needs)
{
	enum ctl_exit done;

	if (needs == CTL_NEEDS_NOTHING)
		return CTL_DONE;
	done = load_settings(ctl);
	if (done != CTL_DONE || needs == CTL_NEEDS_SETTINGS)
		return done;
	done = ctl_connect(ctl->config, ctl_admin_database(ctl->config),
	    STATEMENT_TIMEOUT_MS, &ctl->db);
	if (done != CTL_DONE)
		return done;
	return check_schema(ctl);
}

void
ctl_release(struct ctl *ctl)
{
	db_close(ctl->db);
	config_free(ctl->config);
}

/* ---- keys ---------------------------------------------------------------- */

const char ctl_mend_keys[] =
    "is the setting key_dir right?  If there are no keys yet: "
    "posternctl key new";

struct keys *
ctl_keys(const struct ctl *ctl)
{
	char why[KEYS_WHY_SIZE];
	struct keys *keys = keys_open(ctl->config->key_dir, why);

	if (keys == NULL)
		ctl_refuse(CTL_UNREACHABLE, ctl_mend_keys,
		    "could not read the keys: %s", why);
	return keys;
}

/* ---- accounts ------------------------------------------------------------ */

enum ctl_exit
ctl_address(const char *typed, char key[static EMAIL_SIZE])
{
	switch (email_canonical(typed, strlen(typed), key)) {
	case EMAIL_OK:
		return CTL_DONE;
	case EMAIL_TOO_LONG:
		return ctl_refuse(CTL_REFUSED, NULL,
		    "the e-mail address is longer than %d bytes",
		    EMAIL_SIZE - 1);
	case EMAIL_NOT_AN_ADDRESS:
		break;
	}
	return ctl_refuse(CTL_REFUSED,
	    "it has the form NAME@DOMAIN, like ann@example.org",
	    "\"%s\" is no e-mail address", typed);
}

enum ctl_exit
ctl_status(const char *typed, enum account_status *status)
{
	if (typed == NULL || account_status_parse(typed, status) == 0)
		return CTL_DONE;
	return ctl_refuse(CTL_USAGE,
	    "use one of: confirmed, unconfirmed, force-change-password,\n"
	    "reset-required, external-provider, disabled",
	    "there is no status \"%s\"", typed);
}

int64_t
ctl_idle_since_us(const struct ctl *ctl, int64_t now_us)
{
	return now_us - ctl->config->session_idle_seconds * CLOCK_SECOND_US;
}

enum ctl_exit
ctl_refuse_unknown(const char *key)
{
	return ctl_refuse(CTL_REFUSED,
	    "list accounts with: posternctl user list",
	    "nobody has the address \"%s\"", key);
}

enum ctl_exit
ctl_account_detail(const struct ctl *ctl, const char *typed,
    struct account_detail *detail)
{
	int64_t now_us = clock_now_us();
	char key[EMAIL_SIZE];
	enum store_result result;
	enum ctl_exit done;

	done = ctl_address(typed, key);
	if (done != CTL_DONE)
		return done;
	result = store_account_find(ctl->db, key, now_us,
	    ctl_idle_since_us(ctl, now_us), detail);
	if (result == STORE_NONE)
		return ctl_refuse_unknown(key);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "find the account");
	return CTL_DONE;
}

enum ctl_exit
ctl_account(const struct ctl *ctl, const char *typed, struct id *user)
{
	struct account_detail detail;
	enum ctl_exit done = ctl_account_detail(ctl, typed, &detail);

	if (done != CTL_DONE)
		return done;
	*user = detail.row.user;
	secret_wipe(&detail, sizeof(detail));
	return CTL_DONE;
}

/* ---- cursors ------------------------------------------------------------- */

void
ctl_cursor_format(const struct id *user, const struct id *row,
    char text[static CTL_CURSOR_SIZE])
{
	id_format(user, text);
	text[ID_TEXT_SIZE - 1] = '/';
	id_format(row, text + ID_TEXT_SIZE);
}

enum ctl_exit
ctl_cursor_parse(const char *text, struct id *user, struct id *row)
{
	*user = *row = id_nil;
	if (text == NULL)
		return CTL_DONE;
	if (strlen(text) == CTL_CURSOR_SIZE - 1 &&
	    text[ID_TEXT_SIZE - 1] == '/' &&
	    id_parse(text, ID_TEXT_SIZE - 1, user) == 0 &&
	    id_parse(text + ID_TEXT_SIZE, ID_TEXT_SIZE - 1, row) == 0)
		return CTL_DONE;
	return ctl_refuse(CTL_USAGE, NULL,
	    "--after takes what the page before ended with");
}
