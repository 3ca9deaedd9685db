/* account.c - see account.h. */

#include "acts/account.h"

#include <string.h>

#include "base/secret.h"
#include "base/normal.h"
#include "base/text.h"
#include "store/admin_accounts.h"

/* How often a change is tried when another one came between. */
#define CHANGE_TRIES 5

bool
account_name_is_good(const char *name, size_t size)
{
	bool graphic = false;
	uint32_t code;
	size_t step;

	if (size >= ACCOUNT_NAME_SIZE)
		return false;
	for (; size > 0; name += step, size -= step) {
		step = text_next(name, size, &code);
		if (step == 0 || code < ' ' || code == 0x7f)
			return false;
		graphic = graphic || text_is_graphic(code);
	}
	return graphic;
}

/* Code points of a text that is UTF-8. */
static int
count_characters(const char *text, size_t size)
{
	uint32_t code;
	size_t step;
	int count = 0;

	while ((step = text_next(text, size, &code)) > 0) {
		text += step;
		size -= step;
		count++;
	}
	return count;
}

static bool
fits_normalised(const char *password, size_t size)
{
	char normal[PASSWORD_SIZE_LIMIT];
	ssize_t length;

	length = normal_nfkc(password, size, normal, sizeof(normal));
	secret_wipe(normal, sizeof(normal));
	return length >= 0;
}

enum account_password
account_password_check(const char *password, size_t size, int min_length)
{
	if (size == 0)
		return ACCOUNT_PASSWORD_EMPTY;
	if (size > PASSWORD_SIZE_LIMIT)
		return ACCOUNT_PASSWORD_LONG;
	if (memchr(password, '\0', size) != NULL)
		return ACCOUNT_PASSWORD_HAS_NUL;
	if (!text_is_utf8(password, size))
		return ACCOUNT_PASSWORD_NOT_UTF8;
	if (count_characters(password, size) < min_length)
		return ACCOUNT_PASSWORD_SHORT;
	if (!fits_normalised(password, size))
		return ACCOUNT_PASSWORD_LONG;
	return ACCOUNT_PASSWORD_OK;
}

enum account_password
account_password_hash(const char *password, size_t size, int min_length,
    char verifier[static PASSWORD_VERIFIER_SIZE])
{
	enum account_password answer;

	answer = account_password_check(password, size, min_length);
	if (answer != ACCOUNT_PASSWORD_OK)
		return answer;
	if (password_make(password, size, verifier, NULL) != 0)
		return ACCOUNT_PASSWORD_NOT_HASHED;
	return ACCOUNT_PASSWORD_OK;
}

enum store_result
account_add(struct db *db, const char *key, const char *email,
    const char *name, const char *verifier, enum account_status status,
    int64_t now_us, struct id *user)
{
	struct new_account account = {
		.user = id_random(),
		.login_key = key,
		.email = email,
		.name = name,
		.verifier = verifier,
		.status = status,
		.now_us = now_us,
	};

	*user = account.user;
	return store_account_add(db, &account);
}

/* What a change makes of the status it meets. */
typedef enum account_status status_rule(enum account_status before,
    const void *wish);

/*
 * A session that was being opened while the account changed was not to be seen by
 * the statement that waited for it.  Sent again, it sees that one, too; to others
 * the new password or status is known by now.  Nothing else is changed again: it
 * may be another operator's.
 */
static enum store_result
end_late_sessions(struct db *db, const struct account_change *made,
    struct account_outcome *outcome)
{
	struct account_change again = *made;
	int64_t late = 0;
	enum store_result result;

	again.before = made->after;
	again.verifier = NULL;
	result = store_account_change(db, &again, &late);
	outcome->sessions_ended += late;
	/* Somebody else has changed it since, and ended them. */
	return result == STORE_NONE ? STORE_OK : result;
}

/*
 * Read, decide, and write only if the status is still the one decided upon; so
 * two operators at once cannot undo each other's half.
 */
static enum store_result
change(struct db *db, struct account_change *wanted, status_rule *rule,
    const void *wish, struct account_outcome *outcome)
{
	struct account_detail detail;
	enum store_result result;

	for (int tries = 0; tries < CHANGE_TRIES; tries++) {
		result = store_account_find(db, wanted->login_key,
		    wanted->now_us, wanted->now_us, &detail);
		if (result != STORE_OK)
			return result;
		wanted->user = detail.row.user;
		wanted->before = outcome->before = detail.row.status;
		wanted->after = outcome->after =
		    rule(detail.row.status, wish);
		wanted->end_sessions = wanted->verifier != NULL ||
		    !account_status_keeps_sessions(wanted->after);
		secret_wipe(&detail, sizeof(detail));

		result = store_account_change(db, wanted,
		    &outcome->sessions_ended);
		if (result == STORE_OK && wanted->end_sessions)
			return end_late_sessions(db, wanted, outcome);
		if (result != STORE_NONE)
			return result;
	}
	return STORE_CONFLICT;
}

static enum account_status
rule_password(enum account_status before, const void *wish)
{
	const bool *force_change = wish;

	return account_status_with_password(before, *force_change);
}

static enum account_status
rule_status(enum account_status before, const void *wish)
{
	const enum account_status *status = wish;

	(void)before;
	return *status;
}

enum store_result
account_set_password(struct db *db, const char *key, const char *verifier,
    bool force_change, int64_t now_us, struct account_outcome *outcome)
{
	struct account_change wanted = {
		.login_key = key,
		.verifier = verifier,
		.now_us = now_us,
	};

	return change(db, &wanted, rule_password, &force_change, outcome);
}

enum store_result
account_set_status(struct db *db, const char *key, enum account_status status,
    int64_t now_us, struct account_outcome *outcome)
{
	struct account_change wanted = { .login_key = key, .now_us = now_us };

	return change(db, &wanted, rule_status, &status, outcome);
}
