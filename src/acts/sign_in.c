/* sign_in.c - an address and a password become a session. */

#include "acts/sign_in.h"

#include <string.h>

#include "acts/service.h"
#include "acts/throttle.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "hash/password.h"
#include "store/audit.h"
#include "store/logins.h"
#include "store/throttle.h"

/* One attempt, on its way. */
struct trial {
	const struct service *service;
	const struct sign_in *attempt;
	struct sign_in_answer *answer;
	struct throttle throttle;
	struct login login;
	const char *reason; /* for the audit, where operators may know more than
	                       the caller; NULL: the result's name */
};

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
	case SIGN_IN_THROTTLED:
		return "throttled";
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

/* ---- throttled ----------------------------------------------------------- */

static enum sign_in_result
refuse_throttled(struct trial *trial, enum metrics_throttle by,
    int64_t seconds)
{
	metrics_count(METRICS_THROTTLED, by);
	trial->answer->retry_seconds = seconds > 1 ? (int)seconds : 1;
	return SIGN_IN_THROTTLED;
}

/* The account's count, or the device's, is locked until then; 0: for a second, as
 * a first lock is. */
static enum sign_in_result
refuse_locked(struct trial *trial, int64_t until_us)
{
	int64_t left_us = until_us - clock_now_us();

	throttle_address_failed(trial->service, THROTTLE_PASSWORDS,
	    trial->attempt->address);
	return refuse_throttled(trial, trial->throttle.by,
	    (left_us + CLOCK_SECOND_US - 1) / CLOCK_SECOND_US);
}

/* ---- the login and its password ------------------------------------------ */

/* Read the login, if there is one.  SIGN_IN_OK: go on. */
static enum sign_in_result
find_login(struct trial *trial)
{
	const struct client *client = trial->attempt->client;
	struct login *login = &trial->login;
	enum store_result found = store_login_find(trial->service->db,
	    trial->attempt->login_key, &client->user,
	    client->remembered ? &client->key : NULL, &trial->throttle.rule,
	    trial->attempt->now_us, login);

	if (found != STORE_OK && found != STORE_NONE)
		return store_fault(found);
	if (!login->key_stands) {
		client_forget(trial->service, client);
		return SIGN_IN_CLIENT_GONE;
	}
	if (login->locked_until_us != 0)
		return refuse_locked(trial, login->locked_until_us);
	trial->reason = found == STORE_NONE ? "unknown_login" :
	    login->verifier[0] == '\0'	    ? "no_password" :
					      "wrong_password";
	return SIGN_IN_OK;
}

/*
 * A hash is computed whether or not there is anything to compare it with, so
 * that the clock does not tell whether somebody has an account here.
 */
