/* identity.h - whom root becomes before the first request. */

#ifndef POSTERN_PROCESS_IDENTITY_H
#define POSTERN_PROCESS_IDENTITY_H

#include "base/config.h"

/*
 * Become the user of the setting "user", with the user's groups, for good.
 * Started as root, the program must be given one: 0 only if it was ("root" is
 * an answer, too).  Another user than root stays what he is, since he can become
 * nobody else; a setting that says otherwise is warned of.  `has_log`: the log
 * is open, and its file becomes the user's, who will have to open it again.
 * Returns 0, or -1 with the reason logged.
 */
int identity_settle(const struct config *config, bool has_log);

#endif
