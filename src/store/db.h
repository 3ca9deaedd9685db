/* db.h - one connection to PostgreSQL with deadlines; with its neighbours
 * db_*.c the only home of libpq. */

#ifndef POSTERN_STORE_DB_H
#define POSTERN_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"

/* What every call of store/ comes back with.  Each failure is logged where it
 * is found, without any value; while the same one goes on, every 10 s. */
enum store_result {
	STORE_OK,
	STORE_NONE,        /* no such row */
	STORE_CONFLICT,    /* unique or foreign key says no */
	STORE_UNAVAILABLE, /* no answer within the deadline: try again later;
	                      what was asked may or may not have been done */
	STORE_FAILED,      /* the database refused the statement: a defect or a
	                      missing privilege */
};

/* A statement: prepared once on each connection under its name, which is made
 * of letters, digits and "_". */
struct db_statement {
	const char *name;
	const char *sql;
};

struct outage;

struct db_options {
	const char *conninfo;  /* libpq's string or URI; "" leaves all to PG* */
	const char *program;   /* application_name */
	const struct db_statement *statements;
	size_t statement_count;
	bool prepare;          /* false behind a pooler that cannot; start-up
	                          options are not sent either */
	bool awaits_schema;    /* a table or column that is not there will be:
	                          UNAVAILABLE, else FAILED */
	int timeout_ms;        /* for one db_run(), reconnecting included */
	int connect_ms;        /* of that, at most so much for connecting; 0: all */
	struct outage *outage; /* shared with others who connect there, or NULL;
	                          outlives the handle */
};

struct db;

/*
 * Make the handle; connects at the first use or at db_ready(), and so after a
 * fork().  The options' strings and table must outlive it.
 *
 * The connection string may name several hosts: each gets its share of the
 * deadline, the last good one first, and one that takes writes is wanted.
 * Where neither it nor the environment says otherwise, the server too ends a
 * statement, a tenth before the deadline, and keep-alives find a dead peer.
 * The string's connect_timeout counts for nothing, and one thing is not under
 * our deadline: the look-up of a host's name takes as long as resolv.conf(5)
 * lets it.
 *
 * After an attempt to connect that failed, or a statement that found no answer
 * in time, the next one is made 100 ms later at the earliest, growing to a
 * second; until then every call is UNAVAILABLE at once.  So a database that
 * hangs costs a queue of callers one deadline, and not one after the other; and
 * of all who share the outage, only one at a time connects, or, when several
 * statements in a row found no answer, asks (outage.h).  A string that libpq cannot
 * read is logged here, and then every call is FAILED.
 */
struct db *db_open(const struct db_options *options);
void db_close(struct db *db); /* NULL does nothing */

/*
 * Connect and prepare now, where that is still to do.  FAILED: the connection
 * string is none, or the server refuses a statement; what it takes can be run
 * all the same, and the others once the server takes them.
 */
enum store_result db_ready(struct db *db);

/* ---- for the typed files of store/ --------------------------------------- */

/* A parameter, sent in binary; bytes are borrowed until it is.  Make one with
 * the calls below. */
struct db_value {
	const void *bytes; /* NULL: SQL NULL, unless inside */
	int size;
	unsigned type;     /* PostgreSQL's type oid */
	bool inside;       /* the bytes are in room */
	char room[8];      /* where a number's network bytes live */
};

#define DB_VALUES_LIMIT 16

struct db_value db_null(void);
struct db_value db_text(const char *text); /* NULL gives SQL NULL */

/* What a peer says of itself: cut at a character to at most `limit` bytes; SQL
 * NULL when it is NULL or not UTF-8, which would cost the whole statement. */
struct db_value db_peer_text(const char *text, size_t limit);

struct db_value db_bytes(const void *bytes, size_t size);
struct db_value db_id(const struct id *id);
struct db_value db_time(int64_t us);       /* timestamptz; 0 gives NULL */
struct db_value db_int(int32_t value);     /* integer */
struct db_value db_small(int16_t value);   /* smallint */

