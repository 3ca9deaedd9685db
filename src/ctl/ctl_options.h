/* ctl_options.h - the command line, and the help that is made of its tables. */

#ifndef POSTERN_CTL_CTL_OPTIONS_H
#define POSTERN_CTL_CTL_OPTIONS_H

#include <stdio.h>

#include "ctl/ctl.h"

/* What is left of the command line, and of which command it speaks. */
struct ctl_line {
	int count;
	char **words;
	const struct ctl_group *group;     /* NULL until it was read */
	const struct ctl_command *command; /* NULL until it was read */
};

/*
 * Take options (those of every command, and line->command's) and, once there is
 * a command, its operands.  Before that, stop at the first word that is no
 * option.  DONE, or USAGE and it was said why; values are borrowed from the
 * words and never repeated on stderr, because people put passwords there.
 */
enum ctl_exit ctl_options_take(struct ctl_line *line,
    struct ctl_arguments *arguments);

/* Were the command's operands all given?  DONE, or USAGE and it was said. */
enum ctl_exit ctl_options_complete(const struct ctl_line *line,
    const struct ctl_arguments *arguments);

/* Refuse the command line, pointing to the help that would have told. */
enum ctl_exit ctl_options_refuse(const struct ctl_line *line,
    const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Help about all (a list of groups that ends with NULL), a group, a command. */
void ctl_options_help_all(const struct ctl_group *const *groups, FILE *out);
void ctl_options_help_group(const struct ctl_group *group, FILE *out);
void ctl_options_help_command(const struct ctl_group *group,
    const struct ctl_command *command, FILE *out);

#endif
