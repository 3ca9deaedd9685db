/* db.c - a statement is sent, its answer awaited, and where the answer is that
 * the connection or the plan is gone, sent once more. */

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "store/db_private.h"

/* Two transactions that met come again after 2 ms, then 4, ... */
#define COLLISION_PAUSE_MS 2

/* A statement on its way, as libpq wants its parameters. */
struct call {
	const struct db_statement *statement;
	size_t index; /* in the handle's table; its count: not in there */
	int count;
	Oid types[DB_VALUES_LIMIT];
	const char *values[DB_VALUES_LIMIT];
	int sizes[DB_VALUES_LIMIT];
	int formats[DB_VALUES_LIMIT];

	int64_t deadline_ms;
	const char *none_state; /* this SQLSTATE means: no such row; or NULL */
	bool probes; /* it is our turn to see whether there is silence */
	bool sent_again;        /* after a lost connection */
	bool prepared_again;
	int collisions;
};

struct db *
db_open(const struct db_options *options)
{
	struct db *db;

	db = memory_zeroed(1, sizeof(*db));
	db->options = *options;
	db->outage = options->outage != NULL ? options->outage :
					       &db->own_outage;
	db->prepared = memory_zeroed(options->statement_count,
	    sizeof(db->prepared[0]));
	db->usable = db_connect_can_use(options->conninfo);
	if (!db->usable) {
		db_explain_as(db, "the setting is no libpq connection string");
		log_error("could not use the database: %s", db->problem);
	}
	return db;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	db_drop(db);
	free(db->prepared);
	free(db);
}

const char *
db_problem(const struct db *db)
{
	return db->problem;
}

bool
db_was_ended(const struct db *db)
{
	return db->last == DB_REPLY_SLOW;
}

/* ---- one try ------------------------------------------------------------- */

static void
call_begin(struct call *call, const struct db *db,
    const struct db_statement *statement, const struct db_value *values,
    size_t count)
{
	const struct db_value *value;
	size_t i;

	memset(call, 0, sizeof(*call));
	call->deadline_ms = clock_steady_ms() + db->options.timeout_ms;
	call->statement = statement;
	while (call->index < db->options.statement_count &&
	    &db->options.statements[call->index] != statement)
		call->index++;
	call->count = (int)count;
	for (i = 0; i < count; i++) {
		value = &values[i];
		call->types[i] = value->type;
		call->values[i] = value->inside ? value->room : value->bytes;
		call->sizes[i] = value->size;
		call->formats[i] = 1;
	}
}

static bool
is_prepared(const struct call *call, const struct db *db)
{
	return db->options.prepare && call->index < db->options.statement_count;
}

static bool
call_send(const struct call *call, const struct db *db)
{
	if (is_prepared(call, db))
		return PQsendQueryPrepared(db->conn, call->statement->name,
		    call->count, call->values, call->sizes, call->formats, 1);
	return PQsendQueryParams(db->conn, call->statement->sql, call->count,
	    call->types, call->values, call->sizes, call->formats, 1);
}

static enum db_reply
call_try(struct call *call, struct db *db, PGresult **result)
{
	enum db_reply reply;

	*result = NULL;
	call->probes = false;
	if (db_is_resting(db))
		return DB_REPLY_AWAY;
	if (db->conn == NULL) {
		reply = db_connect(db, call->deadline_ms);
		if (reply != DB_REPLY_OK)
			return reply;
	} else if (outage_is_silence(db->outage)) {
		call->probes = outage_may_try(db->outage, call->deadline_ms);
		if (!call->probes)
			return DB_REPLY_AWAY;
	}
	if (is_prepared(call, db) && !db->prepared[call->index]) {
		reply = db_prepare_one(db, call->index, call->deadline_ms,
		    result);
		if (reply != DB_REPLY_OK)
			return reply;
		PQclear(*result);
		*result = NULL;
	}
	if (!call_send(call, db))
		return DB_REPLY_LOST;
	return db_receive(db->conn, call->deadline_ms, result);
}

/* ---- what comes of it ---------------------------------------------------- */

/* Leave no connection behind that is not ready for the next statement. */
static void
tidy(struct db *db, enum db_reply reply)
{
	if (db->conn == NULL)
		return;
	if (reply == DB_REPLY_DEMOTED)
		db_shun(db);
	else if (reply == DB_REPLY_LOST || reply == DB_REPLY_LATE ||
	    PQtransactionStatus(db->conn) != PQTRANS_IDLE)
		db_drop(db);
}

/* Wait for the other transaction to end; false when there is no time left. */
static bool
let_pass(struct call *call)
{
	int64_t pause_ms = (int64_t)COLLISION_PAUSE_MS << call->collisions;

	if (clock_steady_ms() + pause_ms >= call->deadline_ms)
		return false;
	if (call->collisions < 8)
		call->collisions++;
	poll(NULL, 0, (int)pause_ms);
	return true;
}

