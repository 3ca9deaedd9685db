/* ctl_terminal.h - what a person types: passwords without echo, and consent. */

#ifndef POSTERN_CTL_CTL_TERMINAL_H
#define POSTERN_CTL_CTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/ctl.h"
#include "hash/password.h"

/* A password as it was typed or piped in, counted; one byte more than allowed,
 * so that a longer one is seen to be longer. */
struct ctl_terminal_secret {
	char text[PASSWORD_SIZE_LIMIT + 1];
	size_t size;
};

/*
 * Get a new password: from /dev/tty, asked twice without echo, or, when stdin is
 * no terminal or `from_stdin`, the first line of stdin without its line end.
 * Held against the rules of account.h.  DONE, and the caller wipes the secret;
 * or a refusal that has been told, and it is wiped.
 */
enum ctl_exit ctl_terminal_password(const struct ctl *ctl, bool from_stdin,
    struct ctl_terminal_secret *secret);

/*
 * Ask a question that wants "yes".  DONE when the answer is yes, or when `yes`
 * was on the command line; a refusal that has been told when it is anything
 * else, or when there is no terminal to ask at.
 */
enum ctl_exit ctl_terminal_confirm(bool yes, const char *question);

#endif
