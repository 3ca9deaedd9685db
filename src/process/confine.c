/* confine.c - what a process cannot do any more. */

#include "process/confine.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "config.h"

/* gcc says it with a macro, clang with a question. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#undef HAVE_SECCOMP
#else
#define SANITIZED false
#endif

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

/* ---- memory -------------------------------------------------------------- */

/* Pages of address space that this process has. */
static size_t
address_space_pages(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128] = "";

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return strtoul(line, NULL, 10); /* the first of its numbers */
}

void
confine_memory(size_t bytes)
{
	size_t pages = SANITIZED ? 0 : address_space_pages();
	rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
	const struct rlimit limit = { most, most };

	/* Without /proc there is nothing to measure by; and where the manager
	 * has set less, that stays. */
	if (pages > 0)
		setrlimit(RLIMIT_AS, &limit);
}

/* ---- system calls -------------------------------------------------------- */

#if !defined(__x86_64__) && !defined(__aarch64__)
#undef HAVE_SECCOMP /* the tables below were tried on no other machine */
#endif

#ifdef HAVE_SECCOMP

/* What libpq, OpenSSL, libfcgi, the C library and we ask for while serving.  A
 * name that this machine or kernel does not have is passed over. */
static const char *const allowed[] = {
	/* bytes in and out */
	"close", "dup", "fcntl", "fdatasync", "flock", "fsync", "lseek",
	"poll", "ppoll", "pread64", "pselect6", "pwrite64", "read", "readv",
	"select", "write", "writev",
	"epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait",
	/* sockets, but for socket() itself */
	"accept4", "bind", "connect", "getpeername", "getsockname",
	"getsockopt", "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg",
	"sendto", "setsockopt", "shutdown",
	/* files: settings of the resolver and of libpq, keys, the log; and a
	 * large request, which is put where libfcgi can read it */
	"access", "faccessat", "faccessat2", "fstat", "fstatfs", "ftruncate",
	"getcwd", "getdents64", "lstat", "memfd_create", "newfstatat", "open",
	"openat", "readlink", "readlinkat", "stat", "statfs", "statx", "umask",
	/* memory, but for what is run */
	"brk", "madvise", "mlock", "mremap", "munlock", "munmap",
	/* locks in shared memory */
	"futex", "get_robust_list", "set_robust_list",
	/* time */
	"clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday",
	"nanosleep", "setitimer", "time",
	/* signals of its own */
	"restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
	"rt_sigreturn", "rt_sigtimedwait", "sigaltstack",
	/* itself and the machine */
	"exit", "exit_group", "getcpu", "getegid", "geteuid", "getgid",
	"getgroups", "getpid", "getppid", "getrandom", "getresgid",
	"getresuid", "getrusage", "gettid", "getuid", "rseq",
	"sched_getaffinity", "sched_yield", "sysinfo", "uname",
};

/* What serving never asks for, and an intruder might. */
static const char *const fatal[] = {
	"bpf", "chroot", "execve", "execveat", "init_module", "finit_module",
	"io_uring_setup", "kexec_file_load", "kexec_load", "keyctl", "mount",
	"move_mount", "open_by_handle_at", "perf_event_open", "personality",
	"pivot_root", "process_vm_readv", "process_vm_writev", "ptrace",
	"setns", "unshare", "userfaultfd",
};

#define ALL   UINT64_MAX
#define RUN   PROT_EXEC
#define PATCH (PROT_WRITE | PROT_EXEC)

/* What depends on an argument: argument `at`, of which `mask` is looked at,
 * must be `value`. */
static const struct rule {
	const char *name;
	bool fatal;
	unsigned at;
	uint64_t mask, value;
} rules[] = {
	{ "socket", false, 0, ALL, AF_UNIX },
	{ "socket", false, 0, ALL, AF_INET },
	{ "socket", false, 0, ALL, AF_INET6 },
	{ "socket", false, 0, ALL, AF_NETLINK }, /* getaddrinfo() */
	{ "ioctl", false, 1, ALL, TCGETS }, /* isatty() */
	{ "ioctl", false, 1, ALL, FIONREAD },
	{ "prlimit64", false, 0, ALL, 0 }, /* its own */
	/* Libraries may still be loaded, as for getaddrinfo(). */
	{ "mmap", false, 2, RUN, 0 },
	{ "mmap", false, 2, PATCH, PROT_EXEC },
	{ "mmap", true, 2, PATCH, PATCH },
	{ "mprotect", false, 2, RUN, 0 },
	{ "mprotect", true, 2, RUN, PROT_EXEC },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int
add_name(scmp_filter_ctx filter, uint32_t action, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, action, number, 0, NULL);
}

static int
add_rule(scmp_filter_ctx filter, const struct rule *rule)
{
	const struct scmp_arg_cmp condition = {
		.arg = rule->at,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = rule->mask,
		.datum_b = rule->value,
	};

	return seccomp_rule_add_array(filter,
	    rule->fatal ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW,
	    seccomp_syscall_resolve_name(rule->name), 1, &condition);
}

/* abort() must be able to end this process; no other may be sent a signal. */
static int
add_suicide(scmp_filter_ctx filter)
{
	const struct rule rule = { "tgkill", false, 0, ALL,
		(uint64_t)getpid() };

	return add_rule(filter, &rule);
}

static int
fill(scmp_filter_ctx filter)
{
	int result = add_suicide(filter);

	for (size_t i = 0; i < COUNT(allowed) && result == 0; i++)
		result = add_name(filter, SCMP_ACT_ALLOW, allowed[i]);
	for (size_t i = 0; i < COUNT(fatal) && result == 0; i++)
		result = add_name(filter, SCMP_ACT_KILL_PROCESS, fatal[i]);
	for (size_t i = 0; i < COUNT(rules) && result == 0; i++)
		result = add_rule(filter, &rules[i]);
	return result;
}

static int
apply(scmp_filter_ctx filter)
{
	int result = fill(filter);

	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	return result == 0 ? seccomp_load(filter) : result;
}

int
confine_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int result = filter == NULL ? -ENOMEM : apply(filter);

	if (filter != NULL)
		seccomp_release(filter);
	if (result == 0)
		return 0;
	log_error("could not filter system calls: %s (\"seccomp=off\" goes "
		  "without)",
	    strerror(-result));
	return -1;
}

bool
confine_has_calls(void)
{
	return true;
}

#else

int
confine_calls(void)
{
	return 0;
}

bool
confine_has_calls(void)
{
	return false;
}

#endif