/*
 * An array for a parameter, from which the statement makes rows by unnest(): filled
 * item by item, all of its kind, and released with db_array_free(), which wipes it.
 * A value of it is good until something is added.  Keep it below 1 GB.
 */
enum db_array_kind { DB_ARRAY_TEXT, DB_ARRAY_ID, DB_ARRAY_SMALL };

struct db_array {
	enum db_array_kind kind;
	unsigned char *bytes;
	size_t size, room;
	uint32_t count;
	bool has_null;
};

struct db_array db_array_new(enum db_array_kind kind);
void db_array_add_text(struct db_array *array, const char *text); /* or NULL */
void db_array_add_id(struct db_array *array, const struct id *id);
void db_array_add_small(struct db_array *array, int16_t value);
struct db_value db_array_value(const struct db_array *array);
void db_array_free(struct db_array *array);

struct db_rows; /* a result, in binary */

/*
 * Run a statement within the deadline.  A connection that is found dead is
 * made again and the statement sent once more: every statement here may run
 * twice without harm.  Statements that the server has forgotten (26000, 0A000,
 * 42P05) are prepared again; transactions that met (40001, 40P01) come again.
 * A statement that is not of the handle's table is sent unprepared.
 *
 * STORE_OK gives the rows, possibly none, to be released with db_rows_free();
 * rows may be NULL where none are wanted.  Never STORE_NONE.
 */
enum store_result db_run(struct db *db, const struct db_statement *statement,
    const struct db_value *values, size_t count, struct db_rows **rows);

/* The same for a statement that finds what it is about, or does not: STORE_NONE,
 * and nothing to release, when there is no row. */
enum store_result db_find(struct db *db, const struct db_statement *statement,
    const struct db_value *values, size_t count, struct db_rows **rows);

/* The same for a statement that lists: *count is how many rows there are to read,
 * at most `limit`; 0, and nothing to release, when it failed. */
enum store_result db_list(struct db *db, const struct db_statement *statement,
    const struct db_value *values, size_t value_count, size_t limit,
    struct db_rows **rows, size_t *count);

/* As db_run(); but a refusal with this SQLSTATE says that there is nothing to
 * find: STORE_NONE, and no word in the log. */
enum store_result db_run_unless(struct db *db,
    const struct db_statement *statement, const struct db_value *values,
    size_t count, const char *none_state, struct db_rows **rows);

/*
 * Several statements, from posternctl: plain text, no parameters, no resend.
 * They are one transaction unless the text itself says otherwise; what it
 * leaves open is rolled back.
 */
enum store_result db_script(struct db *db, const char *sql);

/* What the server said about the last STORE_FAILED or _UNAVAILABLE, for
 * posternctl; never shown to a client. */
const char *db_problem(const struct db *db);

/* Was it that the server ended the statement, for its time or somebody's wish?
 * Then nothing was done. */
bool db_was_ended(const struct db *db);

size_t db_rows_count(const struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, size_t row, int column);

/*
 * Fields, checked for their width; a field of another width reads as NULL,
 * nil, 0 or false and is logged, and so does one that is not there.  A text is
 * borrowed until db_rows_free(), which wipes it.  db_get_time() gives 0 for NULL,
 * INT64_MAX for "infinity" and INT64_MIN for "-infinity".
 */
const char *db_get_text(const struct db_rows *rows, size_t row, int column);
bool db_copy_text(const struct db_rows *rows, size_t row, int column,
    char *text, size_t room); /* NULL gives ""; false: it did not fit */
bool db_copy_bytes(const struct db_rows *rows, size_t row, int column,
    void *bytes, size_t size); /* false: not of this size, and zeros */
struct id db_get_id(const struct db_rows *rows, size_t row, int column);
int64_t db_get_time(const struct db_rows *rows, size_t row, int column);
int64_t db_get_int(const struct db_rows *rows, size_t row, int column);
bool db_get_bool(const struct db_rows *rows, size_t row, int column);
void db_rows_free(struct db_rows *rows); /* NULL does nothing */

#endif
