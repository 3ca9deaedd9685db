/* config.c - the settings together: loading, contradictions, the end. */

#include <stdlib.h>

#include "base/config_private.h"
#include "base/log.h"
#include "base/memory.h"

#define SCRYPT_MEMORY_MIB 256

/* Settings that contradict each other: the first must not exceed the second, or
 * must stay below it. */
static const struct rule {
	const char *low;
	bool may_equal;
	const char *high;
} rules[] = {
	{ "session_idle_seconds", true, "session_seconds" },
	{ "access_token_seconds", false, "session_seconds" },
	{ "refresh_grace_seconds", false, "session_idle_seconds" },
	{ "throttle_lock_seconds", false, "throttle_quiet_seconds" },
	{ "io_timeout_ms", false, "request_deadline_ms" },
	{ "db_timeout_ms", false, "request_deadline_ms" },
	{ "hash_deadline_ms", false, "request_deadline_ms" },
};

static int
check_rule(const struct config *config, const struct rule *rule,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_setting *low = config_find(rule->low);
	const struct config_setting *high = config_find(rule->high);
	char low_origin[CONFIG_ORIGIN_SIZE], high_origin[CONFIG_ORIGIN_SIZE];
	const int *low_value = config_field(config, low);
	const int *high_value = config_field(config, high);

	if (*low_value < *high_value ||
	    (rule->may_equal && *low_value == *high_value))
		return 0;
	config_origin(config, low, low_origin);
	config_origin(config, high, high_origin);
	snprintf(why, CONFIG_WHY_SIZE, "%s (%d, %s) %s %s (%d, %s)",
	    low->name, *low_value, low_origin,
	    rule->may_equal ? "must not exceed" : "must be below",
	    high->name, *high_value, high_origin);
	return -1;
}

static int
check_together(const struct config *config, char why[static CONFIG_WHY_SIZE])
{
	int64_t memory;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (check_rule(config, &rules[i], why) == -1)
			return -1;
	memory = (INT64_C(128) << config->scrypt_log2_n) * config->scrypt_r;
	if (memory > SCRYPT_MEMORY_MIB * INT64_C(1048576)) {
		snprintf(why, CONFIG_WHY_SIZE,
		    "scrypt_log2_n and scrypt_r make one hash take %lld MiB, "
		    "more than %d",
		    (long long)(memory >> 20), SCRYPT_MEMORY_MIB);
		return -1;
	}
	return 0;
}

/* Nothing but defaults. */
static struct config *
config_new(const char *path)
{
	struct config *config = memory_zeroed(1, sizeof(*config));
	const struct config_setting *table;
	char reason[CONFIG_REASON_SIZE];
	size_t count;

	table = config_table(&count);
	config->file = memory_text(path);
	config->origins = memory_zeroed(count, sizeof(*config->origins));
	for (size_t i = 0; i < count; i++)
		if (config_set_value(config, &table[i], table[i].fallback,
			reason) == -1) {
			log_error("the default of %s %s", table[i].name,
			    reason);
			abort();
		}
	return config;
}

struct config *
config_load(const char *path, char why[static CONFIG_WHY_SIZE])
{
	struct config *config;

	if (path == NULL)
		path = getenv("POSTERN_CONFIG");
	config = config_new(path == NULL ? "" : path);
	if (config_read_file(config, why) == -1 ||
	    config_read_environment(config, why) == -1 ||
	    check_together(config, why) == -1) {
		config_free(config);
		return NULL;
	}
	return config;
}

int
config_set(struct config *config, const char *name, const char *value,
    char why[static CONFIG_WHY_SIZE])
{
	const struct config_origin origin = { CONFIG_FROM_COMMAND_LINE, 0 };
	char reason[CONFIG_REASON_SIZE];

	if (config_set_named(config, name, value, origin, reason) == -1) {
		snprintf(why, CONFIG_WHY_SIZE, "%.*s: %s", CONFIG_NAME_SIZE,
		    name, reason);
		return -1;
	}
	return check_together(config, why);
}

void
config_free(struct config *config)
{
	const struct config_setting *table;
	size_t count;

	if (config == NULL)
		return;
	table = config_table(&count);
	for (size_t i = 0; i < count; i++)
		config_release(config, &table[i]);
	free(config->origins);
	free(config->file);
	free(config);
}
