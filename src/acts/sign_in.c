/* sign_in.c - an address and a password become a session. */

#include "acts/sign_in.h"

#include "acts/service.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "hash/password.h"
#include "store/audit.h"
#include "store/logins.h"

const char *
sign_in_result_name(enum sign_in_result result)
{
	switch (result) {
	case SIGN_IN_OK:
		return "signed_in";
	case SIGN_IN_DENIED:
		return "denied";
	case SIGN_IN_CLIENT_GONE:
		return "client_gone";
	case SIGN_IN_SSO:
		return "sso_account";
	case SIGN_IN_UNCONFIRMED:
		return "unconfirmed";
	case SIGN_IN_CHANGE_PASSWORD:
		return "change_password";
	case SIGN_IN_RESET_REQUIRED:
		return "reset_required";
	case SIGN_IN_EXPIRED:
		return "password_expired";
	case SIGN_IN_DISABLED:
		return "disabled";
	case SIGN_IN_BUSY:
		return "busy";
	case SIGN_IN_ABANDONED:
		return "abandoned";
	case SIGN_IN_UNAVAILABLE:
		return "unavailable";
	case SIGN_IN_FAILED:
	case SIGN_IN_RESULTS:
		break;
	}
	return "failed";
}

static enum sign_in_result
store_fault(enum store_result result)
{
	return result == STORE_UNAVAILABLE ? SIGN_IN_UNAVAILABLE :
					     SIGN_IN_FAILED;
}

static bool
too_old(const struct config *config, const struct login *login,
    int64_t now_us)
{
	int64_t age_us = config->password_max_age_days *
	    (86400 * CLOCK_SECOND_US);

	return age_us != 0 && now_us - login->password_changed_us > age_us;
}

/* What an account's status says, once its owner has proved to be the owner. */
static enum sign_in_result
by_status(const struct config *config, const struct login *login,
    int64_t now_us)
{
	switch (login->status) {
	case ACCOUNT_CONFIRMED:
		return too_old(config, login, now_us) ? SIGN_IN_EXPIRED :
							SIGN_IN_OK;
	case ACCOUNT_UNCONFIRMED:
		return SIGN_IN_UNCONFIRMED;
	case ACCOUNT_FORCE_CHANGE_PASSWORD:
		return SIGN_IN_CHANGE_PASSWORD;
	case ACCOUNT_RESET_REQUIRED:
		return SIGN_IN_RESET_REQUIRED;
	case ACCOUNT_EXTERNAL_PROVIDER:
		return SIGN_IN_SSO;
	case ACCOUNT_DISABLED:
		break;
	}
	return SIGN_IN_DISABLED;
}

/*
 * Read the login and check the password.  A hash is computed whether or not
 * there is anything to compare it with, so that the clock does not tell whether
 * somebody has an account here.  *reason is for the audit, where operators may
 * know more than the caller.
 */
static enum sign_in_result
judge(const struct service *service, const struct sign_in *attempt,
    struct gate_place *place, struct login *login, const char **reason)
{
	const struct client *client = attempt->client;
	const char *verifier = NULL;
	enum store_result found = store_login_find(service->db,
	    attempt->login_key, &client->user,
	    client->remembered ? &client->key : NULL, attempt->now_us, login);

	if (found != STORE_OK && found != STORE_NONE)
		return store_fault(found);
	if (!login->key_stands) {
		client_forget(service, client);
		return SIGN_IN_CLIENT_GONE;
	}
	if (found == STORE_OK && login->verifier[0] != '\0')
		verifier = login->verifier;

	*reason = found == STORE_NONE ? "unknown_login" :
	    verifier == NULL	      ? "no_password" :
					"wrong_password";
	switch (password_check(attempt->password, attempt->password_size,
	    verifier, place)) {
	case PASSWORD_MATCH:
		*reason = NULL;
		return by_status(service->config, login, attempt->now_us);
	case PASSWORD_BUSY:
		return SIGN_IN_BUSY;
	case PASSWORD_ABANDONED:
		return SIGN_IN_ABANDONED;
	case PASSWORD_UNAVAILABLE:
		return SIGN_IN_UNAVAILABLE;
	case PASSWORD_UNREADABLE:
		*reason = "unreadable_verifier";
		break;
	case PASSWORD_MISMATCH:
		break;
	}
	return SIGN_IN_DENIED;
}

