/* db_prepare.c - statements are parsed once a connection. */

#include <stdio.h>

#include "base/log.h"
#include "store/db_private.h"

/* ---- all of them, in one round trip -------------------------------------- */

static bool
send_all(struct db *db)
{
	const struct db_statement *statement = db->options.statements;
	size_t i;

	for (i = 0; i < db->options.statement_count; i++) {
		if (!db->prepared[i] &&
		    PQsendPrepare(db->conn, statement[i].name,
		        statement[i].sql, 0, NULL) == 0)
			return false;
	}
	return PQpipelineSync(db->conn) != 0;
}

/* The answer to one statement in the pipeline, and the end of it. */
static enum db_reply
receive_one(struct db *db, size_t index, int64_t deadline_ms)
{
	enum db_reply reply;
	PGresult *result, *end;

	reply = db_next(db->conn, deadline_ms, &result);
	if (reply != DB_REPLY_OK)
		return reply;
	if (PQresultStatus(result) == PGRES_COMMAND_OK) {
		db->prepared[index] = true;
	} else if (PQresultStatus(result) != PGRES_PIPELINE_ABORTED) {
		/* The first refusal; the server skips what follows it. */
		reply = db_reply_of(db->conn, result);
		db_explain(db, result);
		log_warning("could not prepare statement \"%s\": %s",
		    db->options.statements[index].name, db->problem);
	}
	PQclear(result);
	if (reply == DB_REPLY_LOST)
		return reply;
	reply = db_next(db->conn, deadline_ms, &end);
	if (reply == DB_REPLY_OK && end != NULL) {
		PQclear(end);
		reply = DB_REPLY_LOST;
	}
	return reply;
}

static enum db_reply
receive_all(struct db *db, int64_t deadline_ms)
{
	const bool *prepared = db->prepared;
	enum db_reply reply;
	PGresult *sync;
	size_t i;
	bool in_step;

	for (i = 0; i < db->options.statement_count; i++) {
		if (prepared[i])
			continue;
		reply = receive_one(db, i, deadline_ms);
		if (reply != DB_REPLY_OK)
			return reply;
	}
	reply = db_next(db->conn, deadline_ms, &sync);
	if (reply != DB_REPLY_OK)
		return reply;
	in_step = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
	PQclear(sync);
	return in_step ? DB_REPLY_OK : DB_REPLY_LOST;
}

enum db_reply
db_prepare_all(struct db *db, int64_t deadline_ms)
{
	enum db_reply reply;

	if (!db->options.prepare || db->options.statement_count == 0)
		return DB_REPLY_OK;
	if (PQenterPipelineMode(db->conn) == 0 || !send_all(db))
		return DB_REPLY_LOST;
	reply = db_flush(db->conn, deadline_ms);
	if (reply != DB_REPLY_OK)
		return reply;
	reply = receive_all(db, deadline_ms);
	if (reply != DB_REPLY_OK)
		return reply;
	return PQexitPipelineMode(db->conn) != 0 ? DB_REPLY_OK : DB_REPLY_LOST;
}

/* ---- one of them --------------------------------------------------------- */

/* Send one request and wait for all of its answer. */
static enum db_reply
forget(struct db *db, const char *name, int64_t deadline_ms)
{
	enum db_reply reply;
	PGresult *result;
	char sql[128];

	/* Names are identifiers of our own; see statements.c. */
	snprintf(sql, sizeof(sql), "DEALLOCATE \"%s\"", name);
	if (PQsendQuery(db->conn, sql) == 0)
		return DB_REPLY_LOST;
	reply = db_receive(db->conn, deadline_ms, &result);
	PQclear(result);
	return reply;
}

enum db_reply
db_prepare_one(struct db *db, size_t index, int64_t deadline_ms,
    PGresult **result)
{
	const struct db_statement *statement = &db->options.statements[index];
	enum db_reply reply;
	bool again = false;

	for (;;) {
		*result = NULL;
		if (PQsendPrepare(db->conn, statement->name, statement->sql, 0,
		        NULL) == 0)
			return DB_REPLY_LOST;
		reply = db_receive(db->conn, deadline_ms, result);
		if (reply != DB_REPLY_FORGOTTEN || again)
			break;
		/* The name still stands for a plan of yesterday's tables, or
		 * of another's behind a pooler. */
		again = true;
		PQclear(*result);
		*result = NULL;
		reply = forget(db, statement->name, deadline_ms);
		if (reply == DB_REPLY_LOST || reply == DB_REPLY_LATE)
			break;
	}
	db->prepared[index] = reply == DB_REPLY_OK;
	return reply;
}
