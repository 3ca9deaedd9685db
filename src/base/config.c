/* config.c - the settings: table, files, environment. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/config.h"
#include "base/conninfo.h"
#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/text.h"

#define FILE_LIMIT        (64 * 1024)
#define PREFIX            "POSTERN_"
#define PREFIX_SIZE       (sizeof(PREFIX) - 1)
#define NAME_SIZE         64
#define REASON_SIZE       160
#define SCRYPT_MEMORY_MIB 256

extern char **environ;

/* ---- checks of single values: NULL, or what is wrong ------------------------ */

/* Room for a path in struct sockaddr_un, with its NUL. */
#define SOCKET_PATH_SIZE 108

static const char *
check_listen(const char *text)
{
	const char *colon, *port;
	long number;

	if (*text == '\0')
		return NULL;
	if (strncmp(text, "unix:", 5) == 0) {
		if (text[5] == '\0')
			return "has no path behind unix:";
		if (strlen(text + 5) >= SOCKET_PATH_SIZE)
			return "has a path too long for a socket";
		return NULL;
	}
	colon = strrchr(text, ':');
	if (colon == NULL || colon == text)
		return "must be unix:PATH or HOST:PORT";
	port = colon + 1;
	if (strspn(port, "0123456789") != strlen(port) || strlen(port) > 5)
		return "must end in a port number";
	number = strtol(port, NULL, 10);
	if (number < 1 || number > 65535)
		return "must end in a port from 1 to 65535";
	return NULL;
}

static const char *
check_base_path(const char *text)
{
	const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~./";
	const char *segment;
	size_t size;

	if (*text == '\0')
		return NULL;
	if (*text != '/')
		return "must begin with /";
	if (text[strlen(text) - 1] == '/')
		return "must not end in /";
	if (strspn(text, plain) != strlen(text))
		return "may hold letters, digits and -_~./ only";
	for (segment = text; *segment == '/'; segment += size) {
		segment++;
		size = strcspn(segment, "/");
		if (size == 0)
			return "must not hold //";
		if (strspn(segment, ".") >= size)
			return "must not hold the parts . and ..";
	}
	return NULL;
}

static const char *
check_path(const char *text)
{
	return *text == '/' ? NULL : "must be a path that begins with /";
}

static const char *
check_log(const char *text)
{
	if (strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0)
		return NULL;
	return *text == '/' ? NULL :
			      "must be stderr, syslog or a path that begins "
			      "with /";
}

static const char *
check_domains(const char *text)
{
	const char *item;
	size_t size;

	while ((item = list_next(&text, &size)) != NULL)
		if (memchr(item, '.', size) == NULL ||
		    memchr(item, '@', size) != NULL ||
		    memchr(item, ' ', size) != NULL || *item == '.' ||
		    item[size - 1] == '.')
			return "must be a list of domains: example.org, ...";
	return NULL;
}

static const char *
check_networks(const char *text)
{
	return address_list_is_valid(text) ?
	    NULL :
	    "must be a list of networks: 192.0.2.0/24, 2001:db8::/32, ...";
}

/* A name's 253 characters (RFC 1035 2.3.4), the scheme before, a port behind;
 * answers repeat an origin in their heads, where room is short. */
#define ORIGIN_LIMIT 267

/* The length of a host's name, or of an IPv6 address in brackets; 0: neither. */
static size_t
host_length(const char *text)
{
	size_t length;

	if (*text != '[')
		return strspn(text,
		    "abcdefghijklmnopqrstuvwxyz0123456789-._");
	length = 1 + strspn(text + 1, "0123456789abcdef:.");
	return text[length] == ']' ? length + 1 : 0;
}

/* An origin, letter for letter as browsers write it: in lower case, and without
 * the port that its scheme has anyway. */
