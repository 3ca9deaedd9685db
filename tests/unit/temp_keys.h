/* temp_keys.h - a server's keys for one test, without a directory to clean up. */

#ifndef POSTERN_TESTS_UNIT_TEMP_KEYS_H
#define POSTERN_TESTS_UNIT_TEMP_KEYS_H

#include "temp_dir.h"
#include "token/keys_admin.h"

/* Keys with a master secret of their own, and none that signs; NULL if they could
 * not be made. */
static inline struct keys *
temp_keys_new(void)
{
	char dir[TEMP_DIR_SIZE], why[KEYS_WHY_SIZE];
	struct keys *keys = NULL;

	temp_dir_make(dir);
	if (keys_init(dir, why) == 0)
		keys = keys_open(dir, why);
	temp_dir_remove(dir);
	return keys;
}

#endif
