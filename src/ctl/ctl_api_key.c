/* ctl_api_key.c - API keys: which programs may call. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_table.h"
#include "store/admin_api_keys.h"
#include "token/api_key.h"

static const char *
scope_name(bool secret)
{
	return secret ? "secret" : "publishable";
}

/* ---- create -------------------------------------------------------------- */

static const struct ctl_option create_options[] = {
	{ "scope", "SCOPE", CTL_TEXT_AT(scope),
	  "publishable or secret; must be given" },
	{ "user", "EMAIL", CTL_TEXT_AT(user),
	  "whom it belongs to; a secret key wants one" },
	{ "name", "TEXT", CTL_TEXT_AT(name), "what it is for" },
	{ "expires-days", "N", CTL_NUMBER_AT(expires_days, 0, 1, 3650),
	  "good for N days (default: until revoked)" },
	{ 0 },
};

/* Hold the options against each other, and look the owner up. */
static enum ctl_exit
take_wish(const struct ctl *ctl, const struct ctl_arguments *arguments,
    struct api_key *key)
{
	const char *scope = arguments->scope;
	const char *name = arguments->name;

	if (scope == NULL || (strcmp(scope, "publishable") != 0 &&
	    strcmp(scope, "secret") != 0))
		return ctl_refuse(CTL_USAGE,
		    "add --scope publishable, for a website or app, or\n"
		    "--scope secret --user EMAIL, for a server",
		    "which scope is the key for?");
	key->kind = strcmp(scope, "secret") == 0 ? API_KEY_SECRET :
						   API_KEY_PUBLISHABLE;
	if (key->kind == API_KEY_SECRET && arguments->user == NULL)
		return ctl_refuse(CTL_USAGE, "add --user EMAIL",
		    "a secret key opens sessions, so it must belong to "
		    "somebody");
	if (name != NULL && (strlen(name) >= API_KEY_NAME_SIZE ||
	    !text_is_utf8(name, strlen(name))))
		return ctl_refuse(CTL_USAGE, NULL,
		    "--name takes UTF-8 text of at most %d bytes",
		    API_KEY_NAME_SIZE - 1);
	key->user = id_nil;
	if (arguments->user == NULL)
		return CTL_DONE;
	return ctl_account(ctl, arguments->user, &key->user);
}

static void
print_created(const struct ctl *ctl, const struct api_key *key,
    const struct new_api_key *row, const char *text)
{
	struct json_object *answer = json_new_object();

	json_add_string(answer, "apiKey", text);
	ctl_output_add_id(answer, "keyId", &key->key);
	ctl_output_add_id(answer, "userId", &key->user);
	json_add_string(answer, "scope", scope_name(row->secret));
	ctl_output_add_text(answer, "name", row->name);
	ctl_output_add_time(answer, "expiresAt", row->expires_us);
	ctl_output_sentence(ctl, answer, "%s", text);
}

/* Nobody can have seen the key as a whole; it must not be good for years. */
static enum ctl_exit
take_back(const struct ctl *ctl, const struct id *key)
{
	char id[ID_TEXT_SIZE], mend[128];
	int64_t revoked_us;

	if (store_api_key_revoke(ctl->db, key, clock_now_us(), &revoked_us) ==
	    STORE_OK)
		return ctl_refuse(CTL_UNREACHABLE,
		    "it has been revoked: make another one",
		    "could not write the key to stdout");
	id_format(key, id);
	snprintf(mend, sizeof(mend), "run: posternctl api-key revoke %s", id);
	return ctl_refuse(CTL_UNREACHABLE, mend,
	    "could not write the key to stdout, and could not revoke it: %s",
	    db_problem(ctl->db));
}

static enum ctl_exit
api_key_create(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct api_key key;
	struct new_api_key row = {
		.name = arguments->name != NULL ? arguments->name : "",
		.now_us = clock_now_us(),
	};
	char text[API_KEY_SIZE];
	enum store_result result;
	enum ctl_exit done;

	done = take_wish(ctl, arguments, &key);
	if (done != CTL_DONE)
		return done;
	key.key = id_ordered(row.now_us);
	api_key_make(&key, text);
	row.user = key.user;
	row.key = key.key;
	row.secret = key.kind == API_KEY_SECRET;
	memcpy(row.digest, key.digest, sizeof(row.digest));
	if (arguments->expires_days > 0)
		row.expires_us = row.now_us +
		    arguments->expires_days * CTL_DAY_US;

	result = store_api_key_add(ctl->db, &row);
	if (result == STORE_OK)
		print_created(ctl, &key, &row, text);
	secret_wipe(text, sizeof(text));
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "store the API key");
	return ctl_output_flush() ? CTL_DONE : take_back(ctl, &row.key);
}

/* ---- list ---------------------------------------------------------------- */

static const struct ctl_option list_options[] = {
	{ "user", "EMAIL", CTL_TEXT_AT(user), "only keys of this account" },
	{ "after", "CURSOR", CTL_TEXT_AT(after),
	  "go on behind CURSOR, which ends the page before" },
	CTL_LIMIT_OPTION,
	{ 0 },
};

