/* conninfo.c - libpq connection strings, fit to be seen. */

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/conninfo.h"

#define HIDDEN "***"

/* A text that is being put together; what does not fit is cut. */
struct shown {
	char *text;
	size_t used;
};

static void
show(struct shown *shown, const char *text, size_t size)
{
	size_t room = CONNINFO_SIZE - 1 - shown->used;

	if (size > room)
		size = room;
	memcpy(shown->text + shown->used, text, size);
	shown->used += size;
	shown->text[shown->used] = '\0';
}

static bool
has(const char *text, size_t size, const char *word)
{
	return memmem(text, size, word, strlen(word)) != NULL;
}

/*
 * A URI: what stands before the last "@" may be a password with characters that
 * should have been escaped, and a query may hold one in any spelling.  So only
 * what lies between the two is shown, and nothing where they overlap, or where
 * it looks as if somebody had mixed the two forms of a connection string.
 */
static void
show_uri(struct shown *shown, const char *text)
{
	const char *host = strstr(text, "://") + 3;
	const char *at = strrchr(host, '@');
	const char *query = strchr(host, '?');
	size_t size;

	show(shown, text, (size_t)(host - text));
	if (at != NULL)
		show(shown, HIDDEN, strlen(HIDDEN));
	if (at != NULL && query != NULL && query < at)
		return;
	if (at != NULL)
		host = at;
	size = strcspn(host, "?");
	if (has(host, size, "pass"))
		show(shown, HIDDEN, strlen(HIDDEN));
	else
		show(shown, host, size);
	if (query != NULL)
		show(shown, "?" HIDDEN, 1 + strlen(HIDDEN));
}

static const char *
skip_space(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* The end of a value: quoted, or up to white space; NULL when a quote stays
 * open.  Everywhere a backslash takes the next character with it. */
static const char *
value_end(const char *value)
{
	bool quoted = *value == '\'';

	for (value += quoted; *value != '\0'; value++) {
		if (quoted ? *value == '\'' : isspace((unsigned char)*value))
			return value + quoted;
		if (*value == '\\' && value[1] != '\0')
			value++;
	}
	return quoted ? NULL : value;
}

/*
 * password, sslpassword; of passfile only the name.  And a value in which a
 * whole connection string seems to stand ("host=a,password=b"): libpq takes it
 * for a host, but whoever wrote it meant a password.
 */
static bool
is_secret(const char *name, size_t size, const char *value, size_t value_size)
{
	return has(name, size, "pass") || has(value, value_size, "pass") ||
	       has(value, value_size, "://");
}

/* NAME=VALUE pairs; false when libpq would not understand them either. */
static bool
show_pairs(struct shown *shown, const char *text)
{
	const char *name, *value, *end;
	size_t size;

	for (name = skip_space(text); *name != '\0'; name = skip_space(end)) {
		size = strcspn(name, "= \t\n\r\f\v");
		value = skip_space(name + size);
		if (size == 0 || *value != '=')
			return false;
		value = skip_space(value + 1);
		end = value_end(value);
		if (end == NULL)
			return false;

		show(shown, " ", shown->used > 0);
		show(shown, name, size);
		show(shown, "=", 1);
		if (is_secret(name, size, value, (size_t)(end - value)))
			show(shown, HIDDEN, strlen(HIDDEN));
		else
			show(shown, value, (size_t)(end - value));
	}
	return true;
}

void
conninfo_show(const char *conninfo, char text[static CONNINFO_SIZE])
{
	struct shown shown = { .text = text };

	text[0] = '\0';
	if (strncmp(conninfo, "postgresql://", 13) == 0 ||
	    strncmp(conninfo, "postgres://", 11) == 0)
		show_uri(&shown, conninfo);
	else if (!show_pairs(&shown, conninfo))
		snprintf(text, CONNINFO_SIZE, HIDDEN);
}
