/* ctl_session.c - sessions: who is signed in. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_table.h"
#include "store/admin_sessions.h"
#include "store/admin_sweep.h"

/* ---- list ---------------------------------------------------------------- */

static const struct ctl_option list_options[] = {
	{ "all", NULL, CTL_FLAG_AT(all), "everybody's" },
	{ "ended", NULL, CTL_FLAG_AT(ended), "those that are over, too" },
	{ "after", "CURSOR", CTL_TEXT_AT(after),
	  "go on behind CURSOR, which ends the page before" },
	CTL_LIMIT_OPTION,
	{ 0 },
};

static const struct ctl_column list_columns[] = {
	{ "sessionId", "session id", CTL_WHOLE },
	{ "email", "e-mail", CTL_WHOLE },
	{ "state", "state", CTL_WHOLE },
	{ "createdAt", "created", CTL_TIME },
	{ "refreshedAt", "refreshed", CTL_TIME },
	{ "generation", "generation", CTL_SPARE },
	{ "address", "address", CTL_WHOLE },
	{ "device", "device", CTL_LONG },
	{ 0 },
};

static const char *
state_name(const struct session_row *row, const struct session_query *query,
    int64_t now_us)
{
	switch ((enum session_ended)row->ended_why) {
	case SESSION_ENDED_SIGN_OUT:
		return "signed-out";
	case SESSION_ENDED_REUSE:
		return "token-reused";
	case SESSION_ENDED_OPERATOR:
		return "revoked";
	case SESSION_ENDED_ACCOUNT:
		return "account-changed";
	}
	if (row->ended_us != 0)
		return "ended";
	if (row->expires_us <= now_us)
		return "expired";
	return row->rotated_us <= query->idle_since_us ? "idle" : "live";
}

static struct json_object *
describe(const struct session_row *row, const char *state)
{
	struct json_object *object = json_new_object();

	ctl_output_add_id(object, "sessionId", &row->session);
	ctl_output_add_id(object, "userId", &row->user);
	ctl_output_add_text(object, "email", row->login_key);
	json_add_string(object, "state", state);
	ctl_output_add_time(object, "createdAt", row->created_us);
	ctl_output_add_time(object, "refreshedAt", row->rotated_us);
	json_add_int(object, "generation", row->generation);
	ctl_output_add_time(object, "expiresAt", row->expires_us);
	ctl_output_add_time(object, "endedAt", row->ended_us);
	ctl_output_add_text(object, "address", row->address);
	ctl_output_add_text(object, "device", row->device);
	return object;
}

static enum ctl_exit
list_sessions(const struct ctl *ctl, struct session_query *query,
    int64_t now_us)
{
	struct json_object *array;
	struct session_row *rows;
	enum store_result result;
	char cursor[CTL_CURSOR_SIZE] = "";
	size_t count, limit = query->limit;

	/* One more than shown tells whether there is a next page. */
	query->limit++;
	rows = memory_zeroed(query->limit, sizeof(*rows));
	result = store_session_list(ctl->db, query, rows, &count);
	if (result != STORE_OK) {
		free(rows);
		return ctl_refuse_store(ctl, result, "list the sessions");
	}
	array = json_new_array();
	for (size_t i = 0; i < count && i < limit; i++)
		json_append(array, describe(&rows[i],
		    state_name(&rows[i], query, now_us)));
	if (count > limit)
		ctl_cursor_format(&rows[limit - 1].user,
		    &rows[limit - 1].session, cursor);
	free(rows);
	ctl_output_page(ctl, "sessions", array, list_columns, cursor);
	return CTL_DONE;
}

static enum ctl_exit
session_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	int64_t now_us = clock_now_us();
	struct session_query query = {
		.live_at_us = arguments->ended ? 0 : now_us,
		.idle_since_us = ctl_idle_since_us(ctl, now_us),
		.limit = (size_t)arguments->limit,
	};
	struct id user;
	enum ctl_exit done;

	if ((arguments->operand_count == 1) == arguments->all)
		return ctl_refuse(CTL_USAGE, "see: posternctl session list --help",
		    "whose sessions?  Give either an address or --all");
	done = ctl_cursor_parse(arguments->after, &query.after_user,
	    &query.after_session);
	if (done == CTL_DONE && !arguments->all) {
		done = ctl_account(ctl, arguments->operands[0], &user);
		query.user = &user;
	}
	if (done != CTL_DONE)
		return done;
	return list_sessions(ctl, &query, now_us);
}

/* ---- revoke -------------------------------------------------------------- */

static const struct ctl_option revoke_options[] = {
	{ "user", "EMAIL", CTL_TEXT_AT(user),
	  "of this account: the session given, or else all" },
	{ 0 },
};

static enum ctl_exit
revoke_all(const struct ctl *ctl, const struct id *user, const char *typed)
{
	struct json_object *answer;
	enum store_result result;
	int64_t ended;

	result = store_session_end_all(ctl->db, user, clock_now_us(), &ended);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "end the sessions");
	answer = json_new_object();
	ctl_output_add_id(answer, "userId", user);
	json_add_int(answer, "sessionsEnded", ended);
	ctl_output_sentence(ctl, answer, "%s: sessions ended: %" PRId64, typed,
	    ended);
	return CTL_DONE;
}

