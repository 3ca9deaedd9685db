/* admin_catalog.c - see admin_catalog.h. */

#include "store/admin_catalog.h"

enum statement {
	CATALOG_STANDING,
	CATALOG_MISSING_ROLES,
	CATALOG_MAY_MIGRATE,
	CATALOG_MAY_ADMINISTER,
	CATALOG_PRIVILEGES,
};

/* None needs a schema. */
static const struct db_statement catalog_statements[] = {
	[CATALOG_STANDING] = { "catalog_standing",
	  "SELECT current_user::text, current_database()::text,"
	  "  current_setting('server_version'), clock_timestamp(),"
	  "  pg_is_in_recovery(), r.rolsuper"
	  " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user" },

	[CATALOG_MISSING_ROLES] = { "catalog_missing_roles",
	  "SELECT string_agg(wanted.name, ', '),"
	  "  string_agg('CREATE ROLE ' || wanted.name || ' LOGIN;', ' ')"
	  " FROM (VALUES ('postern_owner'), ('postern_admin'),"
	  "  ('postern_service')) AS wanted (name)"
	  " WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles r"
	  "  WHERE r.rolname = wanted.name)" },

	/* Fails when there is no postern_owner. */
	[CATALOG_MAY_MIGRATE] = { "catalog_may_migrate",
	  "SELECT pg_has_role('postern_owner', 'MEMBER'),"
	  "  has_database_privilege('postern_owner', current_database(),"
	  "    'CREATE')" },

	/* Fails when there are no accounts to be written. */
	[CATALOG_MAY_ADMINISTER] = { "catalog_may_administer",
	  "SELECT has_table_privilege('postern.logins', 'INSERT')"
	  "  AND has_table_privilege('postern.users', 'DELETE')" },

	/* Each privilege that the caller should have and lacks, or has and
	 * should not.  Fails when a table is missing. */
	[CATALOG_PRIVILEGES] = { "catalog_privileges",
	  "SELECT needed, verb || coalesce(' (' || col || ')', '')"
	  "  || ' on ' || tbl"
	  " FROM (VALUES"
	  "  (true, 'SELECT', 'schema_migrations', NULL),"
	  "  (true, 'SELECT', 'logins', NULL),"
	  "  (true, 'UPDATE', 'logins', 'pw_hash'),"
	  "  (false, 'UPDATE', 'logins', 'login_key'),"
	  "  (false, 'UPDATE', 'logins', 'user_id'),"
	  "  (false, 'UPDATE', 'logins', 'status'),"
	  "  (false, 'INSERT', 'logins', NULL),"
	  "  (false, 'DELETE', 'logins', NULL),"
	  "  (true, 'SELECT', 'users', NULL),"
	  "  (true, 'UPDATE', 'users', 'last_sign_in_at'),"
	  "  (false, 'UPDATE', 'users', 'status'),"
	  "  (false, 'INSERT', 'users', NULL),"
	  "  (false, 'DELETE', 'users', NULL),"
	  "  (true, 'SELECT', 'sessions', NULL),"
	  "  (true, 'INSERT', 'sessions', NULL),"
	  "  (true, 'UPDATE', 'sessions', 'token_hash'),"
	  "  (true, 'UPDATE', 'sessions', 'generation'),"
	  "  (true, 'UPDATE', 'sessions', 'rotated_at'),"
	  "  (true, 'UPDATE', 'sessions', 'ended_at'),"
	  "  (true, 'UPDATE', 'sessions', 'ended_why'),"
	  "  (false, 'UPDATE', 'sessions', 'user_id'),"
	  "  (false, 'UPDATE', 'sessions', 'expires_at'),"
	  "  (false, 'DELETE', 'sessions', NULL),"
	  "  (true, 'SELECT', 'api_keys', NULL),"
	  "  (true, 'UPDATE', 'api_keys', 'last_used_at'),"
	  "  (false, 'UPDATE', 'api_keys', 'secret_hash'),"
	  "  (false, 'UPDATE', 'api_keys', 'revoked_at'),"
	  "  (false, 'INSERT', 'api_keys', NULL),"
	  "  (false, 'DELETE', 'api_keys', NULL),"
	  "  (true, 'SELECT', 'throttle', NULL),"
	  "  (true, 'INSERT', 'throttle', NULL),"
	  "  (true, 'UPDATE', 'throttle', 'failures'),"
	  "  (true, 'UPDATE', 'throttle', 'failed_at'),"
	  "  (false, 'UPDATE', 'throttle', 'digest'),"
	  "  (false, 'DELETE', 'throttle', NULL),"
	  "  (true, 'INSERT', 'audit_events', NULL),"
	  "  (false, 'SELECT', 'audit_events', NULL),"
	  "  (false, 'DELETE', 'audit_events', NULL)"
	  " ) AS wanted (needed, verb, tbl, col)"
	  " WHERE needed <> CASE WHEN col IS NULL"
	  "  THEN has_table_privilege('postern.' || tbl, verb)"
	  "  ELSE has_column_privilege('postern.' || tbl, col, verb) END"
	  " ORDER BY needed DESC, tbl, verb" },
};