static bool
is_origin(const char *item, size_t size)
{
	bool https = strncmp(item, "https://", 8) == 0;
	const char *host = item + (https ? 8 : 7);
	const char *colon;
	char *end;
	long port;

	if ((!https && strncmp(item, "http://", 7) != 0) ||
	    size > ORIGIN_LIMIT)
		return false;
	colon = host + host_length(host);
	if (colon == host || colon == item + size)
		return colon != host;
	if (*colon != ':' || colon[1] < '1' || colon[1] > '9')
		return false;
	port = strtol(colon + 1, &end, 10);
	return end == item + size && port <= 65535 &&
	    port != (https ? 443 : 80);
}

static const char *
check_origins(const char *text)
{
	const char *item;
	size_t size;

	while ((item = list_next(&text, &size)) != NULL)
		if (!is_origin(item, size))
			return "must be a list of origins as browsers write "
			       "them: https://app.example.org, ...";
	return NULL;
}

/* ---- the table ---------------------------------------------------------------- */

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
	{ TEXT(listen, "", 0, 255, check_listen), false,
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
	{ TEXT(base_path, "/v2", 0, 128, check_base_path), true,
	    "what every address begins with" },
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
	{ TEXT(allowed_origins, "", 0, 1024, check_origins), true,
	    "origins whose pages may use cookies and read answers (list)" },
	{ TEXT(sso_domains, "", 0, 1024, check_domains), true,
	    "domains whose people sign in elsewhere (list)" },

	{ TEXT(issuer, "postern", 1, 255, NULL), true,
	    "iss of access tokens; the address of the service is a good one" },
	{ TEXT(audience, "postern", 1, 255, NULL), true,
	    "aud of access tokens" },
	{ TEXT(key_dir, SYSCONFDIR "/postern/keys", 1, 255, check_path), true,
	    "directory of the signing keys and the master secret" },
	{ CHOICE(signing_algorithm, "es256", algorithms), true,
	    "of new signing keys: es256 or eddsa" },
	{ NUMBER(jwks_max_age_seconds, "300", 0, 86400), true,
	    "how long verifiers may keep a copy of the public keys" },
	{ NUMBER(access_token_seconds, "900", 1, 86400), true,
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
	    "cores that hash at a time; 0: as many as there are" },
	{ NUMBER(hash_lanes, "0", 0, 8), true,
	    "hashes side by side on each; 0: as processor and memory allow" },
	{ NUMBER(hash_queue, "0", 0, 4096), true,
	    "sign-ins that hash or wait at a time; 0: three of four workers" },
	{ NUMBER(hash_deadline_ms, "2000", 10, 600000), true,
	    "a sign-in that waits longer for its hash is refused with 503" },
	{ NUMBER(hash_idle_seconds, "60", 0, 86400), true,
	    "after which the memory of an idle core's hashes is given back" },
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

	{ TEXT(metrics_allow, "127.0.0.0/8, ::1", 0, 1024, check_networks),
	    true, "networks that may read /metrics (list); empty: nobody" },

	{ TEXT(log, "stderr", 1, 255, check_log), true,
	    "stderr, syslog or the path of a file" },
	{ CHOICE(log_format, "plain", log_formats), true,
	    "plain or json" },
	{ CHOICE(log_level, "info", log_levels), true,
	    "error, warning, info or debug" },
};

#define SETTINGS (sizeof(table) / sizeof(table[0]))

/* Settings that contradict each other: the first must not exceed the second, or
 * must stay below it. */
static const struct rule {
	const char *low;
	bool may_equal;
	const char *high;
} rules[] = {
	{ "session_idle_seconds", true, "session_seconds" },
	{ "access_token_seconds", false, "session_seconds" },
	{ "refresh_grace_seconds", false, "session_idle_seconds" },
	{ "throttle_lock_seconds", false, "throttle_quiet_seconds" },
	{ "io_timeout_ms", false, "request_deadline_ms" },
	{ "db_timeout_ms", false, "request_deadline_ms" },
	{ "hash_deadline_ms", false, "request_deadline_ms" },
};

