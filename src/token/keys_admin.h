/* keys_admin.h - changes to the key directory; for posternctl alone.
 *
 * Each call holds a lock on the directory, so that two of them do not undo each
 * other, and replaces files whole, so that a running service reads the old ones
 * or the new ones.  What root makes in another user's directory belongs to that
 * user.  Calls that fail return -1 with a sentence in `why`; the service then goes
 * by the keys as they were, unless the sentence says that a file is written, but may
 * not last. */

#ifndef POSTERN_TOKEN_KEYS_ADMIN_H
#define POSTERN_TOKEN_KEYS_ADMIN_H

#include <stdint.h>

#include "token/keys.h"

/* Make the directory (its parent must be there), the master secret and an empty
 * list, each if it is not there.  0 or -1. */
int keys_init(const char *dir, char why[static KEYS_WHY_SIZE]);

/* Make a key that signs from `sign_from_us` on.  0 and its kid, or -1. */
int keys_new(const char *dir, enum key_algorithm algorithm, int64_t now_us,
    int64_t sign_from_us, char kid[static KEY_ID_SIZE],
    char why[static KEYS_WHY_SIZE]);

/*
 * Retire a key at a time.  Refused when from then (or from now, if that is
 * later) there would be a moment without a key that signs, and for a key that
 * is retired earlier already.  0 or -1.
 */
int keys_retire(const char *dir, const char *kid, int64_t now_us,
    int64_t when_us, char why[static KEYS_WHY_SIZE]);

/* The same for a key that somebody else has: it is gone at once, and with it all
 * that it signed. */
int keys_revoke(const char *dir, const char *kid, int64_t now_us,
    char why[static KEYS_WHY_SIZE]);

/* Remove the keys that are gone.  Returns how many, or -1. */
int keys_prune(const char *dir, int64_t now_us,
    char why[static KEYS_WHY_SIZE]);

#endif
