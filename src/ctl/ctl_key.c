/* ctl_key.c - keys that sign access tokens, in the key directory. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ctl/ctl.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_table.h"
#include "token/keys.h"
#include "token/keys_admin.h"

static enum ctl_exit
refuse_keys(enum ctl_exit code, const char *what, const char *why)
{
	const char *mend = code == CTL_REFUSED ?
	    "see: posternctl key list" :
	    "is the setting key_dir right?  The directory around it must "
	    "exist, and be open to you";

	return ctl_refuse(code, mend, "could not %s: %s", what, why);
}

/* Remove keys that no living token needs; their number, or -1 after a refusal
 * that has been told. */
static int
prune(const struct ctl *ctl, int64_t now_us)
{
	char why[KEYS_WHY_SIZE];
	int pruned = keys_prune(ctl->config->key_dir, now_us, why);

	if (pruned == -1)
		refuse_keys(CTL_UNREACHABLE, "remove old keys", why);
	return pruned;
}

/* ---- new ----------------------------------------------------------------- */

#define NOT_GIVEN (-1)

static const struct ctl_option new_options[] = {
	{ "algorithm", "NAME", CTL_TEXT_AT(algorithm),
	  "es256 or eddsa (default: the setting)" },
	{ "sign-in-seconds", "N",
	  CTL_NUMBER_AT(sign_in_seconds, NOT_GIVEN, 0, 30 * 86400),
	  "sign after N seconds (default: 2 * jwks_max_age_seconds)" },
	{ 0 },
};

static enum ctl_exit
take_algorithm(const struct ctl *ctl, const char *typed,
    enum key_algorithm *algorithm)
{
	*algorithm = ctl->config->signing_algorithm == ALGORITHM_EDDSA ?
	    KEY_EDDSA :
	    KEY_ES256;
	if (typed == NULL)
		return CTL_DONE;
	if (strcasecmp(typed, "es256") == 0)
		*algorithm = KEY_ES256;
	else if (strcasecmp(typed, "eddsa") == 0)
		*algorithm = KEY_EDDSA;
	else
		return ctl_refuse(CTL_USAGE, "use es256 or eddsa",
		    "there is no algorithm \"%s\"", typed);
	return CTL_DONE;
}

/*
 * When a new key may begin to sign: at once if there is none to wait behind; else
 * when every copy of the published keys has it, with as much time to spare.
 */
static enum ctl_exit
choose_start(const struct ctl *ctl, int64_t delay_seconds, int64_t now_us,
    int64_t *sign_from_us)
{
	int64_t max_age = ctl->config->jwks_max_age_seconds;
	struct keys *keys = ctl_keys(ctl);

	if (keys == NULL)
		return CTL_UNREACHABLE;
	*sign_from_us = now_us;
	if (delay_seconds == NOT_GIVEN)
		delay_seconds = 2 * max_age;
	if (keys_signing(keys, now_us) != NULL) {
		*sign_from_us += delay_seconds * CLOCK_SECOND_US;
		if (delay_seconds < max_age)
			fprintf(stderr, "posternctl: note: copies of the "
			    "published keys may be %" PRId64 " seconds old\n"
			    "  (jwks_max_age_seconds); until then some who "
			    "verify tokens do not know the new key\n",
			    max_age);
	}
	keys_close(keys);
	return CTL_DONE;
}

static void
print_new(const struct ctl *ctl, const char *kid, enum key_algorithm algorithm,
    int64_t now_us, int64_t sign_from_us)
{
	struct json_object *answer = json_new_object();

	json_add_string(answer, "kid", kid);
	json_add_string(answer, "algorithm", key_algorithm_name(algorithm));
	ctl_output_add_time(answer, "signFrom", sign_from_us);
	if (sign_from_us <= now_us)
		ctl_output_sentence(ctl, answer,
		    "made %s key %s; it signs from now on",
		    key_algorithm_name(algorithm), kid);
	else
		ctl_output_sentence(ctl, answer,
		    "made %s key %s; it is published now and signs in %" PRId64
		    " seconds", key_algorithm_name(algorithm), kid,
		    (sign_from_us - now_us) / CLOCK_SECOND_US);
}

static enum ctl_exit
key_new(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	const char *dir = ctl->config->key_dir;
	char why[KEYS_WHY_SIZE], kid[KEY_ID_SIZE];
	int64_t now_us = clock_now_us();
	enum key_algorithm algorithm;
	int64_t sign_from_us;
	enum ctl_exit done;

	done = take_algorithm(ctl, arguments->algorithm, &algorithm);
	if (done != CTL_DONE)
		return done;
	if (keys_init(dir, why) != 0)
		return refuse_keys(CTL_UNREACHABLE, "make the directory",
		    why);
	done = choose_start(ctl, arguments->sign_in_seconds, now_us,
	    &sign_from_us);
	if (done != CTL_DONE)
		return done;
	if (prune(ctl, now_us) == -1)
		return CTL_UNREACHABLE;
	if (keys_new(dir, algorithm, now_us, sign_from_us, kid, why) != 0)
		return refuse_keys(CTL_UNREACHABLE, "make a key", why);
	print_new(ctl, kid, algorithm, now_us, sign_from_us);
	return CTL_DONE;
}

