/* config_private.h - what the files config*.c share and nobody else sees. */

#ifndef POSTERN_BASE_CONFIG_PRIVATE_H
#define POSTERN_BASE_CONFIG_PRIVATE_H

#include "base/config.h"

#define CONFIG_NAME_SIZE   64
#define CONFIG_REASON_SIZE 160

/* From where, the later over the earlier. */
enum config_source {
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_ENVIRONMENT,
	CONFIG_FROM_COMMAND_LINE,
};

struct config_origin {
	enum config_source source;
	int line; /* of the file */
};

/* ---- config_check.c: NULL, or what is wrong with a text ------------------ */

const char *config_check_listen(const char *text);
const char *config_check_base_path(const char *text);
const char *config_check_path(const char *text);
const char *config_check_log(const char *text);
const char *config_check_domains(const char *text);
const char *config_check_claim(const char *text);
const char *config_check_networks(const char *text);
const char *config_check_origins(const char *text);

/* ---- config_table.c ------------------------------------------------------ */

/* The setting of this name, in either case; NULL when there is none. */
const struct config_setting *config_find(const char *name);

/* Its place in the table, and in config->origins. */
size_t config_place(const struct config_setting *setting);

/* The field of struct config that its row names. */
const void *config_field(const struct config *config,
    const struct config_setting *setting);

/* ---- config_set.c: 0, or -1 with the reason written ---------------------- */

int config_set_value(struct config *config,
    const struct config_setting *setting, const char *value,
    char reason[static CONFIG_REASON_SIZE]);

/*
 * Set by name, from one source.  A name twice in one source is refused: which of
 * the two was meant, nobody can know.
 */
int config_set_named(struct config *config, const char *name,
    const char *value, struct config_origin origin,
    char reason[static CONFIG_REASON_SIZE]);

/* Release what the setting holds, and wipe it. */
void config_release(struct config *config,
    const struct config_setting *setting);

/* ---- config_read.c: 0, or -1 with a sentence in `why` -------------------- */

int config_read_file(struct config *config, char why[static CONFIG_WHY_SIZE]);
int config_read_environment(struct config *config,
    char why[static CONFIG_WHY_SIZE]);

#endif
