/* statements.c - every statement the service runs.
 *
 * One statement, one round trip.  Ids and times are parameters; each statement
 * writes to each table once and may be sent twice; tables are named with their
 * schema, so that no search_path can put others in their place.  They use only
 * what sql/ grants to postern_service.
 */

#include "store/statements.h"

#include "store/throttle.h"

const struct db_statement statements[STATEMENT_COUNT] = {
	[STATEMENT_SCHEMA_VERSION] = { "schema_version",
	    "SELECT coalesce(max(number), 0) FROM postern.schema_migrations" },

	/* $1 owner, $2 key */
	[STATEMENT_API_KEY_FIND] = { "api_key_find",
	    "SELECT secret_hash, scope, expires_at, revoked_at, last_used_at"
	    " FROM postern.api_keys"
	    " WHERE user_id = $1 AND key_id = $2" },

	/* $1 owner, $2 key, $3 now */
	[STATEMENT_API_KEY_USED] = { "api_key_used",
	    "UPDATE postern.api_keys SET last_used_at = $3"
	    " WHERE user_id = $1 AND key_id = $2"
	    " AND (last_used_at IS NULL OR last_used_at < $3)" },

	/*
	 * $1 login key; $2 owner and $3 id of an API key, or NULL; $4 now;
	 * $5 digest of the throttle, or NULL, $6 free failures, $7 most
	 * seconds, $8 its time.  One row always: without the login, and with the key's
	 * standing and the end of the lock.
	 */
	[STATEMENT_LOGIN_FIND] = { "login_find",
	    "WITH login AS ("
	    "  SELECT user_id, email, pw_hash, pw_changed_at, status"
	    "  FROM postern.logins WHERE login_key = $1"
	    "), standing AS ("
	    "  SELECT count(*) AS keys FROM postern.api_keys"
	    "  WHERE user_id = $2 AND key_id = $3 AND revoked_at IS NULL"
	    "  AND (expires_at IS NULL OR expires_at > $4)"
	    "), lock AS ("
	    "  SELECT " THROTTLE_END("t", "$6::integer", "$7::integer")
	    "   AS ends"
	    "  FROM postern.throttle t WHERE t.digest = $5::bytea AND "
	    THROTTLE_LOCKED("t", "$6::integer", "$7::integer", "$8")
	    ")"
	    " SELECT login.user_id, login.email, login.pw_hash,"
	    "  login.pw_changed_at, login.status,"
	    "  $3::uuid IS NULL OR standing.keys > 0 AS key_stands,"
	    "  lock.ends"
	    " FROM standing LEFT JOIN login ON true LEFT JOIN lock ON true" },

	/* $1 login key, $2 old verifier, $3 new one: sent again, it finds its
	 * own work and is content. */
	[STATEMENT_LOGIN_REHASH] = { "login_rehash",
	    "UPDATE postern.logins SET pw_hash = $3"
	    " WHERE login_key = $1 AND pw_hash IN ($2, $3)"
	    " RETURNING user_id" },

	/* $1 user, $2 session or NULL, $3 now, $4 the oldest refresh that is
	 * not idle */
	[STATEMENT_USER_FIND] = { "user_find",
	    "SELECT u.email, u.status, s.sid IS NOT NULL"
	    " FROM postern.users u"
	    " LEFT JOIN postern.sessions s ON s.user_id = u.user_id"
	    "  AND s.sid = $2 AND s.ended_at IS NULL AND s.expires_at > $3"
	    "  AND s.rotated_at > $4"
	    " WHERE u.user_id = $1" },

	/*
	 * $1 user, $2 session, $3 digest, $4 now, $5 expiry, $6 address,
	 * $7 device, $8 event, $9 API key or NULL: the person signs in; $10
	 * digest of the throttle, or NULL, $11 free failures, $12 most seconds,
	 * $13 its time, $14 when the password was set that has been checked, or
	 * NULL, $15 the login key that it was checked for.  The failures are
	 * forgotten, unless they have come to a lock meanwhile: then nothing is
	 * written, and the lock's end is told.
	 *
	 * No session for a password or a status that is another one by now, or for
	 * an API key that no longer stands.  The rows that tell are locked, in the
	 * order in which posternctl changes them: where a change is under way, this
	 * waits and judges what that leaves.  So each row is asked about nothing but
	 * itself; of any other, a statement that has waited sees what it saw when it
	 * began.
	 */
	[STATEMENT_SIGN_IN] = { "sign_in",
	    "WITH counted AS ("
	    "  UPDATE postern.throttle t SET failures = CASE WHEN "
	    THROTTLE_LOCKED("t", "$11::integer", "$12::integer", "$13")
	    "   THEN t.failures ELSE 0 END"
	    "  WHERE t.digest = $10::bytea AND t.failures > 0"
	    "  RETURNING t.failures > 0 AS locked, "
	    THROTTLE_END("t", "$11::integer", "$12::integer") " AS ends"
	    "), login AS ("
	    "  SELECT FROM postern.logins"
	    "  WHERE login_key = $15::text AND user_id = $1"
	    "  AND pw_changed_at IS NOT DISTINCT FROM $14::timestamptz"
	    "  AND NOT EXISTS (SELECT FROM counted WHERE locked)"
	    "  FOR NO KEY UPDATE"
	    "), standing AS ("
	    "  SELECT FROM postern.api_keys"
	    "  WHERE user_id = $1 AND key_id = $9::uuid AND revoked_at IS NULL"
	    "  AND (expires_at IS NULL OR expires_at > $4)"
	    "  FOR NO KEY UPDATE"
	    "), account AS ("
	    "  UPDATE postern.users SET last_sign_in_at ="
	    "   CASE WHEN $9::uuid IS NULL THEN $4 ELSE last_sign_in_at END"
	    "  WHERE user_id = $1 AND status = 0"
	    "  AND (EXISTS (SELECT FROM login) OR EXISTS (SELECT FROM standing))"
	    "  AND NOT EXISTS (SELECT FROM counted WHERE locked)"
	    "  RETURNING user_id"
	    "), opened AS ("
	    "  INSERT INTO postern.sessions (user_id, sid, token_hash,"
	    "   created_at, rotated_at, expires_at, key_id, address, device)"
	    "  SELECT user_id, $2::uuid, $3::bytea, $4::timestamptz,"
	    "   $4::timestamptz, $5::timestamptz, $9::uuid, $6::text, $7::text"
	    "  FROM account"
	    "  ON CONFLICT DO NOTHING"
	    "), noted AS ("
	    "  INSERT INTO postern.audit_events (user_id, event_id, at, kind,"
	    "   sid, address, reason)"
	    "  SELECT user_id, $8::uuid, $4::timestamptz, 1, $2::uuid, $6::text,"
	    "   CASE WHEN $9::uuid IS NULL THEN NULL ELSE 'api_key' END"
	    "  FROM account"
	    "  ON CONFLICT DO NOTHING"
	    ")"
	    " SELECT EXISTS (SELECT FROM account),"
	    "  (SELECT ends FROM counted WHERE locked)" },

	/*
	 * $1 user, $2 event, $3 now, $4 kind, $5 address, $6 reason; $7 digest
	 * of the throttle, or NULL, $8 failures to count: 1, or 0 to forget all,
	 * $9 free failures, $10 most seconds, $11 its time, $12 the one before
	 * which a count is forgotten.  Answers whether it was counted: not while
	 * it is locked, and then until when.  Where the audit has it already, it is
	 * this statement that was sent before: then it leaves the count as it is.
	 *
	 * A count that is locked is read only when it was not written: FOR UPDATE
	 * sees it as it is, also where another attempt has just locked it; but not
	 * one that has been made since this began.
	 */
	[STATEMENT_SIGN_IN_REFUSED] = { "sign_in_refused",
	    "WITH noted AS ("
	    "  INSERT INTO postern.audit_events"
	    "   (user_id, event_id, at, kind, address, reason)"
	    "  VALUES ($1, $2, $3, $4, $5, $6)"
	    "  ON CONFLICT DO NOTHING"
	    "  RETURNING 1" /* what it may not read it does not ask for */
	    "), counted AS ("
	    "  INSERT INTO postern.throttle AS t (digest, failures, failed_at)"
	    "  SELECT $7::bytea, $8::integer, $11::timestamptz"
	    "  WHERE $7::bytea IS NOT NULL"
	    "  ON CONFLICT (digest) DO UPDATE SET"
	    "   failed_at = greatest(t.failed_at, $11), failures ="
	    "    CASE WHEN $8 = 0 THEN 0"
	    "    WHEN NOT EXISTS (SELECT FROM noted) THEN t.failures"
	    "    WHEN t.failed_at < $12 THEN 1 ELSE t.failures + 1 END"
	    "  WHERE NOT "
	    THROTTLE_LOCKED("t", "$9::integer", "$10::integer", "$11")
	    "  RETURNING t.digest"
	    ")"
	    " SELECT $7 IS NULL OR EXISTS (SELECT FROM counted),"
	    "  CASE WHEN NOT EXISTS (SELECT FROM counted) THEN (SELECT "
	    THROTTLE_END("t", "$9::integer", "$10::integer")
	    "   FROM postern.throttle t WHERE t.digest = $7::bytea FOR UPDATE)"
	    "  END" },

	/*
	 * $1 user, $2 session, $3 generation and $4 digest of the token shown,
	 * $5 digest of the next one, or NULL: do not rotate, $6 now, $7 now less
	 * the grace, $8 the oldest refresh that is not idle, $9 event,
	 * $10 address.
	 *
	 * The verdict on a live session: 1 rotate, 2 an old token came back,
	 * 0 leave it as it is.  A current token that is not as old as the grace
	 * is not rotated.  So of the tokens that were current within the grace,
	 * all but the current one are its parent: whoever shows one is honest,
	 * and everything else is old.  A generation below the one shown means
	 * that a standby had not heard of the last rotation when it took over.
	 * "Not before" is >=, so that the statement, sent again, finds its own
	 * rotation fresh.
	 */
	[STATEMENT_SESSION_REFRESH] = { "session_refresh",
	    "WITH seen AS ("
	    "  UPDATE postern.sessions s SET"
	    "   (generation, token_hash, rotated_at, ended_at, ended_why) = ("
	    "    SELECT CASE v WHEN 1 THEN $3::integer + 1 ELSE s.generation END,"
	    "     CASE v WHEN 1 THEN $5::bytea ELSE s.token_hash END,"
	    "     CASE v WHEN 1 THEN $6::timestamptz ELSE s.rotated_at END,"
	    "     CASE v WHEN 2 THEN $6::timestamptz ELSE s.ended_at END,"
	    "     CASE v WHEN 2 THEN 2 ELSE s.ended_why END"
	    "    FROM (SELECT CASE"
	    "     WHEN s.ended_at IS NOT NULL OR s.expires_at <= $6"
	    "      OR s.rotated_at <= $8 OR u.status <> 0 THEN 0"
	    "     WHEN s.token_hash = $4 OR s.generation < $3 THEN"
	    "      CASE WHEN s.rotated_at >= $7 OR $5::bytea IS NULL THEN 0 ELSE 1 END"
	    "     WHEN s.generation = $3 + 1 AND s.rotated_at >= $7 THEN 0"
	    "     ELSE 2 END) AS verdict (v))"
	    "  FROM postern.users u"
	    "  WHERE s.user_id = $1 AND s.sid = $2 AND u.user_id = $1"
	    "  RETURNING u.email, u.status, s.generation, s.rotated_at,"
	    "   s.expires_at, s.ended_at, s.ended_why, s.key_id"
	    "), noted AS ("
	    "  INSERT INTO postern.audit_events (user_id, event_id, at, kind,"
	    "   sid, address)"
	    "  SELECT $1::uuid, $9::uuid, $6, 3, $2::uuid, $10::text FROM seen"
	    "  WHERE ended_at = $6 AND ended_why = 2"
	    "  ON CONFLICT DO NOTHING"
	    ")"
	    " SELECT * FROM seen" },

	/* $1 user, $2 the session to come first, $3 now, $4 the oldest refresh
	 * that is not idle, $5 limit */
	[STATEMENT_SESSIONS_VIEW] = { "sessions_view",
	    "SELECT sid, created_at, rotated_at, expires_at, address, device"
	    " FROM postern.sessions"
	    " WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $3"
	    "  AND rotated_at > $4"
	    " ORDER BY sid = $2 DESC, sid DESC LIMIT $5::integer" },

	/* $1 user, $2 session, $3 now, $4 event, $5 address.  A row also for a
	 * session that had ended before. */
	[STATEMENT_SESSION_LEAVE] = { "session_leave",
	    "WITH gone AS ("
	    "  UPDATE postern.sessions SET ended_at = coalesce(ended_at, $3),"
	    "   ended_why = coalesce(ended_why, 1)"
	    "  WHERE user_id = $1 AND sid = $2"
	    "  RETURNING sid, ended_at"
	    "), noted AS ("
	    "  INSERT INTO postern.audit_events (user_id, event_id, at, kind,"
	    "   sid, address)"
	    "  SELECT $1::uuid, $4::uuid, $3, 4, sid, $5::text FROM gone"
	    "  WHERE ended_at = $3"
	    "  ON CONFLICT DO NOTHING"
	    ")"
	    " SELECT sid FROM gone" },

	/* The same, and $6 the session to keep, or NULL.  The audit row names
	 * the session that asked. */
	[STATEMENT_SESSIONS_LEAVE] = { "sessions_leave",
	    "WITH gone AS ("
	    "  UPDATE postern.sessions SET ended_at = $3, ended_why = 1"
	    "  WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $3"
	    "   AND ($6::uuid IS NULL OR sid <> $6)"
	    "  RETURNING sid"
	    "), noted AS ("
	    "  INSERT INTO postern.audit_events (user_id, event_id, at, kind,"
	    "   sid, address, reason)"
	    "  SELECT $1::uuid, $4::uuid, $3, 4, $2::uuid, $5::text,"
	    "   CASE WHEN $6::uuid IS NULL THEN 'all' ELSE 'others' END"
	    "  WHERE EXISTS (SELECT FROM gone)"
	    "  ON CONFLICT DO NOTHING"
	    ")"
	    " SELECT sid FROM gone" },
};
