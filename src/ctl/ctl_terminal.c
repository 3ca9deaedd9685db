/* ctl_terminal.c - see ctl_terminal.h. */

#include "ctl/ctl_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "acts/account.h"
#include "base/secret.h"
#include "ctl/ctl_text.h"

/* ---- signals ------------------------------------------------------------- */

/* While echo is off, these give the terminal back before they act. */
static const int awaited[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
#define AWAITED_COUNT (sizeof(awaited) / sizeof(awaited[0]))

static volatile sig_atomic_t caught;

static void
note_signal(int number)
{
	caught = number;
}

struct signals {
	sigset_t mask;
	struct sigaction actions[AWAITED_COUNT];
};

/* Catch the signals, and let them in only where ppoll() waits: so none can slip
 * in between a look at `caught` and the wait. */
static void
signals_hold(struct signals *old)
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t mask;

	caught = 0;
	sigemptyset(&action.sa_mask);
	sigemptyset(&mask);
	for (size_t i = 0; i < AWAITED_COUNT; i++)
		sigaddset(&mask, awaited[i]);
	sigprocmask(SIG_BLOCK, &mask, &old->mask);
	for (size_t i = 0; i < AWAITED_COUNT; i++) {
		sigaction(awaited[i], NULL, &old->actions[i]);
		if (old->actions[i].sa_handler != SIG_IGN)
			sigaction(awaited[i], &action, NULL);
	}
}

/* Put everything back; a signal that came acts now. */
static void
signals_release(const struct signals *old)
{
	for (size_t i = 0; i < AWAITED_COUNT; i++)
		sigaction(awaited[i], &old->actions[i], NULL);
	if (caught != 0)
		raise(caught);
	sigprocmask(SIG_SETMASK, &old->mask, NULL);
}

/* ---- a line without echo ------------------------------------------------- */

enum line_result { LINE_READ, LINE_INTERRUPTED, LINE_FAILED };

/* Add a byte; those beyond the room are counted as one, which is too long. */
static void
secret_add(struct ctl_terminal_secret *secret, char byte)
{
	if (secret->size < sizeof(secret->text))
		secret->text[secret->size++] = byte;
}

/* A line end is "\n" or, from other systems, "\r\n". */
static void
secret_trim(struct ctl_terminal_secret *secret)
{
	if (secret->size > 0 && secret->text[secret->size - 1] == '\r')
		secret->size--;
}

/* Read up to the end of the line, letting in the signals of `mask`. */
static enum line_result
read_line(int fd, const sigset_t *mask, struct ctl_terminal_secret *secret)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	enum line_result result = LINE_READ;
	ssize_t got;
	char byte;

	secret->size = 0;
	for (;;) {
		if (ppoll(&readable, 1, NULL, mask) == -1) {
			result = errno == EINTR ? LINE_INTERRUPTED :
						  LINE_FAILED;
			break;
		}
		got = read(fd, &byte, 1);
		if (got == -1)
			result = LINE_FAILED;
		if (got <= 0 || byte == '\n')
			break;
		secret_add(secret, byte);
	}
	secret_wipe(&byte, sizeof(byte));
	if (result != LINE_READ)
		secret_wipe(secret, sizeof(*secret));
	return result;
}

static void
terminal_print(int tty, const char *text)
{
	if (write(tty, text, strlen(text)) == -1)
		return; /* a terminal that is gone cannot be read either */
}

/* Prompt once.  Whatever happens, echo is as it was when this returns. */
static enum line_result
prompt_once(int tty, const char *prompt, struct ctl_terminal_secret *secret)
{
	struct termios before, silent;
	struct signals signals;
	enum line_result result;

	if (tcgetattr(tty, &before) == -1)
		return LINE_FAILED;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);

	signals_hold(&signals);
	if (tcsetattr(tty, TCSAFLUSH, &silent) == 0) {
		terminal_print(tty, prompt);
		result = read_line(tty, &signals.mask, secret);
		tcsetattr(tty, TCSAFLUSH, &before);
		terminal_print(tty, "\n");
	} else {
		result = LINE_FAILED;
	}
	signals_release(&signals);
	return result;
}

/* Prompt; somebody who stopped the program (^Z) is asked again when it goes
 * on.  Other signals have ended it by then. */
static enum ctl_exit
prompt_secret(int tty, const char *prompt, struct ctl_terminal_secret *secret)
{
	enum line_result result;

	do
		result = prompt_once(tty, prompt, secret);
	while (result == LINE_INTERRUPTED);
	if (result == LINE_FAILED)
		return ctl_refuse(CTL_UNREACHABLE, NULL,
		    "could not read from the terminal: %s", strerror(errno));
	return CTL_DONE;
}

/* ---- passwords ----------------------------------------------------------- */

