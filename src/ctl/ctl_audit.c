/* ctl_audit.c - what happened: who signed in, and who could not. */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_table.h"
#include "store/admin_audit.h"

static const struct ctl_option list_options[] = {
	{ "unknown", NULL, CTL_FLAG_AT(unknown),
	  "attempts with addresses that nobody has" },
	{ "after", "EVENT-ID", CTL_TEXT_AT(after),
	  "go on behind EVENT-ID, which ends the page before" },
	CTL_LIMIT_OPTION,
	{ 0 },
};

static const struct ctl_column list_columns[] = {
	{ "at", "when", CTL_TIME },
	{ "kind", "what", CTL_WHOLE },
	{ "reason", "reason", CTL_WHOLE },
	{ "address", "address", CTL_WHOLE },
	{ "sessionId", "session id", CTL_WHOLE },
	{ 0 },
};

static const char *
kind_name(enum audit_kind kind)
{
	switch (kind) {
	case AUDIT_SIGN_IN:
		return "sign-in";
	case AUDIT_SIGN_IN_REFUSED:
		return "sign-in-refused";
	case AUDIT_TOKEN_REUSED:
		return "token-reused";
	case AUDIT_SIGN_OUT:
		return "sign-out";
	}
	return "other";
}

static struct json_object *
describe(const struct audit_row *row)
{
	struct json_object *object = json_new_object();

	ctl_output_add_id(object, "eventId", &row->event);
	ctl_output_add_time(object, "at", row->at_us);
	json_add_string(object, "kind", kind_name(row->kind));
	ctl_output_add_text(object, "reason", row->reason);
	ctl_output_add_text(object, "address", row->address);
	ctl_output_add_id(object, "sessionId", &row->session);
	return object;
}

static enum ctl_exit
list_events(const struct ctl *ctl, const struct id *user,
    const struct id *before, size_t limit)
{
	struct json_object *array;
	struct audit_row *rows;
	enum store_result result;
	char cursor[ID_TEXT_SIZE] = "";
	size_t count;

	/* One more than shown tells whether there is a next page. */
	rows = memory_zeroed(limit + 1, sizeof(*rows));
	result = store_audit_list(ctl->db, user, before, limit + 1, rows,
	    &count);
	if (result != STORE_OK) {
		free(rows);
		return ctl_refuse_store(ctl, result, "read the audit");
	}
	array = json_new_array();
	for (size_t i = 0; i < count && i < limit; i++)
		json_append(array, describe(&rows[i]));
	if (count > limit)
		id_format(&rows[limit - 1].event, cursor);
	free(rows);
	ctl_output_page(ctl, "events", array, list_columns, cursor);
	return CTL_DONE;
}

static enum ctl_exit
audit_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	const char *after = arguments->after;
	struct id user = id_nil;
	struct id before;
	enum ctl_exit done;

	if ((arguments->operand_count == 1) == arguments->unknown)
		return ctl_refuse(CTL_USAGE, "see: posternctl audit list --help",
		    "about whom?  Give either an address or --unknown");
	if (after != NULL && id_parse(after, strlen(after), &before) != 0)
		return ctl_refuse(CTL_USAGE, NULL,
		    "--after takes the id of an event");
	if (!arguments->unknown) {
		done = ctl_account(ctl, arguments->operands[0], &user);
		if (done != CTL_DONE)
			return done;
	}
	return list_events(ctl, &user, after != NULL ? &before : NULL,
	    (size_t)arguments->limit);
}

static const struct ctl_command commands[] = {
	{ "list", "[EMAIL]", 0, 1, list_options, CTL_NEEDS_DATABASE,
	  audit_list, "list what happened, newest first" },
	{ 0 },
};

const struct ctl_group ctl_audit_group = {
	.name = "audit",
	.help = "What happened: who signed in, who could not and why, from where.",
	.commands = commands,
	.examples = "  posternctl audit list ann@example.org\n"
		    "  posternctl audit list --unknown --limit 20\n",
};