const struct config_setting *
config_table(size_t *count)
{
	*count = SETTINGS;
	return table;
}

/* ---- setting one -------------------------------------------------------------- */

/* From where, the later over the earlier. */
enum source {
	FROM_DEFAULT,
	FROM_FILE,
	FROM_ENVIRONMENT,
	FROM_COMMAND_LINE,
};

struct config_origin {
	enum source source;
	int line; /* of the file */
};

/* What a setting's row points to. */
static void *
field_of(struct config *config, const struct config_setting *setting)
{
	return (char *)config + setting->offset;
}

static const void *
value_of(const struct config *config, const struct config_setting *setting)
{
	return (const char *)config + setting->offset;
}

static void
free_text(char *text)
{
	if (text == NULL)
		return;
	secret_wipe(text, strlen(text));
	free(text);
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* What is wrong with a text, or NULL. */
static const char *
text_fault(const struct config_setting *setting, const char *value)
{
	if (*value == '\0' && setting->least > 0)
		return "must not be empty";
	if (!text_is_utf8(value, strlen(value)) || has_control(value))
		return "must be UTF-8 without control characters";
	return setting->check == NULL ? NULL : setting->check(value);
}

/* Each set_ call returns 0, or -1 with the reason written. */
static int
set_text(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static REASON_SIZE])
{
	char **field = field_of(config, setting);
	const char *fault;

	if (strlen(value) > (size_t)setting->most) {
		snprintf(reason, REASON_SIZE, "may have at most %d bytes",
		    (int)setting->most);
		return -1;
	}
	fault = text_fault(setting, value);
	if (fault != NULL) {
		snprintf(reason, REASON_SIZE, "%s", fault);
		return -1;
	}
	free_text(*field);
	*field = memory_text(value);
	return 0;
}

static int
set_number(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static REASON_SIZE])
{
	bool octal = setting->kind == CONFIG_OCTAL;
	const char *digits = octal ? "01234567" : "0123456789";
	size_t size = strlen(value);
	int *field = field_of(config, setting);
	int64_t number;

	/* No sign, no space, no unit; and not so long as to overflow. */
	number = strtoll(value, NULL, octal ? 8 : 10);
	if (size == 0 || size > 12 || strspn(value, digits) != size ||
	    number < setting->least || number > setting->most) {
		snprintf(reason, REASON_SIZE,
		    octal ? "must be an octal number from %04o to %04o" :
			    "must be a number from %d to %d",
		    (int)setting->least, (int)setting->most);
		return -1;
	}
	*field = (int)number;
	return 0;
}

static int
set_switch(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static REASON_SIZE])
{
	bool *field = field_of(config, setting);

	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
		snprintf(reason, REASON_SIZE, "must be on or off");
		return -1;
	}
	*field = strcmp(value, "on") == 0;
	return 0;
}

static int
set_choice(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static REASON_SIZE])
{
	int *field = field_of(config, setting);
	int used;

	for (int i = 0; setting->choices[i] != NULL; i++)
		if (strcmp(value, setting->choices[i]) == 0) {
			*field = i;
			return 0;
		}
	used = snprintf(reason, REASON_SIZE, "must be one of:");
	for (int i = 0; setting->choices[i] != NULL; i++)
		used += snprintf(reason + used, REASON_SIZE - (size_t)used,
		    " %s", setting->choices[i]);
	return -1;
}

static int
set_value(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static REASON_SIZE])
{
	switch (setting->kind) {
	case CONFIG_TEXT:
	case CONFIG_SECRET_TEXT:
		return set_text(config, setting, value, reason);
	case CONFIG_NUMBER:
	case CONFIG_OCTAL:
		return set_number(config, setting, value, reason);
	case CONFIG_SWITCH:
		return set_switch(config, setting, value, reason);
	case CONFIG_CHOICE:
		return set_choice(config, setting, value, reason);
	}
	return -1;
}

/* ---- names -------------------------------------------------------------------- */

