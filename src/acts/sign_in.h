/* sign_in.h - the main act: an address and a password become a session. */

#ifndef POSTERN_ACTS_SIGN_IN_H
#define POSTERN_ACTS_SIGN_IN_H

#include <stddef.h>
#include <stdint.h>

#include "acts/client.h"
#include "acts/session.h"
#include "base/email.h"
#include "hash/gate.h"
#include "token/device_token.h"

struct service;

struct sign_in {
	char login_key[EMAIL_SIZE]; /* canonical */
	const char *password;       /* counted; borrowed */
	size_t password_size;
	const struct client *client;
	struct gate_caller caller;  /* is an answer still wanted? */
	const char *address;        /* of the person, or NULL */
	const char *device;         /* User-Agent, or NULL */
	const char *device_token;   /* that the browser showed, or NULL */
	int64_t now_us;
};

struct sign_in_answer {
	struct session_tokens tokens;         /* for OK */
	char device_token[DEVICE_TOKEN_SIZE]; /* for OK, "" for none */
	int retry_seconds;                    /* for THROTTLED */
};

enum sign_in_result {
	SIGN_IN_OK,
	SIGN_IN_DENIED,          /* no such person, no password, or a wrong one:
	                            told in one word, after equal work */
	SIGN_IN_CLIENT_GONE,     /* the API key was revoked meanwhile */
	SIGN_IN_SSO,             /* the domain signs in elsewhere, or (after the
	                            right password) the account */
	SIGN_IN_THROTTLED,       /* too many failures: come again later */
	/* told after the right password only */
	SIGN_IN_UNCONFIRMED,
	SIGN_IN_CHANGE_PASSWORD,
	SIGN_IN_RESET_REQUIRED,
	SIGN_IN_EXPIRED,         /* the password is too old */
	SIGN_IN_DISABLED,
	/* not the person's fault */
	SIGN_IN_BUSY,            /* too many sign in: come again */
	SIGN_IN_ABANDONED,       /* nobody waits for the answer any more */
	SIGN_IN_UNAVAILABLE,     /* database or memory: come again */
	SIGN_IN_FAILED,
	SIGN_IN_RESULTS
};

/*
 * Sign in.  Who comes when all places of the gate are taken is BUSY before the
 * database is asked; who is THROTTLED takes none.  For SIGN_IN_OK *answer holds the
 * new session's tokens, which the caller wipes; nothing is acknowledged before the
 * database has it.  Every answer about a person leaves an audit row.  That the domain
 * signs in elsewhere is none: it costs neither the database nor the address anything.
 * Nor is being throttled one, which says nothing about whether there is such a person,
 * nor about the password.
 */
enum sign_in_result sign_in(const struct service *service,
    const struct sign_in *attempt, struct sign_in_answer *answer);

/* A word for log, audit and metrics: "signed_in", "denied", ... */
const char *sign_in_result_name(enum sign_in_result result);

#endif
