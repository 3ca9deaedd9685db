/* ctl_hash.c - hashes of passwords made and checked, for scripts and migrations. */

#include "ctl/ctl_hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acts/account.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "ctl/ctl_output.h"
#include "ctl/ctl_terminal.h"

#define FILE_LIMIT 4096

/* Room for all of a line, also when that is too long for a hash. */
#define VERIFIER_SIZE (sizeof(((struct ctl_terminal_secret *)0)->text) + 1)

static void
init(const struct ctl *ctl)
{
	const struct scrypt_cost cost = {
		.log2_n = (unsigned)ctl->config->scrypt_log2_n,
		.r = (unsigned)ctl->config->scrypt_r,
		.p = (unsigned)ctl->config->scrypt_p,
	};

	password_init(&cost);
}

static enum ctl_exit
refuse_no_memory(void)
{
	return ctl_refuse(CTL_UNREACHABLE, "one hash takes 128 * N * r bytes",
	    "could not hash the password: out of memory");
}

/* ---- make ---------------------------------------------------------------- */

static const struct ctl_option make_options[] = {
	{ "password-stdin", NULL, CTL_FLAG_AT(password_stdin),
	    "the password is the first line of stdin" },
	{ 0 },
};

enum ctl_exit
ctl_hash_ask(const struct ctl *ctl, bool from_stdin,
    char verifier[static PASSWORD_VERIFIER_SIZE])
{
	struct ctl_terminal_secret secret;
	enum account_password hashed;
	enum ctl_exit done;

	done = ctl_terminal_password(ctl, from_stdin, &secret);
	if (done != CTL_DONE)
		return done;
	init(ctl);
	hashed = account_password_hash(secret.text, secret.size,
	    ctl->config->password_min_length, verifier);
	secret_wipe(&secret, sizeof(secret));
	return hashed == ACCOUNT_PASSWORD_OK ? CTL_DONE : refuse_no_memory();
}

static enum ctl_exit
hash_make(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	char verifier[PASSWORD_VERIFIER_SIZE];
	struct json_object *answer;
	enum ctl_exit done;

	done = ctl_hash_ask(ctl, arguments->password_stdin, verifier);
	if (done != CTL_DONE)
		return done;
	answer = json_new_object();
	json_add_string(answer, "hash", verifier);
	ctl_output_sentence(ctl, answer, "%s", verifier);
	secret_wipe(verifier, sizeof(verifier));
	return CTL_DONE;
}

/* ---- check --------------------------------------------------------------- */

static const struct ctl_option check_options[] = {
	{ "hash-file", "FILE", CTL_TEXT_AT(hash_file),
	    "the hash is the first line of FILE, not of stdin" },
	{ "password-stdin", NULL, CTL_FLAG_AT(password_stdin),
	    "the password is the next line of stdin" },
	{ 0 },
};

/* The first line of a file; a longer one than any hash is cut, and so is none. */
static enum ctl_exit
read_hash_file(const char *path, struct ctl_terminal_secret *hash)
{
	size_t size;
	char *bytes = file_read(path, FILE_LIMIT, &size);

	if (bytes == NULL)
		return ctl_refuse(CTL_UNREACHABLE, NULL,
		    "could not read \"%s\": %s", path, strerror(errno));
	hash->size = strcspn(bytes, "\r\n");
	if (hash->size > sizeof(hash->text))
		hash->size = sizeof(hash->text);
	memcpy(hash->text, bytes, hash->size);
	secret_wipe(bytes, size);
	free(bytes);
	return CTL_DONE;
}

/* Get a hash that can be checked; *form is what it is called. */
static enum ctl_exit
take_hash(const struct ctl *ctl, const struct ctl_arguments *arguments,
    char verifier[static VERIFIER_SIZE], const char **form)
{
	struct ctl_terminal_secret hash = { .size = 0 };
	const char *why = "it is empty";
	enum ctl_exit done;

	*form = NULL;
	if (arguments->hash_file != NULL)
		done = read_hash_file(arguments->hash_file, &hash);
	else
		done = ctl_terminal_line("Hash: ", &hash);
	if (done != CTL_DONE)
		return done;
	memcpy(verifier, hash.text, hash.size);
	verifier[hash.size] = '\0';
	if (strlen(verifier) != hash.size)
		why = "there is a NUL in it";
	else if (hash.size > 0)
		*form = password_verifier_form(verifier,
		    (uint64_t)ctl->config->hash_other_mib << 20, &why);
	secret_wipe(&hash, sizeof(hash));
	if (*form != NULL)
		return CTL_DONE;
	return ctl_refuse(CTL_USAGE,
	    "posternctl(8) lists the forms that can be used",
	    "the hash cannot be used: %s", why);
}

static enum ctl_exit
print_match(const struct ctl *ctl, bool match, const char *form, bool renew)
{
	struct json_object *answer = json_new_object();

	json_add_bool(answer, "match", match);
	json_add_string(answer, "form", form);
	json_add_bool(answer, "needsRehash", renew);
	if (!match) {
		ctl_output_sentence(ctl, answer, "no match");
		return CTL_REFUSED;
	}
	ctl_output_sentence(ctl, answer, "match: %s%s", form,
	    renew ? ", made anew at the next sign-in" : "");
	return CTL_DONE;
}

static enum ctl_exit
check(const struct ctl *ctl, const struct ctl_terminal_secret *password,
    const char *verifier, const char *form)
{
	bool renew = password_needs_rehash(verifier);

	switch (
	    password_check(password->text, password->size, verifier, NULL)) {
	case PASSWORD_MATCH:
		return print_match(ctl, true, form, renew);
	case PASSWORD_MISMATCH:
		return print_match(ctl, false, form, renew);
	case PASSWORD_UNREADABLE:
		return ctl_refuse(CTL_USAGE, NULL,
		    "the hash cannot be used: its library refuses it");
	case PASSWORD_BUSY:
	case PASSWORD_ABANDONED:
	case PASSWORD_UNAVAILABLE:
		break;
	}
	return refuse_no_memory();
}

static enum ctl_exit
hash_check(struct ctl *ctl, const struct ctl_arguments *arguments)
{
	char verifier[VERIFIER_SIZE] = "";
	struct ctl_terminal_secret password;
	const char *form;
	enum ctl_exit done;

	done = take_hash(ctl, arguments, verifier, &form);
	if (done == CTL_DONE)
		done = ctl_terminal_known_password(arguments->password_stdin,
		    &password);
	if (done == CTL_DONE) {
		init(ctl);
		done = check(ctl, &password, verifier, form);
		secret_wipe(&password, sizeof(password));
	}
	secret_wipe(verifier, sizeof(verifier));
	return done;
}

/* ---- the group ----------------------------------------------------------- */

static const struct ctl_command commands[] = {
	{ "make", "", 0, 0, make_options, CTL_NEEDS_SETTINGS, hash_make,
	    "make the hash of a password" },
	{ "check", "", 0, 0, check_options, CTL_NEEDS_SETTINGS, hash_check,
	    "check a password against a hash, ours or another system's" },
	{ 0 },
};

const struct ctl_group ctl_hash_group = {
	.name = "hash",
	.help =
	    "Hashes of passwords, for scripts and for moving in.  \"check\" "
	    "reads the hash from\n"
	    "one line and the password from the next; its exit status is "
	    "0 for a match, 1 for\n"
	    "none, and 2 for a hash that cannot be used.",
	.commands = commands,
	.examples =
	    "  posternctl hash make\n"
	    "  posternctl hash check\n"
	    "  posternctl hash check --hash-file old-hash --password-stdin "
	    "<password\n",
};
