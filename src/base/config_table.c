/* config_table.c - the table of settings. */

#include <limits.h>
#include <strings.h>

#include "base/config_private.h"
#include "base/log.h"

static const char *const client_auths[] = {
	[CLIENT_AUTH_REQUIRED] = "required",
	[CLIENT_AUTH_OPTIONAL] = "optional",
	NULL,
};

static const char *const cookie_modes[] = {
	[COOKIES_ALWAYS] = "always",
	[COOKIES_AUTO] = "auto",
	[COOKIES_NEVER] = "never",
	NULL,
};

static const char *const hash_engines[] = {
	[HASH_ENGINE_AUTO] = "auto",
	[HASH_ENGINE_LANES] = "lanes",
	[HASH_ENGINE_LIBSCRYPT] = "libscrypt",
	NULL,
};

static const char *const standbys[] = {
	[STANDBY_ALWAYS] = "always",
	[STANDBY_AUTO] = "auto",
	[STANDBY_NEVER] = "never",
	NULL,
};

static const char *const check_modes[] = {
	[CHECK_MODE_FAST] = "fast",
	[CHECK_MODE_STRICT] = "strict",
	NULL,
};

static const char *const algorithms[] = {
	[ALGORITHM_ES256] = "es256",
	[ALGORITHM_EDDSA] = "eddsa",
	NULL,
};

static const char *const log_formats[] = {
	[LOG_FORMAT_PLAIN] = "plain",
	[LOG_FORMAT_JSON] = "json",
	NULL,
};

static const char *const log_levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
	NULL,
};

#define AT(field)                  offsetof(struct config, field)
#define TEXT(field, fallback, least, most, check) \
	#field, CONFIG_TEXT, AT(field), fallback, least, most, NULL, check
#define SECRET(field) \
	#field, CONFIG_SECRET_TEXT, AT(field), "", 0, 1024, NULL, NULL
#define NUMBER(field, fallback, least, most) \
	#field, CONFIG_NUMBER, AT(field), fallback, least, most, NULL, NULL
#define OCTAL(field, fallback, most) \
	#field, CONFIG_OCTAL, AT(field), fallback, 0, most, NULL, NULL
#define SWITCH(field, fallback) \
	#field, CONFIG_SWITCH, AT(field), fallback, 0, 0, NULL, NULL
#define CHOICE(field, fallback, choices) \
	#field, CONFIG_CHOICE, AT(field), fallback, 0, 0, choices, NULL

