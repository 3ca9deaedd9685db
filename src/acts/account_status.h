/* account_status.h - what an account's status is called, and what it allows. */

#ifndef POSTERN_ACTS_ACCOUNT_STATUS_H
#define POSTERN_ACTS_ACCOUNT_STATUS_H

#include <stdbool.h>

#include "store/logins.h"

#define ACCOUNT_STATUS_COUNT 6

/* "force-change-password"; "unknown" for a number that is none of ours. */
const char *account_status_name(enum account_status status);

/* Returns 0, or -1 when no status has that name. */
int account_status_parse(const char *name, enum account_status *status);

/* May its sessions go on?  Only while it is confirmed. */
bool account_status_keeps_sessions(enum account_status status);

/*
 * The status once an operator has set a password: it answers a demand for a new
 * one, or (`force_change`) makes the person choose another at the next sign-in.
 * Other reasons why somebody may not sign in are untouched.
 */
enum account_status account_status_with_password(enum account_status before,
    bool force_change);

#endif
