/* statements.h - every statement the service runs. */

#ifndef POSTERN_STORE_STATEMENTS_H
#define POSTERN_STORE_STATEMENTS_H

#include "store/db.h"

enum statement {
	STATEMENT_SCHEMA_VERSION,
	STATEMENT_API_KEY_FIND,
	STATEMENT_API_KEY_USED,
	STATEMENT_LOGIN_FIND,
	STATEMENT_LOGIN_REHASH,
	STATEMENT_USER_FIND,
	STATEMENT_SIGN_IN,
	STATEMENT_AUDIT_ADD,
	STATEMENT_COUNT
};

extern const struct db_statement statements[STATEMENT_COUNT];

#endif
