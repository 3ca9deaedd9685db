/* posternctl - administers Postern: find the command, get it what it needs, run
 * it. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "config.h"
#include "ctl/ctl.h"
#include "ctl/ctl_options.h"
#include "ctl/ctl_output.h"

/* In the order of first use. */
static const struct ctl_group *const groups[] = {
	&ctl_migrate_group,
	&ctl_check_group,
	&ctl_calibrate_group,
	&ctl_key_group,
	&ctl_api_key_group,
	&ctl_user_group,
	&ctl_session_group,
	&ctl_audit_group,
	&ctl_throttle_group,
	&ctl_hash_group,
	NULL,
};

static const struct ctl_group *
find_group(const char *name)
{
	for (size_t i = 0; groups[i] != NULL; i++)
		if (strcmp(groups[i]->name, name) == 0)
			return groups[i];
	return NULL;
}

static const struct ctl_command *
find_command(const struct ctl_group *group, const char *name)
{
	for (const struct ctl_command *command = group->commands;
	     command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* Read the name of the group and of the command; "--help" may stop it early. */
static enum ctl_exit
read_names(struct ctl_line *line, struct ctl_arguments *arguments)
{
	enum ctl_exit done = ctl_options_take(line, arguments);

	if (done != CTL_DONE || line->count == 0)
		return done;
	line->group = find_group(line->words[0]);
	if (line->group == NULL)
		return ctl_options_refuse(line, "there is no command \"%s\"",
		    line->words[0]);
	line->words++;
	line->count--;
	if (line->group->commands[0].name[0] == '\0') {
		line->command = line->group->commands;
		return CTL_DONE;
	}

	done = ctl_options_take(line, arguments);
	if (done != CTL_DONE || line->count == 0)
		return done;
	line->command = find_command(line->group, line->words[0]);
	if (line->command == NULL)
		return ctl_options_refuse(line, "there is no command \"%s %s\"",
		    line->group->name, line->words[0]);
	line->words++;
	line->count--;
	return CTL_DONE;
}

/* All of the command line. */
static enum ctl_exit
read_line(struct ctl_line *line, struct ctl_arguments *arguments)
{
	enum ctl_exit done = read_names(line, arguments);

	if (done == CTL_DONE && line->command != NULL)
		done = ctl_options_take(line, arguments);
	if (done != CTL_DONE || arguments->help || arguments->version)
		return done;
	if (line->command != NULL)
		return ctl_options_complete(line, arguments);
	if (line->group != NULL)
		ctl_options_help_group(line->group, stderr);
	else
		ctl_options_help_all(groups, stderr);
	return CTL_USAGE;
}

static void
print_help(const struct ctl_line *line)
{
	if (line->command != NULL)
		ctl_options_help_command(line->group, line->command, stdout);
	else if (line->group != NULL)
		ctl_options_help_group(line->group, stdout);
	else
		ctl_options_help_all(groups, stdout);
}

static enum ctl_exit
run_command(const struct ctl_command *command,
    const struct ctl_arguments *arguments)
{
	struct ctl ctl = {
		.config_path = arguments->config,
		.json = arguments->json,
	};
	enum ctl_exit done = ctl_prepare(&ctl, command->needs);

	if (done == CTL_DONE)
		done = command->run(&ctl, arguments);
	ctl_release(&ctl);
	return done;
}

/* A full disk or a closed pipe is no success. */
static enum ctl_exit
finish_output(enum ctl_exit done)
{
	if (done != CTL_DONE || ctl_output_flush())
		return done;
	return ctl_refuse(CTL_UNREACHABLE, NULL,
	    "could not write the answer to stdout");
}

/* What the caller has closed would become a file of ours, or the connection to the
 * database, and get what we print.  These take nothing. */
static void
keep_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			(void)open("/dev/null",
			    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int
main(int argc, char **argv)
{
	struct ctl_line line = { .count = argc - 1, .words = argv + 1 };
	struct ctl_arguments arguments = { .operand_count = 0 };
	enum ctl_exit done;

	if (argc < 1)
		return CTL_USAGE;
	secret_keep_inside();
	keep_standard_files();
	/* A reader that goes away is seen by finish_output(). */
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	done = read_line(&line, &arguments);
	if (done != CTL_DONE)
		return (int)done;

	/* Commands tell in their own words what went wrong; the log would tell
	 * it again, as for the operator of a service. */
	if (!arguments.verbose)
		log_open("/dev/null", LOG_FORMAT_PLAIN, LOG_LEVEL_ERROR);
	if (arguments.version)
		puts("posternctl " PACKAGE_VERSION);
	else if (arguments.help)
		print_help(&line);
	else
		done = run_command(line.command, &arguments);
	return (int)finish_output(done);
}
