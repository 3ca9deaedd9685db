/* ctl.h - posternctl: commands, what each has at hand, and how it ends. */

#ifndef POSTERN_CTL_CTL_H
#define POSTERN_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/email.h"
#include "base/ids.h"
#include "store/db.h"
#include "store/logins.h"
#include "token/keys.h"

struct account_detail;

/* Exit codes, which scripts rely on. */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_REFUSED = 1,     /* a rule says no, or there is no such thing */
	CTL_USAGE = 2,       /* the command line is wrong */
	CTL_UNREACHABLE = 3, /* database or files out of reach */
};

struct ctl {
	const char *config_path; /* --config, or NULL */
	bool json;               /* --json */
	struct config *config;   /* of commands that need settings */
	struct db *db;           /* of commands that need the database */
};

#define CTL_OPERANDS_LIMIT 2

/* Values of the command line; NULL or false where an option was not given,
 * numbers as the option's fallback says. */
struct ctl_arguments {
	const char *operands[CTL_OPERANDS_LIMIT];
	size_t operand_count;

	/* of every command */
	const char *config;
	bool help;
	bool json;
	bool verbose;
	bool version;

	/* of some */
	const char *after;
	const char *algorithm;
	const char *hash_file;
	const char *name;
	const char *scope;
	const char *status;
	const char *user;
	int64_t audit_days;
	int64_t days;
	int64_t expires_days;
	int64_t latency_ms;
	int64_t limit;
	int64_t memory_mib;
	int64_t sign_in_seconds;
	bool all;
	bool dry_run;
	bool ended;
	bool force_change;
	bool ignore_unknown;
	bool no_password;
	bool password_stdin;
	bool unknown;
	bool yes;
};

enum ctl_option_kind { CTL_FLAG, CTL_TEXT, CTL_NUMBER };

struct ctl_option {
	const char *name;    /* without its hyphens; NULL ends a table */
	const char *value;   /* as help calls it; NULL for a flag */
	enum ctl_option_kind kind;
	size_t offset;       /* in struct ctl_arguments */
	int64_t fallback, least, most; /* of a number */
	const char *help;
};

/* The middle of a row: kind, place, and a number's fallback and bounds. */
#define CTL_FLAG_AT(field) CTL_FLAG, offsetof(struct ctl_arguments, field), 0, 0, 0
#define CTL_TEXT_AT(field) CTL_TEXT, offsetof(struct ctl_arguments, field), 0, 0, 0
#define CTL_NUMBER_AT(field, fallback, least, most) \
	CTL_NUMBER, offsetof(struct ctl_arguments, field), fallback, least, most

/* How many a list shows on one page. */
#define CTL_LIMIT_OPTION \
	{ "limit", "N", CTL_NUMBER_AT(limit, 100, 1, 1000), \
	  "at most so many (default: 100, at most 1000)" }

enum ctl_needs { CTL_NEEDS_NOTHING, CTL_NEEDS_SETTINGS, CTL_NEEDS_DATABASE };

struct ctl_command {
	const char *name;     /* "" in a group that is one command; NULL ends */
	const char *operands; /* as usage shows them, "" for none */
	size_t least, most;   /* how many */
	const struct ctl_option *options; /* NULL for none */
	enum ctl_needs needs;
	enum ctl_exit (*run)(struct ctl *ctl,
	    const struct ctl_arguments *arguments);
	const char *help;     /* one line */
};

struct ctl_group {
	const char *name;
	const char *help;     /* a sentence or two, lines within 80 columns */
	const struct ctl_command *commands;
	const char *examples; /* lines */
};

extern const struct ctl_group ctl_api_key_group;
extern const struct ctl_group ctl_audit_group;
extern const struct ctl_group ctl_calibrate_group;
extern const struct ctl_group ctl_check_group;
extern const struct ctl_group ctl_hash_group;
extern const struct ctl_group ctl_key_group;
extern const struct ctl_group ctl_migrate_group;
extern const struct ctl_group ctl_session_group;
extern const struct ctl_group ctl_throttle_group;
extern const struct ctl_group ctl_user_group;

/*
 * Say on stderr what could not be done and why (lower case, no full stop) and,
 * unless `mend` is NULL, how to mend it.  Returns `code`.
 */
enum ctl_exit ctl_refuse(enum ctl_exit code, const char *mend,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same about a statement that came back with anything but OK or NONE:
 * "could not WHAT: reason". */
enum ctl_exit ctl_refuse_store(const struct ctl *ctl, enum store_result result,
    const char *what);
enum ctl_exit ctl_refuse_db(const struct db *db, enum store_result result,
    const char *mend, const char *what);

/* Get what a command needs.  DONE, or a refusal that has been told. */
enum ctl_exit ctl_prepare(struct ctl *ctl, enum ctl_needs needs);
void ctl_release(struct ctl *ctl);

/* The connection string for an administrator, and for the owner of the schema:
 * the setting of its name, or what stands in for it. */
const char *ctl_admin_database(const struct config *config);
const char *ctl_owner_database(const struct config *config);

/*
 * A handle whose statements are sent unprepared, since each is sent once.
 * Connecting may take as long as the setting db_timeout_ms says, and a statement
 * `timeout_ms`, of which the server knows, so that none that we have given up
 * waits on there and is done after all.
 */
struct db *ctl_db_open(const struct config *config, const char *conninfo,
    int timeout_ms);

/* Open and connect.  DONE, or a refusal that has been told; db_close() in both
 * cases. */
enum ctl_exit ctl_connect(const struct config *config, const char *conninfo,
    int timeout_ms, struct db **db);

/* An address from the command line as its canonical key, or a refusal that has
 * been told. */
enum ctl_exit ctl_address(const char *typed, char key[static EMAIL_SIZE]);

/* A status from the command line; *status stays where `typed` is NULL. */
enum ctl_exit ctl_status(const char *typed, enum account_status *status);

/* Refuse an address that nobody has. */
enum ctl_exit ctl_refuse_unknown(const char *key);

/* Find an account by an address from the command line, for the caller to wipe; or
 * its id alone.  DONE, or a refusal that has been told. */
enum ctl_exit ctl_account_detail(const struct ctl *ctl, const char *typed,
    struct account_detail *detail);
enum ctl_exit ctl_account(const struct ctl *ctl, const char *typed,
    struct id *user);

/* How to mend a key directory that cannot be read. */
extern const char ctl_mend_keys[];

/* Open the key directory; NULL after a refusal that has been told. */
struct keys *ctl_keys(const struct ctl *ctl);

/* Where a page of a list in the order of user and row ended: "USER-ID/ROW-ID".
 * Parsing NULL gives nil ids, which all others are behind. */
#define CTL_CURSOR_SIZE (2 * ID_TEXT_SIZE)
void ctl_cursor_format(const struct id *user, const struct id *row,
    char text[static CTL_CURSOR_SIZE]);
enum ctl_exit ctl_cursor_parse(const char *text, struct id *user,
    struct id *row);

/* A session not refreshed since this time is no longer live. */
int64_t ctl_idle_since_us(const struct ctl *ctl, int64_t now_us);

#define CTL_DAY_US (INT64_C(86400) * 1000000)

#endif
