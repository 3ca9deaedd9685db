/* admin_accounts.c - see admin_accounts.h. */

#include "store/admin_accounts.h"

#include <string.h>

#include "base/secret.h"
#include "store/admin_statements.h"

/* Did an earlier sending of the same statement make this account? */
static enum store_result
account_is_ours(struct db *db, const struct new_account *account)
{
	struct account_detail detail;
	enum store_result result;
	bool ours;

	result = store_account_find(db, account->login_key, account->now_us, 0,
	    &detail);
	if (result != STORE_OK)
		return result == STORE_NONE ? STORE_CONFLICT : result;
	ours = id_equal(&detail.row.user, &account->user);
	secret_wipe(&detail, sizeof(detail));
	return ours ? STORE_OK : STORE_CONFLICT;
}

enum store_result
store_account_add(struct db *db, const struct new_account *account)
{
	const struct db_value values[] = {
		db_text(account->login_key),
		db_id(&account->user),
		db_text(account->email),
		db_text(account->verifier),
		db_time(account->verifier != NULL ? account->now_us : 0),
		db_small((int16_t)account->status),
		db_time(account->now_us),
		db_text(account->name),
	};
	enum store_result result;

	result = db_find(db, &admin_statements[ADMIN_ACCOUNT_ADD], values, 8,
	    NULL);
	return result == STORE_NONE ? account_is_ours(db, account) : result;
}

/* Mark the accounts whose places in the array came back, counted from 1. */
static void
mark(const struct db_rows *rows, size_t count, bool *was_there)
{
	int64_t place;

	memset(was_there, 0, count * sizeof(*was_there));
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		place = db_get_int(rows, i, 0);
		if (place >= 1 && (size_t)place <= count)
			was_there[place - 1] = true;
	}
}

