/* config_set.c - one setting: its value, by its kind and its name. */

#include <stdlib.h>
#include <string.h>

#include "base/config_private.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/text.h"

/* Where the value goes. */
static void *
field_of(struct config *config, const struct config_setting *setting)
{
	return (char *)config + setting->offset;
}

static void
free_text(char *text)
{
	if (text == NULL)
		return;
	secret_wipe(text, strlen(text));
	free(text);
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* What is wrong with a text, or NULL. */
static const char *
text_fault(const struct config_setting *setting, const char *value)
{
	if (*value == '\0' && setting->least > 0)
		return "must not be empty";
	if (!text_is_utf8(value, strlen(value)) || has_control(value))
		return "must be UTF-8 without control characters";
	return setting->check == NULL ? NULL : setting->check(value);
}

/* Each set_ call returns 0, or -1 with the reason written. */
static int
set_text(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static CONFIG_REASON_SIZE])
{
	char **field = field_of(config, setting);
	const char *fault;

	if (strlen(value) > (size_t)setting->most) {
		snprintf(reason, CONFIG_REASON_SIZE,
		    "may have at most %d bytes", (int)setting->most);
		return -1;
	}
	fault = text_fault(setting, value);
	if (fault != NULL) {
		snprintf(reason, CONFIG_REASON_SIZE, "%s", fault);
		return -1;
	}
	free_text(*field);
	*field = memory_text(value);
	return 0;
}

static int
set_number(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static CONFIG_REASON_SIZE])
{
	bool octal = setting->kind == CONFIG_OCTAL;
	const char *digits = octal ? "01234567" : "0123456789";
	size_t size = strlen(value);
	int *field = field_of(config, setting);
	int64_t number;

	/* No sign, no space, no unit; and not so long as to overflow. */
	number = strtoll(value, NULL, octal ? 8 : 10);
	if (size == 0 || size > 12 || strspn(value, digits) != size ||
	    number < setting->least || number > setting->most) {
		snprintf(reason, CONFIG_REASON_SIZE,
		    octal ? "must be an octal number from %04o to %04o" :
			    "must be a number from %d to %d",
		    (int)setting->least, (int)setting->most);
		return -1;
	}
	*field = (int)number;
	return 0;
}

static int
set_switch(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static CONFIG_REASON_SIZE])
{
	bool *field = field_of(config, setting);

	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
		snprintf(reason, CONFIG_REASON_SIZE, "must be on or off");
		return -1;
	}
	*field = strcmp(value, "on") == 0;
	return 0;
}

static int
set_choice(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static CONFIG_REASON_SIZE])
{
	int *field = field_of(config, setting);
	int used;

	for (int i = 0; setting->choices[i] != NULL; i++)
		if (strcmp(value, setting->choices[i]) == 0) {
			*field = i;
			return 0;
		}
	used = snprintf(reason, CONFIG_REASON_SIZE, "must be one of:");
	for (int i = 0; setting->choices[i] != NULL; i++)
		used += snprintf(reason + used,
		    CONFIG_REASON_SIZE - (size_t)used, " %s",
		    setting->choices[i]);
	return -1;
}

int
config_set_value(struct config *config, const struct config_setting *setting,
    const char *value, char reason[static CONFIG_REASON_SIZE])
{
	switch (setting->kind) {
	case CONFIG_TEXT:
	case CONFIG_SECRET_TEXT:
		return set_text(config, setting, value, reason);
	case CONFIG_NUMBER:
	case CONFIG_OCTAL:
		return set_number(config, setting, value, reason);
	case CONFIG_SWITCH:
		return set_switch(config, setting, value, reason);
	case CONFIG_CHOICE:
		return set_choice(config, setting, value, reason);
	}
	return -1;
}

void
config_release(struct config *config, const struct config_setting *setting)
{
	char **field = field_of(config, setting);

	if (setting->kind != CONFIG_TEXT && setting->kind != CONFIG_SECRET_TEXT)
		return;
	free_text(*field);
	*field = NULL;
}

/* ---- names --------------------------------------------------------------- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How many letters to add, drop or change to make one name of the other. */
static unsigned
name_distance(const char *a, const char *b)
{
	unsigned row[CONFIG_NAME_SIZE], left, above, best;
	size_t size = strlen(b);

	for (unsigned i = 0; i <= size; i++)
		row[i] = i;
	for (; *a != '\0'; a++) {
		left = row[0]++;
		for (size_t i = 1; i <= size; i++) {
			above = row[i];
			best = left + (lower(*a) != b[i - 1]);
			if (best > above + 1)
				best = above + 1;
			if (best > row[i - 1] + 1)
				best = row[i - 1] + 1;
			row[i] = best;
			left = above;
		}
	}
	return row[size];
}

static void
explain_unknown(const char *name, char reason[static CONFIG_REASON_SIZE])
{
	const struct config_setting *table;
	const char *nearest = NULL;
	unsigned distance, least = 3; /* more is another word */
	size_t count;

	table = config_table(&count);
	for (size_t i = 0; i < count && strlen(name) < CONFIG_NAME_SIZE; i++) {
		distance = name_distance(name, table[i].name);
		if (distance < least && 2 * distance < strlen(name)) {
			least = distance;
			nearest = table[i].name;
		}
	}
	if (nearest == NULL)
		snprintf(reason, CONFIG_REASON_SIZE, "no such setting");
	else
		snprintf(reason, CONFIG_REASON_SIZE,
		    "no such setting; the nearest is %s", nearest);
}

int
config_set_named(struct config *config, const char *name, const char *value,
    struct config_origin origin, char reason[static CONFIG_REASON_SIZE])
{
	const struct config_setting *setting = config_find(name);
	struct config_origin *before;

	if (setting == NULL) {
		explain_unknown(name, reason);
		return -1;
	}
	before = &config->origins[config_place(setting)];
	if (before->source == origin.source &&
	    origin.source != CONFIG_FROM_COMMAND_LINE) {
		snprintf(reason, CONFIG_REASON_SIZE,
		    before->line > 0 ? "already set in line %d" :
				       "set twice",
		    before->line);
		return -1;
	}
	*before = origin;
	return config_set_value(config, setting, value, reason);
}