static const struct ctl_column list_columns[] = {
	{ "keyId", "key id", CTL_WHOLE },
	{ "scope", "scope", CTL_WHOLE },
	{ "state", "state", CTL_WHOLE },
	{ "createdAt", "created", CTL_TIME },
	{ "expiresAt", "expires", CTL_TIME },
	{ "lastUsedAt", "last used", CTL_TIME },
	{ "email", "owner", CTL_WHOLE },
	{ "name", "name", CTL_LONG },
	{ 0 },
};

static const char *
state_name(const struct api_key_info *key, int64_t now_us)
{
	if (key->revoked_us != 0)
		return "revoked";
	if (key->expires_us != 0 && key->expires_us <= now_us)
		return "expired";
	return "active";
}

static struct json_object *
describe(const struct api_key_info *key, int64_t now_us)
{
	struct json_object *object = json_new_object();

	ctl_output_add_id(object, "keyId", &key->key);
	ctl_output_add_id(object, "userId", &key->user);
	ctl_output_add_text(object, "email", key->login_key);
	json_add_string(object, "scope", scope_name(key->secret));
	json_add_string(object, "state", state_name(key, now_us));
	ctl_output_add_text(object, "name", key->name);
	ctl_output_add_time(object, "createdAt", key->created_us);
	ctl_output_add_time(object, "expiresAt", key->expires_us);
	ctl_output_add_time(object, "lastUsedAt", key->last_used_us);
	ctl_output_add_time(object, "revokedAt", key->revoked_us);
	return object;
}

static void
print_list(const struct ctl *ctl, const struct api_key_info *list,
    size_t count, size_t limit)
{
	struct json_object *array = json_new_array();
	char cursor[CTL_CURSOR_SIZE] = "";
	int64_t now_us = clock_now_us();

	for (size_t i = 0; i < count && i < limit; i++)
		json_append(array, describe(&list[i], now_us));
	if (count > limit)
		ctl_cursor_format(&list[limit - 1].user, &list[limit - 1].key,
		    cursor);
	ctl_output_page(ctl, "apiKeys", array, list_columns, cursor);
}

static enum ctl_exit
api_key_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	size_t limit = (size_t)arguments->limit;
	struct id user, after_user, after_key;
	struct api_key_info *list;
	enum store_result result;
	enum ctl_exit done;
	size_t count;

	done = ctl_cursor_parse(arguments->after, &after_user, &after_key);
	if (done == CTL_DONE && arguments->user != NULL)
		done = ctl_account(ctl, arguments->user, &user);
	if (done != CTL_DONE)
		return done;
	/* One more than shown tells whether there is a next page. */
	list = memory_zeroed(limit + 1, sizeof(*list));
	result = store_api_key_list(ctl->db,
	    arguments->user != NULL ? &user : NULL, &after_user, &after_key,
	    limit + 1, list, &count);
	if (result == STORE_OK)
		print_list(ctl, list, count, limit);
	free(list);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "list the API keys");
	return CTL_DONE;
}

/* ---- revoke -------------------------------------------------------------- */

static enum ctl_exit
api_key_revoke(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	const char *typed = arguments->operands[0];
	int64_t now_us = clock_now_us();
	struct json_object *answer;
	enum store_result result;
	int64_t revoked_us;
	struct id key;

	if (id_parse(typed, strlen(typed), &key) != 0)
		return ctl_refuse(CTL_USAGE,
		    "take it from: posternctl api-key list",
		    "that is no key id");
	result = store_api_key_revoke(ctl->db, &key, now_us, &revoked_us);
	if (result == STORE_NONE)
		return ctl_refuse(CTL_REFUSED,
		    "list API keys with: posternctl api-key list",
		    "there is no API key %s", typed);
	if (result != STORE_OK)
		return ctl_refuse_store(ctl, result, "revoke the API key");

	answer = json_new_object();
	ctl_output_add_id(answer, "keyId", &key);
	ctl_output_add_time(answer, "revokedAt", revoked_us);
	ctl_output_sentence(ctl, answer, "%s %s",
	    revoked_us == now_us ? "revoked" : "was revoked before:", typed);
	return CTL_DONE;
}

/* ---- the group ----------------------------------------------------------- */

static const struct ctl_command commands[] = {
	{ "create", "", 0, 0, create_options, CTL_NEEDS_DATABASE,
	  api_key_create, "make an API key and print it, this once" },
	{ "list", "", 0, 0, list_options, CTL_NEEDS_DATABASE, api_key_list,
	  "list API keys, without their secrets" },
	{ "revoke", "KEY-ID", 1, 1, NULL, CTL_NEEDS_DATABASE, api_key_revoke,
	  "end an API key" },
	{ 0 },
};

const struct ctl_group ctl_api_key_group = {
	.name = "api-key",
	.help = "API keys: which programs may call.  A publishable key may stand "
		"in a web page:\n"
		"it lets people sign in and refresh.  A secret key belongs to "
		"a user, for whom it\n"
		"opens sessions.",
	.commands = commands,
	.examples =
	    "  posternctl api-key create --scope publishable --name website\n"
	    "  posternctl api-key create --scope secret --user "
	    "robot@example.org\n"
	    "  posternctl api-key list --user robot@example.org\n",
};
