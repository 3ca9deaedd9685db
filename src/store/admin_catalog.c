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

	/* What the caller lacks of what the service needs (sql/ grants it), and
	 * what it has beyond that: of each table by verb and column, and what
	 * leads to more.  A verb that fits none or all of the columns is told
	 * without them. */
	[CATALOG_PRIVILEGES] = { "catalog_privileges",
	  "WITH needed (verb, tbl, cols) AS (VALUES"
	  "  ('SELECT', 'schema_migrations', NULL::text[]),"
	  "  ('SELECT', 'logins', NULL),"
	  "  ('UPDATE', 'logins', '{pw_hash}'),"
	  "  ('SELECT', 'users', NULL),"
	  "  ('UPDATE', 'users', '{last_sign_in_at}'),"
	  "  ('SELECT', 'sessions', NULL),"
	  "  ('INSERT', 'sessions', NULL),"
	  "  ('UPDATE', 'sessions', '{token_hash, generation, rotated_at,"
	  "    ended_at, ended_why}'),"
	  "  ('SELECT', 'api_keys', NULL),"
	  "  ('UPDATE', 'api_keys', '{last_used_at}'),"
	  "  ('SELECT', 'throttle', NULL),"
	  "  ('INSERT', 'throttle', NULL),"
	  "  ('UPDATE', 'throttle', '{failures, failed_at}'),"
	  "  ('INSERT', 'audit_events', NULL)"
	  "), tables AS ("
	  "  SELECT oid, relname::text AS tbl FROM pg_catalog.pg_class"
	  "  WHERE relnamespace = 'postern'::regnamespace"
	  "  AND relkind IN ('r', 'p', 'v', 'm', 'f')"
	  "), cells AS ("
	  "  SELECT t.tbl, v.verb, a.attname::text AS col, a.attnum,"
	  "   has_column_privilege(t.oid, a.attnum, v.verb) AS has,"
	  "   n.verb IS NOT NULL AND (n.cols IS NULL OR a.attname = ANY (n.cols))"
	  "    AS needs, count(*) OVER (PARTITION BY t.oid, v.verb) AS width"
	  "  FROM tables t"
	  "  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid"
	  "   AND a.attnum > 0 AND NOT a.attisdropped"
	  "  CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'),"
	  "   ('REFERENCES')) AS v (verb)"
	  "  LEFT JOIN needed n ON n.tbl = t.tbl AND n.verb = v.verb"
	  "  UNION ALL"
	  "  SELECT t.tbl, v.verb, NULL, 0, has_table_privilege(t.oid, v.verb),"
	  "   false, 1 FROM tables t"
	  "  CROSS JOIN (VALUES ('DELETE'), ('TRUNCATE'), ('TRIGGER'))"
	  "   AS v (verb)"
	  "), verbs AS ("
	  "  SELECT needs, tbl, CASE WHEN count(*) = max(width) THEN verb"
	  "   ELSE verb || ' (' || string_agg(col, ', ' ORDER BY attnum) || ')'"
	  "   END AS verb"
	  "  FROM cells WHERE has <> needs GROUP BY needs, tbl, cells.verb"
	  "), powers AS ("
	  "  SELECT has_schema_privilege('postern', 'CREATE') AS has,"
	  "   'CREATE in the schema' AS what"
	  "  UNION ALL SELECT"
	  "   has_database_privilege(current_database(), 'CREATE'),"
	  "   'CREATE in the database'"
	  "  UNION ALL SELECT v.* FROM pg_catalog.pg_roles r"
	  "  CROSS JOIN LATERAL (VALUES (r.rolcreaterole, 'CREATEROLE'),"
	  "   (r.rolcreatedb, 'CREATEDB'), (r.rolreplication, 'REPLICATION'),"
	  "   (r.rolbypassrls, 'BYPASSRLS')) AS v"
	  "  WHERE r.rolname = current_user"
	  "  UNION ALL SELECT r.rolname <> 'postern_service',"
	  "   'the role ' || r.rolname"
	  "  FROM pg_catalog.pg_auth_members m"
	  "  JOIN pg_catalog.pg_roles r ON r.oid = m.roleid"
	  "  JOIN pg_catalog.pg_roles us ON us.oid = m.member"
	  "  WHERE us.rolname = current_user"
	  ")"
	  " SELECT needs, string_agg(verb, ', ' ORDER BY verb) || ' on ' || tbl"
	  " FROM verbs GROUP BY needs, tbl"
	  " UNION SELECT true, 'the table ' || tbl FROM needed"
	  " WHERE NOT EXISTS (SELECT FROM tables t WHERE t.tbl = needed.tbl)"
	  " UNION SELECT false, what FROM powers WHERE has"
	  " ORDER BY 1 DESC, 2" },
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
