/* admin_statements.c - see admin_statements.h.
 *
 * The rules of statements.c hold here too: times and ids are parameters, one
 * statement an act, each table written once in it, and every statement may be
 * sent twice.  Walks go by primary key and end at a LIMIT. */

#include "store/admin_statements.h"

#include "store/throttle.h"

const struct db_statement admin_statements[ADMIN_STATEMENT_COUNT] = {
	/* 1 login_key 2 user 3 email 4 verifier 5 password changed 6 status
	 * 7 now 8 name; no row: somebody has the address. */
	[ADMIN_ACCOUNT_ADD] = { "admin_account_add",
	  "WITH login AS ("
	  "  INSERT INTO postern.logins (login_key, user_id, email, pw_hash,"
	  "    pw_changed_at, status, created_at)"
	  "  VALUES ($1, $2, $3, $4, $5, $6, $7)"
	  "  ON CONFLICT (login_key) DO NOTHING"
	  "  RETURNING user_id, login_key, email, status, created_at)"
	  " INSERT INTO postern.users (user_id, login_key, email, name, status,"
	  "   created_at)"
	  " SELECT user_id, login_key, email, $8::text, status, created_at"
	  " FROM login"
	  " RETURNING user_id" },

	/* Arrays: 1 login_key 2 user 3 email 4 verifier 5 status 6 name; 7 now.
	 * Answers the places of those that were left out, because their address
	 * has an account that is not this very one (sent before).  In the order
	 * of the keys, so that two at once cannot lock each other out. */
	[ADMIN_ACCOUNT_ADD_MANY] = { "admin_account_add_many",
	  "WITH entry AS ("
	  "  SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[],"
	  "    $5::smallint[], $6::text[]) WITH ORDINALITY AS entry"
	  "    (login_key, user_id, email, pw_hash, status, name, place)),"
	  " login AS ("
	  "  INSERT INTO postern.logins (login_key, user_id, email, pw_hash,"
	  "    pw_changed_at, status, created_at)"
	  "  SELECT login_key, user_id, email, pw_hash,"
	  "    CASE WHEN pw_hash IS NOT NULL THEN $7::timestamptz END, status,"
	  "    $7::timestamptz"
	  "  FROM entry ORDER BY login_key"
	  "  ON CONFLICT (login_key) DO NOTHING"
	  "  RETURNING user_id),"
	  " account AS ("
	  "  INSERT INTO postern.users (user_id, login_key, email, name, status,"
	  "    created_at)"
	  "  SELECT entry.user_id, entry.login_key, entry.email, entry.name,"
	  "    entry.status, $7::timestamptz"
	  "  FROM entry JOIN login ON login.user_id = entry.user_id"
	  "  RETURNING user_id)"
	  " SELECT entry.place FROM entry"
	  " LEFT JOIN account ON account.user_id = entry.user_id"
	  " LEFT JOIN postern.logins sent ON sent.login_key = entry.login_key"
	  "  AND sent.user_id = entry.user_id"
	  " WHERE account.user_id IS NULL AND sent.user_id IS NULL" },

	/* 1 array of login_key; answers the places of those that are there */
	[ADMIN_ACCOUNT_FIND_MANY] = { "admin_account_find_many",
	  "SELECT entry.place"
	  " FROM unnest($1::text[]) WITH ORDINALITY AS entry (login_key, place)"
	  " JOIN postern.logins l ON l.login_key = entry.login_key" },

	/* 1 login_key 2 now 3 the oldest rotation that is not idle */
	[ADMIN_ACCOUNT_FIND] = { "admin_account_find",
	  "SELECT l.user_id, l.login_key, l.email, l.status, l.created_at,"
	  "  l.pw_changed_at, l.pw_hash, u.last_sign_in_at,"
	  "  (SELECT count(*) FROM postern.sessions s"
	  "    WHERE s.user_id = l.user_id AND s.ended_at IS NULL"
	  "    AND s.expires_at > $2 AND s.rotated_at > $3),"
	  "  (SELECT count(*) FROM postern.api_keys k"
	  "    WHERE k.user_id = l.user_id AND k.revoked_at IS NULL"
	  "    AND (k.expires_at IS NULL OR k.expires_at > $2)),"
	  "  u.name"
	  " FROM postern.logins l"
	  " LEFT JOIN postern.users u ON u.user_id = l.user_id"
	  " WHERE l.login_key = $1" },

	/* 1 after this key 2 status or NULL 3 limit */
	[ADMIN_ACCOUNT_LIST] = { "admin_account_list",
	  "SELECT user_id, login_key, email, status, created_at, pw_changed_at,"
	  "  pw_hash IS NOT NULL"
	  " FROM postern.logins"
	  " WHERE login_key > $1 AND ($2::smallint IS NULL OR status = $2)"
	  " ORDER BY login_key LIMIT $3" },

	/* 1 login_key 2 user 3 status before 4 status after 5 verifier, NULL
	 * keeps it 6 its time 7 now 8 end sessions?  The status after passes
	 * as the status before, so that this may be sent twice. */
	[ADMIN_ACCOUNT_CHANGE] = { "admin_account_change",
	  "WITH login AS ("
	  "  UPDATE postern.logins SET status = $4,"
	  "    pw_hash = coalesce($5, pw_hash),"
	  "    pw_changed_at = coalesce($6, pw_changed_at)"
	  "  WHERE login_key = $1 AND user_id = $2 AND status IN ($3, $4)"
	  "  RETURNING user_id),"
	  " account AS ("
	  "  UPDATE postern.users u SET status = $4 FROM login"
	  "  WHERE u.user_id = login.user_id"
	  "  RETURNING u.user_id),"
	  " ended AS ("
	  "  UPDATE postern.sessions s SET ended_at = $7, ended_why = 4"
	  "  FROM login"
	  "  WHERE $8::smallint <> 0 AND s.user_id = login.user_id"
	  "  AND s.ended_at IS NULL AND s.expires_at > $7"
	  "  RETURNING s.sid)"
	  " SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM ended)"
	  " FROM login" },

	/* 1 login_key 2 user; answers how many rows of each table.  They are removed
	 * in the order of the answer: the one in which a sign-in locks them. */
	[ADMIN_ACCOUNT_DELETE] = { "admin_account_delete",
	  "WITH keys AS ("
	  "  DELETE FROM postern.api_keys WHERE user_id = $2 RETURNING key_id),"
	  " login AS ("
	  "  DELETE FROM postern.logins WHERE login_key = $1 AND user_id = $2"
	  "  RETURNING user_id),"
	  " account AS ("
	  "  DELETE FROM postern.users WHERE user_id = $2 RETURNING user_id),"
	  " gone AS ("
	  "  DELETE FROM postern.sessions WHERE user_id = $2 RETURNING sid)"
	  " SELECT (SELECT count(*) FROM keys), (SELECT count(*) FROM login),"
	  "  (SELECT count(*) FROM account), (SELECT count(*) FROM gone)" },

	/* 1 user 2 key 3 digest 4 scope 5 name 6 now 7 expires */
	[ADMIN_API_KEY_ADD] = { "admin_api_key_add",
	  "INSERT INTO postern.api_keys (user_id, key_id, secret_hash, scope,"
	  "  name, created_at, expires_at)"
	  " VALUES ($1, $2, $3, $4, $5, $6, $7)"
	  " ON CONFLICT (user_id, key_id) DO NOTHING" },

	/* 1 user or NULL 2, 3 after this user and key 4 limit */
	[ADMIN_API_KEY_LIST] = { "admin_api_key_list",
	  "SELECT k.user_id, k.key_id, k.scope, k.name, k.created_at,"
	  "  k.expires_at, k.last_used_at, k.revoked_at, u.login_key"
	  " FROM postern.api_keys k"
	  " LEFT JOIN postern.users u ON u.user_id = k.user_id"
	  " WHERE ($1::uuid IS NULL OR k.user_id = $1)"
	  " AND (k.user_id, k.key_id) > ($2, $3)"
	  " ORDER BY k.user_id, k.key_id LIMIT $4" },

	/* 1 key 2 now; answers when it was revoked.  The sessions that it
	 * opened end with it.  By key alone: the table is small. */
	[ADMIN_API_KEY_REVOKE] = { "admin_api_key_revoke",
	  "WITH revoked AS ("
	  "  UPDATE postern.api_keys SET revoked_at = coalesce(revoked_at, $2)"
	  "  WHERE key_id = $1"
	  "  RETURNING user_id, key_id, revoked_at),"
	  " ended AS ("
	  "  UPDATE postern.sessions s SET ended_at = $2, ended_why = 3"
	  "  FROM revoked"
	  "  WHERE s.user_id = revoked.user_id AND s.key_id = revoked.key_id"
	  "  AND s.ended_at IS NULL AND s.expires_at > $2)"
	  " SELECT revoked_at FROM revoked" },

	/* 1 now; asked as the service, too */
	[ADMIN_API_KEY_COUNT] = { "admin_api_key_count",
	  "SELECT count(*) FROM postern.api_keys WHERE revoked_at IS NULL"
	  " AND (expires_at IS NULL OR expires_at > $1)" },

	/* 1 user 2 after this session 3 now, or NULL for all 4 the oldest
	 * rotation that is not idle 5 limit */
	[ADMIN_SESSION_LIST] = { "admin_session_list",
	  "SELECT s.user_id, s.sid, s.created_at, s.rotated_at, s.expires_at,"
	  "  s.ended_at, s.ended_why, s.generation, s.address, s.device,"
	  "  u.login_key"
	  " FROM postern.sessions s"
	  " LEFT JOIN postern.users u ON u.user_id = s.user_id"
	  " WHERE s.user_id = $1 AND s.sid > $2"
	  " AND ($3::timestamptz IS NULL OR (s.ended_at IS NULL"
	  "  AND s.expires_at > $3 AND s.rotated_at > $4))"
	  " ORDER BY s.sid LIMIT $5" },

	/* 1, 2 after this user and session; the others as above */
	[ADMIN_SESSION_LIST_ALL] = { "admin_session_list_all",
	  "SELECT s.user_id, s.sid, s.created_at, s.rotated_at, s.expires_at,"
	  "  s.ended_at, s.ended_why, s.generation, s.address, s.device,"
	  "  u.login_key"
	  " FROM postern.sessions s"
	  " LEFT JOIN postern.users u ON u.user_id = s.user_id"
	  " WHERE (s.user_id, s.sid) > ($1, $2)"
	  " AND ($3::timestamptz IS NULL OR (s.ended_at IS NULL"
	  "  AND s.expires_at > $3 AND s.rotated_at > $4))"
	  " ORDER BY s.user_id, s.sid LIMIT $5" },

	/* 1 user 2 session 3 now; answers when it ended */
	[ADMIN_SESSION_END] = { "admin_session_end",
	  "UPDATE postern.sessions SET ended_at = coalesce(ended_at, $3),"
	  "  ended_why = coalesce(ended_why, 3)"
	  " WHERE user_id = $1 AND sid = $2"
	  " RETURNING ended_at" },

	/* 1 session 2 now.  Reads the whole table: only the person at the
	 * keyboard lacks the user's id. */
	[ADMIN_SESSION_END_ANY] = { "admin_session_end_any",
	  "UPDATE postern.sessions SET ended_at = coalesce(ended_at, $2),"
	  "  ended_why = coalesce(ended_why, 3)"
	  " WHERE sid = $1"
	  " RETURNING ended_at" },

	/* 1 user 2 now */
	[ADMIN_SESSION_END_ALL] = { "admin_session_end_all",
	  "UPDATE postern.sessions SET ended_at = $2, ended_why = 3"
	  " WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2"
	  " RETURNING sid" },

	/* 1, 2 after this user and session 3 over before 4 limit.  Answers
	 * where the walk stands, how many it saw and how many it removed. */
	[ADMIN_SESSION_SWEEP] = { "admin_session_sweep",
	  "WITH page AS ("
	  "  SELECT user_id, sid, ended_at < $3 OR expires_at < $3 AS over"
	  "  FROM postern.sessions WHERE (user_id, sid) > ($1, $2)"
	  "  ORDER BY user_id, sid LIMIT $4),"
	  " gone AS ("
	  "  DELETE FROM postern.sessions s USING page"
	  "  WHERE page.over AND s.user_id = page.user_id"
	  "  AND s.sid = page.sid RETURNING s.sid)"
	  " SELECT user_id, sid, (SELECT count(*) FROM page),"
	  "  (SELECT count(*) FROM gone)"
	  " FROM page ORDER BY user_id DESC, sid DESC LIMIT 1" },

	/* 1 user 2 before this event, or NULL 3 limit; newest first */
	[ADMIN_AUDIT_LIST] = { "admin_audit_list",
	  "SELECT event_id, at, kind, address, reason, sid"
	  " FROM postern.audit_events"
	  " WHERE user_id = $1 AND ($2::uuid IS NULL OR event_id < $2)"
	  " ORDER BY event_id DESC LIMIT $3" },

	/* As for sessions. */
	[ADMIN_AUDIT_SWEEP] = { "admin_audit_sweep",
	  "WITH page AS ("
	  "  SELECT user_id, event_id, at < $3 AS over"
	  "  FROM postern.audit_events WHERE (user_id, event_id) > ($1, $2)"
	  "  ORDER BY user_id, event_id LIMIT $4),"
	  " gone AS ("
	  "  DELETE FROM postern.audit_events e USING page"
	  "  WHERE page.over AND e.user_id = page.user_id"
	  "  AND e.event_id = page.event_id RETURNING e.event_id)"
	  " SELECT user_id, event_id, (SELECT count(*) FROM page),"
	  "  (SELECT count(*) FROM gone)"
	  " FROM page ORDER BY user_id DESC, event_id DESC LIMIT 1" },

	/* 1 digest 2 free failures 3 most seconds 4 now */
	[ADMIN_THROTTLE_FIND] = { "admin_throttle_find",
	  "SELECT t.digest, t.failures, t.failed_at, CASE WHEN "
	  THROTTLE_LOCKED("t", "$2::integer", "$3::integer", "$4")
	  " THEN " THROTTLE_END("t", "$2::integer", "$3::integer") " END"
	  " FROM postern.throttle t WHERE t.digest = $1" },

	/* 1 after this digest; the others as above 5 limit */
	[ADMIN_THROTTLE_LIST] = { "admin_throttle_list",
	  "SELECT t.digest, t.failures, t.failed_at, CASE WHEN "
	  THROTTLE_LOCKED("t", "$2::integer", "$3::integer", "$4")
	  " THEN " THROTTLE_END("t", "$2::integer", "$3::integer") " END"
	  " FROM postern.throttle t WHERE t.digest > $1 AND t.failures > 0"
	  " ORDER BY t.digest LIMIT $5" },

	/* 1 digest */
	[ADMIN_THROTTLE_CLEAR] = { "admin_throttle_clear",
	  "DELETE FROM postern.throttle WHERE digest = $1"
	  " RETURNING failures" },

	/* 1 after this digest 2 quiet since 3 limit; as for sessions. */
	[ADMIN_THROTTLE_SWEEP] = { "admin_throttle_sweep",
	  "WITH page AS ("
	  "  SELECT digest, failed_at < $2 AS over"
	  "  FROM postern.throttle WHERE digest > $1"
	  "  ORDER BY digest LIMIT $3),"
	  " gone AS ("
	  "  DELETE FROM postern.throttle t USING page"
	  "  WHERE page.over AND t.digest = page.digest AND t.failed_at < $2"
	  "  RETURNING t.digest)"
	  " SELECT digest, (SELECT count(*) FROM page),"
	  "  (SELECT count(*) FROM gone)"
	  " FROM page ORDER BY digest DESC LIMIT 1" },
};
