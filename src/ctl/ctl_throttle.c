/* ctl_throttle.c - the throttle: whose sign-ins failed, and how often. */

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acts/throttle.h"
#include "base/base64url.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_table.h"
#include "store/admin_throttle.h"

#define DIGEST_TEXT_SIZE (BASE64URL_LENGTH(DIGEST_SIZE) + 1)

/* The settings' rule about this digest, now. */
static struct throttle_rule
rule_about(const struct ctl *ctl, const unsigned char *digest)
{
	int free_failures = ctl->config->throttle_failures;

	return (struct throttle_rule){
		.digest = digest,
		.free_failures = free_failures > 0 ? free_failures : INT_MAX,
		.most_seconds = ctl->config->throttle_lock_seconds,
		.now_us = clock_now_us(),
	};
}

/* The digest of an address from the command line: it takes the master secret. */
static enum ctl_exit
find_digest(const struct ctl *ctl, const char *typed,
    char key[static EMAIL_SIZE], unsigned char digest[static DIGEST_SIZE])
{
	enum ctl_exit done = ctl_address(typed, key);
	struct keys *keys;

	if (done != CTL_DONE)
		return done;
	keys = ctl_keys(ctl);
	if (keys == NULL)
		return CTL_UNREACHABLE;
	throttle_account_digest(keys, key, digest);
	keys_close(keys);
	return CTL_DONE;
}

/* ---- show ---------------------------------------------------------------- */

static const struct ctl_column show_columns[] = {
	{ "email", "e-mail", CTL_WHOLE },
	{ "failures", "failures in a row", CTL_WHOLE },
	{ "failedAt", "last one", CTL_WHOLE },
	{ "lockedUntil", "locked until", CTL_WHOLE },
	{ 0 },
};

static void
add_count(struct json_object *object, const struct throttle_row *row)
{
	json_add_int(object, "failures", row->failures);
	ctl_output_add_time(object, "failedAt", row->failed_us);
	ctl_output_add_time(object, "lockedUntil", row->locked_until_us);
}

static enum ctl_exit
throttle_show(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct throttle_row row = { .failures = 0 };
	unsigned char digest[DIGEST_SIZE];
	char key[EMAIL_SIZE];
	enum ctl_exit done = find_digest(ctl, arguments->operands[0], key,
	    digest);
	struct throttle_rule rule = rule_about(ctl, digest);
	struct json_object *answer;
	enum store_result result;

	if (done != CTL_DONE)
		return done;
	result = store_throttle_find(ctl->db, &rule, &row);
	if (result != STORE_OK && result != STORE_NONE)
		return ctl_refuse_store(ctl, result, "read the throttle");
	answer = json_new_object();
	json_add_string(answer, "email", key);
	add_count(answer, &row);
	ctl_output_record(ctl, answer, show_columns);
	return CTL_DONE;
}

/* ---- list ---------------------------------------------------------------- */

static const struct ctl_option list_options[] = {
	{ "after", "DIGEST", CTL_TEXT_AT(after),
	  "go on behind DIGEST, which ends the page before" },
	CTL_LIMIT_OPTION,
	{ 0 },
};

static const struct ctl_column list_columns[] = {
	{ "digest", "digest", CTL_WHOLE },
	{ "failures", "failures", CTL_WHOLE },
	{ "failedAt", "last one", CTL_TIME },
	{ "lockedUntil", "locked until", CTL_TIME },
	{ 0 },
};

static struct json_object *
describe(const struct throttle_row *row)
{
	struct json_object *object = json_new_object();
	char text[DIGEST_TEXT_SIZE];

	base64url_encode(row->digest, DIGEST_SIZE, text);
	json_add_string(object, "digest", text);
	add_count(object, row);
	return object;
}

static enum ctl_exit
list_counts(const struct ctl *ctl, const struct throttle_rule *rule,
    size_t limit)
{
	struct throttle_row *rows;
	struct json_object *array;
	enum store_result result;
	char cursor[DIGEST_TEXT_SIZE] = "";
	size_t count;

	/* One more than shown tells whether there is a next page. */
	rows = memory_zeroed(limit + 1, sizeof(*rows));
	result = store_throttle_list(ctl->db, rule, limit + 1, rows, &count);
	if (result != STORE_OK) {
		free(rows);
		return ctl_refuse_store(ctl, result, "read the throttle");
	}
	array = json_new_array();
	for (size_t i = 0; i < count && i < limit; i++)
		json_append(array, describe(&rows[i]));
	if (count > limit)
		base64url_encode(rows[limit - 1].digest, DIGEST_SIZE, cursor);
	free(rows);
	ctl_output_page(ctl, "counts", array, list_columns, cursor);
	return CTL_DONE;
}

static enum ctl_exit
throttle_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	unsigned char after[DIGEST_SIZE] = { 0 };
	const struct throttle_rule rule = rule_about(ctl, after);
	const char *typed = arguments->after;

	if (typed != NULL && base64url_decode(typed, strlen(typed), after,
				 sizeof(after)) != sizeof(after))
		return ctl_refuse(CTL_USAGE, NULL,
		    "--after takes the digest of a count");
	return list_counts(ctl, &rule, (size_t)arguments->limit);
}

/* ---- clear --------------------------------------------------------------- */

static enum ctl_exit
throttle_clear(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	unsigned char digest[DIGEST_SIZE];
	char key[EMAIL_SIZE];
	enum ctl_exit done = find_digest(ctl, arguments->operands[0], key,
	    digest);
	struct json_object *answer;
	enum store_result result;
	int64_t failures;

	if (done != CTL_DONE)
		return done;
	result = store_throttle_clear(ctl->db, digest, &failures);
	if (result != STORE_OK && result != STORE_NONE)
		return ctl_refuse_store(ctl, result, "clear the throttle");
	answer = json_new_object();
	json_add_string(answer, "email", key);
	json_add_int(answer, "failuresForgotten", failures);
	ctl_output_sentence(ctl, answer, "%s: failures forgotten: %" PRId64,
	    key, failures);
	return CTL_DONE;
}

/* ---- the group ----------------------------------------------------------- */

static const struct ctl_command commands[] = {
	{ "show", "EMAIL", 1, 1, NULL, CTL_NEEDS_DATABASE, throttle_show,
	  "show how often sign-ins of an address failed in a row" },
	{ "list", "", 0, 0, list_options, CTL_NEEDS_DATABASE, throttle_list,
	  "list all counts, without telling whose they are" },
	{ "clear", "EMAIL", 1, 1, NULL, CTL_NEEDS_DATABASE, throttle_clear,
	  "forget the failures of an address, so that it is not locked" },
	{ 0 },
};

const struct ctl_group ctl_throttle_group = {
	.name = "throttle",
	.help = "The throttle: how often sign-ins failed.  A count is kept by "
		"a digest of the\n"
		"address under the master secret, so \"show\" and \"clear\" "
		"read the key directory.\n"
		"Browsers with a device cookie have counts of their own.  "
		"Addresses of clients\n"
		"are counted elsewhere: postern.conf(5), "
		"throttle_address_rate.",
	.commands = commands,
	.examples = "  posternctl throttle show ann@example.org\n"
		    "  posternctl throttle clear ann@example.org\n",
};
