/* admin_audit.c - see admin_audit.h. */

#include "store/admin_audit.h"

#include "store/admin_statements.h"

static void
row_read(const struct db_rows *rows, size_t at, struct audit_row *row)
{
	row->event = db_get_id(rows, at, 0);
	row->at_us = db_get_time(rows, at, 1);
	row->kind = (enum audit_kind)db_get_int(rows, at, 2);
	db_copy_text(rows, at, 3, row->address, sizeof(row->address));
	db_copy_text(rows, at, 4, row->reason, sizeof(row->reason));
	row->session = id_nil;
	if (!db_is_null(rows, at, 5))
		row->session = db_get_id(rows, at, 5);
}

enum store_result
store_audit_list(struct db *db, const struct id *user,
    const struct id *before, size_t limit, struct audit_row *list,
    size_t *count)
{
	const struct db_value values[] = {
		db_id(user),
		before != NULL ? db_id(before) : db_null(),
		db_int((int32_t)limit),
	};
	struct db_rows *rows;
	enum store_result result;

	result = db_list(db, &admin_statements[ADMIN_AUDIT_LIST], values, 3,
	    limit, &rows, count);
	for (size_t i = 0; i < *count; i++)
		row_read(rows, i, &list[i]);
	db_rows_free(rows);
	return result;
}
