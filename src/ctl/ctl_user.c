/* ctl_user.c - accounts: who may sign in. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acts/account.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/secret.h"
#include "ctl/ctl.h"
#include "ctl/ctl_hash.h"
#include "ctl/ctl_import.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_table.h"
#include "ctl/ctl_terminal.h"
#include "hash/scrypt.h"
#include "store/admin_accounts.h"

/* ---- common to several commands ------------------------------------------ */

static void
print_outcome(const struct ctl *ctl, const char *key,
    const struct account_outcome *outcome, const char *what)
{
	struct json_object *answer = json_new_object();

	json_add_string(answer, "email", key);
	json_add_string(answer, "statusBefore",
	    account_status_name(outcome->before));
	json_add_string(answer, "status", account_status_name(outcome->after));
	json_add_int(answer, "sessionsEnded", outcome->sessions_ended);
	ctl_output_sentence(ctl, answer,
	    "%s: %s; status %s, sessions ended: %" PRId64, key, what,
	    account_status_name(outcome->after), outcome->sessions_ended);
}

static enum ctl_exit
refuse_change(const struct ctl *ctl, enum store_result result, const char *key,
    const char *what)
{
	if (result == STORE_NONE)
		return ctl_refuse_unknown(key);
	if (result == STORE_CONFLICT)
		return ctl_refuse(CTL_REFUSED, "try again",
		    "others are changing \"%s\" at this moment", key);
	return ctl_refuse_store(ctl, result, what);
}

static enum ctl_exit
refuse_taken(const char *key)
{
	return ctl_refuse(CTL_REFUSED,
	    "change it with: posternctl user set-password, set-status",
	    "\"%s\" has an account already", key);
}

/* ---- add ----------------------------------------------------------------- */

static const struct ctl_option add_options[] = {
	{ "status", "STATUS", CTL_TEXT_AT(status),
	  "of the new account (default: confirmed)" },
	{ "name", "TEXT", CTL_TEXT_AT(name), "what people call them" },
	{ "no-password", NULL, CTL_FLAG_AT(no_password),
	  "without a password: nobody can sign in yet" },
	{ "password-stdin", NULL, CTL_FLAG_AT(password_stdin),
	  "the password is the first line of stdin" },
	{ 0 },
};

static enum ctl_exit
check_name(const char *name)
{
	if (name == NULL || account_name_is_good(name, strlen(name)))
		return CTL_DONE;
	return ctl_refuse(CTL_REFUSED, NULL, "the name is longer than %d bytes, "
	    "or no text", ACCOUNT_NAME_SIZE - 1);
}

/* Is the address free?  Asked before the password is, to spare the typing; the
 * statement that adds the account decides. */
static enum ctl_exit
check_free(const struct ctl *ctl, const char *key)
{
	struct account_detail detail;
	enum store_result result;

	result = store_account_find(ctl->db, key, 0, 0, &detail);
	if (result == STORE_NONE)
		return CTL_DONE;
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "look for the account");
	secret_wipe(&detail, sizeof(detail));
	return refuse_taken(key);
}

static enum ctl_exit
add_account(const struct ctl *ctl, const char *key,
    const struct ctl_arguments *arguments, const char *verifier,
    enum account_status status)
{
	struct json_object *answer;
	enum store_result result;
	struct id user;

	result = account_add(ctl->db, key, arguments->operands[0],
	    arguments->name, verifier, status, clock_now_us(), &user);
	if (result == STORE_CONFLICT)
		return refuse_taken(key);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "add the account");

	answer = json_new_object();
	json_add_string(answer, "email", key);
	ctl_output_add_id(answer, "userId", &user);
	json_add_string(answer, "status", account_status_name(status));
	json_add_bool(answer, "hasPassword", verifier != NULL);
	ctl_output_sentence(ctl, answer, "%s: added; status %s%s", key,
	    account_status_name(status),
	    verifier != NULL ? "" : ", no password");
	return CTL_DONE;
}

