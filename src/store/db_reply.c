/* db_reply.c - what the server's answer means for us. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/db_private.h"

/* While a failure of one kind goes on, the log hears of it so often. */
#define TELL_AGAIN_MS 10000

/* SQLSTATEs, or the beginning they share; the first that fits counts
 * (PostgreSQL manual, appendix A). */
static const struct {
	const char *state;
	enum db_reply reply;
} replies[] = {
	{ "23505", DB_REPLY_CONFLICT },  /* unique violation */
	{ "23503", DB_REPLY_CONFLICT },  /* foreign key violation */
	{ "26000", DB_REPLY_FORGOTTEN }, /* no such prepared statement */
	{ "42P05", DB_REPLY_FORGOTTEN }, /* name taken: behind a pooler */
	{ "0A000", DB_REPLY_FORGOTTEN }, /* a table changed under the plan */
	{ "40001", DB_REPLY_COLLIDED },  /* serialization failure */
	{ "40P01", DB_REPLY_COLLIDED },  /* deadlock */
	{ "57P01", DB_REPLY_LOST },      /* shutting down, or told to go */
	{ "57P02", DB_REPLY_LOST },      /* another backend crashed */
	{ "57P03", DB_REPLY_LOST },      /* starting up */
	{ "57P05", DB_REPLY_LOST },      /* idle for too long */
	{ "25006", DB_REPLY_DEMOTED },   /* read-only transaction */
	{ "57014", DB_REPLY_SLOW },      /* statement_timeout */
	{ "55P03", DB_REPLY_SLOW },      /* lock_timeout */
	{ "53", DB_REPLY_FULL },         /* out of disk, memory, connections */
	{ "58", DB_REPLY_FULL },         /* the disk fails */
	{ "3F000", DB_REPLY_BEHIND },    /* no such schema */
	{ "42P01", DB_REPLY_BEHIND },    /* no such table */
	{ "42703", DB_REPLY_BEHIND },    /* no such column */
	{ "08P01", DB_REPLY_REFUSED },   /* our message makes no sense */
	{ "08", DB_REPLY_LOST },         /* connection exception */
};

/* The server hangs up after these, whatever their SQLSTATE. */
static bool
is_last_word(const PGresult *result)
{
	const char *severity;

	severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	return severity != NULL && (strcmp(severity, "FATAL") == 0 ||
	    strcmp(severity, "PANIC") == 0);
}

enum db_reply
db_reply_of(PGconn *conn, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	const char *state;
	size_t i;

	/* A script may be all comments. */
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	    status == PGRES_EMPTY_QUERY)
		return DB_REPLY_OK;
	/* Without a SQLSTATE it was libpq that found something wrong. */
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (is_last_word(result) || PQstatus(conn) != CONNECTION_OK)
		return DB_REPLY_LOST;
	if (state == NULL)
		return status == PGRES_FATAL_ERROR ? DB_REPLY_LOST
		                                   : DB_REPLY_REFUSED;
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		if (strncmp(state, replies[i].state,
		        strlen(replies[i].state)) == 0)
			return replies[i].reply;
	}
	return DB_REPLY_REFUSED;
}

/* libpq's messages have several lines; a log line has one. */
static void
put_on_one_line(const char *lines, char line[static DB_PROBLEM_SIZE])
{
	size_t length = 0;
	int part;

	line[0] = '\0';
	lines += strspn(lines, "\n\t ");
	while (*lines != '\0' && length < DB_PROBLEM_SIZE - 1) {
		part = (int)strcspn(lines, "\n\t");
		snprintf(line + length, DB_PROBLEM_SIZE - length, "%s%.*s",
		    length > 0 ? "; " : "", part, lines);
		length += strlen(line + length);
		lines += part;
		lines += strspn(lines, "\n\t ");
	}
}

bool
db_should_tell(struct db *db, enum db_reply reply, unsigned *since)
{
	struct db_told *told = &db->told[reply];
	int64_t now_ms = clock_steady_ms();

	if (told->at_ms != 0 && now_ms - told->at_ms < TELL_AGAIN_MS) {
		told->since++;
		return false;
	}
	*since = told->since;
	told->since = 0;
	told->at_ms = now_ms;
	return true;
}

void
db_explain_as(struct db *db, const char *problem)
{
	put_on_one_line(problem, db->problem);
}

void
db_explain(struct db *db, const PGresult *result)
{
	const char *state, *primary;
	char problem[DB_PROBLEM_SIZE];

	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	if (state != NULL && primary != NULL) {
		snprintf(problem, sizeof(problem), "%s (SQLSTATE %s)", primary,
		    state);
		db_explain_as(db, problem);
	} else if (PQerrorMessage(db->conn)[0] != '\0') {
		db_explain_as(db, PQerrorMessage(db->conn));
	} else {
		db_explain_as(db, "the connection is broken");
	}
}
