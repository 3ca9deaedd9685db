/* logins.c - who an e-mail address belongs to. */

#include <string.h>

#include "base/log.h"
#include "store/logins.h"
#include "store/statements.h"

enum column {
	COLUMN_USER_ID,
	COLUMN_EMAIL,
	COLUMN_PW_HASH,
	COLUMN_PW_CHANGED_AT,
	COLUMN_STATUS,
	COLUMN_KEY_STANDS,
	COLUMN_LOCK_ENDS,
};

bool
store_status_read(const struct db_rows *rows, int column,
    enum account_status *status)
{
	int64_t number = db_get_int(rows, 0, column);

	if (db_is_null(rows, 0, column) || number < ACCOUNT_CONFIRMED ||
	    number > ACCOUNT_DISABLED)
		return false;
	*status = (enum account_status)number;
	return true;
}

static enum store_result
read_login(const struct db_rows *rows, struct login *login)
{
	login->user = db_get_id(rows, 0, COLUMN_USER_ID);
	login->password_changed_us = db_get_time(rows, 0, COLUMN_PW_CHANGED_AT);
	/* A verifier cut short would match nothing, or worse. */
	if (id_is_nil(&login->user) ||
	    !store_status_read(rows, COLUMN_STATUS, &login->status) ||
	    !db_copy_text(rows, 0, COLUMN_EMAIL, login->email,
	        sizeof(login->email)) ||
	    !db_copy_text(rows, 0, COLUMN_PW_HASH, login->verifier,
	        sizeof(login->verifier))) {
		log_error("could not read a login from the database: its user, "
		    "status, address or verifier is none");
		return STORE_FAILED;
	}
	return STORE_OK;
}

enum store_result
store_login_find(struct db *db, const char *login_key,
    const struct id *key_user, const struct id *key,
    const struct throttle_rule *rule, int64_t now_us, struct login *login)
{
	const struct db_value values[] = {
		db_text(login_key),
		db_id(key_user),
		db_id(key),
		db_time(now_us),
		db_bytes(rule->digest, DIGEST_SIZE),
		db_int(rule->free_failures),
		db_int(rule->most_seconds),
		db_time(rule->now_us),
	};
	enum store_result result;
	struct db_rows *rows;

	memset(login, 0, sizeof(*login));
	result = db_run(db, &statements[STATEMENT_LOGIN_FIND], values,
	    sizeof(values) / sizeof(values[0]), &rows);
	if (result != STORE_OK)
		return result;
	login->key_stands = db_get_bool(rows, 0, COLUMN_KEY_STANDS);
	login->locked_until_us = db_get_time(rows, 0, COLUMN_LOCK_ENDS);
	if (db_is_null(rows, 0, COLUMN_USER_ID))
		result = STORE_NONE;
	else
		result = read_login(rows, login);
	db_rows_free(rows);
	return result;
}

enum store_result
store_login_rehash(struct db *db, const char *login_key,
    const char *old_verifier, const char *new_verifier)
{
	const struct db_value values[] = { db_text(login_key),
		db_text(old_verifier), db_text(new_verifier) };

	return db_find(db, &statements[STATEMENT_LOGIN_REHASH], values, 3,
	    NULL);
}