static enum ctl_exit
user_add(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	enum account_status status = ACCOUNT_CONFIRMED;
	char verifier[PASSWORD_VERIFIER_SIZE];
	char key[EMAIL_SIZE];
	enum ctl_exit done;

	done = ctl_status(arguments->status, &status);
	if (done == CTL_DONE)
		done = check_name(arguments->name);
	if (done == CTL_DONE)
		done = ctl_address(arguments->operands[0], key);
	if (done == CTL_DONE)
		done = check_free(ctl, key);
	if (done != CTL_DONE)
		return done;
	if (arguments->no_password)
		return add_account(ctl, key, arguments, NULL, status);

	done = ctl_hash_ask(ctl, arguments->password_stdin, verifier);
	if (done == CTL_DONE)
		done = add_account(ctl, key, arguments, verifier, status);
	secret_wipe(verifier, sizeof(verifier));
	return done;
}

/* ---- set-password, set-status -------------------------------------------- */

static const struct ctl_option set_password_options[] = {
	{ "force-change", NULL, CTL_FLAG_AT(force_change),
	  "they must choose another: force-change-password" },
	{ "password-stdin", NULL, CTL_FLAG_AT(password_stdin),
	  "the password is the first line of stdin" },
	{ 0 },
};

static enum ctl_exit
user_set_password(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct account_outcome outcome = { 0 };
	char verifier[PASSWORD_VERIFIER_SIZE];
	char key[EMAIL_SIZE];
	enum store_result result;
	enum ctl_exit done;
	struct id user;

	/* Somebody unknown is told of before a password is asked for. */
	done = ctl_address(arguments->operands[0], key);
	if (done == CTL_DONE)
		done = ctl_account(ctl, key, &user);
	if (done == CTL_DONE)
		done = ctl_hash_ask(ctl, arguments->password_stdin, verifier);
	if (done != CTL_DONE)
		return done;

	result = account_set_password(ctl->db, key, verifier,
	    arguments->force_change, clock_now_us(), &outcome);
	secret_wipe(verifier, sizeof(verifier));
	if (result != STORE_OK)
		return refuse_change(ctl, result, key, "set the password");
	print_outcome(ctl, key, &outcome, "password set");
	return CTL_DONE;
}

static enum ctl_exit
user_set_status(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct account_outcome outcome = { 0 };
	enum account_status status = ACCOUNT_CONFIRMED;
	char key[EMAIL_SIZE];
	enum store_result result;
	enum ctl_exit done;

	done = ctl_status(arguments->operands[1], &status);
	if (done == CTL_DONE)
		done = ctl_address(arguments->operands[0], key);
	if (done != CTL_DONE)
		return done;
	result = account_set_status(ctl->db, key, status, clock_now_us(),
	    &outcome);
	if (result != STORE_OK)
		return refuse_change(ctl, result, key, "set the status");
	print_outcome(ctl, key, &outcome, "status set");
	return CTL_DONE;
}

/* ---- show ---------------------------------------------------------------- */

static const struct ctl_column show_columns[] = {
	{ "email", "e-mail", CTL_WHOLE },
	{ "writtenAs", "written as", CTL_WHOLE },
	{ "name", "name", CTL_WHOLE },
	{ "userId", "user id", CTL_WHOLE },
	{ "status", "status", CTL_WHOLE },
	{ "passwordHash", "password hash", CTL_WHOLE },
	{ "passwordChangedAt", "password changed", CTL_WHOLE },
	{ "createdAt", "created", CTL_WHOLE },
	{ "lastSignInAt", "last sign-in", CTL_WHOLE },
	{ "liveSessions", "live sessions", CTL_WHOLE },
	{ "activeApiKeys", "active API keys", CTL_WHOLE },
	{ 0 },
};

/* What a verifier cost to make, or whose it is; the verifier itself is shown to
 * nobody. */
static void
describe(const struct ctl *ctl, const char *verifier, char *text, size_t room)
{
	struct scrypt_stored stored;
	const char *form, *why;

	if (scrypt_parse(verifier, &stored) == 0) {
		snprintf(text, room, "scrypt N=2^%u r=%u p=%u",
		    stored.cost.log2_n, stored.cost.r, stored.cost.p);
		secret_wipe(&stored, sizeof(stored));
		return;
	}
	form = password_verifier_form(verifier,
	    (uint64_t)ctl->config->hash_other_mib << 20, &why);
	if (form != NULL)
		snprintf(text, room, "%s of another system, until the next "
		    "sign-in", form);
	else
		snprintf(text, room, "unreadable: %s", why);
}