/* Say why a password was refused, without a word of it. */
static enum ctl_exit
judge_secret(const struct ctl *ctl, const struct ctl_terminal_secret *secret)
{
	int least = ctl->config->password_min_length;

	switch (account_password_check(secret->text, secret->size, least)) {
	case ACCOUNT_PASSWORD_OK:
	case ACCOUNT_PASSWORD_NOT_HASHED:
		return CTL_DONE;
	case ACCOUNT_PASSWORD_EMPTY:
		return ctl_refuse(CTL_REFUSED, NULL, "no password was given");
	case ACCOUNT_PASSWORD_SHORT:
		return ctl_refuse(CTL_REFUSED,
		    "choose a longer one (setting password_min_length)",
		    "the password has fewer than %d characters", least);
	case ACCOUNT_PASSWORD_LONG:
		return ctl_refuse(CTL_REFUSED, NULL,
		    "the password is longer than %d bytes",
		    PASSWORD_SIZE_LIMIT);
	case ACCOUNT_PASSWORD_HAS_NUL:
		return ctl_refuse(CTL_REFUSED, NULL,
		    "the password contains a NUL (U+0000), which no sign-in "
		    "accepts");
	case ACCOUNT_PASSWORD_NOT_UTF8:
		break;
	}
	return ctl_refuse(CTL_REFUSED,
	    "check the locale and encoding of this terminal or file",
	    "the password is not UTF-8");
}

static enum ctl_exit
prompt_twice(const struct ctl *ctl, int tty,
    struct ctl_terminal_secret *secret)
{
	struct ctl_terminal_secret again = { .size = 0 };
	enum ctl_exit done;

	done = prompt_secret(tty, "New password: ", secret);
	if (done == CTL_DONE)
		done = judge_secret(ctl, secret);
	if (done != CTL_DONE)
		return done;
	done = prompt_secret(tty, "The same again: ", &again);
	if (done == CTL_DONE && (again.size != secret->size ||
	    !secret_equal(again.text, secret->text, secret->size)))
		done = ctl_refuse(CTL_REFUSED, "nothing was changed; try again",
		    "the two passwords differ");
	secret_wipe(&again, sizeof(again));
	return done;
}

/* Open the terminal, and ask for a new password or for one that is known. */
static enum ctl_exit
password_from_terminal(const struct ctl *ctl, bool is_new,
    struct ctl_terminal_secret *secret)
{
	enum ctl_exit done;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty == -1)
		return ctl_refuse(CTL_UNREACHABLE,
		    "pipe the password in and add --password-stdin",
		    "there is no terminal to ask for the password: %s",
		    strerror(errno));
	if (is_new)
		done = prompt_twice(ctl, tty, secret);
	else
		done = prompt_secret(tty, "Password: ", secret);
	close(tty);
	return done;
}

static enum ctl_exit
line_from_stdin(struct ctl_terminal_secret *secret)
{
	if (read_line(STDIN_FILENO, NULL, secret) != LINE_READ)
		return ctl_refuse(CTL_UNREACHABLE, NULL,
		    "could not read from stdin: %s", strerror(errno));
	secret_trim(secret);
	return CTL_DONE;
}

enum ctl_exit
ctl_terminal_password(const struct ctl *ctl, bool from_stdin,
    struct ctl_terminal_secret *secret)
{
	enum ctl_exit done;

	if (from_stdin || !isatty(STDIN_FILENO)) {
		done = line_from_stdin(secret);
		if (done == CTL_DONE)
			done = judge_secret(ctl, secret);
	} else {
		done = password_from_terminal(ctl, true, secret);
	}
	if (done != CTL_DONE)
		secret_wipe(secret, sizeof(*secret));
	return done;
}

enum ctl_exit
ctl_terminal_known_password(bool from_stdin,
    struct ctl_terminal_secret *secret)
{
	enum ctl_exit done;

	if (from_stdin || !isatty(STDIN_FILENO))
		done = line_from_stdin(secret);
	else
		done = password_from_terminal(NULL, false, secret);
	if (done == CTL_DONE && secret->size == 0)
		done = ctl_refuse(CTL_USAGE, NULL, "no password was given");
	if (done != CTL_DONE)
		secret_wipe(secret, sizeof(*secret));
	return done;
}

enum ctl_exit
ctl_terminal_line(const char *prompt, struct ctl_terminal_secret *line)
{
	if (isatty(STDIN_FILENO))
		fputs(prompt, stderr);
	return line_from_stdin(line);
}

/* ---- consent ------------------------------------------------------------- */

enum ctl_exit
ctl_terminal_confirm(bool yes, const char *question)
{
	char answer[16];

	if (yes)
		return CTL_DONE;
	if (!isatty(STDIN_FILENO))
		return ctl_refuse(CTL_REFUSED, "add --yes to go ahead unasked",
		    "nobody can be asked, since stdin is no terminal");
	ctl_text_put(stderr, question, 0);
	fputs(" Type \"yes\" to go ahead: ", stderr);
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		answer[0] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	if (strcmp(answer, "yes") == 0)
		return CTL_DONE;
	return ctl_refuse(CTL_REFUSED, NULL, "nothing was changed");
}
