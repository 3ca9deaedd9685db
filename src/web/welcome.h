/* welcome.h - the answer that hands out a session's tokens. */

#ifndef POSTERN_WEB_WELCOME_H
#define POSTERN_WEB_WELCOME_H

#include "acts/session.h"
#include "web/endpoint.h"

/* 200 with the tokens in body and cookies, as sign-in promises it. */
void welcome_answer(struct exchange *exchange, const char *message,
    const struct session_tokens *tokens);

#endif
