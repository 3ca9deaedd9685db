/* test_listen.c - sockets made here, handed over, and refused. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/listen.h"
#include "skip.h"

static char directory[] = "/tmp/postern-listen-XXXXXX";
static char path[sizeof(directory) + 20];

/* Only the settings that listen.c looks at. */
static struct config config;

static struct config *
settings(const char *value)
{
	static char listen_text[256], group[64], users[64];

	snprintf(listen_text, sizeof(listen_text), "%s", value);
	group[0] = users[0] = '\0';
	config = (struct config){
		.listen = listen_text,
		.listen_mode = 0660,
		.listen_group = group,
		.socket_users = users,
	};
	return &config;
}

static struct config *
at_path(void)
{
	char text[sizeof(path) + 5];

	snprintf(text, sizeof(text), "unix:%s", path);
	return settings(text);
}

static int
make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/socket", directory);
	return 0;
}

static int
remove_directory(void **state)
{
	(void)state;
	return rmdir(directory); /* nothing was left behind */
}

static void
assert_refused(const struct config *refused)
{
	struct listener listener;

	assert_int_equal(listen_open(refused, &listener), -1);
	assert_int_equal(listener.fd, -1);
	assert_null(listener.path);
}

static void
assert_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening,
	    &size), 0);
	assert_true(listening);
}

static int
connect_to(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int result;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	result =
	    connect(fd, (const struct sockaddr *)&address, sizeof(address));
	close(fd);
	return result;
}

/* ---- Unix sockets -------------------------------------------------------- */

static void
test_unix(void **state)
{
	struct listener listener;
	struct stat status;
	mode_t mask = umask(0);

	(void)state;
	assert_int_equal(listen_open(at_path(), &listener), 0);
	assert_int_equal(umask(mask), 0); /* ours again */
	assert_int_equal(listener.source, LISTEN_BOUND);
	assert_false(listener.one_at_a_time);
	assert_string_equal(listener.name + 5, path);
	assert_listening(listener.fd);
	assert_true(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);
	assert_int_equal(connect_to(path), 0);
	listen_unlink(&listener);
	assert_int_equal(access(path, F_OK), -1);
	assert_listening(listener.fd);
	listen_close(&listener);
	listen_close(&listener);
}

static void
test_mode_and_group(void **state)
{
	const gid_t gid = getuid() == 0 ? 12345 : getgid();
	struct listener listener;
	struct stat status;
	struct config *wanted = at_path();

	(void)state;
	snprintf(wanted->listen_group, 64, "%u", gid);
	wanted->listen_mode = 0620;
	assert_int_equal(listen_open(wanted, &listener), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0620);
	assert_int_equal(status.st_gid, gid);
	listen_unlink(&listener);
	listen_close(&listener);
}

static void
test_unknown_group(void **state)
{
	struct config *wanted = at_path();

	(void)state;
	snprintf(wanted->listen_group, 64, "no such group");
	assert_refused(wanted);
	assert_int_equal(access(path, F_OK), -1);
}

/* Left by one that was killed. */
static void
test_stale_socket_is_replaced(void **state)
{
	struct listener first, second;

	(void)state;
	assert_int_equal(listen_open(at_path(), &first), 0);
	listen_close(&first);
	assert_int_equal(connect_to(path), -1);
	assert_int_equal(listen_open(at_path(), &second), 0);
	assert_int_equal(connect_to(path), 0);
	listen_unlink(&second);
	listen_close(&second);
}

static void
test_live_socket_is_refused(void **state)
{
	struct listener first;

	(void)state;
	assert_int_equal(listen_open(at_path(), &first), 0);
	assert_refused(at_path());
	assert_int_equal(connect_to(path), 0);
	listen_unlink(&first);
	listen_close(&first);
}

/* Even one that is too busy to be connected to. */
static void
test_full_socket_is_alive(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int clients[3];

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		/* The last of them has to wait. */
		(void)connect(clients[i], (const struct sockaddr *)&address,
		    sizeof(address));
	}
	assert_refused(at_path());
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	close(fd);
	unlink(path);
}