/* Is the statement worth another try? */
static bool
try_again(struct call *call, struct db *db, enum db_reply reply)
{
	switch (reply) {
	case DB_REPLY_LOST:
		if (call->sent_again)
			return false;
		call->sent_again = true;
		log_info("lost the connection to the database, "
		    "connecting again: %s", db->problem);
		return true;
	case DB_REPLY_FORGOTTEN:
		if (call->prepared_again || !is_prepared(call, db))
			return false;
		call->prepared_again = true;
		db->prepared[call->index] = false;
		return true;
	case DB_REPLY_COLLIDED:
		return let_pass(call);
	case DB_REPLY_OK:
	case DB_REPLY_CONFLICT:
	case DB_REPLY_DEMOTED:
	case DB_REPLY_FULL:
	case DB_REPLY_SLOW:
	case DB_REPLY_LATE:
	case DB_REPLY_BEHIND:
	case DB_REPLY_AWAY:
	case DB_REPLY_UNUSABLE:
	case DB_REPLY_REFUSED:
	case DB_REPLY_COUNT:
		break;
	}
	return false;
}

/* Was it the database that said so? */
static bool
is_answer(enum db_reply reply)
{
	switch (reply) {
	case DB_REPLY_OK:
	case DB_REPLY_CONFLICT:
	case DB_REPLY_FORGOTTEN:
	case DB_REPLY_COLLIDED:
	case DB_REPLY_DEMOTED:
	case DB_REPLY_FULL:
	case DB_REPLY_SLOW:
	case DB_REPLY_BEHIND:
	case DB_REPLY_REFUSED:
		return true;
	case DB_REPLY_LOST:
	case DB_REPLY_LATE:
	case DB_REPLY_AWAY:
	case DB_REPLY_UNUSABLE:
	case DB_REPLY_COUNT:
		break;
	}
	return false;
}

/* Let all who share the outage know how the database is. */
static void
spread(struct db *db, const struct call *call, enum db_reply reply)
{
	if (call->probes && is_answer(reply)) {
		db_outage_over(db);
	} else if (call->probes) {
		outage_goes_on(db->outage);
	} else if (is_answer(reply)) {
		outage_answered(db->outage);
	} else if (reply == DB_REPLY_LATE && outage_suspect(db->outage)) {
		log_warning("the database keeps silent: from now on one at a "
			    "time asks it");
	}
}

/* Let a database that does not answer rest, so that those who wait behind this
 * caller need not wait as long as it did. */
static void
pace(struct db *db, enum db_reply reply)
{
	if (reply == DB_REPLY_LATE || reply == DB_REPLY_SLOW)
		db_rest(db);
	else if (reply != DB_REPLY_LOST && reply != DB_REPLY_AWAY)
		db->pause_ms = 0;
}

/* A line for the log about a statement that could not be run. */
static void
tell(struct db *db, const char *name, enum db_reply reply, const char *more)
{
	unsigned since;

	if (!db_should_tell(db, reply, &since))
		return;
	if (since == 0)
		log_error("could not run \"%s\"%s: %s", name, more,
		    db->problem);
	else
		log_error("could not run \"%s\"%s, as %u times before: %s",
		    name, more, since, db->problem);
}

/* The last word on what was asked, and the log's line about it. */
static enum store_result
conclude(struct db *db, const char *name, enum db_reply reply)
{
	db->last = reply;
	switch (reply) {
	case DB_REPLY_OK:
		return STORE_OK;
	case DB_REPLY_CONFLICT:
		return STORE_CONFLICT;
	case DB_REPLY_AWAY:
		return STORE_UNAVAILABLE;
	case DB_REPLY_UNUSABLE:
		return STORE_FAILED;
	case DB_REPLY_COLLIDED:
	case DB_REPLY_LOST:
	case DB_REPLY_DEMOTED:
	case DB_REPLY_FULL:
	case DB_REPLY_SLOW:
	case DB_REPLY_LATE:
		tell(db, name, reply, " now");
		return STORE_UNAVAILABLE;
	case DB_REPLY_BEHIND:
		tell(db, name, reply, " (is the schema migrated?)");
		return db->options.awaits_schema ? STORE_UNAVAILABLE
		                                 : STORE_FAILED;
	case DB_REPLY_FORGOTTEN:
		tell(db, name, reply,
		    " (is there a pooler that wants db_prepare=off?)");
		return STORE_FAILED;
	case DB_REPLY_REFUSED:
		tell(db, name, reply, "");
		return STORE_FAILED;
	case DB_REPLY_COUNT:
		break;
	}
	return STORE_FAILED;
}

/* Keep the reason, while connection and result still tell it. */
static void
explain(struct db *db, enum db_reply reply, const PGresult *result)
{
	if (reply == DB_REPLY_LATE)
		db_explain_as(db, "no answer in time");
	else if (db->conn != NULL && reply != DB_REPLY_OK)
		db_explain(db, result);
}

