/* ctl_options.c - see ctl_options.h. */

#include "ctl/ctl_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct ctl_option common_options[] = {
	{ "config", "FILE", CTL_TEXT_AT(config),
	  "read settings from FILE (default: $POSTERN_CONFIG)" },
	{ "json", NULL, CTL_FLAG_AT(json), "answer in JSON, for scripts" },
	{ "verbose", NULL, CTL_FLAG_AT(verbose),
	  "show on stderr what the log would show" },
	{ "help", NULL, CTL_FLAG_AT(help), "tell about a command" },
	{ "version", NULL, CTL_FLAG_AT(version), "print the version" },
	{ 0 },
};

/* ---- names --------------------------------------------------------------- */

#define COMMAND_SIZE 80

/* "posternctl user add" */
static void
write_command(const struct ctl_group *group, const struct ctl_command *command,
    char text[static COMMAND_SIZE])
{
	const char *name = command != NULL ? command->name : "";

	snprintf(text, COMMAND_SIZE, "posternctl%s%s%s%s",
	    group != NULL ? " " : "", group != NULL ? group->name : "",
	    name[0] != '\0' ? " " : "", name);
}

enum ctl_exit
ctl_options_refuse(const struct ctl_line *line, const char *format, ...)
{
	char command[COMMAND_SIZE];
	char mend[COMMAND_SIZE + 16];
	char why[256];
	va_list values;

	write_command(line->group, line->command, command);
	snprintf(mend, sizeof(mend), "see: %s --help", command);
	va_start(values, format);
	vsnprintf(why, sizeof(why), format, values);
	va_end(values);
	return ctl_refuse(CTL_USAGE, mend, "%s", why);
}

/* ---- taking -------------------------------------------------------------- */

static const struct ctl_option *
option_in(const struct ctl_option *table, const char *name, size_t length)
{
	for (; table != NULL && table->name != NULL; table++)
		if (strlen(table->name) == length &&
		    memcmp(table->name, name, length) == 0)
			return table;
	return NULL;
}

static const struct ctl_option *
option_find(const struct ctl_line *line, const char *name, size_t length)
{
	const struct ctl_option *found = option_in(common_options, name, length);

	if (found == NULL && line->command != NULL)
		found = option_in(line->command->options, name, length);
	return found;
}

/* A single hyphen makes no option: ids of keys may begin with one. */
static bool
is_option(const char *word)
{
	return strncmp(word, "--", 2) == 0 || strcmp(word, "-h") == 0;
}

static const char *
next_word(struct ctl_line *line)
{
	line->count--;
	return *line->words++;
}

static enum ctl_exit
take_number(const struct ctl_line *line, const struct ctl_option *option,
    const char *text, int64_t *number)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 ||
	    value < option->least || value > option->most)
		return ctl_options_refuse(line,
		    "--%s takes a number from %" PRId64 " to %" PRId64,
		    option->name, option->least, option->most);
	*number = value;
	return CTL_DONE;
}

/* Put the value of an option; `value` is NULL where none was given. */
static enum ctl_exit
take_value(struct ctl_line *line, const struct ctl_option *option,
    const char *value, struct ctl_arguments *arguments)
{
	void *place = (char *)arguments + option->offset;

	if (option->kind == CTL_FLAG) {
		if (value != NULL)
			return ctl_options_refuse(line,
			    "--%s takes no value", option->name);
		*(bool *)place = true;
		return CTL_DONE;
	}
	if (value == NULL) {
		if (line->count == 0)
			return ctl_options_refuse(line,
			    "--%s wants a value: --%s %s", option->name,
			    option->name, option->value);
		value = next_word(line);
	}
	if (option->kind == CTL_NUMBER)
		return take_number(line, option, value, place);
	*(const char **)place = value;
	return CTL_DONE;
}

/* One option: "--name", "--name value" or "--name=value". */
static enum ctl_exit
take_option(struct ctl_line *line, const char *word,
    struct ctl_arguments *arguments)
{
	const char *name = strcmp(word, "-h") == 0 ? "help" : word + 2;
	size_t length = strcspn(name, "=");
	const struct ctl_option *option = option_find(line, name, length);

	if (option == NULL)
		return ctl_options_refuse(line, "unknown option \"%.*s\"",
		    (int)strcspn(word, "="), word);
	return take_value(line, option,
	    name[length] == '=' ? name + length + 1 : NULL, arguments);
}

static enum ctl_exit
take_operand(const struct ctl_line *line, const char *word,
    struct ctl_arguments *arguments)
{
	if (arguments->operand_count == line->command->most) {
		if (line->command->most == 0)
			return ctl_options_refuse(line, "too many words: "
			    "the command takes options only");
		return ctl_options_refuse(line,
		    "too many words: the command takes %s",
		    line->command->operands);
	}
	arguments->operands[arguments->operand_count++] = word;
	return CTL_DONE;
}

static void
set_fallbacks(const struct ctl_option *option, struct ctl_arguments *arguments)
{
	for (; option != NULL && option->name != NULL; option++)
		if (option->kind == CTL_NUMBER)
			*(int64_t *)(void *)((char *)arguments +
			    option->offset) = option->fallback;
}

