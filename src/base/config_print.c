/* config_print.c - the settings as people read them, without passwords. */

#include <string.h>

#include "base/config_private.h"
#include "base/conninfo.h"
#include "base/text.h"

/* 80 columns: name and mark, value, origin. */
#define NAME_COLUMNS  24
#define VALUE_COLUMNS 43

void
config_origin(const struct config *config,
    const struct config_setting *setting,
    char text[static CONFIG_ORIGIN_SIZE])
{
	const struct config_origin *origin =
	    &config->origins[config_place(setting)];

	switch (origin->source) {
	case CONFIG_FROM_DEFAULT:
		snprintf(text, CONFIG_ORIGIN_SIZE, "default");
		return;
	case CONFIG_FROM_FILE:
		snprintf(text, CONFIG_ORIGIN_SIZE, "line %d", origin->line);
		return;
	case CONFIG_FROM_ENVIRONMENT:
		snprintf(text, CONFIG_ORIGIN_SIZE, "environment");
		return;
	case CONFIG_FROM_COMMAND_LINE:
		snprintf(text, CONFIG_ORIGIN_SIZE, "command line");
		return;
	}
}

void
config_value(const struct config *config,
    const struct config_setting *setting, char text[static CONFIG_VALUE_SIZE])
{
	const void *field = config_field(config, setting);
	const char *const *string = field;
	const int *number = field;
	const bool *truth = field;

	switch (setting->kind) {
	case CONFIG_TEXT:
		snprintf(text, CONFIG_VALUE_SIZE, "%s", *string);
		return;
	case CONFIG_SECRET_TEXT:
		conninfo_show(*string, text);
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
