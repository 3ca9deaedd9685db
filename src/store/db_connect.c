/* db_connect.c - a connection, from whichever host has one to give. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "store/db_private.h"

/* A database whose statements find no answer is asked again after 100 ms, then
 * 200, ... 1000. */
#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  1000

#define PLACES_LIMIT 16

/* ---- parameters for libpq ------------------------------------------------ */

/* libpq has some 45 keywords; each stands here at most twice. */
#define PARAMETERS_LIMIT 128

/* Keywords and values as PQconnectStartParams() takes them: the last one of a
 * keyword counts. */
struct parameters {
	const char *keywords[PARAMETERS_LIMIT + 1];
	const char *values[PARAMETERS_LIMIT + 1];
	size_t count;
	char statement_timeout[48];
	char user_timeout[16];
	PQconninfoOption *given; /* the connection string, taken apart */
};

static void
add(struct parameters *to, const char *keyword, const char *value)
{
	if (value == NULL || to->count == PARAMETERS_LIMIT)
		return;
	to->keywords[to->count] = keyword;
	to->values[to->count] = value;
	to->count++;
}

/* The list ends at a keyword NULL; a shorter list may follow a longer one. */
static void
end(struct parameters *parameters)
{
	parameters->keywords[parameters->count] = NULL;
	parameters->values[parameters->count] = NULL;
}

/* What the connection string says, or else the environment; or NULL. */
static const char *
said(const struct parameters *parameters, const char *keyword)
{
	const PQconninfoOption *option;

	for (option = parameters->given; option->keyword != NULL; option++) {
		if (strcmp(option->keyword, keyword) != 0)
			continue;
		if (option->val != NULL)
			return option->val;
		return option->envvar != NULL ? getenv(option->envvar) : NULL;
	}
	return NULL;
}

/* A default of ours gives way to the string and to the environment. */
static void
add_default(struct parameters *to, const char *keyword, const char *value)
{
	if (said(to, keyword) == NULL)
		add(to, keyword, value);
}

static void
add_defaults(struct parameters *to, const struct db_options *options)
{
	/* Before our own deadline, so that a statement which waits for a lock is
	 * told from a database that keeps silent. */
	snprintf(to->statement_timeout, sizeof(to->statement_timeout),
	    "-c statement_timeout=%d",
	    options->timeout_ms - options->timeout_ms / 10);
	snprintf(to->user_timeout, sizeof(to->user_timeout), "%d",
	    options->timeout_ms);

	/* Poolers refuse start-up options. */
	if (options->prepare)
		add_default(to, "options", to->statement_timeout);
	add_default(to, "fallback_application_name", options->program);
	add_default(to, "keepalives_idle", "30");
	add_default(to, "keepalives_interval", "10");
	add_default(to, "keepalives_count", "3");
	add_default(to, "tcp_user_timeout", to->user_timeout);
	/* Not a default: every text here is UTF-8. */
	add(to, "client_encoding", "UTF8");
}

/* libpq's reason may quote the string, password and all, and so is not passed
 * on. */
static PQconninfoOption *
take_apart(const char *conninfo)
{
	PQconninfoOption *options;
	char *why = NULL;

	options = PQconninfoParse(conninfo, &why);
	PQfreemem(why);
	return options;
}

static void
forget(PQconninfoOption *options)
{
	PQconninfoOption *option;

	for (option = options; option->keyword != NULL; option++) {
		if (option->val != NULL)
			secret_wipe(option->val, strlen(option->val));
	}
	PQconninfoFree(options);
}

bool
db_connect_can_use(const char *conninfo)
{
	PQconninfoOption *options = take_apart(conninfo);

	if (options == NULL)
		return false;
	forget(options);
	return true;
}

static bool
parameters_begin(struct parameters *parameters,
    const struct db_options *options)
{
	const PQconninfoOption *option;

	memset(parameters, 0, sizeof(*parameters));
	parameters->given = take_apart(options->conninfo);
	if (parameters->given == NULL)
		return false;
	for (option = parameters->given; option->keyword != NULL; option++)
		add(parameters, option->keyword, option->val);
	add_defaults(parameters, options);
	return true;
}