static const struct config_setting *
find_setting(const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcasecmp(name, table[i].name) == 0)
			return &table[i];
	return NULL;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How many letters to add, drop or change to make one name of the other. */
static unsigned
name_distance(const char *a, const char *b)
{
	unsigned row[NAME_SIZE], left, above, best;
	size_t size = strlen(b);

	for (unsigned i = 0; i <= size; i++)
		row[i] = i;
	for (; *a != '\0'; a++) {
		left = row[0]++;
		for (size_t i = 1; i <= size; i++) {
			above = row[i];
			best = left + (lower(*a) != b[i - 1]);
			if (best > above + 1)
				best = above + 1;
			if (best > row[i - 1] + 1)
				best = row[i - 1] + 1;
			row[i] = best;
			left = above;
		}
	}
	return row[size];
}

static void
explain_unknown(const char *name, char reason[static REASON_SIZE])
{
	const char *nearest = NULL;
	unsigned distance, least = 3; /* more is another word */

	for (size_t i = 0; i < SETTINGS && strlen(name) < NAME_SIZE; i++) {
		distance = name_distance(name, table[i].name);
		if (distance < least) {
			least = distance;
			nearest = table[i].name;
		}
	}
	if (nearest == NULL)
		snprintf(reason, REASON_SIZE, "no such setting");
	else
		snprintf(reason, REASON_SIZE,
		    "no such setting; the nearest is %s", nearest);
}

/*
 * Set by name, from one source.  A name twice in one source is refused: which of
 * the two was meant, nobody can know.
 */
static int
set_named(struct config *config, const char *name, const char *value,
    struct config_origin origin, char reason[static REASON_SIZE])
{
	const struct config_setting *setting = find_setting(name);
	struct config_origin *before;

	if (setting == NULL) {
		explain_unknown(name, reason);
		return -1;
	}
	before = &config->origins[setting - table];
	if (before->source == origin.source &&
	    origin.source != FROM_COMMAND_LINE) {
		snprintf(reason, REASON_SIZE,
		    before->line > 0 ? "already set in line %d" :
				       "set twice",
		    before->line);
		return -1;
	}
	*before = origin;
	return set_value(config, setting, value, reason);
}

/* ---- the file ------------------------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cut white space off both ends; the text is changed. */
static char *
trim(char *text)
{
	size_t size;

	while (is_space(*text))
		text++;
	size = strlen(text);
	while (size > 0 && is_space(text[size - 1]))
		size--;
	text[size] = '\0';
	return text;
}

/* Take one pair of quotes off; NULL when they do not pair. */
static char *
unquote(char *value)
{
	size_t size = strlen(value);
	char quote = *value;

	if (quote != '"' && quote != '\'')
		return value;
	if (size < 2 || strchr(value + 1, quote) != value + size - 1)
		return NULL;
	value[size - 1] = '\0';
	return value + 1;
}

/* One line of the file; a reason may follow the name that it is about. */
static int
read_line(struct config *config, char *line, int number,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_origin origin = { FROM_FILE, number };
	char reason[REASON_SIZE] = "";
	char *name = trim(line), *value;

	if (*name == '\0' || *name == '#' || *name == ';')
		return 0;
	value = strchr(name, '=');
	if (value == NULL) {
		snprintf(why, CONFIG_WHY_SIZE, "%s:%d: not NAME=VALUE",
		    config->file, number);
		return -1;
	}
	*value++ = '\0';
	name = trim(name);
	if (strncasecmp(name, PREFIX, PREFIX_SIZE) == 0)
		name += PREFIX_SIZE;

	value = unquote(trim(value));
	if (value == NULL)
		snprintf(reason, sizeof(reason), "quotes that do not pair");
	else if (*value != '\0' && value[strlen(value) - 1] == '\\')
		snprintf(reason, sizeof(reason), "must not end in \\");
	else if (set_named(config, name, value, origin, reason) == 0)
		return 0;
	snprintf(why, CONFIG_WHY_SIZE, "%s:%d: %.*s: %s", config->file,
	    number, NAME_SIZE, name, reason);
	return -1;
}

