/* etag.h - answers that anybody may keep for a while, and ask about again. */

#ifndef POSTERN_WEB_ETAG_H
#define POSTERN_WEB_ETAG_H

#include <stdbool.h>
#include <stddef.h>

#include "web/request.h"
#include "web/response.h"

/*
 * Give an answer with this body an entity tag, and let it be kept for `max_age`
 * seconds.  True when the client has that very body already: it is answered with
 * 304, and nothing is left to do.  False: the caller answers with the body.
 */
bool etag_matches(struct response *response, const struct request *request,
    const char *body, size_t size, int max_age);

#endif
