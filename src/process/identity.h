/* identity.h - whom root becomes before the first request. */

#ifndef POSTERN_PROCESS_IDENTITY_H
#define POSTERN_PROCESS_IDENTITY_H

#include "base/config.h"

/*
 * Become the user of the setting "user", with the user's groups, for good.
 * Started as root, the program must be given one: 0 only if it was ("root" is
 * an answer, too).  Another user than root stays what he is, since he can become
 * nobody else; a setting that says otherwise is warned of.
 *
 * Root does not open the log: where it lies, the user may have put a link to a
 * file that is root's.  A log that is not there yet root makes, in a directory that
 * only root may write to, and gives it to the user; then the user opens it.
 *
 * Returns 0, or -1 with the reason logged.
 */
int identity_settle(const struct config *config);

#endif
