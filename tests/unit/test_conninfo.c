/* A connection string may be shown; its password may not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/conninfo.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct {
	const char *conninfo, *shown;
} table[] = {
	{ "", "" },
	{ "dbname=postern", "dbname=postern" },
	{ "host=/run  port = 5432\tuser=a", "host=/run port=5432 user=a" },
	{ "host=a password=secret dbname=b", "host=a password=*** dbname=b" },
	{ "password=secret", "password=***" },
	{ "password='se cret' host=a", "password=*** host=a" },
	{ "password='se\\'cret' host=a", "password=*** host=a" },
	{ "password=se\\ cret host=a", "password=*** host=a" },
	{ "password = secret host=a", "password=*** host=a" },
	{ "password='' host='a b'", "password=*** host='a b'" },
	{ "sslpassword=secret passfile=secret",
	    "sslpassword=*** passfile=***" },
	/* to libpq a host, a user and a database; to their author not */
	{ "host=a,password=secret,port=1", "host=***" },
	{ "user=a dbname=postgres://u:secret@h/d", "user=a dbname=***" },
	{ "host=a user='b password=secret'", "host=a user=***" },
	/* libpq refuses these; nobody knows which part is the password */
	{ "password=very secret host=a", "***" },
	{ "password='secret host=a", "***" },
	{ "secret", "***" },
	{ "=secret", "***" },
	{ "password secret", "***" },
	{ "host=a 'secret'", "***" },
	{ "Postgresql://u:secret@h/d", "***" },
	/* URIs */
	{ "postgresql://", "postgresql://" },
	{ "postgresql:///postern", "postgresql:///postern" },
	{ "postgresql://host:5432/db", "postgresql://host:5432/db" },
	{ "postgres://u:secret@host/db", "postgres://***@host/db" },
	{ "postgres://user=a password=secret", "postgres://***" },
	{ "postgresql://u@h1:1,h2:2/db", "postgresql://***@h1:1,h2:2/db" },
	{ "postgresql://u:se@cr/et@host/db", "postgresql://***@host/db" },
	{ "postgresql://host/db?password=secret", "postgresql://host/db?***" },
	{ "postgresql://host/db?p%61ssword=secret",
	    "postgresql://host/db?***" },
	{ "postgresql://u:secret?@host/db?x=1",
	    "postgresql://***" },
	{ "postgresql://u:secret@host/db?x=1",
	    "postgresql://***@host/db?***" },
	{ "postgresql://host/db?password=a@secret", "postgresql://***" },
};

static void
test_shown(void **state)
{
	char text[CONNINFO_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		conninfo_show(table[i].conninfo, text);
		assert_string_equal(text, table[i].shown);
	}
}

/* Nothing is written behind the end, however much the stars add. */
static void
test_long(void **state)
{
	char conninfo[4 * CONNINFO_SIZE] = "", text[CONNINFO_SIZE + 1];

	(void)state;
	for (size_t i = 0; i + 8 < sizeof(conninfo); i += 7)
		memcpy(conninfo + i, "pass=x ", 8);
	text[CONNINFO_SIZE] = '!';
	conninfo_show(conninfo, text);
	assert_int_equal(strlen(text), CONNINFO_SIZE - 1);
	assert_int_equal(text[CONNINFO_SIZE], '!');
	assert_memory_equal(text, "pass=*** pass=*** ", 18);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