static enum sign_in_result
judge(struct trial *trial, struct gate_place *place)
{
	const struct sign_in *attempt = trial->attempt;
	const struct login *login = &trial->login;

	switch (password_check(attempt->password, attempt->password_size,
	    login->verifier[0] != '\0' ? login->verifier : NULL, place)) {
	case PASSWORD_MATCH:
		trial->reason = NULL;
		return by_status(trial->service->config, login,
		    attempt->now_us);
	case PASSWORD_BUSY:
		return SIGN_IN_BUSY;
	case PASSWORD_ABANDONED:
		return SIGN_IN_ABANDONED;
	case PASSWORD_UNAVAILABLE:
		return SIGN_IN_UNAVAILABLE;
	case PASSWORD_UNREADABLE:
		trial->reason = "unreadable_verifier";
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
renew_verifier(const struct trial *trial, struct gate_place *place)
{
	const struct sign_in *attempt = trial->attempt;
	char verifier[PASSWORD_VERIFIER_SIZE];

	if (!password_needs_rehash(trial->login.verifier) ||
	    gate_is_busy(place))
		return;
	if (password_make(attempt->password, attempt->password_size,
		verifier, place) == 0)
		(void)store_login_rehash(trial->service->db,
		    attempt->login_key, trial->login.verifier, verifier);
	secret_wipe(verifier, sizeof(verifier));
}

/* ---- the end of it ------------------------------------------------------- */

static enum sign_in_result
open_session(struct trial *trial)
{
	const struct sign_in *attempt = trial->attempt;
	const struct session_owner owner = {
		.user = trial->login.user,
		.email = trial->login.email,
		.address = attempt->address,
		.device = attempt->device,
		.rule = &trial->throttle.rule,
		.login_key = attempt->login_key,
		.password_changed_us = trial->login.password_changed_us,
	};

	switch (session_open(trial->service, &owner, attempt->now_us,
	    &trial->answer->tokens)) {
	case SESSION_OK:
		return SIGN_IN_OK;
	case SESSION_REFUSED:
		/* Right when it was checked, and not any more. */
		trial->reason = "wrong_password";
		return SIGN_IN_DENIED;
	case SESSION_THROTTLED:
		return refuse_locked(trial,
		    trial->answer->tokens.locked_until_us);
	case SESSION_UNAVAILABLE:
		return SIGN_IN_UNAVAILABLE;
	case SESSION_FAILED:
		break;
	}
	return SIGN_IN_FAILED;
}

/*
 * From the password to the session.  A new verifier comes last: before the session
 * stands, the time it takes would tell somebody who is throttled that the
 * password was right.
 */
static enum sign_in_result
go_through(struct trial *trial, struct gate_place *place)
{
	enum sign_in_result result = judge(trial, place);

	/* The password took its time, and a lock begins when it is refused. */
	trial->throttle.rule.now_us = clock_now_us();
	if (result == SIGN_IN_OK)
		result = open_session(trial);
	if (result != SIGN_IN_OK)
		return result;
	renew_verifier(trial, place);
	throttle_device(trial->service, &trial->throttle,
	    trial->attempt->now_us, trial->answer->device_token);
	return SIGN_IN_OK;
}

/* All that wants a place of the gate. */
static enum sign_in_result
find_a_place(struct trial *trial)
{
	struct gate_place *place = gate_enter(trial->service->gate,
	    &trial->attempt->caller);
	enum sign_in_result result;

	if (place == NULL)
		return SIGN_IN_BUSY;
	result = go_through(trial, place);
	gate_leave(place);
	return result;
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
	case SIGN_IN_THROTTLED:
	case SIGN_IN_BUSY:
	case SIGN_IN_ABANDONED:
	case SIGN_IN_UNAVAILABLE:
	case SIGN_IN_FAILED:
	case SIGN_IN_RESULTS:
		break;
	}
	return false;
}

/* Write the refusal down and count it; the last word on it. */
static enum sign_in_result
note_refusal(struct trial *trial, enum sign_in_result result)
{
	const struct sign_in *attempt = trial->attempt;
	const struct audit_event event = {
		.event = id_ordered(attempt->now_us),
		.user = trial->login.user,
		.kind = AUDIT_SIGN_IN_REFUSED,
		.now_us = attempt->now_us,
		.address = attempt->address,
		.reason = trial->reason ? trial->reason :
					  sign_in_result_name(result),
	};
	bool wrong = result == SIGN_IN_DENIED;
	int64_t until_us = 0;
	enum store_result noted = store_audit_refused(trial->service->db,
	    &event, &trial->throttle.rule, wrong, &until_us);

	if (noted == STORE_CONFLICT)
		return refuse_locked(trial, until_us);
	if (noted != STORE_OK)
		return store_fault(noted);
	if (wrong)
		throttle_address_failed(trial->service, THROTTLE_PASSWORDS,
		    attempt->address);
	return result;
}

static enum sign_in_result
decide(struct trial *trial)
{
	const struct service *service = trial->service;
	const struct sign_in *attempt = trial->attempt;
	enum sign_in_result result;
	int wait_seconds = throttle_address_wait(service, THROTTLE_PASSWORDS,
	    attempt->address);

	if (wait_seconds > 0)
		return refuse_throttled(trial, METRICS_THROTTLE_ADDRESS,
		    wait_seconds);
	/* Told of the domain, and of nobody: no row of the audit, which anybody
	 * could fill in this way, and no failure of the address's. */
	if (list_has(service->config->sso_domains,
		email_domain(attempt->login_key)))
		return SIGN_IN_SSO;

	/* A flood stops here, before the database; but a place is taken only by
	 * those whom that does not know to be locked. */
	if (gate_is_full(service->gate))
		return SIGN_IN_BUSY;
	throttle_choose(service, attempt->login_key, attempt->device_token,
	    attempt->now_us, &trial->throttle);
	result = find_login(trial);
	if (result == SIGN_IN_OK)
		result = find_a_place(trial);
	return is_refusal(result) ? note_refusal(trial, result) : result;
}

enum sign_in_result
sign_in(const struct service *service, const struct sign_in *attempt,
    struct sign_in_answer *answer)
{
	struct trial trial = {
		.service = service,
		.attempt = attempt,
		.answer = answer,
		.login = { .user = id_nil },
	};
	enum sign_in_result result;

	memset(answer, 0, sizeof(*answer));
	result = decide(&trial);
	secret_wipe(&trial, sizeof(trial));
	metrics_count(METRICS_SIGN_INS, result);
	return result;
}
