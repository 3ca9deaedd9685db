/* config.h - the settings: one table of names, kinds, defaults and help. */

#ifndef POSTERN_BASE_CONFIG_H
#define POSTERN_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/conninfo.h"

#define CONFIG_WHY_SIZE 512

/* The longest life that an access token can be given. */
#define CONFIG_ACCESS_TOKEN_SECONDS_MOST 86400

enum config_client_auth { CLIENT_AUTH_REQUIRED, CLIENT_AUTH_OPTIONAL };
enum config_cookies { COOKIES_ALWAYS, COOKIES_AUTO, COOKIES_NEVER };
enum config_hash_engine {
	HASH_ENGINE_AUTO,
	HASH_ENGINE_LANES,
	HASH_ENGINE_LIBSCRYPT,
};
enum config_standby { STANDBY_ALWAYS, STANDBY_AUTO, STANDBY_NEVER };
enum config_check { CHECK_MODE_FAST, CHECK_MODE_STRICT };
enum config_algorithm { ALGORITHM_ES256, ALGORITHM_EDDSA };

/*
 * Effective settings; read-only after config_load() and config_set().  Strings
 * are never NULL: an unset one is "".  Lists are comma-separated in one string.
 */
struct config {
	/* where and how requests arrive */
	char *listen;            /* "", "unix:PATH" or "HOST:PORT" */
	int listen_mode;         /* of a Unix socket, octal */
	char *listen_group;      /* of a Unix socket, "" keeps the process's */
	char *socket_users;      /* who may connect to it, "" is everybody */
	char *user;              /* whom root becomes */
	bool seccomp;            /* workers keep few system calls */
	char *base_path;
	int standby;             /* enum config_standby */
	int workers;             /* 0: chosen at start */
	int max_requests;        /* a worker leaves after so many, 0 never */
	int io_timeout_ms;       /* a peer that stalls is dropped */
	int request_deadline_ms; /* the parent ends a worker that takes longer */
	int body_limit;          /* bytes */

	/* who may call, and from where */
	int client_auth;         /* enum config_client_auth */
	int secure_cookies;      /* enum config_cookies */
	char *allowed_origins;   /* of pages that may use our cookies */
	char *sso_domains;

	/* tokens and sessions */
	char *issuer;
	char *audience;
	char *key_dir;
	int signing_algorithm;   /* enum config_algorithm, for new keys */
	int jwks_max_age_seconds; /* that a verifier may keep the public keys */
	int access_token_seconds;
	int check;               /* enum config_check */
	int session_seconds;     /* absolute life of a refresh-token session */
	int session_idle_seconds;
	int refresh_grace_seconds;

	/* passwords */
	int scrypt_log2_n;
	int scrypt_r;
	int scrypt_p;
	int hash_engine;         /* enum config_hash_engine */
	int hash_slots;          /* at a time; 0: chosen at start */
	int hash_lanes;          /* side by side in each; 0: chosen at start */
	int hash_other_mib;      /* for a hash that has no place in the lanes */
	int hash_queue;          /* who compute and wait; 0: chosen at start */
	int hash_deadline_ms;    /* longest wait for a slot */
	char *shared_dir;        /* where processes without a common parent share
	                            the memory for hashes */
	int hash_idle_seconds;   /* then its memory is given back */
	int refusal_ms;          /* age of a sign-in that is told to come later */
	int memory_limit_mib;    /* of the service; 0: what the machine has */
	int password_max_age_days; /* 0: never expires */
	int password_min_length;   /* characters, when one is set */

	/* throttle */
	int throttle_failures;       /* free ones of an account, 0: no limit */
	int throttle_lock_seconds;   /* the longest lock */
	int throttle_quiet_seconds; /* without a failure */
	int throttle_address_rate;   /* failures a minute, 0: no limit */
	int throttle_address_burst;
	int device_cookie_days;      /* 0: no device cookies */

	/* database */
	char *database;          /* libpq connection string; "": PG* variables */
	char *admin_database;    /* the same for posternctl; "": database */
	char *owner_database;    /* for its migrate; "": admin_database */
	bool db_prepare;
	int db_timeout_ms;       /* whole round trip, reconnect included */

	/* who may read the numbers */
	char *metrics_allow;

	/* log */
	char *log;
	int log_format;          /* enum log_format */
	int log_level;           /* enum log_level */

	/* where it all came from; no settings */
	char *file;              /* the settings file, "" when there is none */
	struct config_origin *origins; /* a row a setting, for config_origin() */
};

enum config_kind {
	CONFIG_TEXT,
	CONFIG_SECRET_TEXT, /* a connection string; its password is not shown */
	CONFIG_NUMBER,
	CONFIG_OCTAL,
	CONFIG_SWITCH,      /* on | off */
	CONFIG_CHOICE,
};

/* One row of the table. */
struct config_setting {
	const char *name;          /* lower case; POSTERN_NAME in environments */
	enum config_kind kind;
	size_t offset;             /* in struct config */
	const char *fallback;      /* the default, as it would be written */
	int64_t least, most;       /* of a number; bytes of a text */
	const char *const *choices;/* NULL-terminated, in the enum's order */
	const char *(*check)(const char *text); /* NULL, or what is wrong */
	bool reloadable;           /* takes effect on SIGHUP */
	const char *help;          /* one line of at most 76 columns */
};

const struct config_setting *config_table(size_t *count);

/*
 * Defaults, then the file, then POSTERN_* variables of the environment, each
 * over the one before.  `path` NULL: the file named by POSTERN_CONFIG, or none.
 * The file is UTF-8 and at most 64 KiB.  A line is NAME=VALUE much as in
 * systemd's EnvironmentFile: the name with or without POSTERN_, in either case;
 * white space around name and value is dropped, one pair of quotes around the
 * value too; "#" and ";" start a comment line.  A backslash is a backslash, and
 * a value may not end in one: systemd would take the next line for a part of it.
 *
 * Unknown names, bad values, a name twice and settings that contradict each
 * other are refused, and in the environment too: a misspelt security setting
 * must not pass.  Only POSTERN_CONFIG and POSTERN_PID are passed over there.
 *
 * Returns the settings, or NULL with a sentence in `why`: file, line, name,
 * reason; never the value, which may be a password.
 */
struct config *config_load(const char *path, char why[static CONFIG_WHY_SIZE]);

/*
 * Set one more, from the command line, by the same rules.  Returns 0, or -1 with
 * a sentence in `why`; the settings are then of no more use than to be freed.
 */
int config_set(struct config *config, const char *name, const char *value,
    char why[static CONFIG_WHY_SIZE]);

/* NULL does nothing.  Connection strings are wiped. */
void config_free(struct config *config);

/*
 * The value as it would be written in a file, without the password of a
 * connection string.  Cut at CONFIG_VALUE_SIZE, which holds every allowed value.
 */
#define CONFIG_VALUE_SIZE CONNINFO_SIZE
void config_value(const struct config *config,
    const struct config_setting *setting,
    char text[static CONFIG_VALUE_SIZE]);

/* Where it came from: "default", "line 12" (of config->file), "environment" or
 * "command line". */
#define CONFIG_ORIGIN_SIZE 24
void config_origin(const struct config *config,
    const struct config_setting *setting,
    char text[static CONFIG_ORIGIN_SIZE]);

/* Print name, effective value, where it came from and help; 80 columns. */
void config_print(const struct config *config, FILE *out);

#endif
