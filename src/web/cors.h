/* cors.h - pages of allowed_origins may ask with cookies, and read the answers
 * (Fetch standard, section 3.2). */

#ifndef POSTERN_WEB_CORS_H
#define POSTERN_WEB_CORS_H

#include <stdbool.h>

#include "base/config.h"
#include "web/request.h"
#include "web/response.h"

/*
 * Say in the head who may read this answer: the page that asked, by its name,
 * when it is an allowed one; else nobody, which needs no words.  Where any are
 * allowed, each answer says that it depends on who asks, so that none is kept for
 * another.
 */
void cors_head(const struct config *config, const struct request *request,
    struct response *response);

/* Does a browser ask whether an allowed page may make a request? */
bool cors_is_preflight(const struct config *config,
    const struct request *request);

/* Answer it: with these methods, and the headers that we look at. */
void cors_preflight(struct response *response, const char *methods);

#endif
