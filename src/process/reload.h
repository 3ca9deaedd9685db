/* reload.h - settings read again while the program runs. */

#ifndef POSTERN_PROCESS_RELOAD_H
#define POSTERN_PROCESS_RELOAD_H

#include "base/config.h"

/*
 * Give `fresh` the values of `current` in all settings that only a new start
 * can change, and log which of them are not as they were.  The values are
 * exchanged, so that each of the two still owns its own.
 */
void reload_keep_fixed(struct config *current, struct config *fresh);

#endif