static int
read_lines(struct config *config, char *text, size_t size,
    char why[static CONFIG_WHY_SIZE])
{
	char *line;

	if (!text_is_utf8(text, size) || memchr(text, '\0', size) != NULL) {
		snprintf(why, CONFIG_WHY_SIZE, "%s: not a UTF-8 text",
		    config->file);
		return -1;
	}
	for (int number = 1; (line = strsep(&text, "\n")) != NULL; number++)
		if (read_line(config, line, number, why) == -1)
			return -1;
	return 0;
}

static int
read_file(struct config *config, char why[static CONFIG_WHY_SIZE])
{
	size_t size;
	char *text;
	int result;

	if (*config->file == '\0')
		return 0;
	text = file_read(config->file, FILE_LIMIT, &size);
	if (text == NULL) {
		snprintf(why, CONFIG_WHY_SIZE, "could not read \"%s\": %s",
		    config->file, strerror(errno));
		return -1;
	}
	result = read_lines(config, text, size, why);
	secret_wipe(text, size);
	free(text);
	return result;
}

/* ---- the environment -------------------------------------------------------------- */

/* Variables that are ours and no settings. */
static bool
is_no_setting(const char *name)
{
	return strcmp(name, "POSTERN_CONFIG") == 0 ||
	    strcmp(name, "POSTERN_PID") == 0;
}

static bool
is_upper_case(const char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'a' && *name <= 'z')
			return false;
	return true;
}

static int
read_variable(struct config *config, const char *variable,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_origin origin = { FROM_ENVIRONMENT, 0 };
	char name[PREFIX_SIZE + NAME_SIZE];
	char reason[REASON_SIZE];
	const char *equals = strchr(variable, '=');

	if (equals == NULL || strncmp(variable, PREFIX, PREFIX_SIZE) != 0)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - variable),
	    variable);
	if (is_no_setting(name))
		return 0;
	if (!is_upper_case(name))
		snprintf(reason, sizeof(reason), "must be in upper case");
	else if (set_named(config, name + PREFIX_SIZE, equals + 1, origin,
		     reason) == 0)
		return 0;
	snprintf(why, CONFIG_WHY_SIZE, "environment: %s: %s", name, reason);
	return -1;
}

static int
read_environment(struct config *config, char why[static CONFIG_WHY_SIZE])
{
	for (char **variable = environ; *variable != NULL; variable++)
		if (read_variable(config, *variable, why) == -1)
			return -1;
	return 0;
}

/* ---- all together ----------------------------------------------------------------- */

static int
check_rule(const struct config *config, const struct rule *rule,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_setting *low = find_setting(rule->low);
	const struct config_setting *high = find_setting(rule->high);
	char low_origin[CONFIG_ORIGIN_SIZE], high_origin[CONFIG_ORIGIN_SIZE];
	const int *low_value = value_of(config, low);
	const int *high_value = value_of(config, high);

	if (*low_value < *high_value ||
	    (rule->may_equal && *low_value == *high_value))
		return 0;
	config_origin(config, low, low_origin);
	config_origin(config, high, high_origin);
	snprintf(why, CONFIG_WHY_SIZE, "%s (%d, %s) %s %s (%d, %s)",
	    low->name, *low_value, low_origin,
	    rule->may_equal ? "must not exceed" : "must be below",
	    high->name, *high_value, high_origin);
	return -1;
}

static int
check_together(const struct config *config, char why[static CONFIG_WHY_SIZE])
{
	int64_t memory;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (check_rule(config, &rules[i], why) == -1)
			return -1;
	memory = (INT64_C(128) << config->scrypt_log2_n) * config->scrypt_r;
	if (memory > SCRYPT_MEMORY_MIB * INT64_C(1048576)) {
		snprintf(why, CONFIG_WHY_SIZE,
		    "scrypt_log2_n and scrypt_r make one hash take %lld MiB, "
		    "more than %d",
		    (long long)(memory >> 20), SCRYPT_MEMORY_MIB);
		return -1;
	}
	return 0;
}