static void
add_cost(const struct ctl *ctl, struct json_object *answer,
    const char *verifier)
{
	char text[120];

	if (verifier[0] == '\0') {
		json_add_null(answer, "passwordHash");
		return;
	}
	describe(ctl, verifier, text, sizeof(text));
	json_add_string(answer, "passwordHash", text);
}

static void
add_row(struct json_object *answer, const struct account_row *row)
{
	json_add_string(answer, "email", row->login_key);
	json_add_string(answer, "writtenAs", row->email);
	ctl_output_add_id(answer, "userId", &row->user);
	json_add_string(answer, "status", account_status_name(row->status));
	json_add_bool(answer, "hasPassword", row->has_password);
	ctl_output_add_time(answer, "passwordChangedAt",
	    row->password_changed_us);
	ctl_output_add_time(answer, "createdAt", row->created_us);
}

static enum ctl_exit
user_show(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct account_detail detail;
	struct json_object *answer;
	enum ctl_exit done;

	done = ctl_account_detail(ctl, arguments->operands[0], &detail);
	if (done != CTL_DONE)
		return done;
	answer = json_new_object();
	add_row(answer, &detail.row);
	ctl_output_add_text(answer, "name", detail.name);
	add_cost(ctl, answer, detail.verifier);
	ctl_output_add_time(answer, "lastSignInAt", detail.last_sign_in_us);
	json_add_int(answer, "liveSessions", detail.live_sessions);
	json_add_int(answer, "activeApiKeys", detail.active_api_keys);
	secret_wipe(&detail, sizeof(detail));
	ctl_output_record(ctl, answer, show_columns);
	return CTL_DONE;
}

/* ---- list ---------------------------------------------------------------- */

static const struct ctl_option list_options[] = {
	{ "status", "STATUS", CTL_TEXT_AT(status), "only accounts of this status" },
	{ "after", "EMAIL", CTL_TEXT_AT(after),
	  "go on behind this address, or any text" },
	CTL_LIMIT_OPTION,
	{ 0 },
};

static const struct ctl_column list_columns[] = {
	{ "email", "e-mail", CTL_WHOLE },
	{ "status", "status", CTL_WHOLE },
	{ "createdAt", "created", CTL_TIME },
	{ "passwordChangedAt", "password changed", CTL_TIME },
	{ 0 },
};

static enum ctl_exit
user_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	enum account_status status = ACCOUNT_CONFIRMED;
	size_t limit = (size_t)arguments->limit;
	struct json_object *array, *object;
	struct account_row *rows;
	enum store_result result;
	enum ctl_exit done;
	size_t count;

	done = ctl_status(arguments->status, &status);
	if (done != CTL_DONE)
		return done;
	/* One more than shown tells whether there is a next page. */
	rows = memory_zeroed(limit + 1, sizeof(*rows));
	result = store_account_list(ctl->db,
	    arguments->after != NULL ? arguments->after : "",
	    arguments->status != NULL ? (int)status : -1, limit + 1, rows,
	    &count);
	if (result != STORE_OK) {
		free(rows);
		return ctl_refuse_store(ctl, result, "list the accounts");
	}

	array = json_new_array();
	for (size_t i = 0; i < count && i < limit; i++) {
		object = json_new_object();
		add_row(object, &rows[i]);
		json_append(array, object);
	}
	ctl_output_page(ctl, "users", array, list_columns,
	    count > limit ? rows[limit - 1].login_key : "");
	free(rows);
	return CTL_DONE;
}

/* ---- delete -------------------------------------------------------------- */

static const struct ctl_option delete_options[] = {
	{ "yes", NULL, CTL_FLAG_AT(yes), "do not ask" },
	{ 0 },
};