/* ---- several hosts ------------------------------------------------------- */

/*
 * libpq walks through a list of hosts by itself, but without blocking it does
 * not leave one that keeps silent.  So the list is taken apart here, and each
 * host gets its share of the time.
 */
struct places {
	unsigned count;
	char *hosts[PLACES_LIMIT];
	char *addresses[PLACES_LIMIT];
	char *ports[PLACES_LIMIT];
};

/* Split at commas; returns the number of parts, 0 for too many. */
static unsigned
split(const char *list, char *parts[static PLACES_LIMIT])
{
	unsigned count = 0;
	size_t size;

	if (list == NULL)
		return 0;
	for (;;) {
		if (count == PLACES_LIMIT)
			return 0;
		size = strcspn(list, ",");
		parts[count++] = memory_text_part(list, size);
		if (list[size] == '\0')
			return count;
		list += size + 1;
	}
}

/* One port may serve all hosts; otherwise the lists are equally long.  What
 * does not fit together is left to libpq, which words it well. */
static void
places_begin(struct places *places, const struct parameters *parameters)
{
	unsigned hosts, addresses, ports;

	memset(places, 0, sizeof(*places));
	hosts = split(said(parameters, "host"), places->hosts);
	addresses = split(said(parameters, "hostaddr"), places->addresses);
	ports = split(said(parameters, "port"), places->ports);

	places->count = hosts > addresses ? hosts : addresses;
	if (places->count < 2 || (hosts != 0 && hosts != places->count) ||
	    (addresses != 0 && addresses != places->count) ||
	    (ports > 1 && ports != places->count))
		places->count = 1;
}

static void
places_end(struct places *places)
{
	size_t i;

	for (i = 0; i < PLACES_LIMIT; i++) {
		free(places->hosts[i]);
		free(places->addresses[i]);
		free(places->ports[i]);
	}
}

/* Narrow the parameters to one place. */
static void
add_place(struct parameters *to, const struct places *places, unsigned place)
{
	if (places->count == 1)
		return;
	add(to, "host", places->hosts[place]);
	add(to, "hostaddr", places->addresses[place]);
	add(to, "port", places->ports[place]);
	/* Of several hosts, the one that takes writes is wanted. */
	add_default(to, "target_session_attrs", "read-write");
}

/* ---- connecting ---------------------------------------------------------- */

static void
hear_notice(void *program, const PGresult *result)
{
	const char *primary;

	(void)program;
	primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	log_debug("the database says: %s", primary != NULL ? primary : "");
}

/* Follow libpq through its steps; false when it fails or is not through at the
 * deadline. */
static bool
poll_connect(struct db *db, int64_t deadline_ms)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status == PGRES_POLLING_READING ||
	    status == PGRES_POLLING_WRITING) {
		if (!db_wait(db->conn,
		        status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
		        deadline_ms)) {
			db_explain_as(db, "no answer in time");
			return false;
		}
		status = PQconnectPoll(db->conn);
	}
	if (status != PGRES_POLLING_OK)
		db_explain(db, NULL);
	return status == PGRES_POLLING_OK;
}

static bool
prepare(struct db *db, int64_t deadline_ms)
{
	enum db_reply reply;

	reply = db_prepare_all(db, deadline_ms);
	if (reply == DB_REPLY_LATE)
		db_explain_as(db, "no answer in time");
	else if (reply != DB_REPLY_OK)
		db_explain(db, NULL);
	return reply == DB_REPLY_OK;
}