enum store_result
store_catalog_standing(struct db *db, struct catalog_standing *standing)
{
	struct db_rows *rows;
	enum store_result result;

	result = db_run(db, &catalog_statements[CATALOG_STANDING], NULL, 0,
	    &rows);
	if (result != STORE_OK)
		return result;
	if (db_rows_count(rows) != 1) {
		db_rows_free(rows);
		return STORE_FAILED;
	}
	db_copy_text(rows, 0, 0, standing->role, CATALOG_NAME_SIZE);
	db_copy_text(rows, 0, 1, standing->database, CATALOG_NAME_SIZE);
	db_copy_text(rows, 0, 2, standing->server, CATALOG_NAME_SIZE);
	standing->clock_us = db_get_time(rows, 0, 3);
	standing->read_only = db_get_bool(rows, 0, 4);
	standing->superuser = db_get_bool(rows, 0, 5);
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_catalog_missing_roles(struct db *db,
    struct catalog_missing_roles *missing)
{
	struct db_rows *rows;
	enum store_result result;

	result = db_run(db, &catalog_statements[CATALOG_MISSING_ROLES],
	    NULL, 0, &rows);
	if (result != STORE_OK)
		return result;
	db_copy_text(rows, 0, 0, missing->names, sizeof(missing->names));
	db_copy_text(rows, 0, 1, missing->remedy,
	    sizeof(missing->remedy));
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_catalog_may_migrate(struct db *db, bool *is_owner,
    bool *owner_may_create)
{
	struct db_rows *rows;
	enum store_result result;

	*is_owner = *owner_may_create = false;
	result = db_run(db, &catalog_statements[CATALOG_MAY_MIGRATE], NULL, 0,
	    &rows);
	if (result != STORE_OK)
		return result;
	*is_owner = db_get_bool(rows, 0, 0);
	*owner_may_create = db_get_bool(rows, 0, 1);
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_catalog_may_administer(struct db *db, bool *may)
{
	struct db_rows *rows;
	enum store_result result;

	*may = false;
	result = db_run(db, &catalog_statements[CATALOG_MAY_ADMINISTER],
	    NULL, 0, &rows);
	if (result != STORE_OK)
		return result;
	*may = db_get_bool(rows, 0, 0);
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_catalog_privileges(struct db *db, struct catalog_misfit *list,
    size_t limit, size_t *count)
{
	struct db_rows *rows;
	enum store_result result;

	result = db_list(db, &catalog_statements[CATALOG_PRIVILEGES],
	    NULL, 0, limit, &rows, count);
	for (size_t i = 0; i < *count; i++) {
		list[i].lacking = db_get_bool(rows, i, 0);
		db_copy_text(rows, i, 1, list[i].grant,
		    sizeof(list[i].grant));
	}
	db_rows_free(rows);
	return result;
}
