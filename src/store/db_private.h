/* db_private.h - what the files db*.c share and nobody else sees: libpq. */

#ifndef POSTERN_STORE_DB_PRIVATE_H
#define POSTERN_STORE_DB_PRIVATE_H

#include <libpq-fe.h>

#include "store/db.h"
#include "store/outage.h"

#define DB_PROBLEM_SIZE 512

/* 2000-01-01 UTC, where PostgreSQL's times begin, in our microseconds. */
#define DB_EPOCH_US INT64_C(946684800000000)

/* What came of one try to have something done. */
enum db_reply {
	DB_REPLY_OK,
	DB_REPLY_CONFLICT,  /* a unique or foreign key says no */
	DB_REPLY_FORGOTTEN, /* the server no longer knows the statement */
	DB_REPLY_COLLIDED,  /* two transactions met; one must come again */
	DB_REPLY_LOST,      /* the connection is of no more use */
	DB_REPLY_DEMOTED,   /* this server only reads; another one may write */
	DB_REPLY_FULL,      /* the server has no room */
	DB_REPLY_SLOW,      /* the server gave it up: a time limit of its own */
	DB_REPLY_LATE,      /* our deadline passed */
	DB_REPLY_BEHIND,    /* no such table or column: it is not migrated */
	DB_REPLY_AWAY,      /* no connection is to be had; logged */
	DB_REPLY_UNUSABLE,  /* the connection string is none; logged */
	DB_REPLY_REFUSED,   /* anything else: a defect or a missing privilege */
	DB_REPLY_COUNT
};

/* What the log has heard of one kind of failure. */
struct db_told {
	int64_t at_ms;  /* clock_steady_ms(); 0: nothing yet */
	unsigned since; /* how often it happened since, untold */
};

struct db {
	struct db_options options;
	bool usable;            /* the connection string is one */
	PGconn *conn;           /* NULL: not connected */
	bool *prepared;         /* on this connection; one flag a statement */
	unsigned last_place;    /* among the hosts, where it last went well */
	struct outage *outage;  /* everybody's, or our own */
	struct outage own_outage;
	int pause_ms;           /* after a statement without an answer; or 0 */
	int64_t pause_until_ms; /* clock_steady_ms() */
	int64_t away_since_ms;  /* 0: is not away */
	enum db_reply last;     /* what the last statement came to */
	struct db_told told[DB_REPLY_COUNT];
	char problem[DB_PROBLEM_SIZE];
};

struct db_rows {
	PGresult *result;
};

/* ---- db_connect.c -------------------------------------------------------- */

/* Can libpq read this connection string? */
bool db_connect_can_use(const char *conninfo);

/* Did a statement find no answer a moment ago, so that we do not ask now? */
bool db_is_resting(const struct db *db);

/* It did not answer: leave it alone for a while, and the next time for longer. */
void db_rest(struct db *db);

/* Connect and prepare, unless it is resting or somebody else's turn.  OK, AWAY or
 * UNUSABLE. */
enum db_reply db_connect(struct db *db, int64_t deadline_ms);

/* It answers, for all who share the outage. */
void db_outage_over(struct db *db);

/* Give a connection up, in whatever state it is. */
void db_drop(struct db *db);

/* The server reads only: give it up, and begin with another one next time. */
void db_shun(struct db *db);

/* ---- db_prepare.c -------------------------------------------------------- */

/*
 * Prepare what is not prepared yet, in one round trip.  OK as long as the
 * connection lives: a statement that the server refuses stays unprepared and is
 * told in the log.
 */
enum db_reply db_prepare_all(struct db *db, int64_t deadline_ms);

/* Prepare one statement again, or after all; *result as from db_receive(). */
enum db_reply db_prepare_one(struct db *db, size_t index, int64_t deadline_ms,
    PGresult **result);

/* ---- db_wait.c ----------------------------------------------------------- */

/* Wait for the connection's socket; false when the deadline passes. */
bool db_wait(PGconn *conn, short events, int64_t deadline_ms);

/* Send all that libpq holds.  OK, LATE or LOST. */
enum db_reply db_flush(PGconn *conn, int64_t deadline_ms);

/* The next result, NULL at the end of an answer.  OK, LATE or LOST. */
enum db_reply db_next(PGconn *conn, int64_t deadline_ms, PGresult **result);

/*
 * The whole answer to what was sent, until the server is ready for more.
 * *result (to be cleared by the caller, NULL where there is none) is its last
 * part, or its first refusal.
 */
enum db_reply db_receive(PGconn *conn, int64_t deadline_ms,
    PGresult **result);

/* ---- db_rows.c ----------------------------------------------------------- */

/* Own a result. */
struct db_rows *db_rows_new(PGresult *result);

/* ---- db_reply.c ---------------------------------------------------------- */

enum db_reply db_reply_of(PGconn *conn, const PGresult *result);

/* Keep as db->problem, in one line, why this went wrong: the server's primary
 * message and SQLSTATE, or else libpq's words.  Never DETAIL, which may quote
 * values. */
void db_explain(struct db *db, const PGresult *result);

/*
 * Is this failure the log's business?  Not when it was told of one of its kind
 * within the last 10 s; *since is how many there were meanwhile.
 */
bool db_should_tell(struct db *db, enum db_reply reply, unsigned *since);

/* Keep a sentence of our own as db->problem. */
void db_explain_as(struct db *db, const char *problem);

#endif