/* ---- list ---------------------------------------------------------------- */

static const struct ctl_column list_columns[] = {
	{ "kid", "kid", CTL_WHOLE },
	{ "algorithm", "alg", CTL_WHOLE },
	{ "state", "state", CTL_WHOLE },
	{ "createdAt", "created", CTL_TIME },
	{ "signFrom", "signs from", CTL_TIME },
	{ "retiredAt", "retired", CTL_TIME },
	{ 0 },
};

static enum ctl_exit
key_list(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	struct keys *keys = ctl_keys(ctl);
	struct json_object *array, *object;
	const struct key *key;

	(void)arguments;
	if (keys == NULL)
		return CTL_UNREACHABLE;
	array = json_new_array();
	for (size_t i = 0; i < keys_count(keys); i++) {
		key = keys_at(keys, i);
		object = json_new_object();
		json_add_string(object, "kid", key->kid);
		json_add_string(object, "algorithm",
		    key_algorithm_name(key->algorithm));
		json_add_string(object, "state", key_state_name(
		    keys_state(keys, key, clock_now_us())));
		ctl_output_add_time(object, "createdAt", key->created_us);
		ctl_output_add_time(object, "signFrom", key->sign_from_us);
		ctl_output_add_time(object, "retiredAt", key->retired_us);
		json_append(array, object);
	}
	keys_close(keys);
	ctl_output_page(ctl, "keys", array, list_columns, "");
	return CTL_DONE;
}

/* ---- retire, revoke ------------------------------------------------------ */

/* It signs no more; say so, and what `comes` of the tokens it signed. */
static enum ctl_exit
signs_no_more(const struct ctl *ctl, const char *kid, int64_t now_us,
    const char *comes)
{
	struct json_object *answer;
	int pruned = prune(ctl, now_us);

	if (pruned == -1)
		return CTL_UNREACHABLE;
	answer = json_new_object();
	json_add_string(answer, "kid", kid);
	ctl_output_add_time(answer, "retiredAt", now_us);
	json_add_int(answer, "keysRemoved", pruned);
	ctl_output_sentence(ctl, answer, "%s signs no more; %s", kid, comes);
	return CTL_DONE;
}

static enum ctl_exit
key_retire(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	const char *kid = arguments->operands[0];
	char why[KEYS_WHY_SIZE];
	int64_t now_us = clock_now_us();

	if (keys_retire(ctl->config->key_dir, kid, now_us, now_us, why) != 0)
		return refuse_keys(CTL_REFUSED, "retire the key", why);
	return signs_no_more(ctl, kid, now_us,
	    "tokens that it signed stay good until they expire");
}

static enum ctl_exit
key_revoke(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	const char *kid = arguments->operands[0];
	char why[KEYS_WHY_SIZE];
	int64_t now_us = clock_now_us();

	if (keys_revoke(ctl->config->key_dir, kid, now_us, why) != 0)
		return refuse_keys(CTL_REFUSED, "revoke the key", why);
	return signs_no_more(ctl, kid, now_us,
	    "tokens that it signed are refused from now on");
}

/* ---- the group ----------------------------------------------------------- */

static const struct ctl_command commands[] = {
	{ "new", "", 0, 0, new_options, CTL_NEEDS_SETTINGS, key_new,
	  "make a signing key, and the directory if needed" },
	{ "list", "", 0, 0, NULL, CTL_NEEDS_SETTINGS, key_list,
	  "list signing keys, newest first" },
	{ "retire", "KID", 1, 1, NULL, CTL_NEEDS_SETTINGS, key_retire,
	  "let a signing key sign no more" },
	{ "revoke", "KID", 1, 1, NULL, CTL_NEEDS_SETTINGS, key_revoke,
	  "end a key that others may have, and all that it signed" },
	{ 0 },
};

const struct ctl_group ctl_key_group = {
	.name = "key",
	.help = "Keys that sign access tokens.  Run as the user that "
		"postern.fcgi runs as, or as\n"
		"root once the directory belongs to that user.  The service "
		"sees changes at its\n"
		"next request.  To roll over: make a new key, and retire the "
		"old one when the new\n"
		"one signs.",
	.commands = commands,
	.examples = "  posternctl key new\n"
		    "  posternctl key new --algorithm eddsa --sign-in-seconds "
		    "3600\n"
		    "  posternctl key list --json\n",
};
