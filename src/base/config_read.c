/* config_read.c - where settings stand: a file, and the environment. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/config_private.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"

#define FILE_LIMIT  (64 * 1024)
#define PREFIX      "POSTERN_"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)

extern char **environ;

/* ---- the file ------------------------------------------------------------ */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cut white space off both ends; the text is changed. */
static char *
trim(char *text)
{
	size_t size;

	while (is_space(*text))
		text++;
	size = strlen(text);
	while (size > 0 && is_space(text[size - 1]))
		size--;
	text[size] = '\0';
	return text;
}

/* Take one pair of quotes off; NULL when they do not pair. */
static char *
unquote(char *value)
{
	size_t size = strlen(value);
	char quote = *value;

	if (quote != '"' && quote != '\'')
		return value;
	if (size < 2 || strchr(value + 1, quote) != value + size - 1)
		return NULL;
	value[size - 1] = '\0';
	return value + 1;
}

/* One line of the file; a reason may follow the name that it is about. */
static int
read_line(struct config *config, char *line, int number,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_origin origin = { CONFIG_FROM_FILE, number };
	char reason[CONFIG_REASON_SIZE] = "";
	char *name = trim(line), *value;

	if (*name == '\0' || *name == '#' || *name == ';')
		return 0;
	value = strchr(name, '=');
	if (value == NULL) {
		snprintf(why, CONFIG_WHY_SIZE, "%s:%d: not NAME=VALUE",
		    config->file, number);
		return -1;
	}
	*value++ = '\0';
	name = trim(name);
	if (strncasecmp(name, PREFIX, PREFIX_SIZE) == 0)
		name += PREFIX_SIZE;

	value = unquote(trim(value));
	if (value == NULL)
		snprintf(reason, sizeof(reason), "quotes that do not pair");
	else if (*value != '\0' && value[strlen(value) - 1] == '\\')
		snprintf(reason, sizeof(reason), "must not end in \\");
	else if (config_set_named(config, name, value, origin, reason) == 0)
		return 0;
	snprintf(why, CONFIG_WHY_SIZE, "%s:%d: %.*s: %s", config->file,
	    number, CONFIG_NAME_SIZE, name, reason);
	return -1;
}

static int
read_lines(struct config *config, char *text, size_t size,
    char why[static CONFIG_WHY_SIZE])
{
	char *line;

	if (!text_is_utf8(text, size) || memchr(text, '\0', size) != NULL) {
		snprintf(why, CONFIG_WHY_SIZE, "%s: not a UTF-8 text",
		    config->file);
		return -1;
	}
	for (int number = 1; (line = strsep(&text, "\n")) != NULL; number++)
		if (read_line(config, line, number, why) == -1)
			return -1;
	return 0;
}

int
config_read_file(struct config *config, char why[static CONFIG_WHY_SIZE])
{
	size_t size;
	char *text;
	int result;

	if (*config->file == '\0')
		return 0;
	text = file_read(config->file, FILE_LIMIT, &size);
	if (text == NULL) {
		snprintf(why, CONFIG_WHY_SIZE, "could not read \"%s\": %s",
		    config->file, strerror(errno));
		return -1;
	}
	result = read_lines(config, text, size, why);
	secret_wipe(text, size);
	free(text);
	return result;
}

/* ---- the environment ----------------------------------------------------- */

/* Variables that are ours and no settings. */
static bool
is_no_setting(const char *name)
{
	return strcmp(name, "POSTERN_CONFIG") == 0 ||
	    strcmp(name, "POSTERN_PID") == 0;
}

static bool
is_upper_case(const char *name)
{
	for (; *name != '\0'; name++)
		if (*name >= 'a' && *name <= 'z')
			return false;
	return true;
}

static int
read_variable(struct config *config, const char *variable,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_origin origin = { CONFIG_FROM_ENVIRONMENT, 0 };
	char name[PREFIX_SIZE + CONFIG_NAME_SIZE];
	char reason[CONFIG_REASON_SIZE];
	const char *equals = strchr(variable, '=');

	if (equals == NULL || strncmp(variable, PREFIX, PREFIX_SIZE) != 0)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - variable),
	    variable);
	if (is_no_setting(name))
		return 0;
	if (!is_upper_case(name))
		snprintf(reason, sizeof(reason), "must be in upper case");
	else if (config_set_named(config, name + PREFIX_SIZE, equals + 1,
		     origin, reason) == 0)
		return 0;
	snprintf(why, CONFIG_WHY_SIZE, "environment: %s: %s", name, reason);
	return -1;
}

int
config_read_environment(struct config *config, char why[static CONFIG_WHY_SIZE])
{
	for (char **variable = environ; *variable != NULL; variable++)
		if (read_variable(config, *variable, why) == -1)
			return -1;
	return 0;
}