static enum ctl_exit
confirm_delete(const struct account_detail *detail, bool yes)
{
	char question[512];

	snprintf(question, sizeof(question), "Delete %s (live sessions: "
	    "%" PRId64 ", active API keys: %" PRId64 ")?",
	    detail->row.login_key, detail->live_sessions,
	    detail->active_api_keys);
	return ctl_terminal_confirm(yes, question);
}

static enum ctl_exit
delete_account(const struct ctl *ctl, const char *key, const struct id *user)
{
	struct json_object *answer;
	int64_t sessions, api_keys;
	enum store_result result;

	result = store_account_delete(ctl->db, key, user, &sessions,
	    &api_keys);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "delete the account");
	answer = json_new_object();
	json_add_string(answer, "email", key);
	ctl_output_add_id(answer, "userId", user);
	json_add_int(answer, "sessionsRemoved", sessions);
	json_add_int(answer, "apiKeysRemoved", api_keys);
	ctl_output_sentence(ctl, answer, "%s: deleted; sessions removed: %"
	    PRId64 ", API keys removed: %" PRId64, key, sessions, api_keys);
	return CTL_DONE;
}

static enum ctl_exit
user_delete(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct account_detail detail;
	enum ctl_exit done;

	done = ctl_account_detail(ctl, arguments->operands[0], &detail);
	if (done != CTL_DONE)
		return done;
	done = confirm_delete(&detail, arguments->yes);
	if (done == CTL_DONE)
		done = delete_account(ctl, detail.row.login_key,
		    &detail.row.user);
	secret_wipe(&detail, sizeof(detail));
	return done;
}

/* ---- import (ctl_import.c) ----------------------------------------------- */

static const struct ctl_option import_options[] = {
	{ "dry-run", NULL, CTL_FLAG_AT(dry_run),
	  "check every line, and add nobody" },
	{ "status", "STATUS", CTL_TEXT_AT(status),
	  "of people whose line has none (default: confirmed)" },
	{ "ignore-unknown", NULL, CTL_FLAG_AT(ignore_unknown),
	  "pass over columns that mean nothing here" },
	{ 0 },
};

/* ---- the group ----------------------------------------------------------- */

static const struct ctl_command commands[] = {
	{ "add", "EMAIL", 1, 1, add_options, CTL_NEEDS_DATABASE, user_add,
	  "add an account; asks for its password" },
	{ "import", "FILE", 1, 1, import_options, CTL_NEEDS_DATABASE,
	  ctl_import_run, "add people of another system (CSV, lines of JSON)" },
	{ "set-password", "EMAIL", 1, 1, set_password_options,
	  CTL_NEEDS_DATABASE, user_set_password,
	  "give a new password; ends all sessions" },
	{ "set-status", "EMAIL STATUS", 2, 2, NULL, CTL_NEEDS_DATABASE,
	  user_set_status, "change what may be done with an account" },
	{ "show", "EMAIL", 1, 1, NULL, CTL_NEEDS_DATABASE, user_show,
	  "tell all about one account" },
	{ "list", "", 0, 0, list_options, CTL_NEEDS_DATABASE, user_list,
	  "list accounts in the order of their addresses" },
	{ "delete", "EMAIL", 1, 1, delete_options, CTL_NEEDS_DATABASE,
	  user_delete, "delete an account, its sessions and API keys" },
	{ 0 },
};

const struct ctl_group ctl_user_group = {
	.name = "user",
	.help = "Accounts: who may sign in.  A status is one of confirmed, "
		"unconfirmed,\n"
		"force-change-password, reset-required, external-provider, "
		"disabled.\n"
		"Only confirmed people may sign in; any other status ends "
		"their sessions.",
	.commands = commands,
	.examples =
	    "  posternctl user add ann@example.org\n"
	    "  pwgen -s 20 1 | tee /dev/tty |\n"
	    "      posternctl user set-password --force-change "
	    "ann@example.org\n"
	    "  posternctl user import --dry-run people.csv\n"
	    "  posternctl user set-status ann@example.org disabled\n"
	    "  posternctl user list --status unconfirmed --json\n",
};
