/* route.h - the table of addresses, and the way of one request through it. */

#ifndef POSTERN_WEB_ROUTE_H
#define POSTERN_WEB_ROUTE_H

#include <stdbool.h>

#include "acts/service.h"
#include "web/gateway.h"

enum route_result {
	ROUTE_ANSWERED,
	ROUTE_DROPPED, /* no answer was owed or could be sent */
};

/*
 * Serve one request: read it, find its address, know its client, let the
 * endpoint answer, send, write the log line, wipe.
 */
enum route_result route_serve(const struct service *service,
    const struct gateway *gateway);

#endif