/* Run a statement about many accounts. */
static enum store_result
run_many(struct db *db, enum admin_statement statement,
    const struct db_value *values, size_t value_count, size_t count,
    bool *was_there)
{
	struct db_rows *rows;
	enum store_result result;

	result = db_run(db, &admin_statements[statement], values, value_count,
	    &rows);
	if (result != STORE_OK)
		return result;
	mark(rows, count, was_there);
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_account_add_many(struct db *db, const struct new_account *accounts,
    size_t count, bool *was_there)
{
	struct db_array keys = db_array_new(DB_ARRAY_TEXT);
	struct db_array users = db_array_new(DB_ARRAY_ID);
	struct db_array emails = db_array_new(DB_ARRAY_TEXT);
	struct db_array verifiers = db_array_new(DB_ARRAY_TEXT);
	struct db_array statuses = db_array_new(DB_ARRAY_SMALL);
	struct db_array names = db_array_new(DB_ARRAY_TEXT);
	struct db_value values[7];
	enum store_result result;

	for (size_t i = 0; i < count; i++) {
		db_array_add_text(&keys, accounts[i].login_key);
		db_array_add_id(&users, &accounts[i].user);
		db_array_add_text(&emails, accounts[i].email);
		db_array_add_text(&verifiers, accounts[i].verifier);
		db_array_add_small(&statuses, (int16_t)accounts[i].status);
		db_array_add_text(&names, accounts[i].name);
	}
	values[0] = db_array_value(&keys);
	values[1] = db_array_value(&users);
	values[2] = db_array_value(&emails);
	values[3] = db_array_value(&verifiers);
	values[4] = db_array_value(&statuses);
	values[5] = db_array_value(&names);
	values[6] = db_time(count > 0 ? accounts[0].now_us : 0);
	result = run_many(db, ADMIN_ACCOUNT_ADD_MANY, values, 7, count,
	    was_there);
	db_array_free(&keys);
	db_array_free(&users);
	db_array_free(&emails);
	db_array_free(&verifiers);
	db_array_free(&statuses);
	db_array_free(&names);
	return result;
}

enum store_result
store_account_find_many(struct db *db, const struct new_account *accounts,
    size_t count, bool *was_there)
{
	struct db_array keys = db_array_new(DB_ARRAY_TEXT);
	struct db_value value;
	enum store_result result;

	for (size_t i = 0; i < count; i++)
		db_array_add_text(&keys, accounts[i].login_key);
	value = db_array_value(&keys);
	result = run_many(db, ADMIN_ACCOUNT_FIND_MANY, &value, 1, count,
	    was_there);
	db_array_free(&keys);
	return result;
}

/* The columns that finding and listing have in common. */
static void
row_read(const struct db_rows *rows, size_t at, struct account_row *row)
{
	row->user = db_get_id(rows, at, 0);
	db_copy_text(rows, at, 1, row->login_key, sizeof(row->login_key));
	db_copy_text(rows, at, 2, row->email, sizeof(row->email));
	row->status = (enum account_status)db_get_int(rows, at, 3);
	row->created_us = db_get_time(rows, at, 4);
	row->password_changed_us = db_get_time(rows, at, 5);
}

enum store_result
store_account_find(struct db *db, const char *login_key, int64_t now_us,
    int64_t idle_since_us, struct account_detail *detail)
{
	const struct db_value values[] = {
		db_text(login_key),
		db_time(now_us),
		db_time(idle_since_us),
	};
	struct db_rows *rows;
	enum store_result result;

	result = db_find(db, &admin_statements[ADMIN_ACCOUNT_FIND], values, 3,
	    &rows);
	if (result != STORE_OK)
		return result;
	row_read(rows, 0, &detail->row);
	db_copy_text(rows, 0, 6, detail->verifier,
	    sizeof(detail->verifier));
	detail->row.has_password = detail->verifier[0] != '\0';
	detail->last_sign_in_us = db_get_time(rows, 0, 7);
	detail->live_sessions = db_get_int(rows, 0, 8);
	detail->active_api_keys = db_get_int(rows, 0, 9);
	db_copy_text(rows, 0, 10, detail->name, sizeof(detail->name));
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_account_list(struct db *db, const char *after, int status, size_t limit,
    struct account_row *list, size_t *count)
{
	const struct db_value values[] = {
		db_text(after),
		status < 0 ? db_null() : db_small((int16_t)status),
		db_int((int32_t)limit),
	};
	struct db_rows *rows;
	enum store_result result;

	result = db_list(db, &admin_statements[ADMIN_ACCOUNT_LIST], values, 3,
	    limit, &rows, count);
	for (size_t i = 0; i < *count; i++) {
		row_read(rows, i, &list[i]);
		list[i].has_password = db_get_bool(rows, i, 6);
	}
	db_rows_free(rows);
	return result;
}

enum store_result
store_account_change(struct db *db, const struct account_change *change,
    int64_t *sessions_ended)
{
	const struct db_value values[] = {
		db_text(change->login_key),
		db_id(&change->user),
		db_small((int16_t)change->before),
		db_small((int16_t)change->after),
		db_text(change->verifier),
		db_time(change->verifier != NULL ? change->now_us : 0),
		db_time(change->now_us),
		db_small(change->end_sessions),
	};
	struct db_rows *rows;
	enum store_result result;

	*sessions_ended = 0;
	result = db_find(db, &admin_statements[ADMIN_ACCOUNT_CHANGE], values, 8,
	    &rows);
	if (result != STORE_OK)
		return result;
	*sessions_ended = db_get_int(rows, 0, 1);
	db_rows_free(rows);
	return STORE_OK;
}

/* Remove what there is, and add up how much it was. */
static enum store_result
delete_all(struct db *db, const char *login_key, const struct id *user,
    int64_t *sessions, int64_t *api_keys)
{
	const struct db_value values[] = { db_text(login_key), db_id(user) };
	struct db_rows *rows;
	enum store_result result;

	result = db_run(db, &admin_statements[ADMIN_ACCOUNT_DELETE], values, 2,
	    &rows);
	if (result != STORE_OK)
		return result;
	if (db_rows_count(rows) == 1) {
		*api_keys += db_get_int(rows, 0, 0);
		*sessions += db_get_int(rows, 0, 3);
	}
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_account_delete(struct db *db, const char *login_key,
    const struct id *user, int64_t *sessions, int64_t *api_keys)
{
	enum store_result result;

	*sessions = *api_keys = 0;
	result = delete_all(db, login_key, user, sessions, api_keys);
	if (result != STORE_OK)
		return result;
	/* A session that was being opened, for which the first one waited, that
	 * one could not see. */
	return delete_all(db, login_key, user, sessions, api_keys);
}
