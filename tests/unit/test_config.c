/* Settings: what is taken, from where, and how each mistake is told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

extern char **environ;

static char dir[] = "/tmp/postern-test-XXXXXX";
static char path[64];
static char why[CONFIG_WHY_SIZE];

#define TEXT_50  "https://sign-in.example.org/people/of/this/place/x"
#define TEXT_250 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50

/* The environment has these variables and no others. */
static void
use_environment(const char *const *variables)
{
	static char texts[16][128];
	static char *list[17];
	size_t i;

	for (i = 0; variables[i] != NULL; i++) {
		assert_true(i < COUNT(texts));
		snprintf(texts[i], sizeof(texts[i]), "%s", variables[i]);
		list[i] = texts[i];
	}
	list[i] = NULL;
	environ = list;
}

/* No setting of whoever runs the tests gets in. */
static void
use_no_environment(void)
{
	use_environment(&(const char *){ NULL });
}

static int
set_up(void **state)
{
	(void)state;
	use_no_environment();
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/postern.conf", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static struct config *
load_bytes(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	why[0] = '\0';
	return config_load(path, why);
}

static struct config *
load(const char *text)
{
	struct config *config = load_bytes(text, strlen(text));

	if (config == NULL)
		fail_msg("%s", why);
	return config;
}

/* The file is refused, for this reason; behind the path of the file. */
static void
assert_refused(const char *text, const char *reason)
{
	struct config *config = load_bytes(text, strlen(text));
	const char *said = why;

	if (config != NULL)
		fail_msg("accepted: %s", text);
	if (strncmp(said, path, strlen(path)) == 0)
		said += strlen(path);
	assert_string_equal(said, reason);
}

/* ---- what is taken ------------------------------------------------------- */

static void
test_defaults(void **state)
{
	struct config *config = config_load(NULL, why);

	(void)state;
	assert_non_null(config);
	assert_string_equal(config->listen, "");
	assert_int_equal(config->listen_mode, 0660);
	assert_string_equal(config->listen_group, "");
	assert_string_equal(config->socket_users, "");
	assert_string_equal(config->base_path, "/v2");
	assert_int_equal(config->workers, 0);
	assert_int_equal(config->max_requests, 0);
	assert_int_equal(config->io_timeout_ms, 5000);
	assert_int_equal(config->request_deadline_ms, 30000);
	assert_int_equal(config->body_limit, 16384);
	assert_int_equal(config->client_auth, CLIENT_AUTH_REQUIRED);
	assert_int_equal(config->secure_cookies, COOKIES_AUTO);
	assert_string_equal(config->allowed_origins, "");
	assert_string_equal(config->sso_domains, "");
	assert_string_equal(config->issuer, "postern");
	assert_string_equal(config->audience, "postern");
	assert_non_null(strstr(config->key_dir, "/postern/keys"));
	assert_int_equal(config->signing_algorithm, ALGORITHM_ES256);
	assert_int_equal(config->jwks_max_age_seconds, 300);
	assert_int_equal(config->access_token_seconds, 900);
	assert_int_equal(config->check, CHECK_MODE_FAST);
	assert_int_equal(config->session_seconds, 2592000);
	assert_int_equal(config->session_idle_seconds, 1209600);
	assert_int_equal(config->refresh_grace_seconds, 30);
	assert_int_equal(config->scrypt_log2_n, 15);
	assert_int_equal(config->scrypt_r, 8);
	assert_int_equal(config->scrypt_p, 3);
	assert_int_equal(config->password_max_age_days, 0);
	assert_int_equal(config->password_min_length, 8);
	assert_string_equal(config->database, "");
	assert_string_equal(config->admin_database, "");
	assert_string_equal(config->owner_database, "");
	assert_true(config->db_prepare);
	assert_int_equal(config->db_timeout_ms, 3000);
	assert_string_equal(config->log, "stderr");
	assert_int_equal(config->log_format, LOG_FORMAT_PLAIN);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_string_equal(config->file, "");
	config_free(config);
	config_free(NULL);
}

static void
test_file(void **state)
{
	struct config *config = load(
	    "# a comment = no setting\n"
	    "; another\n"
	    "\n"
	    "   \t\r\n"
	    "listen=unix:/run/postern.sock\n"
	    "POSTERN_LISTEN_MODE=600\n"
	    "Postern_Workers = 4 \t\r\n"
	    "  \tBODY_LIMIT\t=\t2048\n"
	    "issuer=\"https://example.org/a b\"\n"
	    "audience='\"quoted\"'\n"
	    "database=host=/run password='a b' user=u\n"
	    "admin_database=\"host=/run password='a b'\"\n"
	    "db_prepare=off\n"
	    "base_path=\n"
	    "socket_users=\"\"\n"
	    "client_auth=optional\n"
	    "log_level=debug"); /* no newline at the end */

	(void)state;
	assert_string_equal(config->listen, "unix:/run/postern.sock");
	assert_int_equal(config->listen_mode, 0600);
	assert_int_equal(config->workers, 4);
	assert_int_equal(config->body_limit, 2048);
	assert_string_equal(config->issuer, "https://example.org/a b");
	assert_string_equal(config->audience, "\"quoted\"");
	assert_string_equal(config->database,
	    "host=/run password='a b' user=u");
	assert_string_equal(config->admin_database,
	    "host=/run password='a b'");
	assert_false(config->db_prepare);
	assert_string_equal(config->base_path, "");
	assert_string_equal(config->socket_users, "");
	assert_int_equal(config->client_auth, CLIENT_AUTH_OPTIONAL);
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(config->file, path);
	/* what the file does not name keeps its default */
	assert_int_equal(config->scrypt_p, 3);
	config_free(config);
}

static void
test_accepted_values(void **state)
{
	static const char *const lines[] = {
		"listen=", "listen=unix:relative.sock", "listen=localhost:1",
		"listen=127.0.0.1:65535", "listen=[::1]:9000",
		"listen_mode=0", "listen_mode=0777", "listen_mode=00000600",
		"base_path=/a/b.c~d_e-f/v2.1", "base_path=/...x",
		"allowed_origins=https://app.example.org",
		("allowed_origins=http://localhost:3000, http://a:443,,"
		 "https://127.0.0.1:80 ,https://[::1]:8443,http://[2001:db8::1]"),
		"sso_domains=example.org", "sso_domains=a.b , c.d,,",
		"workers=0", "workers=1024", "workers=007",
		"key_dir=/", "log=/var/log/x", "log=syslog",
		"refresh_grace_seconds=0", "refresh_grace_seconds=300",
		"scrypt_log2_n=10", "scrypt_log2_n=18",
		"session_idle_seconds=2592000", "secure_cookies=never",
		"signing_algorithm=eddsa", "log_format=json",
		"issuer=\xc3\xa4", "database=",
		"issuer=" TEXT_250 "12345", "issuer=\\" TEXT_250 "123",
		"audience=" TEXT_250 "\"\\1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		config_free(load(lines[i]));
}

static void
test_file_from_environment(void **state)
{
	char variable[100];
	const char *variables[] = { variable, NULL };
	struct config *config;

	(void)state;
	config_free(load("workers=3\n"));
	snprintf(variable, sizeof(variable), "POSTERN_CONFIG=%s", path);
	use_environment(variables);
	config = config_load(NULL, why);
	assert_non_null(config);
	assert_int_equal(config->workers, 3);
	assert_string_equal(config->file, path);
	config_free(config);

	use_environment((const char *[]){ "POSTERN_CONFIG=", NULL });
	config = config_load(NULL, why);
	assert_non_null(config);
	assert_string_equal(config->file, "");
	config_free(config);
	use_no_environment();
}

static void
test_environment_wins(void **state)
{
	const char *variables[] = { "PATH=/bin", "POSTERN_WORKERS=7",
		"POSTERN_ISSUER= \"as it is\" ", "POSTERN_PID=1",
		"POSTERN_CONFIG=/nowhere", "POSTERNCTL_PAGER=x", "POSTERN=x",
		"postern_workers=9", "POSTERN_NO_EQUALS", NULL };
	struct config *config;

	(void)state;
	use_environment(variables);
	config = load("workers=3\nscrypt_p=1\n");
	use_no_environment();
	assert_int_equal(config->workers, 7);
	assert_int_equal(config->scrypt_p, 1);
	/* quotes and white space are a matter of files */
	assert_string_equal(config->issuer, " \"as it is\" ");
	config_free(config);
}

/* ---- what is refused ----------------------------------------------------- */

#define ORIGINS_REASON                                          \
	":1: allowed_origins: must be a list of origins as "    \
	"browsers write them: https://app.example.org, ..."

#define CLAIM_REASON(name)                                      \
	":1: " name ": may have at most 255 bytes, \" and \\ "  \
	"counting twice"

static void
test_refused_values(void **state)
{
	static const struct {
		const char *text, *reason;
	} bad[] = {
		/* numbers */
		{ "workers=", ":1: workers: must be a number from 0 to 1024" },
		{ "workers=1025",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=-1",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=+1",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=4 4",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=0x4",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=4.0",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=four",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=99999999999999999999",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=18446744073709551617",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "workers=4294967297",
		    ":1: workers: must be a number from 0 to 1024" },
		{ "max_requests=2147483648", ":1: max_requests: must be a "
					     "number from 0 to 2147483647" },
		{ "refresh_grace_seconds=301", ":1: refresh_grace_seconds: "
					       "must be a number from 0 to 300" },
		{ "scrypt_log2_n=9",
		    ":1: scrypt_log2_n: must be a number from 10 to 20" },
		{ "listen_mode=0800", ":1: listen_mode: must be an octal "
				      "number from 0000 to 0777" },
		{ "listen_mode=1777", ":1: listen_mode: must be an octal "
				      "number from 0000 to 0777" },
		{ "listen_mode=rw", ":1: listen_mode: must be an octal "
				    "number from 0000 to 0777" },
		/* switches and choices, which are in lower case */
		{ "db_prepare=yes", ":1: db_prepare: must be on or off" },
		{ "db_prepare=ON", ":1: db_prepare: must be on or off" },
		{ "db_prepare=", ":1: db_prepare: must be on or off" },
		{ "client_auth=none",
		    ":1: client_auth: must be one of: required optional" },
		{ "client_auth=Required",
		    ":1: client_auth: must be one of: required optional" },
		{ "client_auth=0",
		    ":1: client_auth: must be one of: required optional" },
		{ "secure_cookies=on",
		    ":1: secure_cookies: must be one of: always auto never" },
		{ "log_level=",
		    ":1: log_level: must be one of: error warning info debug" },
		/* texts */
		{ "issuer=", ":1: issuer: must not be empty" },
		{ "issuer=" TEXT_250 "123456",
		    ":1: issuer: may have at most 255 bytes" },
		{ "issuer=" TEXT_250 "1234\"", CLAIM_REASON("issuer") },
		{ "audience=\\" TEXT_250 "1234", CLAIM_REASON("audience") },
		{ "audience=" TEXT_250 "\"\\1\"", CLAIM_REASON("audience") },
		{ "issuer=a\tb",
		    ":1: issuer: must be UTF-8 without control characters" },
		{ "issuer=a\x1b[2Jb",
		    ":1: issuer: must be UTF-8 without control characters" },
		{ "issuer=a\x7f",
		    ":1: issuer: must be UTF-8 without control characters" },
		{ "key_dir=keys",
		    ":1: key_dir: must be a path that begins with /" },
		{ "log=stdout", ":1: log: must be stderr, syslog or a path "
				"that begins with /" },
		{ "listen=/run/postern.sock",
		    ":1: listen: must be unix:PATH or HOST:PORT" },
		{ "listen=9000", ":1: listen: must be unix:PATH or HOST:PORT" },
		{ "listen=:9000",
		    ":1: listen: must be unix:PATH or HOST:PORT" },
		{ "listen=unix:", ":1: listen: has no path behind unix:" },
		{ "listen=host:", ":1: listen: must end in a port from 1 to "
				  "65535" },
		{ "listen=host:http", ":1: listen: must end in a port number" },
		{ "listen=host:0",
		    ":1: listen: must end in a port from 1 to 65535" },
		{ "listen=host:65536",
		    ":1: listen: must end in a port from 1 to 65535" },
		{ "listen=host:999999", ":1: listen: must end in a port "
					"number" },
		{ "base_path=v2", ":1: base_path: must begin with /" },
		{ "base_path=/v2/", ":1: base_path: must not end in /" },
		{ "base_path=/", ":1: base_path: must not end in /" },
		{ "base_path=/a//b", ":1: base_path: must not hold //" },
		{ "base_path=/a/../b",
		    ":1: base_path: must not hold the parts . and .." },
		{ "base_path=/.",
		    ":1: base_path: must not hold the parts . and .." },
		{ "base_path=/a%2Fb", ":1: base_path: may hold letters, digits "
				      "and -_~./ only" },
		{ "base_path=/a b", ":1: base_path: may hold letters, digits "
				    "and -_~./ only" },
		{ "base_path=/a?b", ":1: base_path: may hold letters, digits "
				    "and -_~./ only" },
		{ "allowed_origins=*", ORIGINS_REASON },
		{ "allowed_origins=null", ORIGINS_REASON },
		{ "allowed_origins=app.example.org", ORIGINS_REASON },
		{ "allowed_origins=ftp://app.example.org", ORIGINS_REASON },
		{ "allowed_origins=https://", ORIGINS_REASON },
		{ "allowed_origins=https://, https://a", ORIGINS_REASON },
		{ "allowed_origins=https://App.example.org", ORIGINS_REASON },
		{ "allowed_origins=https://app.example.org/", ORIGINS_REASON },
		{ "allowed_origins=https://a https://b", ORIGINS_REASON },
		{ "allowed_origins=https://*.example.org", ORIGINS_REASON },
		{ "allowed_origins=https://user@a", ORIGINS_REASON },
		{ "allowed_origins=https://\xc3\xa4.example", ORIGINS_REASON },
		{ "allowed_origins=https://a:443", ORIGINS_REASON },
		{ "allowed_origins=http://a:80", ORIGINS_REASON },
		{ "allowed_origins=https://a:", ORIGINS_REASON },
		{ "allowed_origins=https://a:0", ORIGINS_REASON },
		{ "allowed_origins=https://a:08", ORIGINS_REASON },
		{ "allowed_origins=https://a:65536", ORIGINS_REASON },
		{ "allowed_origins=https://a:99999999999999999999",
		    ORIGINS_REASON },
		{ "allowed_origins=https://a:8x", ORIGINS_REASON },
		{ "allowed_origins=https://[::1", ORIGINS_REASON },
		{ "allowed_origins=https://[::1]x", ORIGINS_REASON },
		{ "sso_domains=example", ":1: sso_domains: must be a list of "
					 "domains: example.org, ..." },
		{ "sso_domains=@example.org",
		    ":1: sso_domains: must be a list of domains: example.org, "
		    "..." },
		{ "sso_domains=a.b c.d",
		    ":1: sso_domains: must be a list of domains: example.org, "
		    "..." },
		{ "sso_domains=a.b,.c.d",
		    ":1: sso_domains: must be a list of domains: example.org, "
		    "..." },
		/* names */
		{ "\n\nworker=4", ":3: worker: no such setting; the nearest is "
				  "workers" },
		{ "POSTERN_CLIENT_AUHT=optional",
		    ":1: CLIENT_AUHT: no such setting; the nearest is "
		    "client_auth" },
		{ "something_else=1", ":1: something_else: no such setting" },
		{ "foo=1", ":1: foo: no such setting" }, /* nor near "log" */
		{ "config=/etc/x", ":1: config: no such setting" },
		{ "=4", ":1: : no such setting" },
		{ "POSTERN_=4", ":1: : no such setting" },
		{ "export workers=4", ":1: export workers: no such setting" },
		{ "POSTERN_POSTERN_WORKERS=4",
		    ":1: POSTERN_WORKERS: no such setting" },
		{ "workers=1\nissuer=x\nPOSTERN_WORKERS=1",
		    ":3: WORKERS: already set in line 1" },
		{ "workers=1\n\nworkers=2",
		    ":3: workers: already set in line 1" },
		/* lines */
		{ "workers", ":1: not NAME=VALUE" },
		{ "[section]", ":1: not NAME=VALUE" },
		{ "issuer: x", ":1: not NAME=VALUE" },
		{ "\xef\xbb\xbfworkers=1",
		    ":1: \xef\xbb\xbfworkers: no such setting" },
		{ "issuer=\"x", ":1: issuer: quotes that do not pair" },
		{ "issuer=\"", ":1: issuer: quotes that do not pair" },
		{ "issuer=\"x'", ":1: issuer: quotes that do not pair" },
		{ "issuer='x'y", ":1: issuer: quotes that do not pair" },
		{ "issuer=\"x\" \"y\"",
		    ":1: issuer: quotes that do not pair" },
		{ "issuer=\"x\" # why",
		    ":1: issuer: quotes that do not pair" },
		{ "issuer=a\\\nworkers=1", ":1: issuer: must not end in \\" },
		{ "issuer=\xff", ": not a UTF-8 text" },
		/* together */
		{ "session_idle_seconds=2592001",
		    "session_idle_seconds (2592001, line 1) must not exceed "
		    "session_seconds (2592000, default)" },
		{ "\nsession_seconds=900\nsession_idle_seconds=600",
		    "access_token_seconds (900, default) must be below "
		    "session_seconds (900, line 2)" },
		{ "session_idle_seconds=30",
		    "refresh_grace_seconds (30, default) must be below "
		    "session_idle_seconds (30, line 1)" },
		{ "io_timeout_ms=30000",
		    "io_timeout_ms (30000, line 1) must be below "
		    "request_deadline_ms (30000, default)" },
		{ "request_deadline_ms=2000\nio_timeout_ms=1000",
		    "db_timeout_ms (3000, default) must be below "
		    "request_deadline_ms (2000, line 1)" },
		{ "scrypt_log2_n=19",
		    "scrypt_log2_n and scrypt_r make one hash take 512 MiB, "
		    "more than 256" },
		{ "scrypt_log2_n=18\nscrypt_r=9",
		    "scrypt_log2_n and scrypt_r make one hash take 288 MiB, "
		    "more than 256" },
		{ "scrypt_log2_n=20\nscrypt_r=32",
		    "scrypt_log2_n and scrypt_r make one hash take 4096 MiB, "
		    "more than 256" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused(bad[i].text, bad[i].reason);
}

static void
test_long_values(void **state)
{
	char text[4096];

	(void)state;
	snprintf(text, sizeof(text), "issuer=%0255d", 0);
	config_free(load(text));
	snprintf(text, sizeof(text), "issuer=%0256d", 0);
	assert_refused(text, ":1: issuer: may have at most 255 bytes");
	snprintf(text, sizeof(text), "database=%01025d", 0);
	assert_refused(text, ":1: database: may have at most 1024 bytes");
	snprintf(text, sizeof(text), "listen=unix:/%0106d", 0);
	config_free(load(text));
	snprintf(text, sizeof(text), "listen=unix:/%0107d", 0);
	assert_refused(text, ":1: listen: has a path too long for a socket");
	/* a name is cut before it fills the sentence */
	snprintf(text, sizeof(text), "%01000d=1", 0);
	assert_null(load_bytes(text, strlen(text)));
	assert_non_null(strstr(why, "no such setting"));
	assert_true(strlen(why) < 200);
}

static void
test_bad_files(void **state)
{
	static char large[64 * 1024 + 2];

	(void)state;
	assert_null(load_bytes("workers=1\0", 10));
	assert_non_null(strstr(why, "not a UTF-8 text"));

	memset(large, '\n', sizeof(large));
	config_free(load_bytes(large, 64 * 1024));
	assert_string_equal(why, "");
	assert_null(load_bytes(large, 64 * 1024 + 1));
	assert_non_null(strstr(why, "File too large"));

	assert_null(config_load(dir, why));
	assert_non_null(strstr(why, "Is a directory"));
	assert_null(config_load("/nowhere/postern.conf", why));
	assert_string_equal(why, "could not read \"/nowhere/postern.conf\": "
				 "No such file or directory");
}

static void
test_refused_environment(void **state)
{
	static const struct {
		const char *variable, *reason;
	} bad[] = {
		{ "POSTERN_CLIENT_ATUH=required",
		    "environment: POSTERN_CLIENT_ATUH: no such setting; the "
		    "nearest is client_auth" },
		{ "POSTERN_XYZZY=1",
		    "environment: POSTERN_XYZZY: no such setting" },
		{ "POSTERN_=1", "environment: POSTERN_: no such setting" },
		{ "POSTERN_workers=1",
		    "environment: POSTERN_workers: must be in upper case" },
		{ "POSTERN_WORKERS= 1",
		    "environment: POSTERN_WORKERS: must be a number from 0 to "
		    "1024" },
		{ "POSTERN_WORKERS=",
		    "environment: POSTERN_WORKERS: must be a number from 0 to "
		    "1024" },
		{ "POSTERN_ISSUER=\xff",
		    "environment: POSTERN_ISSUER: must be UTF-8 without "
		    "control characters" },
		{ "POSTERN_SESSION_SECONDS=1000000",
		    "session_idle_seconds (1209600, default) must not exceed "
		    "session_seconds (1000000, environment)" },
		{ "POSTERN_CONFIG2=x",
		    "environment: POSTERN_CONFIG2: no such setting" },
	};
	struct config *config;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		use_environment((const char *[]){ bad[i].variable, NULL });
		config = config_load(NULL, why);
		use_no_environment();
		assert_null(config);
		assert_string_equal(why, bad[i].reason);
	}
}

static void
test_environment_twice(void **state)
{
	const char *variables[] = { "POSTERN_WORKERS=1", "POSTERN_WORKERS=2", NULL };

	(void)state;
	use_environment(variables);
	assert_null(config_load(NULL, why));
	use_no_environment();
	assert_string_equal(why, "environment: POSTERN_WORKERS: set twice");
}

/* Whatever is wrong with a connection string, it is not repeated. */
static void
test_reasons_keep_secrets(void **state)
{
	static const char *const texts[] = {
		"database=\"password=hush",
		"database=password=hush\\",
		"database=password=hush\x01",
		"database=password=hush\ndatabase=password=hush",
		"databsae=password=hush",
		"workers=hush",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_null(load_bytes(texts[i], strlen(texts[i])));
		assert_null(strstr(why, "hush"));
	}
}

/* ---- the command line ---------------------------------------------------- */

static void
test_set(void **state)
{
	const char *variables[] = { "POSTERN_WORKERS=7", NULL };
	struct config *config;

	(void)state;
	use_environment(variables);
	config = load("workers=3\n");
	use_no_environment();
	assert_int_equal(config_set(config, "workers", "8", why), 0);
	assert_int_equal(config_set(config, "workers", "9", why), 0);
	assert_int_equal(config->workers, 9);
	assert_int_equal(config_set(config, "workers", "x", why), -1);
	assert_string_equal(why, "workers: must be a number from 0 to 1024");
	assert_int_equal(config_set(config, "wokers", "1", why), -1);
	assert_string_equal(why,
	    "wokers: no such setting; the nearest is workers");
	assert_int_equal(config_set(config, "session_seconds", "1000", why),
	    -1);
	assert_string_equal(why,
	    "session_idle_seconds (1209600, default) must not exceed "
	    "session_seconds (1000, command line)");
	config_free(config);
}

/* ---- what is shown ------------------------------------------------------- */

static const struct config_setting *
setting_named(const char *name)
{
	size_t count;
	const struct config_setting *table = config_table(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	fail_msg("no setting %s", name);
	return NULL;
}

static void
test_table(void **state)
{
	size_t count;
	const struct config_setting *table = config_table(&count);

	(void)state;
	assert_true(count > 30);
	for (size_t i = 0; i < count; i++) {
		assert_true(strlen(table[i].name) < 23);
		assert_true(strlen(table[i].help) <= 76);
		assert_ptr_equal(setting_named(table[i].name), &table[i]);
	}
}

static void
test_values_and_origins(void **state)
{
	static const struct {
		const char *name, *value, *origin;
	} shown[] = {
		{ "listen_mode", "0660", "default" },
		{ "workers", "4", "line 2" },
		{ "db_prepare", "off", "environment" },
		{ "client_auth", "optional", "command line" },
		{ "database", "host=/run password=***", "line 3" },
		{ "admin_database", "postgresql://***@host/db", "line 4" },
		{ "base_path", "", "line 5" },
	};
	const char *variables[] = { "POSTERN_DB_PREPARE=off", NULL };
	char value[CONFIG_VALUE_SIZE], origin[CONFIG_ORIGIN_SIZE];
	struct config *config;

	(void)state;
	use_environment(variables);
	config = load("\nworkers=4\ndatabase=host=/run password=hush\n"
		      "admin_database=postgresql://u:hush@host/db\n"
		      "base_path=\n");
	use_no_environment();
	assert_int_equal(config_set(config, "client_auth", "optional", why),
	    0);
	for (size_t i = 0; i < COUNT(shown); i++) {
		config_value(config, setting_named(shown[i].name), value);
		config_origin(config, setting_named(shown[i].name), origin);
		assert_string_equal(value, shown[i].value);
		assert_string_equal(origin, shown[i].origin);
	}
	config_free(config);
}

/* Characters of a line, not bytes. */
static size_t
columns(const char *line)
{
	size_t count = 0;

	for (; *line != '\0' && *line != '\n'; line++)
		count += ((unsigned char)*line & 0xc0) != 0x80;
	return count;
}

static void
test_print(void **state)
{
	struct config *config = load(
	    "workers=4\nsocket_users=www-data,someone-with-a-very-long-name,"
	    "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4,another,another\n"
	    "database=host=/run/postgresql password=hush\n");
	char *text = NULL, *line, *rest;
	size_t size, count, names = 0;
	const struct config_setting *table = config_table(&count);
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	config_print(config, out);
	assert_int_equal(fclose(out), 0);
	assert_null(strstr(text, "hush"));
	assert_non_null(strstr(text, path));
	assert_non_null(strstr(text, "\n workers                4  "));
	assert_non_null(strstr(text, " line 1\n"));
	for (size_t i = 0; i < count; i++) {
		assert_non_null(strstr(text, table[i].help));
		names += strstr(text, table[i].name) != NULL;
	}
	assert_int_equal(names, count);
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		assert_true(columns(line) <= 80);
	free(text);
	config_free(config);
}

/* ---- lists --------------------------------------------------------------- */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_accepted_values),
		cmocka_unit_test(test_file_from_environment),
		cmocka_unit_test(test_environment_wins),
		cmocka_unit_test(test_refused_values),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_refused_environment),
		cmocka_unit_test(test_environment_twice),
		cmocka_unit_test(test_reasons_keep_secrets),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_values_and_origins),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
