/* config_print.c - the settings as people read them, without passwords. */

#include <ctype.h>
#include <string.h>

#include "base/config.h"
#include "base/text.h"

/* 80 columns: name and mark, value, origin. */
#define NAME_COLUMNS  24
#define VALUE_COLUMNS 43

#define HIDDEN "***"

/* ---- connection strings without their passwords ------------------------------ */

/* A text that is being put together; what does not fit is cut. */
struct shown {
	char *text;
	size_t used;
};

static void
show(struct shown *shown, const char *text, size_t size)
{
	size_t room = CONFIG_VALUE_SIZE - 1 - shown->used;

	if (size > room)
		size = room;
	memcpy(shown->text + shown->used, text, size);
	shown->used += size;
	shown->text[shown->used] = '\0';
}

/*
 * A URI: what stands before the last "@" may be a password with characters that
 * should have been escaped, and a query may hold one in any spelling.  So only
 * what lies between the two is shown.
 */
static void
show_uri(struct shown *shown, const char *text)
{
	const char *at = strrchr(text, '@');
	const char *host = strstr(text, "://") + 3;

	show(shown, text, (size_t)(host - text));
	if (at != NULL) {
		show(shown, HIDDEN, strlen(HIDDEN));
		host = at;
	}
	show(shown, host, strcspn(host, "?"));
	if (strchr(host, '?') != NULL)
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
		/* password and sslpassword; of passfile, only the name. */
		if (memmem(name, size, "pass", 4) != NULL)
			show(shown, HIDDEN, strlen(HIDDEN));
		else
			show(shown, value, (size_t)(end - value));
	}
	return true;
}

static void
show_connection(const char *value, char text[static CONFIG_VALUE_SIZE])
{
	struct shown shown = { .text = text };

	text[0] = '\0';
	if (strncmp(value, "postgresql://", 13) == 0 ||
	    strncmp(value, "postgres://", 11) == 0)
		show_uri(&shown, value);
	else if (!show_pairs(&shown, value))
		snprintf(text, CONFIG_VALUE_SIZE, HIDDEN);
}

/* ---- values ------------------------------------------------------------------- */

void
config_value(const struct config *config,
    const struct config_setting *setting, char text[static CONFIG_VALUE_SIZE])
{
	const void *field = (const char *)config + setting->offset;
	const char *const *string = field;
	const int *number = field;
	const bool *truth = field;

	switch (setting->kind) {
	case CONFIG_TEXT:
		snprintf(text, CONFIG_VALUE_SIZE, "%s", *string);
		return;
	case CONFIG_SECRET_TEXT:
		show_connection(*string, text);
		return;
	case CONFIG_NUMBER:
		snprintf(text, CONFIG_VALUE_SIZE, "%d", *number);
		return;
	case CONFIG_OCTAL:
		snprintf(text, CONFIG_VALUE_SIZE, "%04o", (unsigned)*number);
		return;
	case CONFIG_SWITCH:
		snprintf(text, CONFIG_VALUE_SIZE, "%s", *truth ? "on" : "off");
		return;
	case CONFIG_CHOICE:
		snprintf(text, CONFIG_VALUE_SIZE, "%s",
		    setting->choices[*number]);
		return;
	}
}

/* ---- the table ------------------------------------------------------------------ */

/* The bytes of the next `columns` characters. */
static size_t
piece_size(const char *text, int columns)
{
	size_t size = 0, length;
	uint32_t code;

	while (columns-- > 0) {
		length = text_next(text + size, strlen(text + size), &code);
		if (length == 0)
			break;
		size += length;
	}
	return size;
}

/* How many characters that is, for padding. */
static int
width(const char *text, size_t size)
{
	int columns = 0;

	for (size_t i = 0; i < size; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

static void
print_setting(const struct config *config,
    const struct config_setting *setting, FILE *out)
{
	char value[CONFIG_VALUE_SIZE], origin[CONFIG_ORIGIN_SIZE];
	const char *rest = value;
	size_t size;

	config_value(config, setting, value);
	config_origin(config, setting, origin);
	size = piece_size(rest, VALUE_COLUMNS);
	fprintf(out, "%s%-*s%.*s%*s %s\n", setting->reloadable ? " " : "*",
	    NAME_COLUMNS - 1, setting->name, (int)size, rest,
	    VALUE_COLUMNS - width(rest, size), "", origin);

	/* A long value goes on below itself. */
	for (rest += size; *rest != '\0'; rest += size) {
		size = piece_size(rest, VALUE_COLUMNS);
		fprintf(out, "%*s%.*s\n", NAME_COLUMNS, "", (int)size, rest);
	}
	fprintf(out, "    %s\n", setting->help);
}

void
config_print(const struct config *config, FILE *out)
{
	const struct config_setting *table;
	size_t count;

	fprintf(out, "settings file: %s\n\n",
	    *config->file == '\0' ? "none" : config->file);
	fprintf(out, " %-*s%-*s %s\n", NAME_COLUMNS - 1, "NAME",
	    VALUE_COLUMNS, "VALUE", "FROM");
	table = config_table(&count);
	for (size_t i = 0; i < count; i++)
		print_setting(config, &table[i], out);
	fprintf(out, "\n* changes with a restart, all others on SIGHUP too\n");
}