static enum ctl_exit
revoke_one(const struct ctl *ctl, const struct id *user, const char *typed)
{
	struct json_object *answer;
	int64_t now_us = clock_now_us();
	enum store_result result;
	struct id session;
	int64_t ended_us;

	if (id_parse(typed, strlen(typed), &session) != 0)
		return ctl_refuse(CTL_USAGE,
		    "take it from: posternctl session list --all",
		    "\"%s\" is no session id", typed);
	result = store_session_end(ctl->db, user, &session, now_us, &ended_us);
	if (result == STORE_NONE)
		return ctl_refuse(CTL_REFUSED,
		    "list sessions with: posternctl session list --all",
		    "there is no session %s", typed);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "end the session");

	answer = json_new_object();
	ctl_output_add_id(answer, "sessionId", &session);
	json_add_int(answer, "sessionsEnded", ended_us == now_us);
	ctl_output_add_time(answer, "endedAt", ended_us);
	ctl_output_sentence(ctl, answer, "session %s %s", typed,
	    ended_us == now_us ? "ended" : "had ended before");
	return CTL_DONE;
}

static enum ctl_exit
session_revoke(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	const char *session = arguments->operand_count == 1 ?
	    arguments->operands[0] :
	    NULL;
	enum ctl_exit done;
	struct id user;

	if (arguments->user == NULL && session == NULL)
		return ctl_refuse(CTL_USAGE,
		    "see: posternctl session revoke --help",
		    "which session?  Give its id, or --user EMAIL for all");
	if (arguments->user == NULL)
		return revoke_one(ctl, NULL, session);
	done = ctl_account(ctl, arguments->user, &user);
	if (done != CTL_DONE)
		return done;
	if (session != NULL)
		return revoke_one(ctl, &user, session);
	return revoke_all(ctl, &user, arguments->user);
}

/* ---- cleanup ------------------------------------------------------------- */

/* Rows looked at in one transaction: short enough to be in nobody's way. */
#define SWEEP_ROWS 1000

static const struct ctl_option cleanup_options[] = {
	{ "days", "N", CTL_NUMBER_AT(days, 30, 1, 3650),
	  "sessions that ended N days ago or before (default: 30)" },
	{ "audit-days", "N", CTL_NUMBER_AT(audit_days, 0, 1, 3650),
	  "also audit rows older than N days (default: none)" },
	{ 0 },
};

typedef enum store_result sweep_step(struct db *db, int64_t before_us,
    size_t limit, struct sweep *sweep);

static enum ctl_exit
sweep_all(const struct ctl *ctl, sweep_step *step, int64_t before_us,
    const char *what, struct sweep *sweep)
{
	enum store_result result;

	while (!sweep->done) {
		result = step(ctl->db, before_us, SWEEP_ROWS, sweep);
		if (result != STORE_OK)
			return ctl_refuse_store(ctl, result, what);
	}
	return CTL_DONE;
}

static void
print_sweeps(const struct ctl *ctl, const struct sweep *sessions,
    const struct sweep *throttle, const struct sweep *audit)
{
	struct json_object *answer = json_new_object();

	json_add_int(answer, "sessionsSeen", sessions->seen);
	json_add_int(answer, "sessionsRemoved", sessions->removed);
	json_add_int(answer, "throttleSeen", throttle->seen);
	json_add_int(answer, "throttleRemoved", throttle->removed);
	json_add_int(answer, "auditSeen", audit->seen);
	json_add_int(answer, "auditRemoved", audit->removed);
	ctl_output_sentence(ctl, answer, "removed: sessions %" PRId64 " of %"
	    PRId64 ", throttle counts %" PRId64 " of %" PRId64
	    ", audit rows %" PRId64 " of %" PRId64,
	    sessions->removed, sessions->seen, throttle->removed,
	    throttle->seen, audit->removed, audit->seen);
}

static enum ctl_exit
session_cleanup(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct sweep sessions = { .seen = 0 };
	struct sweep throttle = { .seen = 0 };
	struct sweep audit = { .seen = 0 };
	int64_t now_us = clock_now_us();
	enum ctl_exit done;

	done = sweep_all(ctl, store_session_sweep,
	    now_us - arguments->days * CTL_DAY_US, "remove old sessions",
	    &sessions);
	if (done == CTL_DONE)
		done = sweep_all(ctl, store_throttle_sweep,
		    now_us - ctl->config->throttle_quiet_seconds *
			CLOCK_SECOND_US,
		    "remove old counts of the throttle", &throttle);
	if (done == CTL_DONE && arguments->audit_days > 0)
		done = sweep_all(ctl, store_audit_sweep,
		    now_us - arguments->audit_days * CTL_DAY_US,
		    "remove old audit rows", &audit);
	if (done == CTL_DONE)
		print_sweeps(ctl, &sessions, &throttle, &audit);
	return done;
}

/* ---- the group ----------------------------------------------------------- */

static const struct ctl_command commands[] = {
	{ "list", "[EMAIL]", 0, 1, list_options, CTL_NEEDS_DATABASE,
	  session_list, "list the sessions of one account, or --all" },
	{ "revoke", "[SESSION-ID]", 0, 1, revoke_options, CTL_NEEDS_DATABASE,
	  session_revoke, "end one session, or all of --user EMAIL" },
	{ "cleanup", "", 0, 0, cleanup_options, CTL_NEEDS_DATABASE,
	  session_cleanup, "remove rows of sessions that ended long ago" },
	{ 0 },
};

const struct ctl_group ctl_session_group = {
	.name = "session",
	.help = "Sessions: who is signed in.  A revoked session cannot be "
		"refreshed any more; an\n"
		"access token given out before stays good until it expires.",
	.commands = commands,
	.examples =
	    "  posternctl session list ann@example.org\n"
	    "  posternctl session revoke --user ann@example.org\n"
	    "  posternctl session cleanup --days 30 --audit-days 365\n",
};
