/* ctl_hash.h - passwords that become verifiers at the keyboard. */

#ifndef POSTERN_CTL_CTL_HASH_H
#define POSTERN_CTL_CTL_HASH_H

#include <stdbool.h>

#include "ctl/ctl.h"
#include "hash/password.h"

/* Ask for a new password (ctl_terminal_password()) and make its verifier at the
 * cost that the settings say; the caller wipes it. */
enum ctl_exit ctl_hash_ask(const struct ctl *ctl, bool from_stdin,
    char verifier[static PASSWORD_VERIFIER_SIZE]);

#endif
