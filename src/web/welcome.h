/* welcome.h - the answer that hands out a session's tokens. */

#ifndef POSTERN_WEB_WELCOME_H
#define POSTERN_WEB_WELCOME_H

#include "acts/session.h"
#include "web/endpoint.h"
#include "web/error.h"

/* 200 with the tokens in body and cookies, as sign-in promises it. */
void welcome_answer(struct exchange *exchange, const char *message,
    const struct session_tokens *tokens);

/* Why there are no tokens to hand out after all: a key to sign them with is missing,
 * which is for an operator to mend, or something failed.  (Logged, both.) */
enum error welcome_fault(const struct exchange *exchange);

#endif
