/* postern.c - the network-facing program: settings, socket, then the pool. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"
#include "base/secret.h"
#include "config.h"
#include "process/identity.h"
#include "process/listen.h"
#include "process/pool.h"
#include "process/program.h"
#include "process/status.h"
#include "process/succession.h"
#include "process/worker.h"
#include "web/cgi.h"

#define EXIT_USAGE 2

/* What the command line asked for. */
static struct {
	const char *config_path; /* NULL: POSTERN_CONFIG */
	const char *listen;      /* NULL: the setting */
	bool print_settings;
	bool status;
	bool test;
} options;

static const char usage[] =
    "usage: postern.fcgi [--config FILE] [--listen SOCKET]\n"
    "       postern.fcgi [--config FILE] --settings | --test\n"
    "       postern.fcgi [--listen SOCKET] --status\n"
    "       postern.fcgi --version | --help\n";

static const char help[] =
    "\n"
    "Answers the sign-in requests that a web server passes on by FastCGI.\n"
    "Stays in the foreground.  The socket is the one of --listen, else the\n"
    "one handed over by systemd, spawn-fcgi or the web server.  Started as a\n"
    "CGI program, without a socket, it answers that one request.\n"
    "\n"
    "  -c, --config FILE    read settings from FILE (else: POSTERN_CONFIG)\n"
    "  -l, --listen SOCKET  make this socket: unix:PATH or HOST:PORT\n"
    "  -s, --settings       print all settings and their values\n"
    "  -S, --status         show what running pools do; of SOCKET, or all\n"
    "  -t, --test           see whether settings and keys are in order\n"
    "  -V, --version        print the version\n"
    "  -h, --help           print this\n"
    "\n"
    "Settings also come from POSTERN_* variables: see postern.conf(5).\n"
    "SIGTERM stops, SIGHUP reloads, SIGUSR1 opens the log again.\n";

static _Noreturn void
misuse(void)
{
	fprintf(stderr, "%ssee: postern.fcgi --help\n", usage);
	exit(EXIT_USAGE);
}

/* Exits when there is nothing more to do. */
static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "listen", required_argument, NULL, 'l' },
		{ "settings", no_argument, NULL, 's' },
		{ "status", no_argument, NULL, 'S' },
		{ "test", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:hl:sStV", names, NULL)) != -1)
		switch (option) {
		case 'c':
			options.config_path = optarg;
			break;
		case 'h':
			printf("%s%s", usage, help);
			exit(EXIT_SUCCESS);
		case 'l':
			options.listen = optarg;
			break;
		case 's':
			options.print_settings = true;
			break;
		case 'S':
			options.status = true;
			break;
		case 't':
			options.test = true;
			break;
		case 'V':
			printf("postern.fcgi %s\n", PACKAGE_VERSION);
			exit(EXIT_SUCCESS);
		default:
			misuse();
		}
	if (optind < argc) {
		fprintf(stderr, "postern.fcgi: takes options only, no \"%s\"\n",
		    argv[optind]);
		misuse();
	}
}

static struct config *
read_settings(void)
{
	char why[CONFIG_WHY_SIZE];
	struct config *config = config_load(options.config_path, why);

	if (config == NULL) {
		log_error("%s", why);
		return NULL;
	}
	if (options.listen == NULL ||
	    config_set(config, "listen", options.listen, why) == 0)
		return config;
	log_error("%s", why);
	config_free(config);
	return NULL;
}

/* A file or socket that came to lie on 0, 1 or 2 would be read from and written
 * to by mistake: some managers close them. */
static int
fill_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", O_RDWR) != fd)
			return -1;
	return 0;
}

static int
open_log(const struct config *config)
{
	if (log_open(config->log, (enum log_format)config->log_format,
		(enum log_level)config->log_level) == 0)
		return 0;
	log_error("could not open the log \"%s\": %s", config->log,
	    strerror(errno));
	return -1;
}

/* The socket: the one of the program before, where there was one. */
static int
open_listener(const struct config *config, const struct succession *before,
    struct listener *listener)
{
	if (before != NULL)
		return listen_adopt(config, before, listener);
	return listen_open(config, listener);
}

/* The socket may need root, and all that follows must not have it; not even a
 * file of log, in a place where others may have put a link to some other. */
static int
settle(const struct config *config, const struct succession *before,
    struct listener *listener)
{
	bool late = geteuid() == 0 && *config->log == '/';

	if (!late && open_log(config) != 0)
		return -1;
	if (listener != NULL && open_listener(config, before, listener) != 0)
		return -1;
	if (identity_settle(config) != 0)
		return -1;
	return late ? open_log(config) : 0;
}

static int
run_cgi(const struct config *config)
{
	if (settle(config, NULL, NULL) != 0)
		return EXIT_FAILURE;
	return worker_run_cgi(config);
}

static int
run_pool(const struct config *config, const struct program *program,
    const struct succession *before)
{
	struct listener listener = { .fd = -1 };
	int status = EXIT_FAILURE;

	pool_hold_signals();
	if (settle(config, before, &listener) == 0)
		status = pool_run(config, &listener, program, before);
	listen_unlink(&listener);
	listen_close(&listener);
	return status;
}

/* Everything up to the first worker; the log last, so that complaints are seen
 * by who asked. */
static int
run_test(const struct config *config, const struct succession *before)
{
	struct listener listener = { .fd = -1 };
	int result;

	secret_keep_inside();
	if (before != NULL)
		result = listen_adopt(config, before, &listener);
	else
		result = listen_set_users(&listener, config);
	if (result == 0)
		result = identity_settle(config);
	if (result == 0)
		result = pool_test(config, &listener);
	if (result == 0)
		result = open_log(config);
	listen_close(&listener);
	if (result != 0)
		return EXIT_FAILURE;
	puts("settings and keys are in order");
	return EXIT_SUCCESS;
}

static int
run(const struct config *config, char **arguments)
{
	static struct succession left;
	const struct succession *before = NULL;
	struct program program;
	int status;

	switch (succession_take(&left)) {
	case SUCCESSION_NONE:
		break;
	case SUCCESSION_TAKEN:
		before = &left;
		break;
	case SUCCESSION_BAD:
		return EXIT_FAILURE;
	}
	if (options.test)
		return run_test(config, before);
	if (before == NULL && options.listen == NULL && cgi_is_request())
		return run_cgi(config);
	program_find(&program, arguments);
	status = run_pool(config, &program, before);
	free(program.path);
	return status;
}

int
main(int argc, char **argv)
{
	struct config *config;
	int status;

	if (fill_standard_files() != 0)
		return EXIT_FAILURE;
	read_options(argc, argv);
	if (options.status) {
		status = status_show(BOARD_FILE_FOLDER, options.listen, stdout);
		return fflush(stdout) == 0 ? status : EXIT_FAILURE;
	}
	config = read_settings();
	if (config == NULL)
		return EXIT_FAILURE;
	if (options.print_settings) {
		config_print(config, stdout);
		status = EXIT_SUCCESS;
	} else {
		status = run(config, argv);
	}
	config_free(config);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