/* Try one place; what went wrong is in db->problem. */
static bool
try_connect(struct db *db, const struct parameters *parameters,
    int64_t deadline_ms)
{
	db->conn = PQconnectStartParams(parameters->keywords,
	    parameters->values, 0);
	if (db->conn == NULL) {
		db_explain_as(db, "out of memory");
		return false;
	}
	PQsetNoticeReceiver(db->conn, hear_notice, NULL);
	if (PQstatus(db->conn) == CONNECTION_BAD) {
		db_explain(db, NULL);
		goto drop;
	}
	if (!poll_connect(db, deadline_ms))
		goto drop;
	if (PQsetnonblocking(db->conn, 1) != 0) {
		db_explain(db, NULL);
		goto drop;
	}
	if (!prepare(db, deadline_ms))
		goto drop;
	return true;

drop:
	db_drop(db);
	return false;
}

/* Try all places once around, the last good one first. */
static bool
try_places(struct db *db, struct parameters *parameters, int64_t deadline_ms)
{
	struct places places;
	size_t common = parameters->count;
	int64_t now;
	unsigned tried, place;
	bool connected = false;

	places_begin(&places, parameters);
	for (tried = 0; tried < places.count && !connected; tried++) {
		place = (db->last_place + tried) % places.count;
		parameters->count = common;
		add_place(parameters, &places, place);
		end(parameters);
		now = clock_steady_ms();
		connected = try_connect(db, parameters,
		    now + (deadline_ms - now) / (places.count - tried));
		if (connected)
			db->last_place = place;
	}
	places_end(&places);
	return connected;
}

/* ---- away and back ------------------------------------------------------- */

bool
db_is_resting(const struct db *db)
{
	return db->pause_ms != 0 && clock_steady_ms() < db->pause_until_ms;
}

void
db_rest(struct db *db)
{
	if (db->pause_ms == 0)
		db->pause_ms = PAUSE_FIRST_MS;
	else if (db->pause_ms * 2 < PAUSE_MOST_MS)
		db->pause_ms *= 2;
	else
		db->pause_ms = PAUSE_MOST_MS;
	db->pause_until_ms = clock_steady_ms() + db->pause_ms;
}

static void
stay_away(struct db *db)
{
	unsigned since;

	outage_goes_on(db->outage);
	if (db->away_since_ms == 0)
		db->away_since_ms = clock_steady_ms();
	if (db_should_tell(db, DB_REPLY_AWAY, &since))
		log_error("could not connect to the database: %s",
		    db->problem);
}

void
db_outage_over(struct db *db)
{
	if (outage_is_over(db->outage))
		log_info("the database answers again");
}

/* Whether it answers as well, the next statement will show. */
static void
come_back(struct db *db)
{
	db_outage_over(db);
	if (db->away_since_ms == 0)
		return;
	log_info("the database is back after %.1f s",
	    (double)(clock_steady_ms() - db->away_since_ms) / 1000.0);
	db->away_since_ms = 0;
	db->told[DB_REPLY_AWAY] = (struct db_told){ 0 };
}

/* When connecting has to be through. */
static int64_t
connect_deadline(const struct db *db, int64_t deadline_ms)
{
	int64_t ours_ms = clock_steady_ms() + db->options.connect_ms;

	return db->options.connect_ms != 0 && ours_ms < deadline_ms ?
	    ours_ms :
	    deadline_ms;
}

enum db_reply
db_connect(struct db *db, int64_t deadline_ms)
{
	struct parameters parameters;
	bool connected;

	if (!db->usable)
		return DB_REPLY_UNUSABLE;
	deadline_ms = connect_deadline(db, deadline_ms);
	if (db_is_resting(db) || !outage_may_try(db->outage, deadline_ms))
		return DB_REPLY_AWAY;
	if (!parameters_begin(&parameters, &db->options))
		return DB_REPLY_UNUSABLE;
	connected = try_places(db, &parameters, deadline_ms);
	forget(parameters.given);
	if (!connected) {
		stay_away(db);
		return DB_REPLY_AWAY;
	}
	come_back(db);
	return DB_REPLY_OK;
}

void
db_drop(struct db *db)
{
	PQfinish(db->conn);
	db->conn = NULL;
	memset(db->prepared, 0,
	    db->options.statement_count * sizeof(db->prepared[0]));
}

void
db_shun(struct db *db)
{
	db_drop(db);
	db->last_place++;
}