static const struct config_setting table[] = {
	{ TEXT(listen, "", 0, 255, config_check_listen), false,
	    "unix:PATH or HOST:PORT; empty: the socket the manager hands over" },
	{ OCTAL(listen_mode, "0660", 0777), false,
	    "mode of a Unix socket that listen makes" },
	{ TEXT(listen_group, "", 0, 64, NULL), false,
	    "group of that socket; empty: the group of the process" },
	{ TEXT(socket_users, "", 0, 512, NULL), true,
	    "users who may connect to it (list); empty: whom its mode lets" },
	{ TEXT(user, "", 0, 64, NULL), false,
	    "whom the program becomes when root starts it" },
	{ SWITCH(seccomp, "on"), true,
	    "workers keep only the system calls that they need" },
	{ TEXT(base_path, "/v2", 0, 128, config_check_base_path), true,
	    "what every address begins with" },
	{ CHOICE(standby, "auto", standbys), true,
	    "a process that replaces a killed parent; auto: where lighttpd starts us" },
	{ NUMBER(workers, "0", 0, 1024), true,
	    "processes that answer requests; 0: chosen at start" },
	{ NUMBER(max_requests, "0", 0, INT_MAX), true,
	    "requests after which a worker makes way for a new one; 0: never" },
	{ NUMBER(io_timeout_ms, "5000", 50, 600000), true,
	    "a web server that stalls for longer is dropped" },
	{ NUMBER(request_deadline_ms, "30000", 100, 600000), true,
	    "a worker that takes longer for one request is ended" },
	{ NUMBER(body_limit, "16384", 1024, 65536), true,
	    "bytes of the largest request body" },

	{ CHOICE(client_auth, "required", client_auths), true,
	    "must a client of sign-in show an API key: required or optional" },
	{ CHOICE(secure_cookies, "auto", cookie_modes), true,
	    "cookies for HTTPS alone: always, auto (as the request came), never" },
	{ TEXT(allowed_origins, "", 0, 1024, config_check_origins), true,
	    "origins whose pages may use cookies and read answers (list)" },
	{ TEXT(sso_domains, "", 0, 1024, config_check_domains), true,
	    "domains whose people sign in elsewhere (list)" },

	{ TEXT(issuer, "postern", 1, 255, config_check_claim), true,
	    "iss of access tokens; the address of the service is a good one" },
	{ TEXT(audience, "postern", 1, 255, config_check_claim), true,
	    "aud of access tokens" },
	{ TEXT(key_dir, SYSCONFDIR "/postern/keys", 1, 255, config_check_path),
	    true, "directory of the signing keys and the master secret" },
	{ CHOICE(signing_algorithm, "es256", algorithms), true,
	    "of new signing keys: es256 or eddsa" },
	{ NUMBER(jwks_max_age_seconds, "300", 0, 86400), true,
	    "how long verifiers may keep a copy of the public keys" },
	{ NUMBER(access_token_seconds, "900", 1,
	      CONFIG_ACCESS_TOKEN_SECONDS_MOST), true,
	    "life of an access token" },
	{ CHOICE(check, "fast", check_modes), true,
	    "does auth/check ask the database each time (strict) or not (fast)" },
	{ NUMBER(session_seconds, "2592000", 2, 315360000), true,
	    "life of a session, however much it is used" },
	{ NUMBER(session_idle_seconds, "1209600", 2, 315360000), true,
	    "life of a session that is not used" },
	{ NUMBER(refresh_grace_seconds, "30", 0, 300), true,
	    "how long the refresh token before the current one is honoured" },

	{ NUMBER(scrypt_log2_n, "15", 10, 20), true,
	    "cost of new password hashes: 2 to this power is scrypt's N" },
	{ NUMBER(scrypt_r, "8", 1, 32), true,
	    "scrypt's r; a hash takes 128 * N * r bytes" },
	{ NUMBER(scrypt_p, "3", 1, 16), true,
	    "scrypt's p" },
	{ CHOICE(hash_engine, "auto", hash_engines), true,
	    "what computes scrypt: auto, lanes or libscrypt" },
	{ NUMBER(hash_slots, "0", 0, 1024), true,
	    "cores that hash at a time; 0: as many as memory allows" },
	{ NUMBER(hash_lanes, "0", 0, 8), true,
	    "hashes side by side on each; 0: as processor and memory allow" },
	{ NUMBER(hash_other_mib, "64", 0, 256), true,
	    "memory on each core for hashes of other systems and costs" },
	{ NUMBER(hash_queue, "0", 0, 4096), true,
	    "sign-ins that hash or wait at a time; 0: three of four workers" },
	{ NUMBER(hash_deadline_ms, "2000", 10, 600000), true,
	    "a sign-in that waits longer for its hash is refused with 503" },
	{ NUMBER(hash_idle_seconds, "60", 0, 86400), true,
	    "after which the memory of an idle core's hashes is given back" },
	{ TEXT(shared_dir, "/dev/shm", 1, 128, config_check_path), true,
	    "where plain CGI and mod_fcgid share the memory of hashes" },
	{ NUMBER(refusal_ms, "1000", 0, 10000), true,
	    "time that a refusal of a sign-in with 503 or 429 takes at least" },
	{ NUMBER(memory_limit_mib, "0", 0, 16777216), true,
	    "memory that the service may take at worst; 0: what there is" },
	{ NUMBER(password_max_age_days, "0", 0, 36500), true,
	    "age at which a password has expired; 0: never" },
	{ NUMBER(password_min_length, "8", 1, 128), true,
	    "characters that a new password needs" },

	{ NUMBER(throttle_failures, "5", 0, 1000), true,
	    "failed sign-ins of an account before it is locked; 0: no limit" },
	{ NUMBER(throttle_lock_seconds, "900", 1, 86400), true,
	    "longest lock; the first is a second, each next one twice as long" },
	{ NUMBER(throttle_quiet_seconds, "86400", 2, 31536000), true,
	    "time without a failure after which the count begins anew" },
	{ NUMBER(throttle_address_rate, "30", 0, 6000), true,
	    "failures a minute that a client's address may have; 0: no limit" },
	{ NUMBER(throttle_address_burst, "60", 1, 100000), true,
	    "failures that it may have at once" },
	{ NUMBER(device_cookie_days, "365", 0, 3650), true,
	    "life of the cookie that gives a browser a count of its own; 0: none" },

	{ SECRET(database), true,
	    "libpq connection string of postern.fcgi; empty: PG* variables" },
	{ SECRET(admin_database), true,
	    "connection string of posternctl; empty: database" },
	{ SECRET(owner_database), true,
	    "connection string of posternctl migrate; empty: admin_database" },
	{ SWITCH(db_prepare, "on"), true,
	    "prepared statements; off for poolers that cannot keep them" },
	{ NUMBER(db_timeout_ms, "3000", 50, 60000), true,
	    "longest wait for the database, connecting included" },

	{ TEXT(metrics_allow, "127.0.0.0/8, ::1", 0, 1024,
	      config_check_networks),
	    true, "networks that may read /metrics (list); empty: nobody" },

	{ TEXT(log, "stderr", 1, 255, config_check_log), true,
	    "stderr, syslog or the path of a file" },
	{ CHOICE(log_format, "plain", log_formats), true,
	    "plain or json" },
	{ CHOICE(log_level, "info", log_levels), true,
	    "error, warning, info or debug" },
};

#define SETTINGS (sizeof(table) / sizeof(table[0]))

const struct config_setting *
config_table(size_t *count)
{
	*count = SETTINGS;
	return table;
}

const struct config_setting *
config_find(const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcasecmp(name, table[i].name) == 0)
			return &table[i];
	return NULL;
}

size_t
config_place(const struct config_setting *setting)
{
	return (size_t)(setting - table);
}

const void *
config_field(const struct config *config,
    const struct config_setting *setting)
{
	return (const char *)config + setting->offset;
}