static void
test_other_files_are_left_alone(void **state)
{
	struct stat status;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	(void)state;
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	assert_refused(at_path());
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 8);
	unlink(path);

	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(at_path());
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_refused(at_path());
	assert_int_equal(lstat(path, &status), 0);
	unlink(path);
}

static void
test_bad_paths(void **state)
{
	char text[200] = "unix:/";

	(void)state;
	memset(text + 6, 'x', 108);
	assert_refused(settings(text));
	assert_refused(settings("unix:/nowhere/at/all/socket"));
}

/* Another has taken the path over: it is not ours to remove. */
static void
test_unlink_spares_a_successor(void **state)
{
	struct listener first, second;

	(void)state;
	assert_int_equal(listen_open(at_path(), &first), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(listen_open(at_path(), &second), 0);
	listen_unlink(&first);
	assert_int_equal(connect_to(path), 0);
	listen_close(&first);
	listen_unlink(&second);
	listen_close(&second);
}

/* ---- TCP sockets --------------------------------------------------------- */

/* A port that is free now. */
static int
free_port(int family)
{
	struct sockaddr_in6 address = { .sin6_family = (sa_family_t)family };
	socklen_t size = sizeof(address);
	int fd = socket(family, SOCK_STREAM, 0);
	int port = 0;

	if (fd == -1)
		return 0;
	/* The port stands at the same place in both families' addresses. */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &size) == 0)
		port = ntohs(address.sin6_port);
	close(fd);
	return port;
}

static void
assert_tcp(const char *host, int port)
{
	struct listener listener;
	char text[64];

	snprintf(text, sizeof(text), "%s:%d", host, port);
	assert_int_equal(listen_open(settings(text), &listener), 0);
	assert_string_equal(listener.name, text);
	assert_listening(listener.fd);
	assert_refused(settings(text)); /* in use */
	listen_unlink(&listener);
	listen_close(&listener);
}

static void
test_tcp(void **state)
{
	(void)state;
	assert_tcp("127.0.0.1", free_port(AF_INET));
	assert_tcp("0.0.0.0", free_port(AF_INET));
}

static void
test_tcp6(void **state)
{
	int port = free_port(AF_INET6);

	(void)state;
	if (port == 0)
		skip_because("no IPv6 here");
	assert_tcp("[::1]", port);
	assert_int_equal(access("[::1]", F_OK), -1);
}

static void
test_address_of_another_machine(void **state)
{
	(void)state;
	assert_refused(settings("192.0.2.1:9000"));
}

/* ---- who may connect ----------------------------------------------------- */

static void
test_users(void **state)
{
	static const char unknown[] = "root, nobody-of-us";
	struct config *wanted = at_path();
	struct listener listener;

	(void)state;
	snprintf(wanted->socket_users, 64, "root, 12345");
	assert_int_equal(listen_open(wanted, &listener), 0);
	assert_int_equal(listener.user_count, 2);
	assert_int_equal(listener.users[0], 0);
	assert_int_equal(listener.users[1], 12345);

	snprintf(wanted->socket_users, 64, "%s", unknown);
	assert_int_equal(listen_set_users(&listener, wanted), -1);
	assert_int_equal(listener.user_count, 2);

	wanted->socket_users[0] = '\0';
	assert_int_equal(listen_set_users(&listener, wanted), 0);
	assert_int_equal(listener.user_count, 0);
	listen_unlink(&listener);
	listen_close(&listener);

	snprintf(wanted->socket_users, 64, "%s", unknown);
	assert_refused(wanted);
	assert_int_equal(access(path, F_OK), -1);
}

/* Nobody would be let in, or everybody: neither was meant. */
static void
test_users_need_a_unix_socket(void **state)
{
	char text[32];
	struct config *wanted;

	(void)state;
	snprintf(text, sizeof(text), "127.0.0.1:%d", free_port(AF_INET));
	wanted = settings(text);
	snprintf(wanted->socket_users, 64, "root");
	assert_refused(wanted);
}

