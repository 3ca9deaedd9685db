/* test_rights.c - what a role may not do, even if the program were taken over.
 * That the rights suffice, the other programs show: they run as the service. */

#include <stdlib.h>
#include <string.h>

#include "support.h"

/* Everything here must be refused with 42501, insufficient privilege. */
static const char *const service_may_not[] = {
	/* accounts: neither make, remove, rename, enable nor take them over */
	"INSERT INTO postern.logins SELECT * FROM postern.logins",
	"INSERT INTO postern.users SELECT * FROM postern.users",
	"DELETE FROM postern.logins",
	"DELETE FROM postern.users",
	"UPDATE postern.logins SET login_key = 'x@y.z'",
	"UPDATE postern.logins SET email = 'x@y.z'",
	"UPDATE postern.logins SET user_id = user_id",
	"UPDATE postern.logins SET status = 0",
	"UPDATE postern.logins SET pw_changed_at = now()",
	"UPDATE postern.users SET status = 0",
	"UPDATE postern.users SET login_key = 'x@y.z'",
	"UPDATE postern.users SET email = 'x@y.z'",
	"UPDATE postern.users SET name = 'x'",
	"TRUNCATE postern.logins",
	/* sessions: neither remove, give away nor lengthen them */
	"DELETE FROM postern.sessions",
	"UPDATE postern.sessions SET user_id = user_id",
	"UPDATE postern.sessions SET sid = sid",
	"UPDATE postern.sessions SET created_at = now()",
	"UPDATE postern.sessions SET expires_at = now()",
	"UPDATE postern.sessions SET key_id = NULL",
	"UPDATE postern.sessions SET address = NULL",
	/* API keys: neither make, remove, change nor revive them */
	"INSERT INTO postern.api_keys SELECT * FROM postern.api_keys",
	"DELETE FROM postern.api_keys",
	"UPDATE postern.api_keys SET revoked_at = NULL",
	"UPDATE postern.api_keys SET expires_at = NULL",
	"UPDATE postern.api_keys SET scope = 1",
	"UPDATE postern.api_keys SET secret_hash = secret_hash",
	/* throttle: counted, never removed nor moved to somebody else */
	"DELETE FROM postern.throttle",
	"UPDATE postern.throttle SET digest = digest",
	"TRUNCATE postern.throttle",
	/* audit: written only */
	"SELECT count(*) FROM postern.audit_events",
	"DELETE FROM postern.audit_events",
	"UPDATE postern.audit_events SET reason = NULL",
	/* the schema and the server */
	"INSERT INTO postern.schema_migrations VALUES (99, 'x', now())",
	"DELETE FROM postern.schema_migrations",
	"CREATE TABLE postern.mine (i integer)",
	"CREATE TABLE public.mine (i integer)",
	"CREATE TEMPORARY TABLE mine (i integer)",
	"CREATE SCHEMA mine",
	"SET ROLE postern_admin",
	"SET ROLE postern_owner",
	"COPY postern.audit_events FROM PROGRAM 'true'",
	"SELECT count(*) FROM pg_catalog.pg_authid",
	"SELECT pg_catalog.pg_read_file('/etc/passwd')",
};

static const char *const admin_may_not[] = {
	"UPDATE postern.audit_events SET reason = NULL",
	"INSERT INTO postern.schema_migrations VALUES (99, 'x', now())",
	"CREATE TABLE postern.mine (i integer)",
	"CREATE TABLE public.mine (i integer)",
	"SET ROLE postern_owner",
};

static void
assert_may_not(const char *role, const char *const *list, size_t count)
{
	struct db *db = open_db(role, "");
	size_t i;

	for (i = 0; i < count; i++) {
		if (db_script(db, list[i]) != STORE_FAILED ||
		    strstr(db_problem(db), "42501") == NULL)
			fail_msg("%s: %s: %s", role, list[i], db_problem(db));
	}
	db_close(db);
}

static void
test_service(void **state)
{
	(void)state;
	assert_may_not("postern_service", service_may_not,
	    sizeof(service_may_not) / sizeof(service_may_not[0]));
}

static void
test_admin(void **state)
{
	(void)state;
	assert_may_not("postern_admin", admin_may_not,
	    sizeof(admin_may_not) / sizeof(admin_may_not[0]));
}

static void
test_owner_is_no_superuser(void **state)
{
	static const char *const list[] = {
		"CREATE ROLE mine",
		"CREATE DATABASE mine",
		"SELECT count(*) FROM pg_catalog.pg_authid",
		"COPY postern.audit_events FROM PROGRAM 'true'",
	};

	(void)state;
	assert_may_not("postern_owner", list, sizeof(list) / sizeof(list[0]));
}

static int
set_up(void **state)
{
	(void)state;
	log_to_file();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_admin),
		cmocka_unit_test(test_owner_is_no_superuser),
	};

	return cmocka_run_group_tests_name("store rights", tests, set_up, NULL);
}