static bool
has_state(const PGresult *result, const char *state)
{
	const char *theirs = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state != NULL && theirs != NULL && strcmp(state, theirs) == 0;
}

/* Give the rows to whoever wants them, or wipe them. */
static void
hand_over(enum db_reply reply, PGresult *result, struct db_rows **rows)
{
	struct db_rows *answer = db_rows_new(result);

	if (reply == DB_REPLY_OK && rows != NULL)
		*rows = answer;
	else
		db_rows_free(answer);
}

/* What asks the result or the connection for something comes before what may give
 * it up. */
static enum store_result
call_run(struct call *call, struct db *db, struct db_rows **rows)
{
	enum db_reply reply;
	PGresult *result;
	bool none;

	do {
		reply = call_try(call, db, &result);
		explain(db, reply, result);
		none = has_state(result, call->none_state);
		hand_over(reply, result, rows);
		tidy(db, reply);
		spread(db, call, reply);
		pace(db, reply);
		if (none)
			return STORE_NONE;
	} while (try_again(call, db, reply));
	return conclude(db, call->statement->name, reply);
}

/* ---- what others call ---------------------------------------------------- */

enum store_result
db_run_unless(struct db *db, const struct db_statement *statement,
    const struct db_value *values, size_t count, const char *none_state,
    struct db_rows **rows)
{
	enum store_result result;
	int64_t began_us;
	struct call call;

	if (rows != NULL)
		*rows = NULL;
	if (count > DB_VALUES_LIMIT) {
		db_explain_as(db, "it has too many parameters");
		return conclude(db, statement->name, DB_REPLY_REFUSED);
	}
	call_begin(&call, db, statement, values, count);
	call.none_state = none_state;
	began_us = clock_steady_us();
	result = call_run(&call, db, rows);
	metrics_time(METRICS_STATEMENT_TIME, 0, clock_steady_us() - began_us);
	metrics_count(METRICS_STATEMENTS, result);
	return result;
}

enum store_result
db_run(struct db *db, const struct db_statement *statement,
    const struct db_value *values, size_t count, struct db_rows **rows)
{
	return db_run_unless(db, statement, values, count, NULL, rows);
}

enum store_result
db_find(struct db *db, const struct db_statement *statement,
    const struct db_value *values, size_t count, struct db_rows **rows)
{
	struct db_rows *found;
	enum store_result result;

	if (rows != NULL)
		*rows = NULL;
	result = db_run(db, statement, values, count, &found);
	if (result == STORE_OK && db_rows_count(found) == 0)
		result = STORE_NONE;
	if (result == STORE_OK && rows != NULL)
		*rows = found;
	else
		db_rows_free(found);
	return result;
}

enum store_result
db_list(struct db *db, const struct db_statement *statement,
    const struct db_value *values, size_t value_count, size_t limit,
    struct db_rows **rows, size_t *count)
{
	enum store_result result;

	*count = 0;
	result = db_run(db, statement, values, value_count, rows);
	if (result != STORE_OK)
		return result;
	*count = db_rows_count(*rows);
	if (*count > limit)
		*count = limit;
	return STORE_OK;
}

enum store_result
db_script(struct db *db, const char *sql)
{
	int64_t deadline_ms = clock_steady_ms() + db->options.timeout_ms;
	enum db_reply reply = DB_REPLY_OK;
	PGresult *result = NULL;

	if (db->conn == NULL)
		reply = db_connect(db, deadline_ms);
	if (reply != DB_REPLY_OK)
		return conclude(db, "script", reply);
	if (PQsendQuery(db->conn, sql) != 0)
		reply = db_receive(db->conn, deadline_ms, &result);
	else
		reply = DB_REPLY_LOST;
	/* There is no plan here that could have been forgotten. */
	if (reply == DB_REPLY_FORGOTTEN)
		reply = DB_REPLY_REFUSED;
	explain(db, reply, result);
	tidy(db, reply);
	PQclear(result);
	return conclude(db, "script", reply);
}

static bool
all_prepared(const struct db *db)
{
	size_t i;

	for (i = 0; db->options.prepare && i < db->options.statement_count; i++)
		if (!db->prepared[i])
			return false;
	return true;
}

enum store_result
db_ready(struct db *db)
{
	int64_t deadline_ms = clock_steady_ms() + db->options.timeout_ms;
	enum db_reply reply;

	if (db->conn != NULL && all_prepared(db))
		return STORE_OK;
	if (db->conn == NULL) {
		reply = db_connect(db, deadline_ms);
	} else {
		reply = db_prepare_all(db, deadline_ms);
		explain(db, reply, NULL);
		tidy(db, reply);
	}
	if (reply == DB_REPLY_OK && !all_prepared(db))
		return STORE_FAILED; /* which one and why stands in the log */
	return conclude(db, "prepare", reply);
}
