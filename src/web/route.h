/* route.h - the table of addresses, and the way of one request through it. */

#ifndef POSTERN_WEB_ROUTE_H
#define POSTERN_WEB_ROUTE_H

#include "acts/service.h"
#include "web/gateway.h"

enum route_result {
	ROUTE_ANSWERED,
	ROUTE_UNSENT, /* nobody was there to take the answer */
};

/*
 * Serve one request: read it, find its address, know its client, let the
 * endpoint answer, send, write the log line, wipe.
 */
enum route_result route_serve(const struct service *service,
    const struct gateway *gateway);

#endif