/* The settings ask for another cost than this verifier has: now is the one
 * moment when the password is there to make a new one.  Should others wait for
 * their hashes, or it fail (logged), the next sign-in tries again. */
static void
renew_verifier(const struct service *service, const struct sign_in *attempt,
    struct gate_place *place, const struct login *login)
{
	char verifier[PASSWORD_VERIFIER_SIZE];

	if (!password_needs_rehash(login->verifier) || gate_is_busy(place))
		return;
	if (password_make(attempt->password, attempt->password_size,
		verifier, place) == 0)
		(void)store_login_rehash(service->db, attempt->login_key,
		    login->verifier, verifier);
	secret_wipe(verifier, sizeof(verifier));
}

/* All that wants a place of the gate: the database is asked in it, too, so that
 * a flood does not get that far. */
static enum sign_in_result
check_password(const struct service *service, const struct sign_in *attempt,
    struct login *login, const char **reason)
{
	struct gate_place *place = gate_enter(service->gate, &attempt->caller);
	enum sign_in_result result;

	if (place == NULL)
		return SIGN_IN_BUSY;
	result = judge(service, attempt, place, login, reason);
	if (result == SIGN_IN_OK)
		renew_verifier(service, attempt, place, login);
	gate_leave(place);
	return result;
}

static enum sign_in_result
open_session(const struct service *service, const struct sign_in *attempt,
    const struct login *login, struct session_tokens *tokens)
{
	struct session_owner owner = {
		.user = login->user,
		.email = login->email,
		.address = attempt->address,
		.device = attempt->device,
	};

	switch (session_open(service, &owner, attempt->now_us, tokens)) {
	case SESSION_OK:
		return SIGN_IN_OK;
	case SESSION_REFUSED:
		return SIGN_IN_DISABLED;
	case SESSION_UNAVAILABLE:
		return SIGN_IN_UNAVAILABLE;
	case SESSION_FAILED:
		break;
	}
	return SIGN_IN_FAILED;
}

/* Is this an answer about a person, which belongs into the audit?  (A success
 * has written its row together with the session.) */
static bool
is_refusal(enum sign_in_result result)
{
	switch (result) {
	case SIGN_IN_DENIED:
	case SIGN_IN_SSO:
	case SIGN_IN_UNCONFIRMED:
	case SIGN_IN_CHANGE_PASSWORD:
	case SIGN_IN_RESET_REQUIRED:
	case SIGN_IN_EXPIRED:
	case SIGN_IN_DISABLED:
		return true;
	case SIGN_IN_OK:
	case SIGN_IN_CLIENT_GONE:
	case SIGN_IN_BUSY:
	case SIGN_IN_ABANDONED:
	case SIGN_IN_UNAVAILABLE:
	case SIGN_IN_FAILED:
	case SIGN_IN_RESULTS:
		break;
	}
	return false;
}

static enum sign_in_result
note_refusal(const struct service *service, const struct sign_in *attempt,
    const struct login *login, enum sign_in_result result, const char *reason)
{
	struct audit_event event = {
		.event = id_ordered(attempt->now_us),
		.user = login->user,
		.kind = AUDIT_SIGN_IN_REFUSED,
		.now_us = attempt->now_us,
		.address = attempt->address,
		.reason = reason ? reason : sign_in_result_name(result),
	};
	enum store_result added = store_audit_add(service->db, &event);

	return added == STORE_OK ? result : store_fault(added);
}

static enum sign_in_result
decide(const struct service *service, const struct sign_in *attempt,
    struct session_tokens *tokens)
{
	struct login login = { .user = id_nil };
	const char *reason = NULL;
	enum sign_in_result result;

	if (list_has(service->config->sso_domains,
		email_domain(attempt->login_key)))
		return note_refusal(service, attempt, &login, SIGN_IN_SSO, NULL);

	result = check_password(service, attempt, &login, &reason);
	if (result == SIGN_IN_OK)
		result = open_session(service, attempt, &login, tokens);
	if (is_refusal(result))
		result = note_refusal(service, attempt, &login, result, reason);
	secret_wipe(&login, sizeof(login));
	return result;
}

enum sign_in_result
sign_in(const struct service *service, const struct sign_in *attempt,
    struct session_tokens *tokens)
{
	enum sign_in_result result = decide(service, attempt, tokens);

	metrics_count(METRICS_SIGN_INS, result);
	return result;
}
