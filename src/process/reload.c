/* reload.c - settings read again while the program runs. */

#include "process/reload.h"

#include <string.h>

#include "base/log.h"

static size_t
size_of(enum config_kind kind)
{
	switch (kind) {
	case CONFIG_TEXT:
	case CONFIG_SECRET_TEXT:
		return sizeof(char *);
	case CONFIG_SWITCH:
		return sizeof(bool);
	case CONFIG_NUMBER:
	case CONFIG_OCTAL:
	case CONFIG_CHOICE:
		break;
	}
	return sizeof(int);
}

static bool
is_same(const struct config_setting *setting, const char *a, const char *b)
{
	const char *a_text, *b_text;

	if (setting->kind != CONFIG_TEXT && setting->kind != CONFIG_SECRET_TEXT)
		return memcmp(a, b, size_of(setting->kind)) == 0;
	memcpy(&a_text, a, sizeof(a_text));
	memcpy(&b_text, b, sizeof(b_text));
	return strcmp(a_text, b_text) == 0;
}

static void
exchange(char *a, char *b, size_t size)
{
	char kept[sizeof(char *)];

	memcpy(kept, a, size);
	memcpy(a, b, size);
	memcpy(b, kept, size);
}

void
reload_keep_fixed(struct config *current, struct config *fresh)
{
	const struct config_setting *setting;
	size_t count;

	setting = config_table(&count);
	for (; count > 0; count--, setting++) {
		char *was = (char *)current + setting->offset;
		char *is = (char *)fresh + setting->offset;

		if (setting->reloadable || is_same(setting, was, is))
			continue;
		log_warning(
		    "the new value of %s takes effect at the next start",
		    setting->name);
		exchange(was, is, size_of(setting->kind));
	}
}