enum ctl_exit
ctl_options_take(struct ctl_line *line, struct ctl_arguments *arguments)
{
	bool operands_only = false;
	enum ctl_exit done = CTL_DONE;
	const char *word;

	if (line->command != NULL)
		set_fallbacks(line->command->options, arguments);
	while (done == CTL_DONE && line->count > 0) {
		bool is_operand = operands_only || !is_option(line->words[0]);

		if (is_operand && line->command == NULL)
			break;
		word = next_word(line);
		if (is_operand)
			done = take_operand(line, word, arguments);
		else if (strcmp(word, "--") != 0)
			done = take_option(line, word, arguments);
		else
			operands_only = true;
	}
	return done;
}

enum ctl_exit
ctl_options_complete(const struct ctl_line *line,
    const struct ctl_arguments *arguments)
{
	if (arguments->operand_count < line->command->least)
		return ctl_options_refuse(line, "missing: %s",
		    line->command->operands);
	return CTL_DONE;
}

/* ---- help ---------------------------------------------------------------- */

/* Two columns; the first is as wide as its widest entry. */
static void
print_row(FILE *out, int width, const char *left, const char *right)
{
	fprintf(out, "  %-*s  %s\n", width, left, right);
}

static void
write_option(const struct ctl_option *option, char text[static COMMAND_SIZE])
{
	snprintf(text, COMMAND_SIZE, "--%s%s%s", option->name,
	    option->value != NULL ? " " : "",
	    option->value != NULL ? option->value : "");
}

static int
options_width(const struct ctl_option *option, int width)
{
	char text[COMMAND_SIZE];

	for (; option != NULL && option->name != NULL; option++) {
		write_option(option, text);
		if ((int)strlen(text) > width)
			width = (int)strlen(text);
	}
	return width;
}

static void
print_options(FILE *out, int width, const struct ctl_option *option)
{
	char text[COMMAND_SIZE];

	for (; option != NULL && option->name != NULL; option++) {
		write_option(option, text);
		print_row(out, width, text, option->help);
	}
}

/* "add EMAIL", or "user add" in the list of all. */
static void
write_entry(const char *before, const struct ctl_command *command,
    const char *behind, char text[static COMMAND_SIZE])
{
	snprintf(text, COMMAND_SIZE, "%s%s%s%s%s", before,
	    before[0] != '\0' && command->name[0] != '\0' ? " " : "",
	    command->name,
	    behind[0] != '\0' && command->name[0] != '\0' ? " " : "", behind);
}

static void
print_commands(FILE *out, int width, const struct ctl_group *group,
    bool of_all)
{
	char text[COMMAND_SIZE];

	for (const struct ctl_command *command = group->commands;
	     command->name != NULL; command++) {
		write_entry(of_all ? group->name : "", command,
		    of_all ? "" : command->operands, text);
		print_row(out, width, text, command->help);
	}
}

static int
commands_width(const struct ctl_group *group, bool of_all, int width)
{
	char text[COMMAND_SIZE];

	for (const struct ctl_command *command = group->commands;
	     command->name != NULL; command++) {
		write_entry(of_all ? group->name : "", command,
		    of_all ? "" : command->operands, text);
		if ((int)strlen(text) > width)
			width = (int)strlen(text);
	}
	return width;
}

void
ctl_options_help_all(const struct ctl_group *const *groups, FILE *out)
{
	int width = 0;

	fputs("usage: posternctl [--config FILE] [--json] COMMAND [OPTION...] "
	      "[ARGUMENT]\n\n"
	      "Administers Postern: its schema, keys, accounts and sessions.\n"
	      "\ncommands:\n", out);
	for (size_t i = 0; groups[i] != NULL; i++)
		width = commands_width(groups[i], true, width);
	for (size_t i = 0; groups[i] != NULL; i++)
		print_commands(out, width, groups[i], true);
	fputs("\noptions of every command:\n", out);
	print_options(out, width, common_options);
	fputs("\nfirst steps:\n"
	      "  posternctl migrate\n"
	      "  posternctl key new\n"
	      "  posternctl api-key create --scope publishable --name website\n"
	      "  posternctl user add ann@example.org\n"
	      "  posternctl check\n"
	      "\n\"posternctl user --help\" tells about the commands of a group,"
	      "\n\"posternctl user add --help\" about one; all are in "
	      "posternctl(8).\n", out);
}

void
ctl_options_help_group(const struct ctl_group *group, FILE *out)
{
	fprintf(out, "usage: posternctl [--config FILE] [--json] %s COMMAND "
	    "[OPTION...]\n\n%s\n\ncommands:\n", group->name, group->help);
	print_commands(out, commands_width(group, false, 0), group, false);
	fprintf(out, "\nexamples:\n%s\n\"posternctl %s %s --help\" tells the "
	    "options of a command.\n", group->examples, group->name,
	    group->commands[0].name);
}

void
ctl_options_help_command(const struct ctl_group *group,
    const struct ctl_command *command, FILE *out)
{
	char name[COMMAND_SIZE];
	int width = options_width(common_options, 0);

	write_command(group, command, name);
	width = options_width(command->options, width);
	fprintf(out, "usage: %s [OPTION...]%s%s\n\n  %s\n\n%s\n", name,
	    command->operands[0] != '\0' ? " " : "", command->operands,
	    command->help, group->help);
	if (command->options != NULL) {
		fputs("\noptions:\n", out);
		print_options(out, width, command->options);
	}
	fputs("\noptions of every command:\n", out);
	print_options(out, width, common_options);
	if (command->name[0] == '\0')
		fprintf(out, "\nexamples:\n%s", group->examples);
}
