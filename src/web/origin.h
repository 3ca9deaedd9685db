/* origin.h - which pages may use a service's cookies. */

#ifndef POSTERN_WEB_ORIGIN_H
#define POSTERN_WEB_ORIGIN_H

#include <stdbool.h>

#include "base/config.h"
#include "web/request.h"

/* Is the page that asks (Origin) one of allowed_origins? */
bool origin_is_allowed(const struct config *config,
    const struct request *request);

/*
 * May a request that is known by its cookies alone change anything?  A browser
 * adds them whoever asks it to, so the page that asks must be of this service's
 * own origin or of an allowed one.  The browser's word counts: Sec-Fetch-Site,
 * which no page can write, else Origin, compared with Host.  Without either
 * nobody can tell, and the answer is no.
 */
bool origin_may_act(const struct config *config,
    const struct request *request);

/* Does a URL (NUL-terminated) lead to one of allowed_origins?  Visible ASCII
 * alone, and nothing that a browser reads in another way than we do. */
bool origin_is_allowed_url(const struct config *config, const char *url);

#endif
