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

/* Get a password that is in use: the same, but asked for once, and held against no
 * rule.  None at all is a mistake of usage. */
enum ctl_exit ctl_terminal_known_password(bool from_stdin,
    struct ctl_terminal_secret *secret);

/* The next line of stdin, which may be seen; a person is shown the prompt. */
enum ctl_exit ctl_terminal_line(const char *prompt,
    struct ctl_terminal_secret *line);

/*
 * Ask a question that wants "yes".  DONE when the answer is yes, or when `yes`
 * was on the command line; a refusal that has been told when it is anything
 * else, or when there is no terminal to ask at.
 */
enum ctl_exit ctl_terminal_confirm(bool yes, const char *question);

#endif