/* ---- sockets handed over ------------------------------------------------- */

/* In a child with `fd` as its fd `as`: what listen_open() makes of it, as a
 * number: source, plus 10 for one_at_a_time; or 99. */
static int
handed(int fd, int as, bool systemd)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct listener listener;
		char number[16];

		if (fd == -1)
			close(as);
		else if (fd != as)
			dup2(fd, as);
		if (systemd) {
			snprintf(number, sizeof(number), "%d", getpid());
			setenv("LISTEN_PID", number, 1);
			setenv("LISTEN_FDS", "1", 1);
		}
		if (listen_open(settings(""), &listener) != 0)
			_exit(99);
		if (listener.fd != as || getenv("LISTEN_PID") != NULL)
			_exit(98);
		_exit((int)listener.source +
		    (listener.one_at_a_time ? 10 : 0));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
listening_socket(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", directory,
	    name);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	unlink(address.sun_path);
	return fd;
}

static void
test_standard_input(void **state)
{
	int fd = listening_socket("a.socket");

	(void)state;
	assert_int_equal(handed(fd, 0, false), LISTEN_INHERITED);
	close(fd);
}

static void
test_systemd(void **state)
{
	int fd = listening_socket("a.socket");

	(void)state;
	assert_int_equal(handed(fd, 3, true), LISTEN_SYSTEMD);
	/* Its variables, but no such socket. */
	assert_int_equal(handed(open("/dev/null", O_RDONLY), 3, true), 99);
	close(fd);
}

/* The variables were meant for another process. */
static void
test_systemd_for_another(void **state)
{
	(void)state;
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(handed(listening_socket("b.socket"), 3, false), 99);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

static void
test_mod_fcgid(void **state)
{
	char name[32];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "%d.0", getpid()); /* the child's parent */
	fd = listening_socket(name);
	assert_int_equal(handed(fd, 0, false), 10 + LISTEN_INHERITED);
	close(fd);

	snprintf(name, sizeof(name), "%d.x", getpid());
	fd = listening_socket(name);
	assert_int_equal(handed(fd, 0, false), LISTEN_INHERITED);
	close(fd);

	snprintf(name, sizeof(name), "%d.0", getpid() + 1);
	fd = listening_socket(name);
	assert_int_equal(handed(fd, 0, false), LISTEN_INHERITED);
	close(fd);
}

static void
test_no_socket(void **state)
{
	int pair[2], packets = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	const struct sockaddr_un name = { .sun_family = AF_UNIX };

	(void)state;
	assert_int_equal(handed(open("/dev/null", O_RDONLY), 0, false), 99);
	assert_int_equal(handed(-1, 0, false), 99);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(handed(pair[0], 0, false), 99);
	assert_int_equal(bind(packets, (const struct sockaddr *)&name,
	    sizeof(name.sun_family)), 0);
	assert_int_equal(listen(packets, 1), 0);
	assert_int_equal(handed(packets, 0, false), 99);
	close(pair[0]);
	close(pair[1]);
	close(packets);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_mode_and_group),
		cmocka_unit_test(test_unknown_group),
		cmocka_unit_test(test_stale_socket_is_replaced),
		cmocka_unit_test(test_live_socket_is_refused),
		cmocka_unit_test(test_full_socket_is_alive),
		cmocka_unit_test(test_other_files_are_left_alone),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_unlink_spares_a_successor),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp6),
		cmocka_unit_test(test_address_of_another_machine),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_users_need_a_unix_socket),
		cmocka_unit_test(test_standard_input),
		cmocka_unit_test(test_systemd),
		cmocka_unit_test(test_systemd_for_another),
		cmocka_unit_test(test_mod_fcgid),
		cmocka_unit_test(test_no_socket),
	};

	return cmocka_run_group_tests_name("listen", tests, make_directory,
	    remove_directory);
}