/* Nothing but defaults. */
static struct config *
config_new(const char *path)
{
	struct config *config = memory_zeroed(1, sizeof(*config));
	char reason[REASON_SIZE];

	config->file = memory_text(path);
	config->origins = memory_zeroed(SETTINGS, sizeof(*config->origins));
	for (size_t i = 0; i < SETTINGS; i++)
		if (set_value(config, &table[i], table[i].fallback,
			reason) == -1) {
			log_error("the default of %s %s", table[i].name,
			    reason);
			abort();
		}
	return config;
}

struct config *
config_load(const char *path, char why[static CONFIG_WHY_SIZE])
{
	struct config *config;

	if (path == NULL)
		path = getenv("POSTERN_CONFIG");
	config = config_new(path == NULL ? "" : path);
	if (read_file(config, why) == -1 ||
	    read_environment(config, why) == -1 ||
	    check_together(config, why) == -1) {
		config_free(config);
		return NULL;
	}
	return config;
}

int
config_set(struct config *config, const char *name, const char *value,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_origin origin = { FROM_COMMAND_LINE, 0 };
	char reason[REASON_SIZE];

	if (set_named(config, name, value, origin, reason) == -1) {
		snprintf(why, CONFIG_WHY_SIZE, "%.*s: %s", NAME_SIZE, name,
		    reason);
		return -1;
	}
	return check_together(config, why);
}

void
config_free(struct config *config)
{
	char **field;

	if (config == NULL)
		return;
	for (size_t i = 0; i < SETTINGS; i++) {
		field = field_of(config, &table[i]);
		if (table[i].kind == CONFIG_TEXT ||
		    table[i].kind == CONFIG_SECRET_TEXT)
			free_text(*field);
	}
	free(config->origins);
	free(config->file);
	free(config);
}

void
config_origin(const struct config *config,
    const struct config_setting *setting,
    char text[static CONFIG_ORIGIN_SIZE])
{
	const struct config_origin *origin =
	    &config->origins[setting - table];

	switch (origin->source) {
	case FROM_DEFAULT:
		snprintf(text, CONFIG_ORIGIN_SIZE, "default");
		return;
	case FROM_FILE:
		snprintf(text, CONFIG_ORIGIN_SIZE, "line %d", origin->line);
		return;
	case FROM_ENVIRONMENT:
		snprintf(text, CONFIG_ORIGIN_SIZE, "environment");
		return;
	case FROM_COMMAND_LINE:
		snprintf(text, CONFIG_ORIGIN_SIZE, "command line");
		return;
	}
}

void
config_value(const struct config *config,
    const struct config_setting *setting, char text[static CONFIG_VALUE_SIZE])
{
	const void *field = value_of(config, setting);
	const char *const *string = field;
	const int *number = field;
	const bool *truth = field;

	switch (setting->kind) {
	case CONFIG_TEXT:
		snprintf(text, CONFIG_VALUE_SIZE, "%s", *string);
		return;
	case CONFIG_SECRET_TEXT:
		conninfo_show(*string, text);
		return;
	case CONFIG_NUMBER:
		snprintf(text, CONFIG_VALUE_SIZE, "%d", *number);
		return;
	case CONFIG_OCTAL:
		snprintf(text, CONFIG_VALUE_SIZE, "%04o", (unsigned)*number);
		return;
	case CONFIG_SWITCH:
		snprintf(text, CONFIG_VALUE_SIZE, "%s", *truth ? "on" : "off");
		return;
	case CONFIG_CHOICE:
		snprintf(text, CONFIG_VALUE_SIZE, "%s",
		    setting->choices[*number]);
		return;
	}
}
