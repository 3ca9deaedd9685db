/* admin_api_keys.c - see admin_api_keys.h. */

#include "store/admin_api_keys.h"

#include "store/admin_statements.h"

enum store_result
store_api_key_add(struct db *db, const struct new_api_key *key)
{
	const struct db_value values[] = {
		db_id(&key->user),
		db_id(&key->key),
		db_bytes(key->digest, sizeof(key->digest)),
		db_small(key->secret),
		db_text(key->name),
		db_time(key->now_us),
		db_time(key->expires_us),
	};

	return db_run(db, &admin_statements[ADMIN_API_KEY_ADD], values, 7,
	    NULL);
}

static void
row_read(const struct db_rows *rows, size_t at, struct api_key_info *key)
{
	key->user = db_get_id(rows, at, 0);
	key->key = db_get_id(rows, at, 1);
	key->secret = db_get_int(rows, at, 2) == 1;
	db_copy_text(rows, at, 3, key->name, sizeof(key->name));
	key->created_us = db_get_time(rows, at, 4);
	key->expires_us = db_get_time(rows, at, 5);
	key->last_used_us = db_get_time(rows, at, 6);
	key->revoked_us = db_get_time(rows, at, 7);
	db_copy_text(rows, at, 8, key->login_key, sizeof(key->login_key));
}

enum store_result
store_api_key_list(struct db *db, const struct id *user,
    const struct id *after_user, const struct id *after_key, size_t limit,
    struct api_key_info *list, size_t *count)
{
	const struct db_value values[] = {
		user != NULL ? db_id(user) : db_null(),
		db_id(after_user),
		db_id(after_key),
		db_int((int32_t)limit),
	};
	struct db_rows *rows;
	enum store_result result;

	result = db_list(db, &admin_statements[ADMIN_API_KEY_LIST], values, 4,
	    limit, &rows, count);
	for (size_t i = 0; i < *count; i++)
		row_read(rows, i, &list[i]);
	db_rows_free(rows);
	return result;
}

enum store_result
store_api_key_revoke(struct db *db, const struct id *key, int64_t now_us,
    int64_t *revoked_us)
{
	const struct db_value values[] = { db_id(key), db_time(now_us) };
	struct db_rows *rows;
	enum store_result result;

	*revoked_us = 0;
	/* Twice: a session that the key was opening, for which the first one
	 * waited, that one could not see. */
	result = db_find(db, &admin_statements[ADMIN_API_KEY_REVOKE], values, 2,
	    NULL);
	if (result == STORE_OK)
		result = db_find(db, &admin_statements[ADMIN_API_KEY_REVOKE],
		    values, 2, &rows);
	if (result != STORE_OK)
		return result;
	*revoked_us = db_get_time(rows, 0, 0);
	db_rows_free(rows);
	return STORE_OK;
}

enum store_result
store_api_key_count(struct db *db, int64_t now_us, int64_t *count)
{
	const struct db_value values[] = { db_time(now_us) };
	struct db_rows *rows;
	enum store_result result;

	*count = 0;
	result = db_run(db, &admin_statements[ADMIN_API_KEY_COUNT], values, 1,
	    &rows);
	if (result != STORE_OK)
		return result;
	if (db_rows_count(rows) == 1)
		*count = db_get_int(rows, 0, 0);
	db_rows_free(rows);
	return STORE_OK;
}
